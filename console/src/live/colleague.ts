/** Who of the team is here, and what they have in sight. */
import type { Agent, Screen } from "@switchboard/protocol";

import type { Team } from "./session.ts";

/** A member of the team who is here. */
export interface Colleague {
  agent: Agent;
  /** Here, but not to be given work. */
  isAway: boolean;
  screen: Screen | null;
}

/** All who are here but me: those who can be reached first, then by name. */
export function colleagues(team: Pick<Team, "agents" | "presence" | "screens">, me: string): Colleague[] {
  const here: Colleague[] = [];
  for (const agent of team.agents.values()) {
    const availability = team.presence.get(agent.id) ?? "offline";
    if (agent.id === me || agent.deactivated || availability === "offline") continue;
    here.push({ agent, isAway: availability === "away", screen: team.screens.get(agent.id) ?? null });
  }
  return here.sort((a, b) => Number(a.isAway) - Number(b.isAway) || a.agent.name.localeCompare(b.agent.name));
}

/** Where somebody is, in words. */
export function whereabouts(screen: Screen | null): string {
  switch (screen) {
    case "inbox":
      return "Inbox";
    case "conversation":
      return "In a conversation";
    case "visitors":
      return "Visitors";
    case "settings":
      return "Settings";
    default:
      // Nothing, or a place that a newer console has.
      return "Looks elsewhere";
  }
}

/** What an address of the console shows. */
export function screenOf(path: string): Screen | null {
  const [place, , part] = path.replace(/^\/console(?=\/|$)/, "").split("/").filter(Boolean);
  switch (place) {
    case "inbox":
      return part === undefined ? "inbox" : "conversation";
    case "visitors":
    case "settings":
      return place;
    default:
      return null;
  }
}
