// Sends what is in the outbox, each thing once, under the identity it was written as; keeps it in the
// store for the next page, and shows what is not done yet. The rules are in `outbox.ts`.

import { ProblemError } from "./api.ts";
import type { Environment } from "./environment.ts";
import { StopError } from "./link.ts";
import * as outbox from "./outbox.ts";
import type { Outbox, OutboxItem } from "./outbox.ts";
import type { OutboxStore } from "./outbox-store.ts";
import { limit } from "../protocol.ts";
import type { Ack, Attachment, ClientFrame, Command, Problem } from "../protocol.ts";

export interface Sent {
  readonly client_id: string;
  readonly done: Promise<Ack>;
}

export interface SendOptions {
  /** Whether it outlives the page; by itself what was written does. */
  readonly keep?: boolean;
  /** The files that the command names, to be shown while it waits. */
  readonly attachments?: readonly Attachment[];
}

export interface SenderOptions {
  readonly environment: Environment;
  readonly store: OutboxStore;
  isLive(): boolean;
  send(frame: ClientFrame): void;
  /** Whether the entry of a stored item is in sight already. */
  isInLog(ack: Ack): boolean;
  changed(): void;
}

interface Waiter {
  resolve(ack: Ack): void;
  reject(error: Error): void;
}

interface Early {
  readonly clientId: string;
  readonly command: Command;
  readonly options: SendOptions;
}

/** How often the items of tabs that are gone are looked for. */
const ADOPT_MS = 60_000;

export class Sender {
  readonly #options: SenderOptions;
  readonly #waiters = new Map<string, Waiter>();
  /** What was sent before it was known as whom. */
  readonly #early: Early[] = [];
  #principal: string | null = null;
  #items: Outbox = [];
  #shown: readonly OutboxItem[] = [];
  #disarm: (() => void) | null = null;
  #adoptedAtMs = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** What is not done, or whose entry is not in sight yet; the same list until that changes. */
  get shown(): readonly OutboxItem[] {
    const shown = this.#items.filter(
      (item) => item.state !== "stored" || (item.ack !== null && !this.#options.isInLog(item.ack)),
    );
    const isSame =
      shown.length === this.#shown.length && shown.every((item, index) => item === this.#shown[index]);
    if (!isSame) this.#shown = shown;
    return this.#shown;
  }

  /** From here on somebody else writes; what the former one left stays in the store. */
  become(principal: string): void {
    if (this.#principal !== null) this.#items = [];
    this.#principal = principal;
    for (const { clientId, command, options } of this.#early.splice(0)) this.#add(clientId, command, options);
    void this.adopt();
  }

  send(command: Command, options: SendOptions): Sent {
    const clientId = this.#options.environment.newId();
    const done = new Promise<Ack>((resolve, reject) => this.#waiters.set(clientId, { resolve, reject }));
    // Who does not wait for it sees the refusal in the outbox.
    done.catch(() => undefined);
    if (this.#principal === null) this.#early.push({ clientId, command, options });
    else this.#add(clientId, command, options);
    return { client_id: clientId, done };
  }

  retry(clientId: string): void {
    this.#change(outbox.marked(this.#items, clientId, { state: "waiting", problem: null, not_before_ms: 0 }));
    this.flush();
  }

  discard(clientId: string): void {
    this.#change(this.#items.filter((item) => item.client_id !== clientId));
    this.#settle(clientId, (waiter) => waiter.reject(new StopError(null)));
  }

  /** Forgets what waits, also in the store. */
  forget(): void {
    if (this.#principal !== null) this.#options.store.forget(this.#principal);
    this.#items = [];
    this.#options.changed();
  }

  stop(): void {
    this.#disarm?.();
    this.#disarm = null;
  }

  /** Sends what may go now, and sees to it that the rest is looked at in time. */
  flush(): void {
    this.stop();
    const principal = this.#principal;
    if (principal === null || !this.#options.isLive()) return;
    const { environment } = this.#options;
    const now = environment.now();
    let items = outbox.pruned(outbox.overdue(this.#items, now), now, limit.resend_ms);
    const ready = outbox.sendable(items, principal, now);
    for (const item of ready) {
      items = outbox.marked(items, item.client_id, { state: "sent", changed_at_ms: now });
    }
    if (items !== this.#items) this.#change(items);
    // Marked first: an answer may come before this loop ends.
    for (const { client_id, command } of ready) {
      this.#options.send({ type: "command", client_id, command });
    }
    const due = outbox.nextDueMs(this.#items, principal);
    if (due !== null) this.#disarm = environment.after(Math.max(50, due - now), () => this.flush());
  }

  /** The connection is gone. */
  interrupted(): void {
    this.#items = outbox.interrupted(this.#items, this.#options.environment.now());
  }

  acknowledged(ack: Ack, epoch: number): void {
    this.#change(outbox.acknowledged(this.#items, ack, epoch, this.#options.environment.now()));
    this.#settle(ack.client_id, (waiter) => waiter.resolve(ack));
    this.flush();
  }

  rejected(clientId: string, problem: Problem): void {
    this.#change(outbox.rejected(this.#items, clientId, problem, this.#options.environment.now()));
    if (problem.retry === "never") {
      this.#settle(clientId, (waiter) => waiter.reject(new ProblemError(problem)));
    }
    this.flush();
  }

  /** Whether an answer to this is still awaited. */
  isOpen(clientId: string): boolean {
    return this.#items.some((item) => item.client_id === clientId && item.state !== "stored");
  }

  /** The store may have lost what is not among `found`: it goes again. */
  lost(found: ReadonlySet<string>, belongs: (item: OutboxItem) => boolean): void {
    const now = this.#options.environment.now();
    this.#take(outbox.lost(this.#items, found, belongs, now, limit.resend_ms));
  }

  /** The store is in another life than `epoch`: of the conversations that are `awaited`, a page tells what it has. */
  doubt(awaited: ReadonlySet<string>, epoch: number): void {
    const now = this.#options.environment.now();
    this.#change(outbox.doubted(this.#items, awaited, epoch, now, limit.resend_ms));
  }

  /** That page, by the ids of its entries. */
  decide(conversationId: string, page: ReadonlySet<string>, from: number, epoch: number): void {
    const now = this.#options.environment.now();
    this.#take(outbox.decided(this.#items, conversationId, page, from, epoch, now));
  }

  /** Looks now and then for what tabs that are gone have left. */
  adoptSometimes(): void {
    if (this.#options.environment.now() - this.#adoptedAtMs > ADOPT_MS) void this.adopt();
  }

  /** The page was put away, and is back: what others took meanwhile is theirs, unless they have left it by now. */
  returned(taken: ReadonlySet<string>): void {
    this.#items = this.#items.filter((item) => !taken.has(item.client_id));
    this.#options.changed();
    void this.adopt();
  }

  async adopt(): Promise<void> {
    const principal = this.#principal;
    if (principal === null) return;
    this.#adoptedAtMs = this.#options.environment.now();
    const adopted = await this.#options.store.adopt(principal);
    if (principal !== this.#principal) return;
    const known = new Set(this.#items.map((item) => item.client_id));
    const added = adopted.filter((item) => !known.has(item.client_id));
    if (added.length === 0) return;
    const now = this.#options.environment.now();
    // Only what came from elsewhere was interrupted; what is under way here is not.
    this.#items = [...outbox.interrupted(added, now), ...this.#items];
    this.#options.changed();
    // What this page had waiting before it was put away was sent by another.
    for (const { ack } of added) if (ack !== null) this.#settle(ack.client_id, (waiter) => waiter.resolve(ack));
    this.flush();
  }

  #add(clientId: string, command: Command, { keep, attachments }: SendOptions): void {
    const now = this.#options.environment.now();
    const item: OutboxItem = {
      client_id: clientId,
      principal: this.#principal ?? "",
      command,
      ...(attachments === undefined ? {} : { attachments }),
      made_at_ms: now,
      state: "waiting",
      problem: null,
      ack: null,
      epoch: null,
      in_doubt: false,
      changed_at_ms: now,
      not_before_ms: 0,
      keep: keep ?? isWriting(command),
    };
    this.#change([...this.#items, item]);
    this.flush();
  }

  #take(next: Outbox): void {
    if (next === this.#items) return;
    this.#change(next);
    this.flush();
  }

  /** Takes the new list, and writes what differs to the store. */
  #change(next: Outbox): void {
    const before = new Map(this.#items.map((item) => [item.client_id, item]));
    for (const item of next) {
      if (item.keep && before.get(item.client_id) !== item) this.#options.store.save(item);
      before.delete(item.client_id);
    }
    for (const gone of before.values()) if (gone.keep) this.#options.store.remove(gone);
    this.#items = next;
    this.#options.changed();
  }

  #settle(clientId: string, answer: (waiter: Waiter) => void): void {
    const waiter = this.#waiters.get(clientId);
    this.#waiters.delete(clientId);
    if (waiter !== undefined) answer(waiter);
  }
}

function isWriting(command: Command): boolean {
  switch (command.do) {
    case "send_message":
    case "add_note":
    case "edit_message":
    case "delete_message":
    case "identify":
    case "start_conversation":
      return true;
    default:
      return false;
  }
}
