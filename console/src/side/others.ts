/** The other conversations of a person: those that were read, as newly as they were heard of. Pure. */
import type { Conversation } from "@switchboard/protocol";

import type { Records } from "../live/record.ts";

/** All but this one, the last one first. */
export function othersOf(row: Conversation, read: readonly Conversation[], known: Records): Conversation[] {
  const others = new Map(read.map((each) => [each.id, each]));
  for (const each of known.values()) {
    const held = others.get(each.id);
    const newer = held === undefined ? each.contact_id === row.contact_id : each.version > held.version;
    if (newer) others.set(each.id, each);
  }
  others.delete(row.id);
  return [...others.values()].sort((a, b) => b.active_at_ms - a.active_at_ms);
}
