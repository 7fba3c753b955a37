// Carries out what the connection's state machine decides: tokens, transports, one timer.
// Used alone by the loader, and by `client.ts` for everything else.

import { initialConnection, step, type Connection, type Input, type News } from "./connection.ts";
import type { Environment, Transport } from "./environment.ts";
import type { ClientFrame, Hello, Problem, Watch } from "../protocol.ts";

/** Do not come back: thrown by `credentials`. */
export class StopError extends Error {
  readonly problem: Problem | null;
  constructor(problem: Problem | null) {
    super(problem?.code ?? "stopped");
    this.problem = problem;
  }
}

export interface LinkOptions {
  readonly base: string;
  /** A token for `hello`. Whatever is thrown but `StopError` means "later". */
  token(fresh: boolean): Promise<string>;
  /** The first frame, without its token. */
  hello(): Omit<Hello, "token">;
  watch(): readonly Watch[];
  /** What the answer to a beat says. */
  delivered(): { [key in string]: number };
  onNews(frame: News): void;
  /** The connection's state changed. */
  onChange(now: Connection, before: Connection): void;
}

export class Link {
  readonly #options: LinkOptions;
  readonly #environment: Environment;
  #state: Connection = initialConnection;
  #transport: Transport | null = null;
  #disarm: (() => void) | null = null;
  #armedFor: number | null = null;
  #endWake: (() => void) | null = null;

  constructor(options: LinkOptions, environment: Environment) {
    this.#options = options;
    this.#environment = environment;
  }

  get state(): Connection {
    return this.#state;
  }

  get isLive(): boolean {
    return this.#state.phase.name === "live";
  }

  start(): void {
    this.#endWake ??= this.#environment.onWake(() => this.wake());
    this.#take({ type: "start" });
  }

  stop(): void {
    this.#endWake?.();
    this.#endWake = null;
    this.#take({ type: "stop" });
  }

  wake(): void {
    this.#take({ type: "wake" });
  }

  /** Sends a frame; false while there is no connection. */
  send(frame: ClientFrame): boolean {
    if (!this.isLive || this.#transport === null) return false;
    this.#transport.send(frame);
    return true;
  }

  /** What is followed or watched changed, and the way it travels is plain HTTP: ask anew. */
  reopen(): void {
    if (!this.isLive || this.#state.kind === "socket") return;
    this.#take({ type: "closed", number: this.#state.number, code: 1000 });
    this.wake();
  }

  #take(input: Input): void {
    const before = this.#state;
    const { state, effects } = step(
      before,
      input,
      this.#environment.now(),
      this.#environment.random(),
    );
    this.#state = state;
    if (input.type === "closed" && input.number === before.number) this.#drop();
    this.#arm();
    if (state.phase.name !== before.phase.name) this.#options.onChange(state, before);
    for (const effect of effects) {
      switch (effect.do) {
        case "ask_token":
          this.#askToken(effect.number, effect.fresh);
          break;
        case "open":
          this.#open(effect.number, effect.token);
          break;
        case "close":
          this.#drop();
          break;
        case "beat":
          this.send({ type: "beat", delivered: this.#options.delivered() });
          break;
        case "news":
          this.#options.onNews(effect.frame);
          break;
      }
    }
  }

  #askToken(number: number, fresh: boolean): void {
    this.#drop();
    this.#options.token(fresh).then(
      (token) => this.#take({ type: "token", number, token }),
      (error: unknown) =>
        this.#take({
          type: "token_failed",
          number,
          stop: error instanceof StopError,
          problem: error instanceof StopError ? error.problem : null,
        }),
    );
  }

  #open(number: number, token: string): void {
    this.#drop();
    this.#transport = this.#environment.open({
      kind: this.#state.kind,
      base: this.#options.base,
      token,
      hello: () => ({ ...this.#options.hello(), token }),
      watch: () => this.#options.watch(),
      frame: (frame) => this.#take({ type: "frame", number, frame }),
      closed: (code, retryAfterMs) => this.#take({ type: "closed", number, code, retryAfterMs }),
    });
  }

  #drop(): void {
    const transport = this.#transport;
    this.#transport = null;
    transport?.close();
  }

  #arm(): void {
    const { deadlineMs } = this.#state;
    if (deadlineMs === this.#armedFor) return;
    this.#disarm?.();
    this.#disarm = null;
    this.#armedFor = deadlineMs;
    if (deadlineMs === null) return;
    this.#disarm = this.#environment.after(Math.max(0, deadlineMs - this.#environment.now()), () => {
      this.#armedFor = null;
      this.#take({ type: "timer" });
    });
  }
}
