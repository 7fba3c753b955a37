// A hostile machine, for those who look for luck in stories: `SWITCHBOARD_STORY_HOSTILE` names what is
// slow, as a list of `frames` (drawing, effects and short timers come late), `line` (what travels between
// browsers and server comes late, each connection for itself) and `processor`. Off by default.
//
//   SWITCHBOARD_STORY_HOSTILE=frames,line SWITCHBOARD_STORY_SEED=7 node --test story/chat.test.mjs
//
// The seed decides what is how late, so that most of what failed once fails again.

import { Transform } from "node:stream";

const kinds = new Set((process.env.SWITCHBOARD_STORY_HOSTILE ?? "").split(",").filter(Boolean));
const seed = Number(process.env.SWITCHBOARD_STORY_SEED ?? 1);

const PROCESSOR_RATE = 8;
const LATE_MS_MIN = 300;
const LATE_MS_MAX = 2_000;
const SMALL_BYTES = 16_384;
/** What has carried more than this in one direction carries a large file. */
const LARGE_BYTES = 1_000_000;

/** How many times longer what must come is waited for. */
export const PATIENCE = kinds.size === 0 ? 1 : 3;

/** Numbers in [0, 1) that follow from a seed. */
function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Runs in every page and frame before anything of it: every third turn comes late, and none overtakes another of its kind. */
function delayFrames({ seed, min, max }) {
  let state = (seed + location.href.length) >>> 0;
  const next = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  const lateMs = () => (next() < 0.3 ? min + next() * (max - min) : 0);
  const { setTimeout: later, clearTimeout: never, requestAnimationFrame: frame, cancelAnimationFrame: noFrame, MessageChannel: Channel } = window;
  const waiting = new Map();
  let count = 1_000_000;
  window.requestAnimationFrame = (run) => {
    const ms = lateMs();
    if (ms === 0) return frame.call(window, run);
    const id = (count += 1);
    waiting.set(id, later.call(window, () => {
      waiting.delete(id);
      frame.call(window, run);
    }, ms));
    return id;
  };
  window.cancelAnimationFrame = (id) => {
    if (!waiting.has(id)) return noFrame.call(window, id);
    never.call(window, waiting.get(id));
    waiting.delete(id);
    return undefined;
  };
  window.setTimeout = (run, ms, ...rest) => later.call(window, run, (ms ?? 0) <= 200 ? (ms ?? 0) + lateMs() : ms, ...rest);
  // Schedulers post messages to themselves for their next turn.
  window.MessageChannel = class {
    constructor() {
      const channel = new Channel();
      this.port1 = channel.port1;
      this.port2 = channel.port2;
      const post = channel.port2.postMessage.bind(channel.port2);
      let last = 0;
      this.port2.postMessage = (...message) => {
        last = Math.max(last, performance.now() + lateMs());
        const ms = last - performance.now();
        if (ms < 1) post(...message);
        else later.call(window, () => post(...message), ms);
      };
    }
  };
}

/** Makes all pages of a context as slow as is wished. */
export async function slowPages(context) {
  if (kinds.has("frames")) await context.addInitScript(delayFrames, { seed, min: LATE_MS_MIN, max: LATE_MS_MAX });
}

/** Slows the processor of one page. */
export async function slowProcessor(page) {
  if (!kinds.has("processor")) return;
  const session = await page.context().newCDPSession(page);
  await session.send("Emulation.setCPUThrottlingRate", { rate: PROCESSOR_RATE });
}

let connectionCount = 0;

/** What stands in one direction of a connection: nothing, or something that holds few bytes back and keeps their order. */
export function slowLine() {
  if (!kinds.has("line")) return [];
  const next = chance(seed * 7_919 + (connectionCount += 1));
  let last = 0;
  let carried = 0;
  return [
    new Transform({
      transform(bytes, _, done) {
        const now = performance.now();
        carried += bytes.length;
        // A large file is slow enough.
        const isLate = bytes.length < SMALL_BYTES && carried < LARGE_BYTES && next() < 0.3;
        last = Math.max(last, now + (isLate ? LATE_MS_MIN + next() * (LATE_MS_MAX - LATE_MS_MIN) : 0));
        setTimeout(() => done(null, bytes), last - now);
      },
    }),
  ];
}
