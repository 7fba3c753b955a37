/** How long somebody was signed in, several browsers at once counted once. Pure. */
import type { AgentSession } from "@switchboard/protocol";

/** Milliseconds between the first and the last use of sign-ins, from a moment on. */
export function within(sign_ins: readonly Pick<AgentSession, "created_at_ms" | "seen_at_ms">[], from_ms: number): number {
  const spans = sign_ins
    .map((one) => [Math.max(one.created_at_ms, from_ms), one.seen_at_ms] as const)
    .filter(([begin, end]) => end > begin)
    .sort(([a], [b]) => a - b);
  let sum = 0;
  let reached = 0;
  for (const [begin, end] of spans) {
    sum += Math.max(0, end - Math.max(begin, reached));
    reached = Math.max(reached, end);
  }
  return sum;
}

/** A length in hours and minutes. */
export function hoursText(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  const hours = Math.floor(minutes / 60);
  return hours === 0 ? `${minutes} min` : `${hours} h ${minutes % 60} min`;
}
