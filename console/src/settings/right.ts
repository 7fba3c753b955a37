/** What may be allowed, in words: the scopes of keys and the grants of members. */
import type { Permission, Role } from "@switchboard/protocol";

/** All that can be given, in the order of the documentation. The owner's right comes with the role alone. */
export const RIGHTS: readonly [Permission, string][] = [
  ["conversations.read", "Read conversations"],
  ["conversations.write", "Answer, assign, close"],
  ["visitors.read", "See who is on the sites"],
  ["contacts.read", "Read contacts"],
  ["contacts.write", "Change contacts"],
  ["contacts.erase", "Erase contacts"],
  ["sites.write", "Change sites"],
  ["team.write", "Change the team"],
  ["settings.write", "Change the workspace"],
  ["audit.read", "Read the audit log"],
  ["keys.write", "Make keys"],
  ["canned.write", "Change the team’s canned responses"],
];

const OF_AGENTS: readonly Permission[] = ["conversations.read", "conversations.write", "visitors.read", "contacts.read", "contacts.write"];

/** What can be granted to a member of a role besides what the role allows. */
export function grantable(role: Role): readonly [Permission, string][] {
  return role === "agent" ? RIGHTS.filter(([right]) => !OF_AGENTS.includes(right)) : [];
}
