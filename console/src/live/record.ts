/** Conversations as last heard of, from whichever door: the higher version always stays. */
import type { Conversation, ConversationId } from "@switchboard/protocol";

import { createStore } from "../part/store.ts";

/** Known conversations by id. */
export type Records = ReadonlyMap<ConversationId, Conversation>;

/** Takes rows in; returns the same map when nothing was newer. */
export function mergeRecords(known: Records, rows: readonly Conversation[]): Records {
  let merged: Map<ConversationId, Conversation> | undefined;
  for (const row of rows) {
    const held = (merged ?? known).get(row.id);
    if (held && held.version >= row.version) continue;
    merged ??= new Map(known);
    merged.set(row.id, row);
  }
  return merged ?? known;
}

/** Read marks of this agent, by conversation. They only grow. */
export type ReadMarks = ReadonlyMap<ConversationId, number>;

/** Takes read marks in; none ever goes back. */
export function mergeReads(known: ReadMarks, marks: Readonly<Record<ConversationId, number | undefined>>): ReadMarks {
  let merged: Map<ConversationId, number> | undefined;
  for (const [id, mark] of Object.entries(marks)) {
    if (mark === undefined || ((merged ?? known).get(id) ?? -1) >= mark) continue;
    merged ??= new Map(known);
    merged.set(id, mark);
  }
  return merged ?? known;
}

/**
 * Whether the customer said something that this agent has not read. Where the mark is not known (rows
 * that came later than the snapshot), a last word of the customer counts as unread.
 */
export function isUnread(row: Conversation, mark: number | undefined): boolean {
  if (row.customer_seq === 0) return false;
  if (mark !== undefined) return mark < row.customer_seq;
  return row.state === "open" && row.waiting_on === "agent" && row.preview?.from_customer === true;
}

/** The conversations known to this page. */
export const records = createStore<Records>(new Map());

/** The read marks known to this page. */
export const reads = createStore<ReadMarks>(new Map());
