// How frames travel in a browser: a WebSocket, a streamed answer with POST, or long-polls with POST.

import { problemOf } from "./api.ts";
import { CLOSED_SILENTLY, type News } from "./connection.ts";
import type { OpenRequest, Transport } from "./environment.ts";
import { toJson } from "./json.ts";
import { closeCode, type ClientFrame, type ErrorCode, type StreamRequest } from "../protocol.ts";

const SUBPROTOCOL = "switchboard.v1";
const POLL_MS = 25_000;

export function openTransport(request: OpenRequest): Transport {
  return request.kind === "socket" ? openSocket(request) : openHttp(request);
}

/** Where sockets are opened for a base of `""` (this origin) or `https://host`. */
export function socketUrl(base: string, here: string): string {
  const url = new URL(`${base}/api/v1/socket`, here);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

function openSocket(request: OpenRequest): Transport {
  let socket: WebSocket;
  try {
    socket = new WebSocket(socketUrl(request.base, location.href), SUBPROTOCOL);
  } catch {
    // Some browsers throw where a policy forbids the address.
    queueMicrotask(() => request.closed(CLOSED_SILENTLY));
    return { send: () => undefined, close: () => undefined };
  }
  const stop = new AbortController();
  const { signal } = stop;
  const send = (frame: ClientFrame): void => {
    if (socket.readyState === WebSocket.OPEN) socket.send(toJson(frame));
  };
  socket.addEventListener("open", () => send({ type: "hello", ...request.hello() }), { signal });
  socket.addEventListener(
    "message",
    (event: MessageEvent<unknown>) => {
      const frame = parse(event.data);
      if (frame !== null) request.frame(frame);
    },
    { signal },
  );
  socket.addEventListener("close", (event) => request.closed(event.code), { signal });
  return {
    send,
    close() {
      stop.abort();
      socket.close(1000);
    },
  };
}

/** What a status and code of HTTP mean in the close codes of sockets. */
export function closeCodeOf(status: number, code: ErrorCode | null): number {
  if (code === "token_expired") return closeCode.token_expired;
  if (status === 401) return closeCode.unauthenticated;
  if (code === "origin_refused") return closeCode.origin_refused;
  if (status === 403) return closeCode.revoked;
  if (status === 400 || status === 404 || status === 422) return closeCode.protocol_error;
  return closeCode.unavailable;
}

function openHttp(request: OpenRequest): Transport {
  const stop = new AbortController();
  let ended = false;
  const end = (code: number, retryAfterMs?: number): void => {
    if (ended) return;
    ended = true;
    stop.abort();
    request.closed(code, retryAfterMs);
  };
  let connectionId = "";
  const post = async (path: string, body: unknown): Promise<Response | null> => {
    const response = await fetch(`${request.base}/api/v1/${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${request.token}`,
        // Pages and activity belong to the connection that the stream is.
        ...(connectionId === "" ? {} : { "switchboard-connection": connectionId }),
      },
      body: toJson(body),
      credentials: "omit",
      cache: "no-store",
      signal: stop.signal,
    });
    if (response.ok) return response;
    const seconds = Number(response.headers.get("retry-after"));
    const problem = problemOf(await response.json().catch(() => null), response.status);
    // As a socket says it before its close.
    if (connectionId === "") take({ type: "error", problem });
    end(
      closeCodeOf(response.status, problem.code),
      Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : undefined,
    );
    return null;
  };
  const take = (frame: News | null): void => {
    if (ended || frame === null) return;
    if (frame.type === "welcome") connectionId = frame.connection_id;
    request.frame(frame);
  };
  const body = (): StreamRequest => ({ hello: request.hello(), watch: [...request.watch()] });
  const run = request.kind === "poll" ? poll : stream;
  run(post, body, take, () => ended).then(end, () => end(CLOSED_SILENTLY));
  // One at a time, so that frames arrive in the order they were given.
  let last: Promise<void> = Promise.resolve();
  return {
    send(frame) {
      last = last.then(async () => {
        if (ended) return;
        try {
          const response = await post("frames", frame);
          if (response === null || response.status === 204) return;
          const answers: unknown = await response.json();
          if (Array.isArray(answers)) for (const answer of answers) take(asNews(answer));
        } catch {
          end(CLOSED_SILENTLY);
        }
      });
    },
    close() {
      ended = true;
      stop.abort();
    },
  };
}

type Post = (path: string, body: unknown) => Promise<Response | null>;

/** Reads one stream to its end; the last line may say why it ended, as a close code does. */
async function stream(post: Post, body: () => StreamRequest, take: (frame: News | null) => void): Promise<number> {
  const response = await post("stream", body());
  const reader = response?.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) return CLOSED_SILENTLY;
  let rest = "";
  let last: News | null = null;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) {
      return last?.type === "error" ? closeCodeOf(last.problem.status, last.problem.code) : CLOSED_SILENTLY;
    }
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const frame = parse(line);
      last = frame ?? last;
      take(frame);
    }
  }
}

async function poll(
  post: Post,
  body: () => StreamRequest,
  take: (frame: News | null) => void,
  ended: () => boolean,
): Promise<number> {
  let waitMs = 0;
  while (!ended()) {
    const response = await post("stream", { ...body(), wait_ms: waitMs });
    const frames: unknown = await response?.json();
    if (!Array.isArray(frames)) break;
    for (const frame of frames) take(asNews(frame));
    // The first answer comes at once, so that the welcome does.
    waitMs = POLL_MS;
  }
  return CLOSED_SILENTLY;
}

function parse(text: unknown): News | null {
  if (typeof text !== "string" || text === "") return null;
  try {
    return asNews(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Frames come from our own server, so their type is believed; kinds not known are skipped later. */
function asNews(value: unknown): News | null {
  return typeof value === "object" && value !== null && "type" in value ? (value as News) : null;
}
