/** The steps of a set-up, and which of them are done. Pure. */
import type { Settings, Site } from "@switchboard/protocol";

import { LOOPBACK } from "../settings/origin.ts";

export type StepName = "origins" | "widget" | "look" | "language" | "team" | "conversation";

export interface Step {
  name: StepName;
  done: boolean;
}

/** What is known of a workspace. */
export interface Known {
  sites: readonly Pick<Site, "archived" | "allowed_origins" | "theme">[];
  /** Members and open invitations. */
  member_count: number;
  /** Whether a widget was seen on a page that is not our own. */
  was_seen: boolean;
  was_written: boolean;
  language: Settings["language"];
}

/** What a new site's look begins with. */
const FIRST_COLOR = "#0f4c5c";

/** All steps, in the order in which they are taken. */
export function stepsOf({ sites, member_count, was_seen, was_written, language }: Known): Step[] {
  const live = sites.filter((site) => !site.archived);
  return [
    { name: "origins", done: live.some((site) => site.allowed_origins.some((origin) => origin !== LOOPBACK)) },
    { name: "widget", done: was_seen },
    { name: "look", done: live.some(({ theme }) => theme.color !== FIRST_COLOR || theme.title !== "") },
    { name: "language", done: language !== null },
    { name: "team", done: member_count > 1 },
    { name: "conversation", done: was_written },
  ];
}
