// Which entries are news to this page: what came while it was open, also in one batch after a pause or
// before the panel was loaded, and nothing of what was there before. Pure but for its memory.

import type { VisitorConversation, VisitorEntry } from "../protocol.ts";

export class Seen {
  readonly #numbers = new Map<string, number>();
  /** Conversations of which a page was seen. */
  readonly #read = new Set<string>();
  /** When this page was welcomed first, by the server's clock. */
  #sinceMs = Infinity;

  clear(): void {
    this.#numbers.clear();
    this.#read.clear();
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
    // Of what was there when the panel came, the page had not heard what was said since it was welcomed itself.
    const sinceMs = this.#read.has(conversationId) ? Infinity : this.#sinceMs;
    const fresh = entries.filter(({ number, sent_at_ms }) => number > last || sent_at_ms >= sinceMs);
    this.#read.add(conversationId);
    const newest = entries.at(-1)?.number ?? 0;
    this.#numbers.set(conversationId, last === Infinity ? newest : Math.max(last, newest));
    return fresh;
  }
}
