/** The part of a long log that stands in the page: so many lines and no more, wherever one looks. */
import { useEffect, useLayoutEffect, useRef, useState, type RefObject } from "react";

import type { Item } from "./item.ts";

/** How many lines stand in the page at first. */
const FIRST = 60;
/** How many more come with each step: one step is drawn within a frame. */
const STEP = 20;
/** How many stand there at most: what is far out of sight goes. */
const LINES_MAX = 200;
/** How near an edge one must be for more to come. */
const EDGE_PX = 1_200;
/** How few lines wait above what stands in the page when older ones are read. */
const WAITING_MIN = 40;

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

/** The span with more above. Pure. */
export function upwards(keys: readonly { key: string }[], span: Span): Span {
  const [from, before] = rangeOf(keys, span);
  return spanOf(keys, Math.max(0, from - STEP), Math.min(before, from - STEP + LINES_MAX));
}

/** The span with more below. Pure. */
export function downwards(keys: readonly { key: string }[], span: Span): Span {
  const [from, before] = rangeOf(keys, span);
  const next = Math.min(keys.length, before + STEP);
  return spanOf(keys, Math.max(from, next - LINES_MAX), next);
}

/** The span around a line. Pure. */
export function around(keys: readonly { key: string }[], index: number): Span {
  return spanOf(keys, Math.max(0, index - FIRST / 2), Math.min(keys.length, index + FIRST / 2));
}

function spanOf(keys: readonly { key: string }[], from: number, before: number): Span {
  return { count: Math.max(before - from, FIRST), last: before >= keys.length ? null : (keys[before - 1]?.key ?? null) };
}

/** The line with a key, where it stands in the page. */
export function lineWith(scroller: HTMLElement | null, key: string): HTMLElement | null {
  return scroller?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`) ?? null;
}

/**
 * What of a log stands in the page; more comes step by step, a frame each, while one is near an edge. Lines in sight
 * stay where they are when others come or go around them.
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
    if (!node) return;
    if (isNearStart(node) && from > 0) setSpan(upwards(items, span));
    else if (node.scrollHeight - node.scrollTop - node.clientHeight <= EDGE_PX && before < items.length) setSpan(downwards(items, span));
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
    wantsOlder: () => from <= WAITING_MIN && isNearStart(scroller.current),
    onScroll: step,
    showEnd: () => setSpan({ count: FIRST, last: null }),
    showAt: (index: number) => setSpan(around(items, index)),
  };
}

function isNearStart(scroller: HTMLElement | null): boolean {
  return scroller !== null && scroller.scrollTop <= EDGE_PX;
}

function topOf(line: HTMLElement, scroller: HTMLElement): number {
  return line.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
}

/** The first line that begins in sight. No heading of a day: that stands above what comes before the line, too. */
function lineInSight(scroller: HTMLElement): { key: string; top: number } | null {
  const lines = [...scroller.querySelectorAll<HTMLElement>("[data-key]:not(.day)")];
  let [low, high] = [0, lines.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    const line = lines[middle];
    if (line && topOf(line, scroller) < 0) low = middle + 1;
    else high = middle;
  }
  const line = lines[low];
  return line ? { key: line.dataset["key"] ?? "", top: topOf(line, scroller) } : null;
}
