/** The part of a long log that stands in the page: so many lines and no more, wherever one looks. */
import { useLayoutEffect, useRef, useState, type RefObject } from "react";

import type { Item } from "./item.ts";

/** How many lines stand in the page at first, and how many more come with each step. */
const STEP = 120;
/** How many stand there at most: what is far out of sight goes. */
const LINES_MAX = 3 * STEP;
/** How near an edge one must be for more to come. */
export const EDGE_PX = 400;

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
  return spanOf(keys, Math.max(0, index - STEP / 2), Math.min(keys.length, index + STEP / 2));
}

function spanOf(keys: readonly { key: string }[], from: number, before: number): Span {
  return { count: Math.max(before - from, STEP), last: before >= keys.length ? null : (keys[before - 1]?.key ?? null) };
}

/** The line with a key, where it stands in the page. */
export function lineWith(scroller: HTMLElement | null, key: string): HTMLElement | null {
  return scroller?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`) ?? null;
}

/** What of a log stands in the page. Lines in sight stay where they are when others come or go around them. */
export function useWindow(items: readonly Item[], scroller: RefObject<HTMLDivElement | null>) {
  const [span, setSpan] = useState<Span>({ count: STEP, last: null });
  const [from, before] = rangeOf(items, span);
  const shown = items.slice(from, before);
  const kept = useRef<{ key: string; top: number } | null>(null);
  const ends = `${shown.find(({ kind }) => kind !== "day")?.key} ${shown.at(-1)?.key}`;
  useLayoutEffect(() => {
    const line = kept.current && lineWith(scroller.current, kept.current.key);
    if (line && kept.current && scroller.current) scroller.current.scrollTop += topOf(line, scroller.current) - kept.current.top;
    // Only where lines came or went at an end.
  }, [ends]);
  function onScroll() {
    const node = scroller.current;
    if (!node) return;
    kept.current = lineInSight(node);
    if (node.scrollTop <= EDGE_PX && from > 0) setSpan(upwards(items, span));
    else if (node.scrollHeight - node.scrollTop - node.clientHeight <= EDGE_PX && before < items.length) setSpan(downwards(items, span));
  }
  return {
    shown,
    from_start: from === 0,
    to_end: before === items.length,
    onScroll,
    showEnd: () => setSpan({ count: STEP, last: null }),
    showAt(index: number) {
      kept.current = null;
      setSpan(around(items, index));
    },
  };
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
