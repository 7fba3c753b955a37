/** Conversations picked in the list, to do one thing with all of them. Pure, but for the store. */
import type { ConversationId } from "@switchboard/protocol";

import { createStore } from "../part/store.ts";

/** So many can be picked at once. */
export const PICKED_MAX = 100;

/** What is picked, and where the last pick was: from there a range begins. */
export interface Picked {
  ids: ReadonlySet<ConversationId>;
  last: ConversationId | null;
}

const NOTHING: Picked = { ids: new Set(), last: null };

/** The picked ones. */
export const picked = createStore<Picked>(NOTHING);

/** Nothing is picked any more. */
export function clearPicked(): void {
  picked.set((held) => (held.ids.size === 0 ? held : NOTHING));
}

/** Picks one, or takes it out again. */
export function withToggled({ ids }: Picked, id: ConversationId): Picked {
  const next = new Set(ids);
  if (!next.delete(id) && next.size < PICKED_MAX) next.add(id);
  return { ids: next, last: id };
}

/** Picks all from the last pick to this one, in the order on screen. */
export function withRange(held: Picked, order: readonly ConversationId[], id: ConversationId): Picked {
  const from = held.last === null ? -1 : order.indexOf(held.last);
  const to = order.indexOf(id);
  if (from < 0 || to < 0) return withToggled(held, id);
  const next = new Set(held.ids);
  for (const each of order.slice(Math.min(from, to), Math.max(from, to) + 1)) if (next.size < PICKED_MAX) next.add(each);
  return { ids: next, last: id };
}

/** Without those that are in the list no more. */
export function withShown(held: Picked, order: readonly ConversationId[]): Picked {
  const shown = new Set(order);
  const ids = new Set([...held.ids].filter((id) => shown.has(id)));
  return ids.size === held.ids.size ? held : { ids, last: held.last !== null && shown.has(held.last) ? held.last : null };
}
