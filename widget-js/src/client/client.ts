// The client of both faces: one connection, the logs it follows, the outbox, and what must be said
// again after a reconnect. The rules are in `connection.ts`, `log.ts` and `outbox.ts`; here they meet.

import type { Connection, News } from "./connection.ts";
import { browserEnvironment, type Environment } from "./environment.ts";
import { Link, StopError } from "./link.ts";
import * as logs from "./log.ts";
import type { AnyEntry, Log } from "./log.ts";
import type { OutboxItem } from "./outbox.ts";
import { localStorageOrNull, OutboxStore } from "./outbox-store.ts";
import { ProblemError } from "./api.ts";
import { Sender, type SendOptions, type Sent } from "./sender.ts";
import { limit } from "../protocol.ts";
import type {
  Ack,
  AgentNews,
  Batch,
  ClientFrame,
  Command,
  Entry,
  Follow,
  Hello,
  Page,
  Problem,
  Purpose,
  ViewName,
  VisitorEntry,
  VisitorNews,
  Watch,
} from "../protocol.ts";

/** A token, and whose it is: outbox items go only under the identity they were written as. */
export interface Credentials {
  readonly token: string;
  readonly principal: string;
}

export interface ClientOptions {
  /** `""` for this origin. */
  readonly base: string;
  readonly purpose?: Purpose;
  /** Who this is, where that is known before the first token: what waits is then seen at once. */
  readonly principal?: string;
  credentials(fresh: boolean): Promise<Credentials>;
  page?(): Page | null;
  /** Where the outbox lives; the browser's own when absent, memory only when null. */
  readonly storage?: Storage | null;
  readonly environment?: Environment;
}

export type Status =
  | { readonly name: "off" }
  | { readonly name: "connecting"; readonly attempt: number }
  | {
      readonly name: "live";
      readonly transport: "socket" | "stream" | "poll";
      readonly connection_id: string;
    }
  | {
      readonly name: "waiting";
      readonly until_ms: number;
      readonly reason: "lost" | "going_away" | "offline";
    }
  | { readonly name: "stopped"; readonly code: number | null; readonly problem: Problem | null };

/** Frames that are said now or not at all. */
export type SignalFrame = Extract<
  ClientFrame,
  { type: "typing" | "viewing" | "read" | "activity" | "availability" | "screen" | "page" | "track" }
>;

export class Client<N extends News, E extends AnyEntry> {
  readonly #options: ClientOptions;
  readonly #environment: Environment;
  readonly #link: Link;
  readonly #store: OutboxStore;
  readonly #sender: Sender;
  readonly #followsOwn: boolean;
  readonly #listeners = new Set<() => void>();
  readonly #newsListeners = new Set<(news: N) => void>();
  readonly #follows = new Map<string, number>();
  readonly #logs = new Map<string, Log<E>>();
  readonly #refollowing = new Set<string>();
  readonly #watches = new Map<ViewName, Watch>();
  readonly #lastSignals = new Map<string, SignalFrame>();
  readonly #reads = new Map<string, number>();
  readonly #deliveredSaid = new Map<string, number>();
  #principal: string | null = null;
  #epoch = 0;
  #status: Status = { name: "off" };

  /** `followsOwn`: visitors follow each conversation of theirs without asking. */
  constructor(options: ClientOptions, followsOwn: boolean) {
    this.#options = options;
    this.#followsOwn = followsOwn;
    this.#environment = options.environment ?? browserEnvironment;
    const storage = options.storage === undefined ? localStorageOrNull() : options.storage;
    const locks = typeof navigator === "object" ? (navigator.locks ?? null) : null;
    const page = typeof window === "object" ? window : null;
    this.#store = new OutboxStore(storage, this.#environment.newId(), locks, page);
    this.#sender = new Sender({
      environment: this.#environment,
      store: this.#store,
      isLive: () => this.#link.isLive,
      send: (frame) => this.#link.send(frame),
      isInLog: (ack) => this.#isInLog(ack),
      changed: () => this.#changed(),
    });
    this.#link = new Link(
      {
        base: options.base,
        token: (fresh) => this.#token(fresh),
        hello: () => this.#hello(),
        watch: () => [...this.#watches.values()],
        delivered: () => this.#delivered(),
        onNews: (frame) => this.#onNews(frame),
        onChange: (now, before) => this.#onChange(now, before),
      },
      this.#environment,
    );
  }

  // --- life -----------------------------------------------------------------------------------

  start(): void {
    this.#store.open((taken) => this.#sender.returned(taken));
    if (this.#principal === null && this.#options.principal !== undefined) {
      this.#become(this.#options.principal);
    }
    this.#link.start();
  }

  /** Ends the connection. What waits stays in the store, for the next page. */
  stop(): void {
    this.#link.stop();
    this.#sender.stop();
    this.#store.close();
  }

  wake(): void {
    this.#link.wake();
  }

  get status(): Status {
    return this.#status;
  }

  /** Calls back after every change of status, logs or outbox. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Every frame of the present connection, after this client did its part. */
  onNews(listener: (news: N) => void): () => void {
    this.#newsListeners.add(listener);
    return () => this.#newsListeners.delete(listener);
  }

  // --- logs -----------------------------------------------------------------------------------

  follow(conversationId: string): void {
    const count = this.#follows.get(conversationId) ?? 0;
    this.#follows.set(conversationId, count + 1);
    if (count > 0) return;
    this.#setLog(this.#logs.get(conversationId) ?? logs.emptyLog(conversationId));
    this.#sayFollow(conversationId);
    this.#changed();
  }

  unfollow(conversationId: string): void {
    const count = this.#follows.get(conversationId) ?? 0;
    if (count > 1) {
      this.#follows.set(conversationId, count - 1);
      return;
    }
    if (!this.#follows.delete(conversationId)) return;
    this.#logs.delete(conversationId);
    this.#refollowing.delete(conversationId);
    this.#reads.delete(conversationId);
    this.#deliveredSaid.delete(conversationId);
    if (this.#link.state.kind === "socket") {
      this.#link.send({ type: "unfollow", conversation_id: conversationId });
    } else this.#link.reopen();
    this.#changed();
  }

  log(conversationId: string): Log<E> | undefined {
    return this.#logs.get(conversationId);
  }

  prepend(
    conversationId: string,
    page: { readonly entries: readonly E[]; readonly older: boolean },
  ): void {
    const log = this.#logs.get(conversationId);
    if (log === undefined) return;
    this.#setLog(logs.prepend(log, page));
    this.#changed();
  }

  // --- views and signals ----------------------------------------------------------------------

  watch(watch: Watch): void {
    this.#watches.set(watch.view, watch);
    if (this.#link.state.kind === "socket") this.#link.send({ type: "watch", ...watch });
    else this.#link.reopen();
  }

  unwatch(view: ViewName): void {
    if (!this.#watches.delete(view)) return;
    if (this.#link.state.kind === "socket") this.#link.send({ type: "unwatch", view });
    else this.#link.reopen();
  }

  signal(frame: SignalFrame): void {
    switch (frame.type) {
      case "viewing":
      case "availability":
      case "screen":
      case "activity":
      case "page":
        this.#lastSignals.set(frame.type, frame);
        break;
      case "read": {
        const before = this.#reads.get(frame.conversation_id) ?? 0;
        if (frame.number <= before) return;
        this.#reads.set(frame.conversation_id, frame.number);
        break;
      }
      case "typing":
      case "track":
        break;
    }
    this.#link.send(frame);
  }

  // --- the outbox -----------------------------------------------------------------------------

  /** Asks for something once. It goes out in order, over reconnects and, where kept, reloads. */
  send(command: Command, options: SendOptions = {}): Sent {
    return this.#sender.send(command, options);
  }

  get outbox(): readonly OutboxItem[] {
    return this.#sender.shown;
  }

  /** Whether it goes out of the next page, should this one end before. */
  keeps(item: OutboxItem): boolean {
    return this.#store.has(item);
  }

  retry(clientId: string): void {
    this.#sender.retry(clientId);
  }

  discard(clientId: string): void {
    this.#sender.discard(clientId);
  }

  /** Somebody else sat here before: forgets what that one has sent. What never went out waits for him. */
  leave(former: string): void {
    this.#store.leave(former);
  }

  /** Forgets what waits under the present identity: after a logout nobody may send in that name. */
  forget(): void {
    this.#sender.forget();
  }

  // --- the connection -------------------------------------------------------------------------

  async #token(fresh: boolean): Promise<string> {
    try {
      const { token, principal } = await this.#options.credentials(fresh);
      if (principal !== this.#principal) this.#become(principal);
      return token;
    } catch (error) {
      if (error instanceof ProblemError && error.problem.retry === "never") {
        throw new StopError(error.problem);
      }
      throw error;
    }
  }

  /** Somebody else: nothing of the former person is kept in sight. */
  #become(principal: string): void {
    if (this.#principal !== null) {
      this.#logs.clear();
      this.#follows.clear();
      this.#reads.clear();
      this.#deliveredSaid.clear();
    }
    this.#principal = principal;
    this.#sender.become(principal);
  }

  #hello(): Omit<Hello, "token"> {
    this.#refollowing.clear();
    this.#deliveredSaid.clear();
    return {
      purpose: this.#options.purpose ?? "full",
      page: this.#options.page?.() ?? null,
      resume: [...this.#follows.keys()].slice(0, limit.resumes_max).map((id) => this.#followOf(id)),
    };
  }

  #followOf(conversationId: string): Follow {
    return {
      conversation_id: conversationId,
      position: this.#logs.get(conversationId)?.position ?? null,
    };
  }

  #sayFollow(conversationId: string): void {
    if (!this.#link.isLive) return;
    this.#refollowing.add(conversationId);
    if (this.#link.state.kind === "socket") {
      this.#link.send({ type: "follow", ...this.#followOf(conversationId) });
    } else this.#link.reopen();
  }

  #delivered(): { [key in string]: number } {
    const delivered: { [key in string]: number } = {};
    for (const [id, log] of this.#logs) {
      const number = log.position?.number ?? 0;
      if (number <= (this.#deliveredSaid.get(id) ?? 0)) continue;
      this.#deliveredSaid.set(id, number);
      delivered[id] = number;
    }
    this.#sender.adoptSometimes();
    return delivered;
  }

  #onChange(now: Connection, before: Connection): void {
    if (before.phase.name === "live") this.#sender.interrupted();
    this.#status = statusOf(now, this.#environment.isOnline());
    this.#changed();
  }

  #onNews(frame: News): void {
    switch (frame.type) {
      case "welcome":
        this.#onWelcome(frame);
        break;
      case "ack":
        this.#onAck(frame);
        break;
      case "rejected":
        this.#sender.rejected(frame.client_id, frame.problem);
        break;
      case "conversation":
        if (this.#followsOwn) this.#own(frame.conversation.id);
        break;
      case "entry":
        this.#onEntry(frame.entry as E);
        break;
      case "entries":
        this.#onEntries(frame as unknown as Batch<E>);
        break;
      case "marks": {
        const log = this.#logs.get(frame.conversation_id);
        if (log !== undefined) this.#setLog(logs.applyMarks(log, frame.marks));
        break;
      }
      default:
        break;
    }
    this.#changed();
    for (const listener of this.#newsListeners) listener(frame as N);
  }

  #onWelcome(frame: Extract<News, { type: "welcome" }>): void {
    if (this.#epoch !== 0 && this.#epoch !== frame.epoch) {
      // Another life of the store: whatever it may have lost goes again, before what was written since.
      this.#sender.doubt(this.#awaited(frame), this.#epoch);
    }
    this.#epoch = frame.epoch;
    this.#status = statusOf(this.#link.state, true);
    if ("conversation" in frame && frame.conversation != null) this.#own(frame.conversation.id);
    if (this.#link.state.kind === "socket") {
      for (const id of [...this.#follows.keys()].slice(limit.resumes_max)) this.#sayFollow(id);
      for (const watch of this.#watches.values()) this.#link.send({ type: "watch", ...watch });
    }
    for (const [type, signal] of this.#lastSignals) if (type !== "page") this.#link.send(signal);
    for (const [conversation_id, number] of this.#reads) {
      this.#link.send({ type: "read", conversation_id, number });
    }
    this.#sender.flush();
    void this.#sender.adopt();
  }

  /** The conversations whose entries come without being asked for. */
  #awaited(frame: Extract<News, { type: "welcome" }>): ReadonlySet<string> {
    if (this.#options.purpose === "launcher") return new Set();
    if (!this.#followsOwn) return new Set(this.#follows.keys());
    return new Set("conversation" in frame && frame.conversation != null ? [frame.conversation.id] : []);
  }

  #onAck(ack: Ack): void {
    if (this.#followsOwn && ack.conversation_id != null) this.#own(ack.conversation_id);
    this.#sender.acknowledged(ack, this.#epoch);
  }

  #onEntry(entry: E): void {
    let log = this.#logs.get(entry.conversation_id);
    if (log === undefined) {
      if (!this.#followsOwn) return;
      log = this.#own(entry.conversation_id);
    }
    if (this.#refollowing.has(log.conversation_id)) return; // The batch on its way has it.
    const applied = logs.applyEntry(log, entry, this.#epoch);
    if (applied.result === "gap") this.#sayFollow(log.conversation_id);
    if (applied.result !== "applied") return;
    this.#setLog(applied.log);
    this.#found(entry);
  }

  #onEntries(batch: Batch<E>): void {
    const id = batch.conversation_id;
    const log = this.#logs.get(id) ?? (this.#followsOwn ? this.#own(id) : undefined);
    if (log === undefined) return;
    this.#refollowing.delete(id);
    const applied = logs.applyBatch(log, batch);
    if (applied.result === "gap") {
      this.#setLog({ ...log, position: null });
      this.#sayFollow(id);
      return;
    }
    if (applied.result !== "applied") return;
    this.#setLog(applied.log);
    for (const entry of batch.entries) this.#found(entry);
    if (batch.continuity === "afresh") {
      // What stands before the page is not missing: the page is only the newest.
      const first = batch.entries[0];
      const from = first === undefined || !batch.older ? 0 : logs.numberOf(first);
      this.#sender.decide(id, new Set(batch.entries.map((entry) => entry.id)), from, this.#epoch);
      this.#sender.lost(
        logs.clientIds(applied.log),
        ({ ack }) => ack?.conversation_id === id && (ack.number ?? from) >= from,
      );
    }
  }

  /** One's own entry as news counts as the answer, should the answer be lost. */
  #found(entry: E): void {
    const clientId = entry.client_id;
    if (clientId == null || !this.#sender.isOpen(clientId)) return;
    this.#onAck({
      client_id: clientId,
      conversation_id: entry.conversation_id,
      entry_id: entry.id,
      number: logs.numberOf(entry),
      sent_at_ms: entry.sent_at_ms,
    });
  }

  /** A conversation that the server follows for its visitor. */
  #own(conversationId: string): Log<E> {
    if (!this.#follows.has(conversationId)) this.#follows.set(conversationId, 1);
    const log = this.#logs.get(conversationId) ?? logs.emptyLog<E>(conversationId);
    this.#setLog(log);
    return log;
  }

  #setLog(log: Log<E>): void {
    this.#logs.set(log.conversation_id, log);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  /** What is stored is shown as waiting until its entry is here, so that nothing flickers. */
  #isInLog(ack: Ack): boolean {
    if (ack.conversation_id == null || ack.number == null) return true;
    const log = this.#logs.get(ack.conversation_id);
    return log === undefined || (log.position?.number ?? 0) >= ack.number;
  }
}

function statusOf({ phase, failures, kind }: Connection, isOnline: boolean): Status {
  switch (phase.name) {
    case "off":
      return { name: "off" };
    case "token":
    case "opening":
      return { name: "connecting", attempt: failures };
    case "live":
      return { name: "live", transport: kind, connection_id: phase.connectionId };
    case "waiting":
      return {
        name: "waiting",
        until_ms: phase.untilMs,
        reason: !isOnline ? "offline" : phase.goingAway ? "going_away" : "lost",
      };
    case "stopped":
      return { name: "stopped", code: phase.code, problem: phase.problem };
  }
}

/** The client of an agent's console. */
export function createAgentClient(options: ClientOptions): Client<AgentNews, Entry> {
  return new Client<AgentNews, Entry>(options, false);
}

/** The client of a visitor's panel. */
export function createVisitorClient(options: ClientOptions): Client<VisitorNews, VisitorEntry> {
  return new Client<VisitorNews, VisitorEntry>(options, true);
}
