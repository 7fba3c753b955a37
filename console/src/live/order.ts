/** Keeps a live list still while somebody points at it. Pure. */

/** What is shown, and how much news waits for the pointer to leave. */
export interface Arranged {
  order: readonly string[];
  /** Rows that are new, or moved to the front, and not yet shown there. */
  waiting_count: number;
}

/**
 * The order to show. While `held`, rows stay where they are: gone ones too (the caller dims them), and
 * new ones wait, but for those further down than everything shown (older pages).
 */
export function arrange(shown: readonly string[], sorted: readonly string[], held: boolean): Arranged {
  if (!held || shown.length === 0) return { order: same(shown, sorted) ? shown : sorted, waiting_count: 0 };
  const known = new Set(shown);
  let last_known = -1;
  sorted.forEach((id, index) => {
    if (known.has(id)) last_known = index;
  });
  const behind = sorted.slice(last_known + 1);
  const fresh = sorted.slice(0, last_known + 1).filter((id) => !known.has(id));
  const order = behind.length > 0 ? [...shown, ...behind] : shown;
  return { order, waiting_count: fresh.length + movedCount(shown, sorted) };
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
