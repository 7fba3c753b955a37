import { describe, expect, it } from "vitest";
import {
  backoffMs,
  initialConnection,
  step,
  type Connection,
  type Input,
} from "../src/client/connection.ts";

const welcome = (number: number): Input => ({
  type: "frame",
  number,
  frame: {
    type: "welcome",
    connection_id: "cxn_1",
    epoch: 1,
    now_ms: 0,
    token_expires_at_ms: 9e12,
    limits: {
      frame_bytes_max: 1,
      body_bytes_max: 1,
      beat_ms: 25_000,
      silence_ms_max: 60_000,
      resend_ms: 1,
      attachment_bytes_max: 1,
    },
    agent_id: "agt_1",
  },
});

/** Runs inputs at given times, always with the same chance. */
function run(steps: readonly (readonly [number, Input])[], from = initialConnection): Connection {
  return steps.reduce((state, [nowMs, input]) => step(state, input, nowMs, 0.5).state, from);
}

const opening = run([
  [0, { type: "start" }],
  [0, { type: "token", number: 1, token: "t" }],
]);
const live = run([[0, welcome(1)]], opening);

describe("a connection", () => {
  it("asks for a token, opens a socket, and is live with the welcome", () => {
    const asked = step(initialConnection, { type: "start" }, 0, 0.5);
    expect(asked.effects).toEqual([{ do: "ask_token", number: 1, fresh: false }]);
    const opened = step(asked.state, { type: "token", number: 1, token: "t" }, 0, 0.5);
    expect(opened.effects).toEqual([{ do: "open", number: 1, kind: "socket", token: "t" }]);
    expect(live.phase.name).toBe("live");
  });

  it("drops what another attempt still says", () => {
    const stale = step(live, { type: "closed", number: 0, code: 4000 }, 10, 0.5);
    expect(stale.state).toBe(live);
    expect(step(live, welcome(0), 10, 0.5).effects).toEqual([]);
  });

  it("answers a beat and counts it as a sign of life", () => {
    const beaten = step(live, { type: "frame", number: 1, frame: { type: "beat" } }, 50_000, 0.5);
    expect(beaten.effects).toEqual([{ do: "beat" }]);
    expect(beaten.state.deadlineMs).toBe(110_000);
  });

  it("gives up after 60 seconds of silence", () => {
    const early = step(live, { type: "timer" }, 59_999, 0.5);
    expect(early.state.phase.name).toBe("live");
    const late = step(live, { type: "timer" }, 60_000, 0.5);
    expect(late.state.phase.name).toBe("waiting");
    expect(late.effects).toContainEqual({ do: "close" });
  });

  it.each([
    [4000, "waiting", false],
    [4099, "waiting", false],
    [1006, "waiting", false],
    [4100, "waiting", true],
    [4199, "waiting", true],
    [4200, "stopped", true],
    [4299, "stopped", true],
  ])("decides by the range of the close code: %i", (code, phase, fresh) => {
    const after = run([[20_000, { type: "closed", number: 1, code }]], live);
    expect(after.phase.name).toBe(phase);
    expect(after.fresh).toBe(fresh);
  });

  it("waits with full jitter from half a second to thirty", () => {
    expect(backoffMs(0, 0.999_999)).toBe(500);
    expect(backoffMs(3, 0.5)).toBe(2_000);
    expect(backoffMs(40, 0.999_999)).toBe(30_000);
    expect(backoffMs(40, 0)).toBe(0);
  });

  it("forgets its failures only after a connection that lasted", () => {
    const flapping = run(
      [
        [1_000, { type: "closed", number: 1, code: 4000 }],
        [2_000, { type: "timer" }],
        [2_000, { type: "token", number: 2, token: "t" }],
        [2_000, welcome(2)],
        [3_000, { type: "closed", number: 2, code: 4000 }],
      ],
      live,
    );
    expect(flapping.failures).toBe(2);
    const lasting = run([[60_000, { type: "closed", number: 1, code: 4000 }]], live);
    expect(lasting.failures).toBe(1);
  });

  it("comes back when the server said, also if it is woken before", () => {
    const frame = { type: "going_away", return_after_ms: 5_000 } as const;
    const away = run(
      [
        [100, { type: "frame", number: 1, frame }],
        [200, { type: "closed", number: 1, code: 4000 }],
        [300, { type: "wake" }],
      ],
      live,
    );
    expect(away.phase).toEqual({ name: "waiting", untilMs: 5_100, goingAway: true });
    expect(run([[5_100, { type: "timer" }]], away).phase.name).toBe("token");
  });

  it("tries at once when the page comes in sight", () => {
    const waiting = run([[20_000, { type: "closed", number: 1, code: 1006 }]], live);
    expect(run([[20_001, { type: "wake" }]], waiting).phase.name).toBe("token");
  });

  it("gives a connection that slept a few seconds to prove itself", () => {
    const awake = run([[45_000, { type: "wake" }]], live);
    expect(awake.deadlineMs).toBe(50_000);
    expect(run([[45_000, { type: "wake" }], [50_000, { type: "timer" }]], live).phase.name).toBe("waiting");
  });

  it("goes by HTTP after two sockets without a welcome, and back if that fails too", () => {
    const blocked = run(
      [
        [10, { type: "closed", number: 1, code: 1006 }],
        [1_000, { type: "timer" }],
        [1_000, { type: "token", number: 2, token: "t" }],
        [1_010, { type: "closed", number: 2, code: 1006 }],
        [5_000, { type: "timer" }],
      ],
      opening,
    );
    expect(blocked.kind).toBe("stream");
    const back = run(
      [
        [5_000, { type: "token", number: 3, token: "t" }],
        [5_010, { type: "closed", number: 3, code: 1006 }],
      ],
      blocked,
    );
    expect(back.kind).toBe("socket");
  });

  it("polls where a stream is accepted and then held back", () => {
    const stream: Connection = { ...initialConnection, kind: "stream", socketFailures: 2 };
    const polling = run(
      [
        [0, { type: "start" }],
        [0, { type: "token", number: 1, token: "t" }],
        [12_000, { type: "timer" }],
      ],
      stream,
    );
    expect(polling.kind).toBe("poll");
  });

  it("tries a socket again ten minutes after it took to HTTP", () => {
    const stream: Connection = { ...initialConnection, kind: "stream", fallbackAtMs: 0 };
    expect(run([[601_000, { type: "start" }]], stream).kind).toBe("socket");
    expect(run([[599_000, { type: "start" }]], stream).kind).toBe("stream");
  });

  it("asks for a token anew where none comes, and takes none that comes too late", () => {
    const asked = run([[0, { type: "start" }], [19_999, { type: "timer" }]]);
    expect(asked.phase.name).toBe("token");
    const waiting = run([[20_000, { type: "timer" }]], asked);
    expect(waiting.phase.name).toBe("waiting");
    expect(run([[20_001, { type: "token", number: 1, token: "t" }]], waiting)).toBe(waiting);
    expect(run([[20_500, { type: "timer" }]], waiting)).toMatchObject({ phase: { name: "token" }, number: 2 });
  });

  it("stops when the token is refused for good, and starts again when asked to", () => {
    const refused = run([
      [0, { type: "start" }],
      [0, { type: "token_failed", number: 1, stop: true, problem: null }],
    ]);
    expect(refused.phase.name).toBe("stopped");
    expect(run([[1, { type: "wake" }]], refused).phase.name).toBe("stopped");
    expect(run([[1, { type: "start" }]], refused).phase.name).toBe("token");
  });

  it("keeps what was wrong, where that is said before the close", () => {
    const problem = { code: "unknown_site", title: "", status: 404, retry: "never" } as const;
    const said: Input = { type: "frame", number: 1, frame: { type: "error", problem } };
    const close: Input = { type: "closed", number: 1, code: 4202 };
    expect(run([[1, said], [2, close]], opening).phase).toMatchObject({ name: "stopped", code: 4202, problem });
    // It is of that attempt alone, and of a connection that never came up.
    const again = run([[1, said], [2, { type: "closed", number: 1, code: 4000 }], [9e6, { type: "timer" }]], opening);
    expect(again).toMatchObject({ phase: { name: "token" }, problem: null });
    expect(run([[1, said], [2, close]], live).phase).toMatchObject({ name: "stopped", problem: null });
  });

  it("says nothing more after it was stopped", () => {
    const off = step(live, { type: "stop" }, 10, 0.5);
    expect(off.effects).toEqual([{ do: "close" }]);
    expect(step(off.state, welcome(1), 11, 0.5).effects).toEqual([]);
  });
});
