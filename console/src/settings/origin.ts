/** Origins as people type them. Pure. */

/** The word for every port of this machine. */
export const LOOPBACK = "loopback";

/** Reads origins as people type them: schemes are added, paths are taken off, doubles are dropped. Pure. */
export function originsOf(text: string): { good: string[]; bad: string[] } {
  const good = new Set<string>();
  const bad: string[] = [];
  for (const line of text.split(/[\s,]+/)) {
    const typed = line.trim();
    if (typed === "") continue;
    const origin = originOf(typed);
    if (origin) good.add(origin);
    else bad.push(typed);
  }
  return { good: [...good], bad };
}

function originOf(typed: string): string | null {
  if (typed.toLowerCase() === LOOPBACK) return LOOPBACK;
  const local = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(\/|$)/i.test(typed);
  const address = /^https?:\/\//i.test(typed) ? typed : `${local ? "http" : "https"}://${typed}`;
  try {
    const { origin, protocol, hostname } = new URL(address);
    const named = hostname.includes(".") || hostname === "localhost" || hostname.startsWith("[");
    return (protocol === "https:" || protocol === "http:") && named ? origin : null;
  } catch {
    return null;
  }
}
