// The ways around blocked sockets, against answers as they come in pieces from a network.

import { afterEach, describe, expect, it, vi } from "vitest";
import type { News } from "../src/client/connection.ts";
import type { OpenRequest } from "../src/client/environment.ts";
import { closeCodeOf, openTransport, socketUrl } from "../src/client/transport.ts";

interface Asked {
  readonly path: string;
  readonly body: unknown;
  readonly headers: Record<string, string>;
}

const welcome = '{"type":"welcome","connection_id":"cxn_9","epoch":1,"now_ms":0}';

/** Opens a transport against answers given one by one; an answer may be given late. */
function stage(kind: "stream" | "poll", answer: (asked: Asked, count: number) => Promise<Response> | Response) {
  const asked: Asked[] = [];
  const frames: News[] = [];
  const stub = (path: string, init: RequestInit): Promise<Response> => {
    const request = {
      path,
      body: JSON.parse(String(init.body)) as unknown,
      headers: init.headers as Record<string, string>,
    };
    asked.push(request);
    return Promise.race([
      Promise.resolve(answer(request, asked.length)),
      new Promise<Response>((_, reject) =>
        init.signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError"))),
      ),
    ]);
  };
  vi.stubGlobal("fetch", stub);
  let resolve: (end: readonly [number, number | undefined]) => void = () => undefined;
  const closed = new Promise<readonly [number, number | undefined]>((done) => (resolve = done));
  const request: OpenRequest = {
    kind,
    base: "",
    token: "t",
    hello: () => ({ token: "t" }),
    watch: () => [],
    frame: (frame) => frames.push(frame),
    closed: (code, retryAfterMs) => resolve([code, retryAfterMs]),
  };
  return { transport: openTransport(request), asked, frames, closed };
}

function streamOf(...pieces: string[]): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(encoder.encode(piece));
      controller.close();
    },
  });
  return new Response(body, { headers: { "content-type": "application/x-ndjson" } });
}

const never = new Promise<Response>(() => undefined);

afterEach(() => vi.unstubAllGlobals());

/** A limit for what hangs: machines are busy. */
const PATIENCE = { timeout: 30_000 };

describe("a stream", () => {
  it("reads frames however the network cuts them", async () => {
    const { frames, closed, asked } = stage("stream", () =>
      streamOf(`${welcome}\n{"type":"be`, 'at"}\n', '\n{"type":"unread","count":1}\nnot json\n'),
    );
    expect(await closed).toEqual([1006, undefined]);
    expect(frames.map(({ type }) => type)).toEqual(["welcome", "beat", "unread"]);
    expect(asked[0]).toMatchObject({ path: "/api/v1/stream", body: { hello: { token: "t" } } });
  });

  it.each([
    ["token_expired", 401, 4100],
    ["unauthenticated", 401, 4201],
    ["blocked", 403, 4203],
    ["unavailable", 503, 4003],
  ])("ends as its last line says: %s", async (code, status, close) => {
    const { closed } = stage("stream", () =>
      streamOf(`${welcome}\n{"type":"error","problem":{"code":"${code}","title":"","status":${status},"retry":"never"}}\n`),
    );
    expect((await closed)[0]).toBe(close);
  });

  it("waits as long as a refusal says", async () => {
    const { closed } = stage("stream", () => new Response("{}", { status: 429, headers: { "retry-after": "7" } }));
    expect(await closed).toEqual([4003, 7_000]);
  });

  it("tells why it was refused before it ends, as a socket does", async () => {
    const problem = { code: "unknown_site", title: "", status: 404, retry: "never" };
    const { closed, frames } = stage("stream", () => new Response(JSON.stringify(problem), { status: 404 }));
    expect((await closed)[0]).toBe(4200);
    expect(frames).toEqual([{ type: "error", problem }]);
  });

  it("sends frames one after another, as part of its connection, and hears the answers", async () => {
    const { transport, asked, frames } = stage("stream", ({ path }, count) => {
      if (path.endsWith("stream")) {
        const body = new ReadableStream<Uint8Array>({
          start: (controller) => controller.enqueue(new TextEncoder().encode(`${welcome}\n`)),
        });
        return new Response(body);
      }
      return Response.json(count === 2 ? [{ type: "ack", client_id: "a", sent_at_ms: 1 }] : []);
    });
    await vi.waitFor(() => expect(frames).toHaveLength(1), PATIENCE);
    transport.send({ type: "command", client_id: "a", command: { do: "send_message", body: "hi" } });
    transport.send({ type: "activity", visible: true });
    await vi.waitFor(() => expect(asked).toHaveLength(3), PATIENCE);
    expect(asked.slice(1).map(({ body }) => (body as { type: string }).type)).toEqual(["command", "activity"]);
    expect(asked[2]?.headers).toMatchObject({
      authorization: "Bearer t",
      "switchboard-connection": "cxn_9",
    });
    expect(frames.map(({ type }) => type)).toEqual(["welcome", "ack"]);
    transport.close();
  });

  it("is lost when the network is", async () => {
    const { closed } = stage("stream", () => Promise.reject(new TypeError("network")));
    expect(await closed).toEqual([1006, undefined]);
  });
});

describe("a poll", () => {
  it("asks at once, then waits, with its position of now", async () => {
    const { asked, frames, transport } = stage("poll", (_, count) => {
      if (count === 1) return new Response(`[${welcome}]`);
      return count === 2 ? new Response(`[${welcome},{"type":"unread","count":2}]`) : never;
    });
    await vi.waitFor(() => expect(asked).toHaveLength(3), PATIENCE);
    expect(asked.map(({ body }) => (body as { wait_ms: number }).wait_ms)).toEqual([0, 25_000, 25_000]);
    expect(frames.map(({ type }) => type)).toEqual(["welcome", "welcome", "unread"]);
    transport.close();
  });

  it("says nothing more after it was closed", async () => {
    let give: (response: Response) => void = () => undefined;
    const { transport, frames, asked } = stage("poll", () => new Promise((resolve) => (give = resolve)));
    transport.close();
    give(new Response(`[${welcome}]`));
    await Promise.resolve();
    expect(frames).toEqual([]);
    expect(asked).toHaveLength(1);
  });
});

describe("addresses and codes", () => {
  it("opens sockets where the server is", () => {
    expect(socketUrl("", "https://a.example/x/y?z")).toBe("wss://a.example/api/v1/socket");
    expect(socketUrl("http://b.example:8080", "https://a.example/")).toBe("ws://b.example:8080/api/v1/socket");
  });

  it("reads statuses as close codes", () => {
    expect(closeCodeOf(403, "origin_refused")).toBe(4202);
    expect(closeCodeOf(502, null)).toBe(4003);
    expect(closeCodeOf(400, "malformed")).toBe(4200);
  });
});
