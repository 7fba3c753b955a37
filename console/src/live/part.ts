/** Which part of a long list is known, which is wanted, and what keeps its place while the list moves. Pure. */
import { limit } from "@switchboard/protocol";

/** Rows that follow each other in a list, from a rank on. */
export interface Part {
  first: number;
  order: readonly string[];
}

/** The first and the last rank in sight. */
export interface Sight {
  first: number;
  last: number;
}

/** Rows on both sides of what is in sight that are to be known. */
const MARGIN = 8;

/** Parts begin at multiples of this: who looks at the same place shares one. */
const STEP = 20;

/** The row at a rank, where it is known. */
export function rowAt(part: Part, rank: number): string | undefined {
  return part.order[rank - part.first];
}

/** Where the part to watch begins, now that these rows are in sight of so many: that of the one at hand, as long as it does. */
export function firstFor(sight: Sight, part: Part, listed_count: number): number {
  if (covers(part, { first: sight.first - MARGIN, last: sight.last + MARGIN }, listed_count)) return part.first;
  const middle = (sight.first + sight.last) / 2;
  const first = Math.max(0, Math.round((middle - limit.page_rows_max / 2) / STEP) * STEP);
  // Rows so large that few fit into a part: those in sight come first.
  const is_short = part.order.length > 0 && part.order.length < limit.page_rows_max;
  const misses = part.first === first && !covers(part, sight, listed_count);
  return Math.min(is_short && (misses || part.first === sight.first) ? sight.first : first, limit.rows_before_max);
}

function covers(part: Part, sight: Sight, listed_count: number): boolean {
  const end = part.first + part.order.length;
  return part.first <= Math.max(0, sight.first) && Math.min(sight.last, listed_count - 1) < end;
}

/**
 * By how many rows the view has to move so that its first row stays where it is; if that one is gone, the next. At the top the list moves and the view stays:
 * there one looks for what is new.
 */
export function shiftOf(before: Part, now: Part, top: number): number {
  if (top < 1) return 0;
  const ranks = new Map(now.order.map((id, index) => [id, now.first + index]));
  const from = Math.max(Math.floor(top), before.first);
  for (let rank = from; rank < before.first + before.order.length; rank += 1) {
    const now_rank = ranks.get(rowAt(before, rank) ?? "");
    if (now_rank !== undefined) return now_rank - rank;
  }
  return 0;
}
