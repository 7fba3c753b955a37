// Which entries are news to this page: what came while it was open, also in one batch after a pause,
// and nothing of what was there before. Pure but for its memory.

import type { VisitorConversation, VisitorEntry } from "../protocol.ts";

export class Seen {
  readonly #numbers = new Map<string, number>();
  /** When this page was welcomed first, by the server's clock. */
  #sinceMs = Infinity;

  clear(): void {
    this.#numbers.clear();
    this.#sinceMs = Infinity;
  }

  /** The connection is up, for the first time or again. */
  welcomed(nowMs: number): void {
    this.#sinceMs = Math.min(this.#sinceMs, nowMs);
  }

  /** A conversation was told of: all in it is news if it began while the page was open. */
  told(conversation: VisitorConversation): void {
    if (this.#numbers.has(conversation.id)) return;
    const isNew = conversation.created_at_ms >= this.#sinceMs;
    this.#numbers.set(conversation.id, isNew ? 0 : conversation.number);
  }

  /** Those of a conversation's entries that were not there before. */
  fresh(conversationId: string, entries: readonly VisitorEntry[]): readonly VisitorEntry[] {
    const last = this.#numbers.get(conversationId) ?? Infinity;
    const fresh = entries.filter(({ number }) => number > last);
    const newest = entries.at(-1)?.number ?? 0;
    this.#numbers.set(conversationId, last === Infinity ? newest : Math.max(last, newest));
    return fresh;
  }
}
