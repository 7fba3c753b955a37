// The log of one conversation as a client holds it: dense numbers, nothing doubled, nothing out of
// order. Pure; each change gives a new object.

import type { Batch, Entry, EntryId, Marks, Message, Position, VisitorEntry } from "../protocol.ts";

/** An entry of either side: agents count by `seq`, visitors by `number`. */
export type AnyEntry = VisitorEntry | Entry;

export interface Log<E extends AnyEntry> {
  readonly conversation_id: string;
  /** In number order without a gap; bodies are those of today. */
  readonly entries: readonly E[];
  /** Whether older entries exist before the first of these. */
  readonly older: boolean;
  /** Whether the newest page is still awaited. */
  readonly loading: boolean;
  /** Where this client stands. */
  readonly position: Position | null;
  /** How far the other side has got. */
  readonly marks: Marks | null;
}

/** What became of a live entry. */
export type Applied<E extends AnyEntry> =
  | { readonly result: "applied"; readonly log: Log<E> }
  | { readonly result: "known" }
  | { readonly result: "gap" };

/** The entry's number in the counting of whoever reads it. */
export function numberOf(entry: Pick<VisitorEntry, "number"> | Pick<Entry, "seq">): number {
  return "seq" in entry ? entry.seq : entry.number;
}

export function emptyLog<E extends AnyEntry>(conversationId: string): Log<E> {
  return {
    conversation_id: conversationId,
    entries: [],
    older: false,
    loading: true,
    position: null,
    marks: null,
  };
}

/** Takes a replay or the newest page. */
export function applyBatch<E extends AnyEntry>(log: Log<E>, batch: Batch<E>): Applied<E> {
  if (batch.continuity === "afresh") {
    return {
      result: "applied",
      log: {
        ...log,
        entries: fold([], batch.entries),
        older: batch.older,
        loading: false,
        position: batch.position ?? null,
      },
    };
  }
  const last = log.position?.number ?? 0;
  const missing = batch.entries.filter((entry) => numberOf(entry) > last);
  const first = missing[0];
  if (first !== undefined && numberOf(first) !== last + 1) return { result: "gap" };
  return {
    result: "applied",
    log: {
      ...log,
      entries: fold(log.entries, missing),
      loading: false,
      position: later(log.position, batch.position ?? null),
    },
  };
}

/** Takes a live entry: the next number only. */
export function applyEntry<E extends AnyEntry>(log: Log<E>, entry: E, epoch: number): Applied<E> {
  const number = numberOf(entry);
  const last = log.position?.number ?? 0;
  if (number <= last) return { result: "known" };
  if (number !== last + 1) return { result: "gap" };
  return {
    result: "applied",
    log: {
      ...log,
      entries: fold(log.entries, [entry]),
      loading: false,
      position: { epoch, number, entry_id: entry.id },
    },
  };
}

/** Part of a log: what was said, and whether more was said before. */
export interface Stretch<E extends AnyEntry> {
  readonly entries: readonly E[];
  readonly older: boolean;
}

/**
 * Puts an older page above. What is there already is dropped, and a page that does not reach what is there, as
 * that was read afresh meanwhile. What changed since the page was read is changed in it.
 */
export function prepend<L extends Stretch<AnyEntry>>(log: L, page: Stretch<L["entries"][number]>): L {
  const before = numberOf(log.entries[0] ?? { number: 0 });
  const above = page.entries.filter((entry) => numberOf(entry) < before);
  const last = above.at(-1);
  if (last === undefined) return page.entries.length === 0 && log.older !== page.older ? { ...log, older: page.older } : log;
  if (numberOf(last) !== before - 1) return log;
  return { ...log, entries: withChanges([...above, ...log.entries], log.entries, above.length), older: page.older };
}

/** Marks only grow. */
export function applyMarks<E extends AnyEntry>(log: Log<E>, marks: Marks): Log<E> {
  const delivered = Math.max(log.marks?.delivered ?? 0, marks.delivered, marks.read);
  const read = Math.max(log.marks?.read ?? 0, marks.read);
  if (log.marks !== null && delivered === log.marks.delivered && read === log.marks.read) return log;
  return { ...log, marks: { delivered, read } };
}

/** The client ids of the entries that are here. */
export function clientIds(log: Log<AnyEntry>): Set<string> {
  const found = new Set<string>();
  for (const entry of log.entries) if (entry.client_id != null) found.add(entry.client_id);
  return found;
}

function later(a: Position | null, b: Position | null): Position | null {
  if (a === null || b === null) return b ?? a;
  return b.number >= a.number ? b : a;
}

/** Adds entries, and lets edits and deletions change what they are about. */
function fold<E extends AnyEntry>(entries: readonly E[], added: readonly E[]): readonly E[] {
  if (added.length === 0) return entries;
  return withChanges([...entries, ...added], added, Infinity);
}

/** Lets edits and deletions change what they are about, among the first so many of all. */
function withChanges<E extends AnyEntry>(all: E[], changes: readonly E[], count: number): readonly E[] {
  let places: Map<EntryId, number> | null = null;
  for (const entry of changes) {
    const { content } = entry;
    if (content.kind !== "edited" && content.kind !== "deleted") continue;
    places ??= new Map(all.map((other, index) => [other.id, index]));
    const place = places.get(content.target_id) ?? Infinity;
    const target = place < count ? all[place] : undefined;
    if (target === undefined) continue;
    all[place] =
      content.kind === "edited"
        ? withMessage(target, content.message)
        : withMessage(target, { format: "plain", body: "", deleted_at_ms: entry.sent_at_ms });
  }
  return all;
}

function withMessage<E extends AnyEntry>(entry: E, message: Message): E {
  const { content } = entry;
  if (content.kind !== "message" && content.kind !== "note") return entry;
  // A deletion is final: an edit that was written before it must not bring the words back.
  if (content.message.deleted_at_ms != null) return entry;
  return { ...entry, content: { ...content, message } };
}
