/** What a thread shows: entries, what waits to be sent, days between, in one list. Pure. */
import { filesOf } from "@switchboard/client";
import type { AgentId, Attachment, Author, Command, Entry, EntryId, Format, Marks, Message, Problem } from "@switchboard/protocol";

import { startOfDay } from "../part/time.tsx";
import { isSaidByNext } from "./event.ts";

/** How far a message of ours has got. */
export type Mark = "sending" | "refused" | "sent" | "delivered" | "seen";

/** Something written: a message or a note, stored or on its way. */
export interface Written {
  kind: "message" | "note";
  key: string;
  entry_id: EntryId | null;
  /** Its number in the log; none while it is on its way. */
  seq: number | null;
  client_id: string | null;
  author: Author;
  at_ms: number;
  message: Message;
  /** Of ours to the customer only. */
  mark: Mark | null;
  /** Whether the line below is of the same run and has a mark: one stands for all. */
  marked_below: boolean;
  problem: Problem | null;
  /** What it answers, where that is loaded. */
  quote: { author: Author; message: Message; seq: number } | null;
  /** Whether the same author wrote the one above, shortly before. */
  joined: boolean;
}

/** A line of a thread. */
export type Item =
  | Written
  | { kind: "day"; key: string; at_ms: number }
  | { kind: "unread"; key: string }
  | { kind: "event"; key: string; entry: Entry };

/** What waits in the outbox, as far as a thread needs it. */
export interface Waiting {
  client_id: string;
  command: Command;
  attachments?: readonly Attachment[];
  made_at_ms: number;
  state: "waiting" | "sent" | "stored" | "refused";
  problem: Problem | null;
}

/** What a thread is made of. */
export interface Parts {
  conversation_id: string;
  entries: readonly Entry[];
  waiting: readonly Waiting[];
  marks: Marks | null;
  me: AgentId;
  /** My read mark when the thread was opened; the line stands behind it, and behind what I wrote last. */
  unread_after: number | null;
}

const JOIN_MS = 4 * 60_000;

/** The lines of a thread. */
export function itemsOf({ conversation_id, entries, waiting, marks, me, unread_after }: Parts): Item[] {
  const items: Item[] = [];
  let day = 0;
  let unread_shown = unread_after === null;
  const read_by_me = Math.max(unread_after ?? 0, writtenLast(entries, me));
  const begin = (at_ms: number) => {
    const its_day = startOfDay(at_ms);
    if (its_day !== day) items.push({ kind: "day", key: `day ${its_day}`, at_ms });
    day = its_day;
  };
  const add = (item: Item, at_ms: number) => {
    begin(at_ms);
    const above = items.at(-1);
    if (above && "mark" in above && "mark" in item) above.marked_below = item.joined && item.mark !== null;
    items.push(item);
  };
  const known = new Set<string>();
  const said = new Map<EntryId, NonNullable<Written["quote"]>>();
  for (const [index, entry] of entries.entries()) {
    if (entry.client_id) known.add(entry.client_id);
    const { content } = entry;
    if (content.kind === "edited" || content.kind === "deleted" || isSaidByNext(entry, entries[index + 1])) continue;
    if (!unread_shown && entry.seq > read_by_me && entry.author.kind === "visitor") {
      unread_shown = true;
      // The heading of a new day stands above it.
      begin(entry.sent_at_ms);
      items.push({ kind: "unread", key: "unread" });
    }
    if (content.kind === "message" || content.kind === "note") {
      const quote = said.get(content.message.reply_to_id ?? "") ?? null;
      said.set(entry.id, { author: entry.author, message: content.message, seq: entry.seq });
      add({ ...writtenOf(entry, content.kind, content.message, marks, items), quote }, entry.sent_at_ms);
    } else add({ kind: "event", key: entry.id, entry }, entry.sent_at_ms);
  }
  for (const item of waiting) {
    if (known.has(item.client_id)) continue;
    const written = waitingOf(conversation_id, item, me, items);
    if (written) add({ ...written, quote: said.get(written.message.reply_to_id ?? "") ?? null }, item.made_at_ms);
  }
  return items;
}

/** The number of what one wrote last; whoever answers has read what stands above. */
function writtenLast(entries: readonly Entry[], me: AgentId): number {
  const isMine = ({ author, content }: Entry) => author.kind === "agent" && author.agent_id === me && (content.kind === "message" || content.kind === "note");
  return entries.findLast(isMine)?.seq ?? 0;
}

/** The lines of a thread, where a line that is as it was before is the very same one: it need not be drawn again. */
export function keepingSame(before: readonly Item[], items: readonly Item[]): Item[] {
  const known = new Map(before.map((item) => [item.key, item]));
  return items.map((item) => {
    const other = known.get(item.key);
    return other && isSame(other, item) ? other : item;
  });
}

/** Whether two things hold the same parts; what a line quotes is made anew each time, of the same parts. */
function isSame<T extends object>(a: T, b: T): boolean {
  return (Object.keys(b) as (keyof T)[]).every((name) => {
    const [one, other] = [a[name], b[name]];
    return one === other || (name === "quote" && one !== null && other !== null && isSame(one as object, other as object));
  });
}

function writtenOf(entry: Entry, kind: "message" | "note", message: Message, marks: Marks | null, before: readonly Item[]): Written {
  const ours = entry.author.kind !== "visitor";
  return {
    kind,
    key: entry.client_id ?? entry.id,
    entry_id: entry.id,
    seq: entry.seq,
    client_id: entry.client_id ?? null,
    author: entry.author,
    at_ms: entry.sent_at_ms,
    message,
    mark: ours && kind === "message" && !message.deleted_at_ms ? markOf(entry.seq, marks) : null,
    marked_below: false,
    problem: null,
    quote: null,
    joined: joins(before, kind, entry.author, entry.sent_at_ms),
  };
}

function waitingOf(conversation_id: string, item: Waiting, me: AgentId, before: readonly Item[]): Written | null {
  const { command } = item;
  if (command.do !== "send_message" && command.do !== "add_note") return null;
  if (command.conversation_id !== conversation_id) return null;
  const author: Author = { kind: "agent", agent_id: me };
  const kind = command.do === "add_note" ? "note" : "message";
  const format: Format = command.format ?? "plain";
  const message: Message = { format, body: command.body ?? "" };
  const attachments = filesOf(item);
  if (attachments.length > 0) message.attachments = [...attachments];
  if (command.reply_to_id) message.reply_to_id = command.reply_to_id;
  return {
    kind,
    key: item.client_id,
    entry_id: null,
    seq: null,
    client_id: item.client_id,
    author,
    at_ms: item.made_at_ms,
    message,
    mark: item.state === "refused" ? "refused" : item.state === "stored" ? "sent" : "sending",
    marked_below: false,
    problem: item.problem,
    quote: null,
    joined: joins(before, kind, author, item.made_at_ms),
  };
}

/** How far the customer has got with a message of ours. */
export function markOf(seq: number, marks: Marks | null): Mark {
  if (marks && seq <= marks.read) return "seen";
  if (marks && seq <= marks.delivered) return "delivered";
  return "sent";
}

/** One key per author, so that two browsers of one person are one side. */
export function authorKey(author: Author): string {
  if (author.kind === "agent") return author.agent_id;
  return author.kind === "key" ? author.key_id : author.kind;
}

function joins(before: readonly Item[], kind: "message" | "note", author: Author, at_ms: number): boolean {
  const last = before.at(-1);
  if (last?.kind !== kind) return false;
  return authorKey(last.author) === authorKey(author) && at_ms - last.at_ms < JOIN_MS && startOfDay(last.at_ms) === startOfDay(at_ms);
}
