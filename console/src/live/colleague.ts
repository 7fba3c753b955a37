/** Who of the team is here, and what they have in sight. */
import type { Agent } from "@switchboard/protocol";

import { PAGES } from "../settings/pages.ts";
import type { Sight, Team } from "./session.ts";

/** A member of the team who is here. */
export interface Colleague {
  agent: Agent;
  /** Here, but not to be given work. */
  isAway: boolean;
  sight: Sight | null;
}

/** All who are here but me: those who can be reached first, then by name. */
export function colleagues(team: Pick<Team, "agents" | "presence" | "sights">, me: string): Colleague[] {
  const here: Colleague[] = [];
  for (const agent of team.agents.values()) {
    const availability = team.presence.get(agent.id) ?? "offline";
    if (agent.id === me || agent.deactivated || availability === "offline") continue;
    here.push({ agent, isAway: availability === "away", sight: team.sights.get(agent.id) ?? null });
  }
  return here.sort((a, b) => Number(a.isAway) - Number(b.isAway) || a.agent.name.localeCompare(b.agent.name));
}

/** Where somebody is, in words; of a conversation, with whom it is, where that is known. */
export function whereabouts(sight: Sight | null, customer?: string): string {
  switch (sight?.screen) {
    case "inbox":
      return "Inbox";
    case "todo":
      return "To do";
    case "conversation":
      return customer === undefined ? "In a conversation" : `With ${customer}`;
    case "visitors":
      return "Visitors";
    case "settings": {
      const page = pageNamed(sight.settings_page);
      return page ? `Settings: ${page.name}` : "Settings";
    }
    default:
      // Nothing, or a place that a newer console has.
      return "Looks elsewhere";
  }
}

/** What an address of the console shows. */
export function sightOf(path: string): Sight | null {
  const [place, part, conversation_id] = path.replace(/^\/console(?=\/|$)/, "").split("/").filter(Boolean);
  const nothing = { conversation_id: null, settings_page: null };
  switch (place) {
    case "inbox":
      if (conversation_id !== undefined) return { ...nothing, screen: "conversation", conversation_id };
      return { ...nothing, screen: part === "todo" ? "todo" : "inbox" };
    case "visitors":
      return { ...nothing, screen: "visitors" };
    case "settings":
      return { ...nothing, screen: "settings", settings_page: pageNamed(part)?.place ?? null };
    default:
      return null;
  }
}

const pageNamed = (place: string | null | undefined) => PAGES.find((page) => page.place === place);
