// The visitor's conversations: what was fetched of earlier ones, and what the client follows now.

import { api } from "../client/api.ts";
import type { Client } from "../client/client.ts";
import type { VisitorConversation, VisitorEntry, VisitorHistory, VisitorNews } from "../protocol.ts";
import type { Thread } from "./thread.ts";
import { said } from "./words.ts";

export interface ConversationsOptions {
  readonly base: string;
  token(): string;
  /** When the server answered, by its own clock. */
  answered(date: string | null): void;
  changed(): void;
  /** Something could not be loaded. */
  failed(text: string): void;
}

export class Conversations {
  readonly #options: ConversationsOptions;
  #client: Client<VisitorNews, VisitorEntry> | null = null;
  #threads = new Map<string, Thread>();
  /** Where earlier conversations go on. */
  #cursor: string | null = null;
  #isLoading = false;
  /** Whether the first page was fetched. */
  #isFetched = false;

  constructor(options: ConversationsOptions) {
    this.#options = options;
  }

  /** Begins anew, for whoever this client is; nothing of before stays. */
  begin(client: Client<VisitorNews, VisitorEntry> | null): void {
    this.#client = client;
    this.#threads = new Map();
    this.#cursor = null;
    this.#isLoading = false;
    this.#isFetched = false;
  }

  /** Whether it is known what was said before. */
  get isFetched(): boolean {
    return this.#isFetched;
  }

  get isLoading(): boolean {
    return this.#isLoading;
  }

  /** Whether there are earlier conversations than these. */
  get hasOlder(): boolean {
    return this.#cursor !== null;
  }

  /** All of them, oldest first; what the client follows is fresher than what was fetched. */
  all(): readonly Thread[] {
    return [...this.#threads.values()]
      .map((thread) => {
        const log = this.#client?.log(thread.conversation.id);
        if (log === undefined || log.loading) return thread;
        return { ...thread, entries: log.entries, older: log.older, marks: log.marks ?? thread.marks };
      })
      .sort((a, b) => a.conversation.created_at_ms - b.conversation.created_at_ms);
  }

  present(): Thread | undefined {
    return this.all().at(-1);
  }

  /** Takes what a conversation is now. */
  set(conversation: VisitorConversation): void {
    const before = this.#threads.get(conversation.id);
    if (before !== undefined && before.conversation.version > conversation.version) return;
    this.#threads.set(conversation.id, { entries: [], older: false, marks: null, ...before, conversation });
  }

  /** Fetches the first page where that is still to be done. */
  async loadFirst(): Promise<void> {
    if (!this.#isFetched) await this.#load("");
  }

  /** Fetches earlier conversations. */
  async loadMore(): Promise<void> {
    if (this.#cursor !== null) await this.#load(`?cursor=${encodeURIComponent(this.#cursor)}`);
  }

  async #load(query: string): Promise<void> {
    if (this.#isLoading) return;
    const client = this.#client;
    const { base, token, answered, changed, failed } = this.#options;
    this.#isLoading = true;
    changed();
    try {
      const history = await api<VisitorHistory>(base, `visitor/history${query}`, { token: token(), head: (headers) => answered(headers.get("date")) });
      if (client !== this.#client) return;
      for (const { conversation, entries, team_marks } of history.conversations) {
        const known = this.#threads.get(conversation.id);
        this.#threads.set(conversation.id, {
          conversation: known?.conversation ?? conversation,
          entries,
          older: (entries[0]?.number ?? 1) > 1,
          marks: team_marks,
        });
      }
      this.#cursor = history.cursor ?? null;
      this.#isFetched = true;
    } catch {
      // The first page is asked for again with the next welcome.
      if (client === this.#client && query !== "") failed(said("earlier_failed"));
    } finally {
      if (client === this.#client) this.#isLoading = false;
      changed();
    }
  }

  /** Fetches an older page of one conversation. */
  async loadOlder(conversationId: string): Promise<void> {
    const client = this.#client;
    const thread = this.all().find((other) => other.conversation.id === conversationId);
    const first = thread?.entries[0];
    if (client === null || thread === undefined || first === undefined || this.#isLoading) return;
    const { base, token, changed, failed } = this.#options;
    this.#isLoading = true;
    changed();
    try {
      const path = `visitor/conversations/${conversationId}/entries?before=${first.number}&limit=50`;
      const batch = await api<{ entries: VisitorEntry[]; older: boolean }>(base, path, { token: token() });
      if (client !== this.#client) return;
      client.prepend(conversationId, batch);
      const entries = [...batch.entries.filter((entry) => entry.number < first.number), ...thread.entries];
      this.#threads.set(conversationId, { ...thread, entries, older: batch.older });
    } catch {
      if (client === this.#client) failed(said("earlier_failed"));
    } finally {
      if (client === this.#client) this.#isLoading = false;
      changed();
    }
  }
}
