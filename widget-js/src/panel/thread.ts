// What stands in the thread, from top to bottom: a pure function of conversations, entries and outbox.

import { filesOf, type OutboxItem } from "../client/outbox.ts";
import type {
  Marks,
  Message,
  VisitorAuthor,
  VisitorConversation,
  VisitorEntry,
} from "../protocol.ts";
import { said } from "./words.ts";

/** One conversation with what is known of it. */
export interface Thread {
  readonly conversation: VisitorConversation;
  readonly entries: readonly VisitorEntry[];
  readonly older: boolean;
  readonly marks: Marks | null;
}

/** How far an own message has got. */
export type Mark = "waiting" | "sent" | "stored" | "seen" | "refused";

export interface MessageRow {
  readonly type: "message";
  readonly key: string;
  readonly conversationId: string | null;
  readonly entryId: string | null;
  readonly clientId: string | null;
  readonly from: "you" | "team";
  /** Shown above the first of a group of the team's. */
  readonly name: string;
  /** The id of his picture. */
  readonly picture: string | null;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly message: Message;
  readonly atMs: number;
  readonly mark: Mark | null;
  readonly problem: string | null;
  /** What it answers, where that is loaded. */
  readonly quote: Quote | null;
}

/** A message that another one answers. */
export interface Quote {
  readonly name: string;
  readonly message: Message;
}

export type Row =
  | MessageRow
  | { readonly type: "day"; readonly key: string; readonly atMs: number }
  | { readonly type: "line"; readonly key: string; readonly text: string; readonly atMs: number }
  | { readonly type: "older"; readonly key: string; readonly conversationId: string };

/** Messages of one author within this time stand together. */
const GROUP_MS = 5 * 60_000;

/** `aheadMs`: how far the server's clock is before this browser's, by which what waits was written. */
export function rowsOf(
  threads: readonly Thread[],
  outbox: readonly OutboxItem[],
  problemText: (item: OutboxItem) => string | null,
  aheadMs = 0,
): readonly Row[] {
  const rows: Row[] = [];
  const shown = new Set<string>();
  const quotes = new Map<string, Quote>();
  for (const thread of threads) {
    if (thread.older) {
      rows.push({
        type: "older",
        key: `older-${thread.conversation.id}`,
        conversationId: thread.conversation.id,
      });
    }
    for (const entry of thread.entries) {
      if (entry.client_id != null) shown.add(entry.client_id);
      const row = rowOf(entry, thread);
      if (row === null) continue;
      if (row.type !== "message") rows.push(row);
      else {
        rows.push({ ...row, quote: quotes.get(row.message.reply_to_id ?? "") ?? null });
        quotes.set(entry.id, { name: row.from === "you" ? said("you") : row.name, message: row.message });
      }
    }
  }
  for (const item of outbox) {
    if (shown.has(item.client_id)) continue;
    const row = pendingRow(item, problemText(item), aheadMs);
    if (row !== null) rows.push(row);
  }
  return grouped(withDays(rows));
}

/** Whether a conversation is over: its own log knows it first. */
export function isOver(thread: Thread): boolean {
  const last = thread.entries.findLast(({ content }) => content.kind === "closed" || content.kind === "reopened");
  return last === undefined ? thread.conversation.closed : last.content.kind === "closed";
}

/** Who spoke for the team. */
export function nameOf(author: VisitorAuthor): string {
  switch (author.kind) {
    case "agent":
      return author.name;
    case "team":
      return said("team");
    default:
      return said("assistant");
  }
}

function rowOf(entry: VisitorEntry, thread: Thread): Row | null {
  const { content, author } = entry;
  const name = author.kind === "you" || author.kind === "system" ? "" : nameOf(author);
  const line = (text: string): Row => ({ type: "line", key: entry.id, text, atMs: entry.sent_at_ms });
  switch (content.kind) {
    case "message": {
      const isOwn = author.kind === "you";
      const isSeen = entry.number <= (thread.marks?.read ?? 0);
      return {
        type: "message",
        key: entry.client_id ?? entry.id,
        conversationId: entry.conversation_id,
        entryId: entry.id,
        clientId: entry.client_id ?? null,
        from: isOwn ? "you" : "team",
        name,
        picture: author.kind === "agent" ? (author.picture ?? null) : null,
        isFirst: true,
        isLast: true,
        message: content.message,
        atMs: entry.sent_at_ms,
        mark: isOwn ? (isSeen ? "seen" : "stored") : null,
        problem: null,
        quote: null,
      };
    }
    case "joined":
      return line(said("joined", { name: name || said("somebody") }));
    case "left":
      return line(said("left", { name: name || said("somebody") }));
    case "closed":
      return line(said(author.kind === "you" ? "ended_by_you" : "ended"));
    case "reopened":
      return line(said("goes_on"));
    case "edited":
    case "deleted":
      return null;
    default:
      // A kind of tomorrow: it has a number, and nothing to show.
      return null;
  }
}

function pendingRow(item: OutboxItem, problem: string | null, aheadMs: number): Row | null {
  if (item.command.do !== "send_message") return null;
  const message: Message = { format: "plain", body: item.command.body ?? "" };
  const attachments = filesOf(item);
  if (attachments.length > 0) message.attachments = [...attachments];
  return {
    type: "message",
    key: item.client_id,
    conversationId: item.ack?.conversation_id ?? null,
    entryId: null,
    clientId: item.client_id,
    from: "you",
    name: "",
    picture: null,
    isFirst: true,
    isLast: true,
    message,
    atMs: item.made_at_ms + aheadMs,
    mark: item.state,
    problem,
    quote: null,
  };
}

/** Where a new day begins, in the reader's own time zone. */
function withDays(rows: readonly Row[]): readonly Row[] {
  const all: Row[] = [];
  let day = "";
  for (const row of rows) {
    if (row.type === "message" || row.type === "line") {
      const now = new Date(row.atMs).toDateString();
      if (now !== day) all.push({ type: "day", key: `day-${now}-${row.key}`, atMs: row.atMs });
      day = now;
    }
    all.push(row);
  }
  return all;
}

function grouped(rows: readonly Row[]): readonly Row[] {
  return rows.map((row, index) => {
    if (row.type !== "message") return row;
    return {
      ...row,
      isFirst: !together(rows[index - 1], row),
      isLast: !together(row, rows[index + 1]),
    };
  });
}

function together(a: Row | undefined, b: Row | undefined): boolean {
  return (
    a?.type === "message" &&
    b?.type === "message" &&
    a.from === b.from &&
    a.name === b.name &&
    b.atMs - a.atMs < GROUP_MS
  );
}
