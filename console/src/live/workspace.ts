/** Which workspace a user of several has open; kept over reloads. */
import type { Me, Membership } from "@switchboard/protocol";

import { createKeptStore } from "../part/store.ts";

/** The id of the chosen workspace; empty: the first. */
export const workspaceChoice = createKeptStore<string>(
  "switchboard.workspace",
  "",
  (value): value is string => typeof value === "string",
);

/** The membership that is open. */
export function chosenMembership(me: Me, choice: string): Membership | undefined {
  return me.memberships.find((each) => each.workspace_id === choice) ?? me.memberships[0];
}
