// The loader's own connection: one socket that carries presence, pages and the unread count.
//
// It keeps the rules of `client/connection.ts` (close ranges, full jitter, silence, return times) but
// not its ways around blocked sockets: for those the panel is loaded, whose client has them. So a
// page pays for the whole client only where it needs it.

import { toJson } from "../client/json.ts";
import { SessionError } from "./session.ts";
import type { ClientFrame, Hello, VisitorNews, limit } from "../protocol.ts";

export interface LineOptions {
  readonly url: string;
  /** A token for `hello`. Rejected with a `SessionError` it means: do not come back. */
  token(): Promise<string>;
  hello(): Omit<Hello, "token">;
  onNews(news: VisitorNews): void;
  /** Sockets seem to be blocked here. */
  onBlocked(): void;
}

/** The type holds it to the protocol's number without carrying the table of limits here. */
const SILENCE_MS_MAX: (typeof limit)["silence_ms_max"] = 60_000;
const OPENING_MS_MAX = 12_000;
const BLOCKED_AFTER = 2;

export class Line {
  readonly #options: LineOptions;
  #socket: WebSocket | null = null;
  #timer = 0;
  #failures = 0;
  #openings = 0;
  #heardAtMs = 0;
  #returnAtMs = 0;
  #isOn = false;
  #isLive = false;
  /** Fences off what an earlier attempt still brings. */
  #attempt = 0;

  constructor(options: LineOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#isOn) return;
    this.#isOn = true;
    void this.#open();
  }

  stop(): void {
    this.#isOn = false;
    this.#drop();
  }

  /** The page came in sight, or the network came back. */
  readonly wake = (): void => {
    const now = Date.now();
    if (!this.#isOn || now < this.#returnAtMs) return;
    if (this.#isLive ? now - this.#heardAtMs > SILENCE_MS_MAX : this.#socket === null) void this.#open();
  };

  send(frame: ClientFrame): boolean {
    if (this.#isLive) this.#socket?.send(toJson(frame));
    return this.#isLive;
  }

  async #open(): Promise<void> {
    this.#drop();
    const attempt = this.#attempt;
    let token: string;
    try {
      token = await this.#options.token();
    } catch (error) {
      if (error instanceof SessionError) this.stop();
      else if (attempt === this.#attempt) this.#later();
      return;
    }
    if (attempt !== this.#attempt) return;
    const socket = new WebSocket(this.#options.url, "switchboard.v1");
    this.#socket = socket;
    const isMine = (): boolean => attempt === this.#attempt;
    socket.onopen = () => {
      if (isMine()) socket.send(toJson({ type: "hello", token, ...this.#options.hello() }));
    };
    socket.onmessage = (event: MessageEvent<string>) => {
      if (isMine()) this.#heard(JSON.parse(event.data) as VisitorNews);
    };
    socket.onclose = ({ code }) => {
      if (isMine()) this.#closed(code);
    };
    this.#arm(OPENING_MS_MAX, () => this.#closed(0));
  }

  #heard(news: VisitorNews): void {
    this.#heardAtMs = Date.now();
    this.#arm(SILENCE_MS_MAX, () => this.#closed(0));
    if (news.type === "welcome") {
      this.#isLive = true;
      this.#openings = 0;
    }
    if (news.type === "beat") this.send({ type: "beat", delivered: {} });
    if (news.type === "going_away") this.#returnAtMs = Date.now() + news.return_after_ms;
    this.#options.onNews(news);
  }

  #closed(code: number): void {
    if (this.#isLive) this.#failures = 0;
    else if (++this.#openings === BLOCKED_AFTER) this.#options.onBlocked();
    this.#drop();
    if (code >= 4200 && code < 4300) this.stop();
    else if (this.#isOn) this.#later();
  }

  #later(): void {
    const jitterMs = Math.random() * Math.min(30_000, 500 * 2 ** this.#failures++);
    this.#arm(Math.max(jitterMs, this.#returnAtMs - Date.now()), () => void this.#open());
  }

  #drop(): void {
    this.#attempt += 1;
    this.#isLive = false;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = null;
  }

  #arm(ms: number, run: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(run, ms);
  }
}
