/** Keeps a live list still while somebody points at it. Pure. */
import type { LiveVisitor } from "@switchboard/protocol";

/** What is shown, and how much news waits for the pointer to leave. */
export interface Arranged {
  order: readonly string[];
  /** Rows that are new, or moved to the front, and not yet shown there. */
  waiting_count: number;
}

/**
 * The order to show. While `held`, rows stay where they are: gone ones too (the caller dims them), and
 * new ones wait, but for those further down than everything shown (older pages). These wait as well once
 * more of what is shown has gone than is there: a list that is held all day grows to no more than that.
 */
export function arrange(shown: readonly string[], sorted: readonly string[], held: boolean): Arranged {
  if (!held || shown.length === 0) return { order: same(shown, sorted) ? shown : sorted, waiting_count: 0 };
  const known = new Set(shown);
  const fresh = sorted.filter((id) => !known.has(id));
  const gone_count = shown.length + fresh.length - sorted.length;
  const behind = gone_count > sorted.length ? [] : sorted.slice(sorted.findLastIndex((id) => known.has(id)) + 1);
  const order = behind.length > 0 ? [...shown, ...behind] : shown;
  return { order, waiting_count: fresh.length - behind.length + movedCount(shown, sorted) };
}

/** The rows of an order as they are, or as they were where they have gone; nothing of those that are not in it. */
export function shownRows(before: ReadonlyMap<string, LiveVisitor>, order: readonly string[], rows: ReadonlyMap<string, LiveVisitor>): ReadonlyMap<string, LiveVisitor> {
  return new Map(
    order.flatMap((id) => {
      const row = rows.get(id) ?? before.get(id);
      return row ? [[id, row] as const] : [];
    }),
  );
}

/** How many shown rows would stand before the first one that kept its rank. */
function movedCount(shown: readonly string[], sorted: readonly string[]): number {
  const there = new Set(sorted);
  const first = shown.find((id) => there.has(id));
  if (first === undefined) return 0;
  const known = new Set(shown);
  return sorted.slice(0, sorted.indexOf(first)).filter((id) => known.has(id)).length;
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id, index) => id === b[index]);
}
