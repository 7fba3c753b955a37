/** The other conversations of a person: those that were read, as newly as they were heard of. Pure. */
import type { Conversation } from "@switchboard/protocol";

import type { Records } from "../live/record.ts";

/** All, but the one at hand where there is one, the last one first. */
export function othersOf({ contact_id, id }: { contact_id: string; id: string | null }, read: readonly Conversation[], known: Records): Conversation[] {
  const others = new Map(read.map((each) => [each.id, each]));
  for (const each of known.values()) {
    const held = others.get(each.id);
    const newer = held === undefined ? each.contact_id === contact_id : each.version > held.version;
    if (newer) others.set(each.id, each);
  }
  if (id !== null) others.delete(id);
  return [...others.values()].sort((a, b) => b.active_at_ms - a.active_at_ms);
}
