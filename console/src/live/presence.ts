/** Whether the visitors of what is shown are here, whomever the list of visitors has. Pure, but for the store. */
import type { LiveVisitor, PresenceState, VisitorId, VisitorState } from "@switchboard/protocol";

import { createStore } from "../part/store.ts";

/** Of whom the server is asked: of these whether they are here, of one all that the list of visitors would tell. */
export interface Names {
  visitor_ids: readonly VisitorId[];
  row_id: VisitorId | null;
}

/** What the server said of them. */
export interface Presence {
  states: ReadonlyMap<VisitorId, PresenceState>;
  row: LiveVisitor | null;
}

/** Nobody. */
export const noNames: Names = { visitor_ids: [], row_id: null };

/** Nothing heard yet. */
export const noPresence: Presence = { states: new Map(), row: null };

/** What was said of those who are named. */
export const presence = createStore<Presence>(noPresence);

/** As many may be named at once. */
const NAMES_MAX = 100;

/** Takes in what was said. What was said of one who is not named any more may still come. */
export function withPresence(held: Presence, news: { states: readonly VisitorState[]; row?: LiveVisitor | null }, { row_id }: Names): Presence {
  const states = new Map(held.states);
  for (const { visitor_id, state } of news.states) states.set(visitor_id, state);
  const row = news.row ?? held.row;
  const is_here = row !== null && row.id === row_id && states.get(row.id) !== "left";
  return { states, row: is_here ? row : null };
}

/** Keeps what was said of those who are named still. */
export function withNames(held: Presence, { visitor_ids, row_id }: Names): Presence {
  const known = [...visitor_ids, ...(row_id === null ? [] : [row_id])].flatMap((id) => {
    const state = held.states.get(id);
    return state === undefined ? [] : [[id, state] as const];
  });
  return { states: new Map(known), row: held.row?.id === row_id ? held.row : null };
}

/**
 * Whom to name now that these are shown, those shown last at the end. Who was named before stays as long as there is
 * room: whoever scrolls back and forth asks nothing anew.
 */
export function namesOf(named: Names, shown: readonly VisitorId[], row_id: VisitorId | null): Names {
  const before = new Set(named.visitor_ids);
  if (shown.every((id) => before.has(id))) return named.row_id === row_id ? named : { ...named, row_id };
  const both = new Set([...shown, ...before]);
  return { visitor_ids: both.size <= NAMES_MAX ? [...both] : shown.slice(-NAMES_MAX), row_id };
}
