// The outside world of a client, in the hands of a test: time stands still until it is told to move,
// and every connection is a record of what was sent on it.

import type { Environment, OpenRequest, Transport } from "../src/client/environment.ts";
import type { News } from "../src/client/connection.ts";
import type {
  ClientFrame,
  Command,
  Hello,
  VisitorContent,
  VisitorEntry,
  VisitorNews,
} from "../src/protocol.ts";

export const CONVERSATION = "cnv_01m7q5ctdrjmrnv7e9z0c1ht0h";
export const VISITOR = "vis_01m7q5crf81head8x4a1jh69re";
export const EPOCH = 7;

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

/** One attempt to connect. */
export class FakeTransport implements Transport {
  readonly request: OpenRequest;
  readonly sent: ClientFrame[] = [];
  readonly hello: Hello;
  isClosed = false;

  constructor(request: OpenRequest) {
    this.request = request;
    this.hello = request.hello();
  }

  send(frame: ClientFrame): void {
    this.sent.push(frame);
  }

  close(): void {
    this.isClosed = true;
  }

  says(news: News): void {
    this.request.frame(news);
  }

  ends(code: number, retryAfterMs?: number): void {
    this.request.closed(code, retryAfterMs);
  }

  welcomes(change: Partial<Extract<VisitorNews, { type: "welcome" }>> = {}): void {
    this.says({
      type: "welcome",
      connection_id: "cxn_1",
      epoch: EPOCH,
      now_ms: 0,
      token_expires_at_ms: 9e12,
      limits: {
        frame_bytes_max: 65_536,
        body_bytes_max: 16_384,
        beat_ms: 25_000,
        silence_ms_max: 60_000,
        resend_ms: 600_000,
        attachment_bytes_max: 1_000_000,
      },
      visitor_id: VISITOR,
      unread: 0,
      reachable: false,
      staff: { online: false, people: [] },
      ...change,
    });
  }

  /** The commands sent here, by client id. */
  get commands(): { client_id: string; command: Command }[] {
    return this.sent.flatMap((frame) =>
      frame.type === "command" ? [{ client_id: frame.client_id, command: frame.command }] : [],
    );
  }
}

let ids = 0;

export class FakeEnvironment implements Environment {
  nowMs = 1_000_000;
  chance = 0.5;
  readonly transports: FakeTransport[] = [];
  isUp = true;
  #timers: Timer[] = [];
  #wake: (() => void) | null = null;

  now(): number {
    return this.nowMs;
  }

  random(): number {
    return this.chance;
  }

  newId(): string {
    ids += 1;
    return `id-${ids}`;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { atMs: this.nowMs + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  onWake(run: () => void): () => void {
    this.#wake = run;
    return () => {
      this.#wake = null;
    };
  }

  wake(): void {
    this.#wake?.();
  }

  isOnline(): boolean {
    return this.isUp;
  }

  open(request: OpenRequest): Transport {
    const transport = new FakeTransport(request);
    this.transports.push(transport);
    return transport;
  }

  /** The latest attempt. */
  get transport(): FakeTransport {
    const last = this.transports.at(-1);
    if (last === undefined) throw new Error("nothing was opened");
    return last;
  }

  /** Lets time pass, timer by timer, with room for promises between. */
  async pass(ms: number): Promise<void> {
    const endMs = this.nowMs + ms;
    for (;;) {
      await settle();
      const due = this.#timers
        .filter((timer) => timer.atMs <= endMs)
        .sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.nowMs = Math.max(this.nowMs, due.atMs);
      due.run();
    }
    this.nowMs = endMs;
    await settle();
  }
}

/** Lets all promises that are ready go on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

/** A `Storage` that two tabs may share. */
export class FakeStorage implements Storage {
  readonly #items = new Map<string, string>();
  get length(): number {
    return this.#items.size;
  }
  clear(): void {
    this.#items.clear();
  }
  getItem(name: string): string | null {
    return this.#items.get(name) ?? null;
  }
  key(index: number): string | null {
    return [...this.#items.keys()][index] ?? null;
  }
  removeItem(name: string): void {
    this.#items.delete(name);
  }
  setItem(name: string, value: string): void {
    this.#items.set(name, value);
  }
}

export function entry(number: number, change: Partial<VisitorEntry> = {}): VisitorEntry {
  return {
    id: `ent_${number}`,
    conversation_id: CONVERSATION,
    number,
    sent_at_ms: 1_000 * number,
    author: { kind: "agent", agent_id: "agt_1", name: "Mira" },
    content: message(`text ${number}`),
    ...change,
  };
}

export function message(body: string): VisitorContent {
  return { kind: "message", message: { format: "plain", body } };
}

export function batch(
  continuity: "resumed" | "afresh",
  entries: VisitorEntry[],
): Extract<VisitorNews, { type: "entries" }> {
  const last = entries.at(-1);
  return {
    type: "entries",
    conversation_id: CONVERSATION,
    continuity,
    entries,
    older: false,
    ...(last === undefined
      ? {}
      : { position: { epoch: EPOCH, number: last.number, entry_id: last.id } }),
  };
}
