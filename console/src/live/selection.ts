/** What the list shows, for keys that walk along it. */
import type { ConversationId } from "@switchboard/protocol";

import { createStore } from "../part/store.ts";

/** The ids in the order on screen. */
export const shownOrder = createStore<readonly ConversationId[]>([]);

/** Of what a search found: the entry that matched, by conversation. */
export const foundAt = createStore<ReadonlyMap<ConversationId, number>>(new Map());

/** The neighbour of a row: `1` below, `-1` above; the first row where nothing is chosen. */
export function neighbourOf(order: readonly string[], id: string | undefined, step: 1 | -1): string | undefined {
  if (id === undefined) return order[0];
  const index = order.indexOf(id);
  if (index < 0) return order[0];
  return order[index + step];
}
