// All that the client needs from outside: clock, chance, timers, transports. Tests give their own.

import type { News, TransportKind } from "./connection.ts";
import { newId } from "./id.ts";
import { openTransport } from "./transport.ts";
import type { ClientFrame, Hello, Watch } from "../protocol.ts";

/** How a connection is opened, and whom it tells. */
export interface OpenRequest {
  readonly kind: TransportKind;
  readonly base: string;
  readonly token: string;
  /** The first frame, as it must be now. Long-polls ask again for every request. */
  hello(): Hello;
  /** The lists to watch, for connections over plain HTTP. */
  watch(): readonly Watch[];
  frame(frame: News): void;
  closed(code: number, retryAfterMs?: number): void;
}

export interface Transport {
  send(frame: ClientFrame): void;
  close(): void;
}

export interface Environment {
  /** Milliseconds since 1970. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  /** A new, unguessable name for a command. */
  newId(): string;
  /** Runs something later; the result takes that back. */
  after(ms: number, run: () => void): () => void;
  /** Calls back when the page comes in sight or the network comes back; the result ends that. */
  onWake(run: () => void): () => void;
  isOnline(): boolean;
  open(request: OpenRequest): Transport;
}

export const browserEnvironment: Environment = {
  now: () => Date.now(),
  random: () => Math.random(),
  newId,
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  onWake(run) {
    const onVisible = (): void => {
      if (document.visibilityState === "visible") run();
    };
    document.addEventListener("visibilitychange", onVisible);
    addEventListener("online", run);
    addEventListener("pageshow", run);
    return () => {
      document.removeEventListener("visibilitychange", onVisible);
      removeEventListener("online", run);
      removeEventListener("pageshow", run);
    };
  },
  isOnline: () => navigator.onLine !== false,
  open: openTransport,
};
