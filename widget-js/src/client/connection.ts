// The life of a connection as a pure state machine: what to do next, given what happened.
// It knows no socket, no clock and no timer; `link.ts` carries its effects out.

import type { AgentNews, Problem, VisitorNews } from "../protocol.ts";

/** What either side's server says. */
export type News = VisitorNews | AgentNews;

/** How frames travel. Sockets first; the others where sockets are blocked. */
export type TransportKind = "socket" | "stream" | "poll";

export type Phase =
  | { readonly name: "off" }
  | { readonly name: "token" }
  | { readonly name: "opening" }
  | {
      readonly name: "live";
      readonly connectionId: string;
      readonly sinceMs: number;
      readonly heardAtMs: number;
      readonly silenceMsMax: number;
    }
  | { readonly name: "waiting"; readonly untilMs: number; readonly goingAway: boolean }
  | { readonly name: "stopped"; readonly code: number | null; readonly problem: Problem | null };

export interface Connection {
  readonly phase: Phase;
  /** Counts attempts. What an earlier attempt still says is dropped. */
  readonly number: number;
  /** Attempts in a row that did not last. */
  readonly failures: number;
  readonly kind: TransportKind;
  /** Sockets in a row that ended without a welcome. */
  readonly socketFailures: number;
  /** When a fallback was chosen; a socket is tried again later. */
  readonly fallbackAtMs: number;
  /** Whether the next token must be a new one. */
  readonly fresh: boolean;
  /** What the server said was wrong with this attempt, before it ended it. */
  readonly problem: Problem | null;
  /** When the server asked us to come back. */
  readonly returnAtMs: number | null;
  /** When `timer` is due. */
  readonly deadlineMs: number | null;
}

export type Input =
  | { readonly type: "start" }
  | { readonly type: "stop" }
  | { readonly type: "wake" }
  | { readonly type: "timer" }
  | { readonly type: "token"; readonly number: number; readonly token: string }
  | {
      readonly type: "token_failed";
      readonly number: number;
      readonly stop: boolean;
      readonly problem: Problem | null;
    }
  | { readonly type: "frame"; readonly number: number; readonly frame: News }
  | {
      readonly type: "closed";
      readonly number: number;
      readonly code: number;
      readonly retryAfterMs?: number | undefined;
    };

export type Effect =
  | { readonly do: "ask_token"; readonly number: number; readonly fresh: boolean }
  | {
      readonly do: "open";
      readonly number: number;
      readonly kind: TransportKind;
      readonly token: string;
    }
  | { readonly do: "close" }
  | { readonly do: "beat" }
  | { readonly do: "news"; readonly frame: News };

export interface Step {
  readonly state: Connection;
  readonly effects: readonly Effect[];
}

/** Longest wait of the first try again; doubles with each failure. */
const BACKOFF_MS_MIN = 500;
const BACKOFF_MS_MAX = 30_000;
/** How long a token may take: what is asked over a line that is gone may be answered never. */
const TOKEN_MS_MAX = 20_000;
/** How long a connection may take from opening to welcome. */
const OPENING_MS_MAX = 12_000;
/** A connection that lived so long was a good one. */
const STABLE_MS = 10_000;
/** After waking up, what was sent while we slept has so long to be read. */
const WAKE_GRACE_MS = 5_000;
/** Quiet so long, the server would have beaten. */
const BEAT_MS_MAX = 30_000;
/** A fallback is kept so long before a socket is tried again. */
const FALLBACK_MS = 10 * 60_000;
/** A connection that vanished without a word. */
export const CLOSED_SILENTLY = 1006;

export const initialConnection: Connection = {
  phase: { name: "off" },
  number: 0,
  failures: 0,
  kind: "socket",
  socketFailures: 0,
  fallbackAtMs: 0,
  fresh: false,
  problem: null,
  returnAtMs: null,
  deadlineMs: null,
};

/** The wait before the next try: full jitter, so that thousands do not come back at once. */
export function backoffMs(failures: number, random: number): number {
  return Math.round(random * Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** failures));
}

/** What follows from `input`. `random` is in [0, 1). */
export function step(state: Connection, input: Input, nowMs: number, random: number): Step {
  switch (input.type) {
    case "start":
      return state.phase.name === "off" || state.phase.name === "stopped"
        ? askToken({ ...state, failures: 0, returnAtMs: null }, nowMs)
        : { state, effects: [] };
    case "stop":
      return {
        // The number moves on, so that nothing of this connection is heard any more.
        state: { ...state, phase: { name: "off" }, number: state.number + 1, deadlineMs: null },
        effects: [{ do: "close" }],
      };
    case "wake":
      return wake(state, nowMs);
    case "timer":
      return timer(state, nowMs, random);
    case "token":
      if (state.phase.name !== "token" || input.number !== state.number) return { state, effects: [] };
      return {
        state: {
          ...state,
          phase: { name: "opening" },
          fresh: false,
          deadlineMs: nowMs + OPENING_MS_MAX,
        },
        effects: [{ do: "open", number: state.number, kind: state.kind, token: input.token }],
      };
    case "token_failed":
      if (state.phase.name !== "token" || input.number !== state.number) return { state, effects: [] };
      if (input.stop) return stopped(state, null, input.problem);
      return wait(state, nowMs, random, input.problem?.retry_after_ms ?? undefined);
    case "frame":
      return input.number === state.number ? heard(state, input.frame, nowMs) : { state, effects: [] };
    case "closed":
      return input.number === state.number
        ? closed(state, input.code, nowMs, random, input.retryAfterMs)
        : { state, effects: [] };
  }
}

function askToken(state: Connection, nowMs: number): Step {
  const fallbackOver = state.kind !== "socket" && nowMs - state.fallbackAtMs > FALLBACK_MS;
  const number = state.number + 1;
  return {
    state: {
      ...state,
      phase: { name: "token" },
      number,
      kind: fallbackOver ? "socket" : state.kind,
      // One failure more, and the fallback is back.
      socketFailures: fallbackOver ? 1 : state.socketFailures,
      problem: null,
      returnAtMs: null,
      deadlineMs: nowMs + TOKEN_MS_MAX,
    },
    effects: [{ do: "ask_token", number, fresh: state.fresh }],
  };
}

function heard(state: Connection, frame: News, nowMs: number): Step {
  const { phase } = state;
  const news: Effect = { do: "news", frame };
  if (frame.type === "welcome" && (phase.name === "opening" || phase.name === "live")) {
    const silenceMsMax = frame.limits.silence_ms_max;
    return {
      state: {
        ...state,
        phase: {
          name: "live",
          connectionId: frame.connection_id,
          sinceMs: phase.name === "live" ? phase.sinceMs : nowMs,
          heardAtMs: nowMs,
          silenceMsMax,
        },
        socketFailures: state.kind === "socket" ? 0 : state.socketFailures,
        deadlineMs: nowMs + silenceMsMax,
      },
      effects: [news],
    };
  }
  // Said before a close, whose code tells less.
  if (phase.name === "opening" && frame.type === "error") return { state: { ...state, problem: frame.problem }, effects: [] };
  if (phase.name !== "live") return { state, effects: [] };
  const next: Connection = {
    ...state,
    phase: { ...phase, heardAtMs: nowMs },
    deadlineMs: state.returnAtMs ?? nowMs + phase.silenceMsMax,
  };
  if (frame.type === "beat") return { state: next, effects: [{ do: "beat" }] };
  if (frame.type === "going_away") {
    const returnAtMs = nowMs + frame.return_after_ms;
    return { state: { ...next, returnAtMs, deadlineMs: returnAtMs }, effects: [news] };
  }
  return { state: next, effects: [news] };
}

function wake(state: Connection, nowMs: number): Step {
  const { phase } = state;
  // A time that the server gave is kept: it spreads its clients over it.
  if (phase.name === "waiting" && !phase.goingAway) return askToken(state, nowMs);
  if (phase.name === "live") {
    const silentMs = nowMs - phase.heardAtMs;
    if (silentMs > BEAT_MS_MAX) {
      const deadlineMs = Math.min(nowMs + WAKE_GRACE_MS, state.deadlineMs ?? Infinity);
      return { state: { ...state, deadlineMs: Math.max(deadlineMs, nowMs) }, effects: [] };
    }
  }
  return { state, effects: [] };
}

function timer(state: Connection, nowMs: number, random: number): Step {
  if (state.deadlineMs === null || nowMs < state.deadlineMs) return { state, effects: [] };
  switch (state.phase.name) {
    case "waiting":
      return askToken(state, nowMs);
    case "token":
      return wait(state, nowMs, random, undefined);
    case "opening": {
      // A stream that was accepted but says nothing is held back by something in between.
      const held = state.kind === "stream";
      const after = closed(state, CLOSED_SILENTLY, nowMs, random, undefined);
      return {
        state: held ? { ...after.state, kind: "poll", fallbackAtMs: nowMs } : after.state,
        effects: [{ do: "close" }, ...after.effects],
      };
    }
    case "live": {
      const after = closed(state, CLOSED_SILENTLY, nowMs, random, undefined);
      return { state: after.state, effects: [{ do: "close" }, ...after.effects] };
    }
    case "off":
    case "stopped":
      return { state: { ...state, deadlineMs: null }, effects: [] };
  }
}

function closed(
  state: Connection,
  code: number,
  nowMs: number,
  random: number,
  retryAfterMs: number | undefined,
): Step {
  const { phase } = state;
  if (phase.name !== "opening" && phase.name !== "live") return { state, effects: [] };
  if (code >= 4200 && code < 4300) return stopped(state, code, state.problem);
  const wasGood = phase.name === "live" && nowMs - phase.sinceMs >= STABLE_MS;
  let next: Connection = { ...state, failures: wasGood ? 0 : state.failures };
  if (code >= 4100 && code < 4200) next = { ...next, fresh: true };
  else if (phase.name === "opening") next = otherWay(next, nowMs);
  return wait(next, nowMs, random, retryAfterMs);
}

/** Which way to try after an opening that led to no welcome. */
function otherWay(state: Connection, nowMs: number): Connection {
  if (state.kind !== "socket") return { ...state, kind: "socket", socketFailures: 1 };
  const socketFailures = state.socketFailures + 1;
  return socketFailures < 2
    ? { ...state, socketFailures }
    : { ...state, socketFailures, kind: "stream", fallbackAtMs: nowMs };
}

function wait(
  state: Connection,
  nowMs: number,
  random: number,
  retryAfterMs: number | undefined,
): Step {
  const goingAway = state.returnAtMs !== null;
  const untilMs =
    state.returnAtMs !== null
      ? Math.max(state.returnAtMs, nowMs)
      : nowMs + Math.max(backoffMs(state.failures, random), retryAfterMs ?? 0);
  return {
    state: {
      ...state,
      phase: { name: "waiting", untilMs, goingAway },
      failures: state.failures + 1,
      returnAtMs: null,
      deadlineMs: untilMs,
    },
    effects: [],
  };
}

function stopped(state: Connection, code: number | null, problem: Problem | null): Step {
  return {
    state: {
      ...state,
      phase: { name: "stopped", code, problem },
      number: state.number + 1,
      deadlineMs: null,
      fresh: true,
    },
    effects: [{ do: "close" }],
  };
}
