/** The part of a long log that stands in the page: so many lines and no more, wherever one looks. */
import { useEffect, useLayoutEffect, useRef, useState, type RefObject } from "react";

import type { Item } from "./item.ts";

/** How many lines stand in the page at first. */
const FIRST = 60;
/** How far beyond the edges of what is in sight lines stand in the page. */
const EDGE_PX = 1_000;
/** How far out of sight they stay at most. Further than others come, so that none goes and comes again. */
const KEEP_PX = 1_600;
/** How many come in a frame, at least where any do, and at most. As many as one scrolls by, so that each frame does alike. */
const STEP = { min: 4, max: 16 };
/** How few lines wait above what stands in the page when older ones are read: a page of them. */
const WAITING_MIN = 100;

/** From which line to before which one; nothing stands for the end, which moves. */
export interface Span {
  count: number;
  /** The last line that is shown; the newest where there is none. */
  last: string | null;
}

/** The indices of a span: from, and before. Pure. */
export function rangeOf(keys: readonly { key: string }[], { count, last }: Span): [number, number] {
  const index = last === null ? -1 : keys.findIndex(({ key }) => key === last);
  const before = index < 0 ? keys.length : index + 1;
  return [Math.max(0, before - count), before];
}

/** The span with so many lines more above and below it, or fewer. Pure. */
export function grown(keys: readonly { key: string }[], span: Span, above: number, below: number): Span {
  const [from, before] = rangeOf(keys, span);
  return spanOf(keys, Math.max(0, from - above), Math.min(keys.length, before + below));
}

/** The span around a line. Pure. */
export function around(keys: readonly { key: string }[], index: number): Span {
  return spanOf(keys, Math.max(0, index - FIRST / 2), Math.min(keys.length, index + FIRST / 2));
}

function spanOf(keys: readonly { key: string }[], from: number, before: number): Span {
  // At the end of a short log there is room for more lines than there are.
  if (before >= keys.length) return { count: Math.max(before - from, FIRST), last: null };
  return { count: before - from, last: keys[before - 1]?.key ?? null };
}

/** The line with a key, where it stands in the page. */
export function lineWith(scroller: HTMLElement | null, key: string): HTMLElement | null {
  return scroller?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`) ?? null;
}

/**
 * What of a log stands in the page; a few lines come in each frame while one is near an edge. Lines in sight stay where
 * they are when others come or go around them.
 */
export function useWindow(items: readonly Item[], scroller: RefObject<HTMLDivElement | null>) {
  const [span, setSpan] = useState<Span>({ count: FIRST, last: null });
  const [from, before] = rangeOf(items, span);
  const shown = items.slice(from, before);
  const ends = `${shown.find(({ kind }) => kind !== "day")?.key} ${shown.at(-1)?.key}`;
  const drawn = useRef(ends);
  const kept = useRef<{ key: string; top: number } | null>(null);
  // As it stands now: one may have scrolled on since the event.
  if (drawn.current !== ends && scroller.current) kept.current = lineInSight(scroller.current);
  useLayoutEffect(() => {
    drawn.current = ends;
    const line = kept.current && lineWith(scroller.current, kept.current.key);
    if (line && kept.current && scroller.current) scroller.current.scrollTop += topOf(line, scroller.current) - kept.current.top;
    // Only where lines came or went at an end.
  }, [ends]);
  function step() {
    const node = scroller.current;
    if (!node || shown.length === 0) return;
    const line_px = node.scrollHeight / shown.length;
    const above_px = node.scrollTop;
    const below_px = node.scrollHeight - above_px - node.clientHeight;
    const above = from > 0 ? missing(above_px, line_px) : 0;
    const below = before < items.length ? missing(below_px, line_px) : 0;
    if (above === 0 && below === 0) return;
    const lines = linesOf(node);
    const next = grown(items, span, above || -farAbove(lines, node), below || -farBelow(lines, node));
    if (`${rangeOf(items, next)}` !== `${[from, before]}`) setSpan(next);
  }
  useEffect(() => {
    const frame = requestAnimationFrame(step);
    return () => cancelAnimationFrame(frame);
  }, [ends, items]);
  return {
    shown,
    from_start: from === 0,
    to_end: before === items.length,
    /** Whether one is so far up that older lines are wanted. */
    wantsOlder: () => from <= WAITING_MIN && scroller.current !== null && scroller.current.scrollTop <= KEEP_PX,
    onScroll: step,
    showEnd: () => setSpan({ count: FIRST, last: null }),
    showAt: (index: number) => setSpan(around(items, index)),
  };
}

/** How many lines of such a height come where so much of them stands beyond an edge. Pure. */
export function missing(beyond_px: number, line_px: number): number {
  const count = Math.ceil((EDGE_PX - beyond_px) / line_px);
  // Few at a time cost as much as some more.
  return beyond_px > 0 && count < Math.min(STEP.min, EDGE_PX / line_px) ? 0 : Math.min(count, STEP.max);
}

function topOf(line: HTMLElement, scroller: HTMLElement): number {
  return line.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
}

function linesOf(scroller: HTMLElement): HTMLElement[] {
  return [...scroller.querySelectorAll<HTMLElement>("[data-key]")];
}

/** How many of the lines, which stand one below the other, begin above a place. */
function countAbove(lines: readonly HTMLElement[], scroller: HTMLElement, top_px: number): number {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const line = lines[middle];
    if (line && topOf(line, scroller) < top_px) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many are far above what is in sight: the one that reaches across that place stays. */
function farAbove(lines: readonly HTMLElement[], scroller: HTMLElement): number {
  return Math.max(0, countAbove(lines, scroller, -KEEP_PX) - 1);
}

function farBelow(lines: readonly HTMLElement[], scroller: HTMLElement): number {
  return lines.length - countAbove(lines, scroller, scroller.clientHeight + KEEP_PX);
}

/** The first line that begins in sight. No heading of a day: that stands above what comes before the line, too. */
function lineInSight(scroller: HTMLElement): { key: string; top: number } | null {
  const lines = linesOf(scroller).filter((line) => !line.classList.contains("day"));
  const line = lines[Math.min(countAbove(lines, scroller, 0), lines.length - 1)];
  return line ? { key: line.dataset["key"] ?? "", top: topOf(line, scroller) } : null;
}
