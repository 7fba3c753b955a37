// The visitor's conversations: what was fetched of earlier ones, and what the client follows now.

import { api } from "../client/api.ts";
import type { Client } from "../client/client.ts";
import { prepend } from "../client/log.ts";
import type { VisitorConversation, VisitorEntry, VisitorHistory, VisitorNews } from "../protocol.ts";
import type { Thread } from "./thread.ts";
import { said } from "./words.ts";

type VisitorClient = Client<VisitorNews, VisitorEntry>;

export interface ConversationsOptions {
  readonly base: string;
  token(): string;
  /** When the server answered, by its own clock. */
  answered(date: string | null): void;
  changed(): void;
  /** Something could not be loaded. */
  failed(text: string): void;
}

/** How long a page may take to come. */
const PAGE_MS_MAX = 20_000;
/** Older pages that are read to have a whole conversation, at most. */
const WHOLE_PAGES_MAX = 100;

export class Conversations {
  readonly #options: ConversationsOptions;
  #client: VisitorClient | null = null;
  #threads = new Map<string, Thread>();
  /** Where earlier conversations go on. */
  #cursor: string | null = null;
  /** The page that is being fetched, one at a time: whether it came. */
  #page: Promise<boolean> | null = null;
  /** Whether the first page was fetched. */
  #isFetched = false;
  /** Whether it was tried. */
  #isTried = false;

  constructor(options: ConversationsOptions) {
    this.#options = options;
  }

  /** Begins anew, for whoever this client is; nothing of before stays. */
  begin(client: VisitorClient | null): void {
    this.#client = client;
    this.#threads = new Map();
    this.#cursor = null;
    this.#page = null;
    this.#isFetched = this.#isTried = false;
  }

  /** Whether it is known what was said before, as far as that can be known now. */
  get isTried(): boolean {
    return this.#isTried;
  }

  get isLoading(): boolean {
    return this.#page !== null;
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
        // Older pages that were read before the client followed it stay above.
        return { ...thread, ...prepend({ entries: log.entries, older: log.older }, thread), marks: log.marks ?? thread.marks };
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
    const client = this.#client;
    // What was asked for on a line that broke since does not come: once that is known, it is asked for again.
    if (this.#page !== null) await this.#page;
    if (!this.#isFetched) await this.#fetch((its) => this.#readHistory(its, ""));
    if (client !== this.#client) return;
    this.#isTried = true;
    this.#options.changed();
  }

  /** Fetches earlier conversations. */
  async loadMore(): Promise<void> {
    const cursor = this.#cursor;
    if (cursor !== null) await this.#fetchAsked((client) => this.#readHistory(client, `?cursor=${encodeURIComponent(cursor)}`));
  }

  /** Fetches an older page of one conversation, and gives whether one came. */
  async loadOlder(conversationId: string): Promise<boolean> {
    return this.#fetchAsked((client) => this.#readOlder(client, conversationId));
  }

  /** The present conversation with all that was said in it; null where there is none, or not all could be read. */
  async loadWhole(): Promise<Thread | null> {
    for (let page = 0; page < WHOLE_PAGES_MAX; page += 1) {
      const present = this.present();
      if (present === undefined || !present.older) break;
      if (!(await this.loadOlder(present.conversation.id))) return null;
    }
    return this.present() ?? null;
  }

  /** Fetches a page, or waits for the one that is on its way, and gives whether it came. */
  #fetch(read: (client: VisitorClient) => Promise<void>): Promise<boolean> {
    if (this.#page !== null) return this.#page;
    const client = this.#client;
    if (client === null) return Promise.resolve(false);
    const page = read(client)
      .then(() => true, () => false)
      .finally(() => {
        if (this.#page === page) this.#page = null;
        this.#options.changed();
      });
    this.#page = page;
    this.#options.changed();
    return page;
  }

  /** Fetches what somebody asked for, who is told where it does not come. */
  async #fetchAsked(read: (client: VisitorClient) => Promise<void>): Promise<boolean> {
    const client = this.#client;
    const came = await this.#fetch(read);
    if (!came && client === this.#client) {
      this.#options.failed(said("earlier_failed"));
      this.#options.changed();
    }
    return came;
  }

  async #readHistory(client: VisitorClient, query: string): Promise<void> {
    const { base, token, answered } = this.#options;
    const signal = AbortSignal.timeout(PAGE_MS_MAX);
    const history = await api<VisitorHistory>(base, `visitor/history${query}`, { token: token(), signal, head: (headers) => answered(headers.get("date")) });
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
  }

  async #readOlder(client: VisitorClient, conversationId: string): Promise<void> {
    const first = this.#find(conversationId)?.entries[0];
    if (first === undefined) return;
    const { base, token } = this.#options;
    const signal = AbortSignal.timeout(PAGE_MS_MAX);
    const path = `visitor/conversations/${conversationId}/entries?before=${first.number}&limit=50`;
    const page = await api<{ entries: VisitorEntry[]; older: boolean }>(base, path, { token: token(), signal });
    if (client !== this.#client) return;
    client.prepend(conversationId, page);
    // As it is now: it may have changed meanwhile.
    const thread = this.#find(conversationId);
    if (thread !== undefined) this.#threads.set(conversationId, prepend(thread, page));
  }

  #find(conversationId: string): Thread | undefined {
    return this.all().find(({ conversation }) => conversation.id === conversationId);
  }
}
