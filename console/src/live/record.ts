/**
 * Conversations as last heard of, from whichever door: the higher version always stays. What a contact is
 * called stands in all rows of the contact, and is as new as the newest that was heard of it.
 */
import type { ContactId, Conversation, ConversationId } from "@switchboard/protocol";

import { createStore } from "../part/store.ts";

/** Known conversations by id. */
export type Records = ReadonlyMap<ConversationId, Conversation>;

/** What a contact is called. */
export interface ContactName {
  name: string;
  version: number;
  erased: boolean;
}

/** Known names by contact. */
export type Names = ReadonlyMap<ContactId, ContactName>;

/** Takes rows in; returns the same map when nothing was newer. */
export function mergeRecords(known: Records, rows: readonly Conversation[], names: Names): Records {
  let merged: Map<ConversationId, Conversation> | undefined;
  for (const row of rows) {
    const held = (merged ?? known).get(row.id);
    if (held && held.version >= row.version) continue;
    merged ??= new Map(known);
    merged.set(row.id, withName(row, names.get(row.contact_id)));
  }
  return merged ?? known;
}

/** Takes names in; returns the same map when none was newer. */
export function mergeNames(known: Names, heard: readonly (readonly [ContactId, ContactName])[]): Names {
  let merged: Map<ContactId, ContactName> | undefined;
  for (const [id, name] of heard) {
    const held = (merged ?? known).get(id);
    if (held && held.version >= name.version) continue;
    merged ??= new Map(known);
    merged.set(id, name);
  }
  return merged ?? known;
}

/** Gives all rows the names that are known; returns the same map when they have them. */
export function nameRecords(known: Records, names: Names): Records {
  let named: Map<ConversationId, Conversation> | undefined;
  for (const [id, row] of known) {
    const next = withName(row, names.get(row.contact_id));
    if (next === row) continue;
    named ??= new Map(known);
    named.set(id, next);
  }
  return named ?? known;
}

/** A row with a newer name. Of the erased nothing is left to show, and nobody waits for an answer. */
function withName(row: Conversation, heard: ContactName | undefined): Conversation {
  if (!heard || heard.version <= row.contact_version) return row;
  const named = { ...row, contact_name: heard.name, contact_version: heard.version, contact_erased: heard.erased };
  if (!heard.erased) return named;
  const preview = row.preview ? { ...row.preview, text: "", attachment_count: 0 } : null;
  return { ...named, state: "closed", waiting_on: "customer", preview };
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
  if (row.customer_seq === 0 || row.contact_erased) return false;
  if (mark !== undefined) return mark < row.customer_seq;
  return row.state === "open" && row.waiting_on === "agent" && row.preview?.from_customer === true;
}

/** The conversations known to this page. */
export const records = createStore<Records>(new Map());

/** What their contacts are called. */
const names = createStore<Names>(new Map());

/** The read marks known to this page. */
export const reads = createStore<ReadMarks>(new Map());

/** Takes rows in, and the names that stand in them. */
export function noteRecords(rows: readonly Conversation[]): void {
  noteNames(rows.map((row) => [row.contact_id, { name: row.contact_name, version: row.contact_version, erased: row.contact_erased }]));
  records.set((known) => mergeRecords(known, rows, names.get()));
}

/** Takes names in: all rows of these contacts show them. */
export function noteNames(heard: readonly (readonly [ContactId, ContactName])[]): void {
  const before = names.get();
  names.set((known) => mergeNames(known, heard));
  if (names.get() !== before) records.set((known) => nameRecords(known, names.get()));
}

/** Forgets everything: another session, another workspace. */
export function forgetRecords(): void {
  records.set(new Map());
  names.set(new Map());
  reads.set(new Map());
}
