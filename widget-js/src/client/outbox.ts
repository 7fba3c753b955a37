// What waits to be done by the server, each thing once. Pure; each change gives a new list.
//
// An item keeps its `client_id` for every try, so a retry is never a second message. Within a
// conversation one item is under way at a time, so nothing overtakes.

import type { Ack, Command, Problem } from "../protocol.ts";

export interface OutboxItem {
  readonly client_id: string;
  /** Who wrote it; it goes only under this identity. */
  readonly principal: string;
  readonly command: Command;
  readonly made_at_ms: number;
  /** `stored` items are kept for a while, in case the store loses them. */
  readonly state: "waiting" | "sent" | "stored" | "refused";
  readonly problem: Problem | null;
  readonly ack: Ack | null;
  /** When it last changed its state. */
  readonly changed_at_ms: number;
  /** Not to be tried before. */
  readonly not_before_ms: number;
  /** Whether it outlives the page. */
  readonly keep: boolean;
}

export type Outbox = readonly OutboxItem[];

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
    if (item.state !== "waiting" && item.state !== "sent") continue;
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
        : item.state === "sent"
          ? item.changed_at_ms + ANSWER_MS_MAX
          : null;
    if (at !== null && (due === null || at < due)) due = at;
  }
  return due;
}

export function marked(outbox: Outbox, clientId: string, change: Partial<OutboxItem>): Outbox {
  return outbox.map((item) => (item.client_id === clientId ? { ...item, ...change } : item));
}

/** The connection is gone: whether what was under way arrived is unknown, so it goes again. */
export function interrupted(outbox: Outbox, nowMs: number): Outbox {
  if (!outbox.some((item) => item.state === "sent")) return outbox;
  return outbox.map((item) =>
    item.state === "sent" ? { ...item, state: "waiting", changed_at_ms: nowMs, not_before_ms: 0 } : item,
  );
}

/** What was sent too long ago without an answer goes again. */
export function overdue(outbox: Outbox, nowMs: number): Outbox {
  const late = (item: OutboxItem): boolean =>
    item.state === "sent" && item.changed_at_ms + ANSWER_MS_MAX <= nowMs;
  if (!outbox.some(late)) return outbox;
  return outbox.map((item) =>
    late(item) ? { ...item, state: "waiting", changed_at_ms: nowMs, not_before_ms: 0 } : item,
  );
}

export function acknowledged(outbox: Outbox, ack: Ack, nowMs: number): Outbox {
  return marked(outbox, ack.client_id, { state: "stored", ack, problem: null, changed_at_ms: nowMs });
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
  return outbox.map((item) =>
    gone(item) ? { ...item, state: "waiting", changed_at_ms: nowMs, not_before_ms: 0, ack: null } : item,
  );
}

/** Forgets what was stored longer ago than it could be lost. */
export function pruned(outbox: Outbox, nowMs: number, resendMs: number): Outbox {
  const old = (item: OutboxItem): boolean =>
    item.state === "stored" && item.changed_at_ms + resendMs <= nowMs;
  return outbox.some(old) ? outbox.filter((item) => !old(item)) : outbox;
}
