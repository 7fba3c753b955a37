/** Where in a conversation to go: a line, or a day. */
import type { ConversationId } from "@switchboard/protocol";

import { createStore } from "../part/store.ts";
import { startOfDay } from "../part/time.tsx";
import type { Item } from "./item.ts";

/** A place in a log. */
export type Place = { seq: number } | { at_ms: number };

/** Where somebody asked to go. Asked for again, it is gone to again: each is an object of its own. */
export const sought = createStore<{ conversation_id: ConversationId; place: Place } | null>(null);

/** The line of a place among those that are known, or -1; `whole` when nothing is known to be above them. Pure. */
export function lineOf(items: readonly Item[], place: Place, whole: boolean): number {
  if ("seq" in place) return items.findIndex((item) => "seq" in item && item.seq === place.seq);
  const day_ms = startOfDay(place.at_ms);
  const index = items.findIndex((item) => item.kind === "day" && startOfDay(item.at_ms) >= day_ms);
  // The first day that is known may go on above.
  const first = items.findIndex((item) => item.kind === "day");
  if (index === -1) return whole || first >= 0 ? items.length - 1 : -1;
  return index > first || whole ? index : -1;
}
