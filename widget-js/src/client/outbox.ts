// What waits to be done by the server, each thing once. Pure; each change gives a new list.
//
// An item keeps its `client_id` for every try, so a retry is never a second message. Within a
// conversation one item is under way at a time, so nothing overtakes.

import type { Ack, Attachment, Command, Problem } from "../protocol.ts";

export interface OutboxItem {
  readonly client_id: string;
  /** Who wrote it; it goes only under this identity. */
  readonly principal: string;
  readonly command: Command;
  /** The files that the command names, to be shown while it waits. Items of an earlier page know nothing of them. */
  readonly attachments?: readonly Attachment[];
  readonly made_at_ms: number;
  /** `stored` items are kept for a while, in case the store loses them. */
  readonly state: "waiting" | "sent" | "stored" | "refused";
  readonly problem: Problem | null;
  readonly ack: Ack | null;
  /** The life of the store that gave the `ack`. */
  readonly epoch: number | null;
  /** `stored` in a life of the store that is over: the newest page of the present one tells whether still. */
  readonly in_doubt: boolean;
  /** When it last changed its state. */
  readonly changed_at_ms: number;
  /** Not to be tried before. */
  readonly not_before_ms: number;
  /** Whether it outlives the page. */
  readonly keep: boolean;
}

export type Outbox = readonly OutboxItem[];

/** The files of what waits; of one whose command alone is known, its id. */
export function filesOf({ command, attachments }: Pick<OutboxItem, "command" | "attachments">): readonly Attachment[] {
  if (command.do !== "send_message" && command.do !== "add_note") return [];
  return attachments ?? (command.attachment_ids ?? []).map((id) => ({ id, name: "", media_type: "", size_bytes: 0 }));
}

/** How long an answer is awaited before the same is sent again. */
export const ANSWER_MS_MAX = 20_000;
const RETRY_MS_DEFAULT = 2_000;

/** Things that reach the same lane of the server go one after another. */
export function laneOf(command: Command): string {
  if (command.do === "identify") return "identify";
  if (command.do === "start_conversation") return command.visitor_id;
  return command.conversation_id ?? "";
}

/** What may go out now, oldest first, one of each lane. */
export function sendable(outbox: Outbox, principal: string, nowMs: number): readonly OutboxItem[] {
  const busy = new Set<string>();
  const ready: OutboxItem[] = [];
  for (const item of outbox) {
    if (item.principal !== principal) continue;
    if (item.state !== "waiting" && item.state !== "sent" && !item.in_doubt) continue;
    const lane = laneOf(item.command);
    if (busy.has(lane)) continue;
    busy.add(lane);
    if (item.state === "waiting" && item.not_before_ms <= nowMs) ready.push(item);
  }
  return ready;
}

/** When `sendable` or `overdue` may have something new; nothing when only an answer can change it. */
export function nextDueMs(outbox: Outbox, principal: string): number | null {
  let due: number | null = null;
  for (const item of outbox) {
    if (item.principal !== principal) continue;
    const at =
      item.state === "waiting"
        ? item.not_before_ms
        : item.state === "sent" || item.in_doubt
          ? item.changed_at_ms + ANSWER_MS_MAX
          : null;
    if (at !== null && (due === null || at < due)) due = at;
  }
  return due;
}

export function marked(outbox: Outbox, clientId: string, change: Partial<OutboxItem>): Outbox {
  return outbox.map((item) => (item.client_id === clientId ? { ...item, ...change } : item));
}

function again(item: OutboxItem, nowMs: number): OutboxItem {
  const undone = { ack: null, epoch: null, in_doubt: false } as const;
  return { ...item, ...undone, state: "waiting", changed_at_ms: nowMs, not_before_ms: 0 };
}

/** The connection is gone: whether what was under way arrived is unknown, so it goes again. */
export function interrupted(outbox: Outbox, nowMs: number): Outbox {
  const open = (item: OutboxItem): boolean => item.state === "sent" || item.in_doubt;
  if (!outbox.some(open)) return outbox;
  return outbox.map((item) => (open(item) ? again(item, nowMs) : item));
}

/** What was sent, or is in doubt, for too long without an answer goes again. */
export function overdue(outbox: Outbox, nowMs: number): Outbox {
  const late = (item: OutboxItem): boolean =>
    (item.state === "sent" || item.in_doubt) && item.changed_at_ms + ANSWER_MS_MAX <= nowMs;
  if (!outbox.some(late)) return outbox;
  return outbox.map((item) => (late(item) ? again(item, nowMs) : item));
}

export function acknowledged(outbox: Outbox, ack: Ack, epoch: number, nowMs: number): Outbox {
  const done = { ack, epoch, in_doubt: false, problem: null } as const;
  return marked(outbox, ack.client_id, { ...done, state: "stored", changed_at_ms: nowMs });
}

export function rejected(outbox: Outbox, clientId: string, problem: Problem, nowMs: number): Outbox {
  if (problem.retry === "later") {
    const waitMs = problem.retry_after_ms ?? RETRY_MS_DEFAULT;
    return marked(outbox, clientId, {
      state: "waiting",
      problem,
      changed_at_ms: nowMs,
      not_before_ms: nowMs + waitMs,
    });
  }
  return marked(outbox, clientId, { state: "refused", problem, changed_at_ms: nowMs });
}

/** The store may have lost the last minutes: what is not among `found` goes again, under its old id. */
export function lost(
  outbox: Outbox,
  found: ReadonlySet<string>,
  belongs: (item: OutboxItem) => boolean,
  nowMs: number,
  resendMs: number,
): Outbox {
  const gone = (item: OutboxItem): boolean =>
    item.state === "stored" &&
    !found.has(item.client_id) &&
    item.changed_at_ms + resendMs > nowMs &&
    belongs(item);
  if (!outbox.some(gone)) return outbox;
  return outbox.map((item) => (gone(item) ? again(item, nowMs) : item));
}

/** The life `epoch` of the store is over, and the present one may lack its end. Of the conversations whose
 * page is `awaited`, that page decides; what was stored elsewhere, or in yet another life, goes again. */
export function doubted(
  outbox: Outbox,
  awaited: ReadonlySet<string>,
  epoch: number,
  nowMs: number,
  resendMs: number,
): Outbox {
  return outbox.map((item) => {
    if (item.state !== "stored" || item.changed_at_ms + resendMs <= nowMs) return item;
    const { ack } = item;
    const waits = ack?.number != null && ack.conversation_id != null && awaited.has(ack.conversation_id);
    if (!waits || item.epoch !== epoch) return again(item, nowMs);
    return { ...item, in_doubt: true, changed_at_ms: nowMs };
  });
}

/** Decides by the newest page of a conversation, whose first number is `from`. What a store lost is the end of what
 * was: before the page, nothing is missing where the page has another item of the same life. */
export function decided(
  outbox: Outbox,
  conversationId: string,
  page: ReadonlySet<string>,
  from: number,
  epoch: number,
  nowMs: number,
): Outbox {
  const asks = (item: OutboxItem): boolean => item.in_doubt && item.ack?.conversation_id === conversationId;
  const isThere = ({ ack }: OutboxItem): boolean => ack?.entry_id != null && page.has(ack.entry_id);
  if (!outbox.some(asks)) return outbox;
  const goesOn = outbox.some((item) => asks(item) && isThere(item));
  return outbox.map((item) => {
    if (!asks(item)) return item;
    const isBefore = goesOn && (item.ack?.number ?? from) < from;
    return isThere(item) || isBefore ? { ...item, epoch, in_doubt: false } : again(item, nowMs);
  });
}

/** Forgets what was stored longer ago than it could be lost. */
export function pruned(outbox: Outbox, nowMs: number, resendMs: number): Outbox {
  const old = (item: OutboxItem): boolean =>
    item.state === "stored" && !item.in_doubt && item.changed_at_ms + resendMs <= nowMs;
  return outbox.some(old) ? outbox.filter((item) => !old(item)) : outbox;
}
