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

export interface Line {
  start(): void;
  stop(): void;
  /** The page came in sight, or the network came back. */
  wake(): void;
  /** Whether it could be sent. */
  send(frame: ClientFrame): boolean;
}

/** A function around its state, as all of the loader: see `launcher.ts`. */
export function makeLine(options: LineOptions): Line {
  let socket: WebSocket | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let openings = 0;
  let heardAtMs = 0;
  let returnAtMs = 0;
  let isOn = false;
  let isLive = false;
  /** Fences off what an earlier attempt still brings. */
  let attempt = 0;

  const start = (): void => {
    if (isOn) return;
    isOn = true;
    void open();
  };

  const stop = (): void => {
    isOn = false;
    drop();
  };

  const wake = (): void => {
    const now = Date.now();
    if (!isOn || now < returnAtMs) return;
    if (isLive ? now - heardAtMs > SILENCE_MS_MAX : !socket) void open();
  };

  const send = (frame: ClientFrame): boolean => {
    // Between the other end's close and the event that says so nothing can be sent.
    const isOpen = isLive && socket?.readyState === 1; // OPEN
    if (isOpen) socket?.send(toJson(frame));
    return isOpen;
  };

  const open = async (): Promise<void> => {
    drop();
    const mine = attempt;
    let token: string;
    try {
      token = await options.token();
    } catch (error) {
      if (error instanceof SessionError) stop();
      else if (mine === attempt) later();
      return;
    }
    if (mine !== attempt) return;
    const opened = new WebSocket(options.url, "switchboard.v1");
    socket = opened;
    opened.onopen = () => {
      if (mine === attempt) opened.send(toJson({ type: "hello", token, ...options.hello() }));
    };
    opened.onmessage = (event: MessageEvent<string>) => {
      if (mine === attempt) heard(JSON.parse(event.data) as VisitorNews);
    };
    opened.onclose = ({ code }) => {
      if (mine === attempt) closed(code);
    };
    arm(OPENING_MS_MAX, closed);
  };

  const heard = (news: VisitorNews): void => {
    heardAtMs = Date.now();
    arm(SILENCE_MS_MAX, closed);
    if (news.type === "welcome") {
      isLive = true;
      openings = 0;
    }
    if (news.type === "beat") send({ type: "beat", delivered: {} });
    if (news.type === "going_away") returnAtMs = Date.now() + news.return_after_ms;
    options.onNews(news);
  };

  const closed = (code?: number): void => {
    if (isLive) failures = 0;
    else if (++openings === BLOCKED_AFTER) options.onBlocked();
    drop();
    if (code! >= 4200 && code! < 4300) stop();
    else if (isOn) later();
  };

  const later = (): void => {
    const jitterMs = Math.random() * Math.min(30_000, 500 * 2 ** failures++);
    arm(Math.max(jitterMs, returnAtMs - Date.now()), open);
  };

  const drop = (): void => {
    attempt += 1;
    isLive = false;
    clearTimeout(timer);
    socket?.close();
    socket = null;
  };

  const arm = (ms: number, run: () => unknown): void => {
    clearTimeout(timer);
    timer = setTimeout(run, ms);
  };

  return { start, stop, wake, send };
}
