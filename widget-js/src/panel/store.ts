// The one state of the panel: who this is, the client, earlier conversations, what is being written.

import { ProblemError } from "../client/api.ts";
import { createVisitorClient, type Client, type Credentials, type Status } from "../client/client.ts";
import { StopError } from "../client/link.ts";
import type { OutboxItem } from "../client/outbox.ts";
import { localStorageOrNull } from "../client/outbox-store.ts";
import { plainText } from "../markup/index.ts";
import type { PageSettings, Preview, ToLoader, ToPanel } from "../messages.ts";
import { limit } from "../protocol.ts";
import type {
  Command,
  Page,
  Staff,
  VisitorConversation,
  VisitorEntry,
  VisitorNews,
  VisitorSession,
  WidgetConfig,
} from "../protocol.ts";
import { Chime } from "./chime.ts";
import { Clock } from "./clock.ts";
import { Conversations } from "./conversations.ts";
import { Drafts } from "./drafts.ts";
import { EmailLater, type Reach } from "./email-later.ts";
import { claimOf, fieldsOf, Introduction, type Answers, type Field } from "./introduction.ts";
import { onPage } from "./page-settings.ts";
import { previewOf } from "./preview.ts";
import { Seen } from "./seen.ts";
import { isOver, nameOf, rowsOf, type MessageRow, type Row } from "./thread.ts";
import { transcriptOf } from "./transcript.ts";
import { Uploads } from "./uploads.ts";
import { Typist } from "./typist.ts";
import { counted, refusal, refusalOf, said, stoppedText } from "./words.ts";

type VisitorClient = Client<VisitorNews, VisitorEntry>;

/** `count` tells two apart that have the same words. */
interface Announcement {
  readonly text: string;
  readonly count: number;
}

export interface Snapshot {
  readonly session: VisitorSession | null;
  readonly config: WidgetConfig | null;
  readonly staff: Staff;
  readonly status: Status;
  readonly rows: readonly Row[];
  readonly waiting: number;
  readonly typing: string | null;
  readonly isOpen: boolean;
  /** Who sits here is being asked: what the last one wrote is kept out of sight. */
  readonly isPaused: boolean;
  readonly isLoadingOlder: boolean;
  readonly hasOlder: boolean;
  readonly editing: MessageRow | null;
  readonly suggested: string;
  readonly failure: string | null;
  /** Words for those who hear the page instead of seeing it. */
  readonly announcement: Announcement;
  readonly isThreadClosed: boolean;
  /** The site lets only those write whom it vouches for, and this is nobody yet. */
  readonly isUnknown: boolean;
  /** The team sees what is written before it is sent. */
  readonly isSeenEarly: boolean;
  /** What is asked before the first message; empty where that was answered, or something was said; null while that is not known. */
  readonly asks: readonly Field[] | null;
  /** Where to reach the visitor is asked in the thread, or was just answered. */
  readonly reach: Reach;
  /** Whether a sound tells of new messages. */
  readonly isSounding: boolean;
}

export class PanelStore {
  readonly base: string;
  readonly uploads: Uploads;
  readonly conversations: Conversations;
  readonly drafts: Drafts;
  readonly #introduction = new Introduction(localStorageOrNull());
  readonly #emailLater = new EmailLater(localStorageOrNull(), () => this.#changed());
  readonly #chime = new Chime(localStorageOrNull());
  readonly #clock = new Clock(localStorageOrNull());
  readonly #post: (message: ToLoader) => void;
  readonly #listeners = new Set<() => void>();
  readonly #seen = new Seen();
  #client: VisitorClient | null = null;
  #session: VisitorSession | null = null;
  #config: WidgetConfig | null = null;
  #staff: Staff = { online: false, people: [] };
  #page: Page | null = null;
  #settings: PageSettings = {};
  #isOpen = false;
  #isPaused = false;
  #typing: string | null = null;
  #typingTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #typist = new Typist(
    () => this.#isSeenEarly() && this.#editing === null,
    (said) => this.#client?.signal({ type: "typing", conversation_id: this.#openConversation(), ...said }),
  );
  #unread = 0;
  /** How far was read here last. */
  #read = { conversationId: "", number: 0 };
  #sinceMs: number | null = null;
  #editing: MessageRow | null = null;
  #failure: string | null = null;
  #announcement: Announcement = { text: "", count: 0 };
  #awaited: { resolve(session: VisitorSession): void; reject(error: Error): void }[] = [];
  #snapshot: Snapshot;
  #isDirty = false;

  constructor(base: string, site: string, post: (message: ToLoader) => void) {
    this.base = base;
    this.drafts = new Drafts(localStorageOrNull(), site);
    this.#post = post;
    this.uploads = new Uploads(base, () => this.#changed(), (text) => (this.#failure = text));
    this.conversations = new Conversations({
      base,
      token: () => this.token,
      answered: (date) => this.#clock.answered(date),
      changed: () => this.#changed(),
      failed: (text) => (this.#failure = text),
    });
    this.#snapshot = this.#take();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get snapshot(): Snapshot {
    if (this.#isDirty) this.#snapshot = this.#take();
    this.#isDirty = false;
    return this.#snapshot;
  }

  get token(): string {
    return this.#session?.token ?? "";
  }

  // --- what the loader says ---------------------------------------------------------------------

  hear(message: ToPanel): void {
    switch (message.type) {
      case "session":
        this.#page = message.page;
        this.#isOpen = message.isOpen;
        this.#sinceMs = message.sinceMs;
        if (this.#isPaused) this.#failure = null;
        this.#isPaused = false;
        this.#become(message.session);
        break;
      case "session_failed": {
        const error = message.code === null ? new Error("later") : new StopError(refusalOf(message.code));
        for (const waiter of this.#awaited.splice(0)) waiter.reject(error);
        // Whoever it is, it is not the one before.
        if (this.#isPaused && message.code !== null) {
          this.#drop();
          this.#failure = stoppedText(null, refusalOf(message.code));
        }
        break;
      }
      case "pause":
        this.stopTyping();
        this.#isPaused = true;
        break;
      case "open":
        this.#isOpen = true;
        this.markRead();
        break;
      case "close":
        this.#isOpen = false;
        this.stopTyping();
        break;
      case "set":
        this.#settings = { ...this.#settings, ...message.settings };
        if (message.settings.message !== undefined) this.drafts.suggest(message.settings.message ?? "");
        break;
      case "page":
        this.#page = message.page;
        this.#client?.signal({ type: "page", ...message.page });
        break;
      case "track":
        this.#client?.signal(message);
        break;
      case "command":
        this.#tell(message.command);
        break;
      case "forget":
        this.#forget();
        break;
    }
    this.#changed();
  }

  close(): void {
    this.#post({ type: "close" });
  }

  #become(session: VisitorSession): void {
    // One identity for the life of a connection: who has just been proved begins a new one.
    const isSamePerson = this.#session?.visitor_id === session.visitor_id;
    const isSame = isSamePerson && this.#session?.identified === session.identified;
    this.#session = session;
    this.#config = session.config;
    this.#staff = session.config.staff;
    for (const waiter of this.#awaited.splice(0)) waiter.resolve(session);
    this.uploads.token = session.token;
    if (isSame && this.#client !== null) {
      if (this.#client.status.name === "stopped") this.#client.start();
      return;
    }
    if (isSamePerson) this.#disconnect();
    else this.#drop();
    if (this.#sinceMs !== null) this.#seen.welcomed(this.#sinceMs);
    const former = this.drafts.become(session.visitor_id);
    const client = createVisitorClient({
      base: this.base,
      principal: session.visitor_id,
      credentials: (fresh) => this.#credentials(session.visitor_id, fresh),
      page: () => this.#page,
    });
    this.#client = client;
    this.conversations.begin(client);
    if (former !== null) client.leave(former);
    client.subscribe(() => this.#changed());
    client.onNews((news) => this.#onNews(news, client));
    client.start();
    this.#sayActivity();
    void this.conversations.loadFirst();
  }

  async #credentials(visitorId: string, fresh: boolean): Promise<Credentials> {
    let session = this.#session;
    if (fresh || session === null || session.expires_at_ms < this.now()) {
      const next = new Promise<VisitorSession>((resolve, reject) => {
        this.#awaited.push({ resolve, reject });
      });
      this.#post({ type: "renew" });
      session = await next;
    }
    // Another visitor by now: that one has a client of its own.
    if (session.visitor_id !== visitorId) throw new StopError(null);
    return { token: session.token, principal: visitorId };
  }

  /** Nothing of this person stays, neither in sight nor in the store. */
  #forget(): void {
    this.#client?.forget();
    this.drafts.forget();
    if (this.#session !== null) {
      this.#introduction.forget(this.#session.visitor_id);
      this.#emailLater.forget(this.#session.visitor_id);
    }
    this.#drop();
    this.#session = null;
  }

  /** Ends all that was for this person. */
  #drop(): void {
    this.#disconnect();
    this.#editing = null;
    this.uploads.clear();
  }

  #disconnect(): void {
    this.#client?.stop();
    this.#client = null;
    this.conversations.begin(null);
    this.#typing = null;
    this.#unread = 0;
    this.announce("");
    this.#seen.clear();
    this.#emailLater.clear();
  }

  // --- what the server says ---------------------------------------------------------------------

  #onNews(news: VisitorNews, client: VisitorClient): void {
    if (client !== this.#client) return;
    switch (news.type) {
      case "welcome":
        this.uploads.limits = news.limits;
        this.#clock.welcomed(news.now_ms);
        this.#seen.welcomed(news.now_ms);
        this.#emailLater.isKnown = news.reachable;
        if (news.conversation != null) this.#setConversation(news.conversation);
        this.#setUnread(news.unread);
        this.#setStaff(news.staff);
        this.#post({ type: "live" });
        void this.conversations.loadFirst();
        this.markRead();
        break;
      case "conversation":
        this.#setConversation(news.conversation);
        break;
      case "entry":
        this.#onEntries(news.entry.conversation_id, [news.entry]);
        break;
      case "entries":
        this.#onEntries(news.conversation_id, news.entries);
        break;
      case "typing":
        this.#setTyping(news.active ? news.name : null);
        break;
      case "unread":
        // A count from before our own read mark arrived must not light the badge.
        this.#setUnread(this.#isReading() ? 0 : news.count);
        break;
      case "staff":
        this.#setStaff({ online: news.online, people: news.people });
        break;
      case "config":
        this.#config = news;
        this.#staff = news.staff;
        this.#post(news);
        break;
      default:
        break;
    }
    this.#changed();
  }

  #setStaff(staff: Staff): void {
    this.#staff = staff;
    this.#post({ type: "staff", ...staff });
  }

  #onEntries(conversationId: string, entries: readonly VisitorEntry[]): void {
    const heard: string[] = [];
    for (const { author, content } of this.#seen.fresh(conversationId, entries)) {
      if (content.kind !== "message") continue;
      this.#post({ type: "message", from: author.kind === "you" ? "you" : "team" });
      if (author.kind === "you") continue;
      this.#setTyping(null);
      this.#emailLater.answered();
      const name = nameOf(author);
      heard.push(`${name}: ${plainText(content.message.format, content.message.body) || said("file_sent")}`);
    }
    if (heard.length > 0 && !this.#isReading()) this.#chime.ring();
    if (heard.length > 0) this.announce(heard.length === 1 ? (heard[0] ?? "") : `${counted("news", heard.length)} ${heard.at(-1)}`);
    this.markRead();
  }

  #setConversation(conversation: VisitorConversation): void {
    this.#seen.told(conversation);
    this.conversations.set(conversation);
  }

  #setTyping(name: string | null): void {
    clearTimeout(this.#typingTimer);
    this.#typing = name;
    if (name !== null) {
      this.#typingTimer = setTimeout(() => {
        this.#typing = null;
        this.#changed();
      }, limit.typing_ms);
    }
  }

  #setUnread(count: number): void {
    this.#unread = count;
    this.#post({ type: "unread", count, preview: count === 0 ? null : this.#preview() });
  }

  #preview(): Preview | null {
    const present = this.conversations.present();
    // What was read just now may not be in the record yet.
    const isLatest = this.#read.conversationId === present?.conversation.id;
    return previewOf(present, Math.max(present?.conversation.read_number ?? 0, isLatest ? this.#read.number : 0));
  }

  /** What is in sight on an open panel was read. */
  readonly markRead = (): void => {
    const thread = this.conversations.present();
    const last = thread?.entries.at(-1);
    if (thread === undefined || last === undefined) return;
    if (this.#isReading()) {
      this.#read = { conversationId: thread.conversation.id, number: last.number };
      this.#client?.signal({
        type: "read",
        conversation_id: thread.conversation.id,
        number: last.number,
      });
      if (this.#unread > 0) this.#setUnread(0);
    } else if (this.#unread > 0) this.#setUnread(this.#unread);
  };
  #isReading(): boolean {
    return this.#isOpen && !this.#isPaused && document.visibilityState === "visible" && this.isAtEnd;
  }

  /** Whether the end of the thread is in sight; the view keeps it. */
  isAtEnd = true;

  #sayActivity(): void {
    this.#client?.signal({ type: "activity", visible: document.visibilityState === "visible" });
  }

  readonly onVisibility = (): void => {
    this.#sayActivity();
    this.markRead();
  };

  // --- writing ----------------------------------------------------------------------------------

  send(text: string): void {
    const body = text.trim();
    const editing = this.#editing;
    this.stopTyping();
    if (editing !== null) {
      this.#editing = null;
      if (body !== "" && body !== editing.message.body && editing.conversationId !== null && editing.entryId !== null) {
        this.#client?.send({
          do: "edit_message",
          conversation_id: editing.conversationId,
          entry_id: editing.entryId,
          body,
        }).done.catch((error: unknown) => this.#say(error));
      }
      this.#changed();
      return;
    }
    const attachments = this.uploads.take();
    if (body === "" && attachments.length === 0) return;
    const attachment_ids = attachments.map(({ id }) => id);
    this.#client?.send(
      { do: "send_message", ...(body === "" ? {} : { body }), ...(attachments.length === 0 ? {} : { attachment_ids }) },
      { attachments },
    );
    this.drafts.write("");
    this.#emailLater.wait();
    this.#changed();
  }

  /** The visitor says who he is, unproved, or would rather not where that is allowed. */
  introduce(answers: Answers): void {
    const visitorId = this.#session?.visitor_id;
    if (this.#config === null || visitorId === undefined) return;
    const claim = claimOf(fieldsOf(this.#config.theme), answers);
    if (claim !== null) this.#tell({ do: "identify", claim });
    this.#introduction.done(visitorId);
    this.#changed();
  }

  /** The visitor says where to reach him, or would rather not. */
  reach(email: string | null): void {
    if (email !== null) this.#tell({ do: "identify", claim: { email } });
    if (this.#session !== null) this.#emailLater.done(this.#session.visitor_id, email);
    if (email !== null) this.announce(said("email_kept", { email }));
    this.#changed();
  }

  /** Says something to the server that is no message; an address that is told is not asked for. */
  #tell(command: Command): void {
    this.#client?.send(command);
    if (command.do !== "identify" || this.#session === null) return;
    if (command.claim.email) this.#emailLater.done(this.#session.visitor_id, null);
  }

  /** The present conversation from its beginning, as a text; null where not all of it could be read. */
  async transcript(): Promise<string | null> {
    const whole = await this.conversations.loadWhole();
    const { theme, site_name } = this.#config ?? {};
    return whole && transcriptOf(theme?.title || site_name || "", rowsOf([whole], [], () => null));
  }

  edit(row: MessageRow | null): void {
    this.#editing = row;
    this.#changed();
  }

  remove(row: MessageRow): void {
    if (row.conversationId === null || row.entryId === null) return;
    this.#client
      ?.send({ do: "delete_message", conversation_id: row.conversationId, entry_id: row.entryId })
      .done.catch((error: unknown) => this.#say(error));
  }

  /** Whether an own message may still be changed. */
  mayChange(row: MessageRow): boolean {
    return (
      row.from === "you" &&
      row.entryId !== null &&
      row.message.deleted_at_ms == null &&
      this.now() - row.atMs < limit.visitor_edit_window_ms
    );
  }

  /** The server's clock: a visitor's may be days off. */
  now = (): number => this.#clock.now();

  retry(clientId: string): void {
    this.#client?.retry(clientId);
  }

  discard(clientId: string): void {
    this.#client?.discard(clientId);
  }

  reconnect(): void {
    if (this.#client?.status.name === "stopped") this.#client.start();
    else this.#client?.wake();
  }

  /** Says something to those who hear the page instead of seeing it. */
  announce(text: string): void {
    this.#announcement = { text, count: this.#announcement.count + 1 };
    this.#changed();
  }

  dismissFailure(): void {
    this.#failure = null;
    this.#changed();
  }

  /** The visitor wants to hear of messages, or no longer. */
  sound(): void {
    this.#chime.toggle();
    this.#changed();
  }

  /** The visitor types. */
  typed(text: string): void {
    if (this.#editing === null) this.drafts.write(text);
    this.#typist.typed(text);
  }

  stopTyping(): void {
    this.#typist.stop();
  }

  /** Whether the team sees what is written before it is sent. */
  #isSeenEarly(): boolean {
    return this.#config?.typing_preview === true;
  }

  #openConversation(): string | null {
    const present = this.conversations.present();
    return present === undefined || isOver(present) ? null : present.conversation.id;
  }

  #say(error: unknown): void {
    if (error instanceof ProblemError) this.#failure = refusal(error.problem);
    this.#changed();
  }

  #asks(wasSaid: boolean): readonly Field[] | null {
    const session = this.#session;
    const theme = this.#config?.theme;
    if (session === null || theme === undefined || wasSaid || session.identified) return [];
    if (this.#config?.identity_required === true || this.#client?.status.name === "stopped") return [];
    if (this.#introduction.isDone(session.visitor_id)) return [];
    const fields = fieldsOf(theme).filter(({ kind }) => kind !== "email" || !this.#emailLater.isKnown);
    // What may be asked yet is not taken from under the fingers of who writes already.
    return fields.length === 0 || this.conversations.isTried ? fields : null;
  }

  // --- snapshots --------------------------------------------------------------------------------

  #changed(): void {
    this.#isDirty = true;
    for (const listener of this.#listeners) listener();
  }

  #take(): Snapshot {
    const outbox = this.#client?.outbox ?? [];
    const threads = this.conversations.all();
    const present = threads.at(-1);
    const waiting = outbox.filter((item) => item.command.do === "send_message" && item.state === "waiting");
    const problemText = (item: OutboxItem): string | null => {
      if (item.problem === null) return null;
      // What the server takes later goes out by itself.
      return item.state === "refused" ? refusal(item.problem) : said("not_sent_yet");
    };
    return {
      session: this.#session,
      config: onPage(this.#config, this.#settings),
      suggested: this.drafts.suggested,
      staff: this.#staff,
      status: this.#client?.status ?? { name: "off" },
      rows: rowsOf(threads, outbox, problemText, this.#clock.aheadMs),
      waiting: waiting.length,
      typing: this.#typing,
      isOpen: this.#isOpen,
      isPaused: this.#isPaused,
      isLoadingOlder: this.conversations.isLoading,
      hasOlder: this.conversations.hasOlder,
      editing: this.#editing,
      failure: this.#failure,
      announcement: this.#announcement,
      isThreadClosed: present !== undefined && isOver(present),
      isUnknown: this.#config?.identity_required === true && this.#session?.identified === false,
      isSeenEarly: this.#isSeenEarly(),
      asks: this.#asks(threads.length > 0 || outbox.some(({ command }) => command.do === "send_message")),
      reach: this.#emailLater.ask(this.#session, this.#config?.theme, present, this.#client?.status.name === "live" && !this.#staff.online),
      isSounding: this.#chime.isOn,
    };
  }
}
