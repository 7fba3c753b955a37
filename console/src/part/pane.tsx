/** Panes side by side: each remembers its width, and can be moved by pointer and by keys. */
import { useRef, type KeyboardEvent, type PointerEvent } from "react";

import { useWide } from "./screen.ts";
import { createKeptStore, useStore } from "./store.ts";

const widths = createKeptStore<Record<string, number>>(
  "switchboard.panes",
  {},
  (value): value is Record<string, number> => typeof value === "object" && value !== null,
);

/** How wide a pane may be. */
export interface PaneSize {
  name: string;
  width: number;
  /** The same where there is room to spare. */
  wide: number;
  min: number;
  max: number;
}

/** A pane's width: the one it was moved to, kept over reloads, or what fits the page. */
export function usePaneWidth({ name, width, wide, min, max }: PaneSize): number {
  const kept = useStore(widths, (all) => all[name]);
  const fitting = useWide() ? wide : width;
  return Math.min(max, Math.max(min, kept ?? fitting));
}

function setWidth({ name, min, max }: PaneSize, width: number): void {
  widths.set((all) => ({ ...all, [name]: Math.round(Math.min(max, Math.max(min, width))) }));
}

function forgetWidth({ name }: PaneSize): void {
  widths.set(({ [name]: _, ...others }) => others);
}

/** The line between two panes. `before`: the pane it sizes stands before it. */
export function Divider({ size, label, before }: { size: PaneSize; label: string; before: boolean }) {
  const width = usePaneWidth(size);
  const start = useRef<{ x: number; width: number } | null>(null);
  const direction = before ? 1 : -1;
  function down(event: PointerEvent<HTMLDivElement>) {
    if (event.button !== 0) return;
    event.preventDefault();
    event.currentTarget.setPointerCapture(event.pointerId);
    start.current = { x: event.clientX, width };
  }
  function move(event: PointerEvent<HTMLDivElement>) {
    if (start.current) setWidth(size, start.current.width + direction * (event.clientX - start.current.x));
  }
  function key(event: KeyboardEvent<HTMLDivElement>) {
    const steps: Record<string, number> = { ArrowRight: 16 * direction, ArrowLeft: -16 * direction };
    const step = steps[event.key];
    if (step !== undefined) setWidth(size, width + step);
    else if (event.key === "Home") setWidth(size, size.min);
    else if (event.key === "End") setWidth(size, size.max);
    else return;
    event.preventDefault();
  }
  return (
    <div
      className="divider"
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={width}
      aria-valuemin={size.min}
      aria-valuemax={size.max}
      tabIndex={0}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={() => (start.current = null)}
      onPointerCancel={() => (start.current = null)}
      onDoubleClick={() => forgetWidth(size)}
      onKeyDown={key}
    />
  );
}
