/** Long lists: only what is in sight stands in the page; one stop of the Tab key, arrows walk within. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useRef, useState, type KeyboardEvent, type ReactNode, type RefObject } from "react";

/** How a list looks and what it can do. */
export interface RowsProps {
  scroller: RefObject<HTMLDivElement | null>;
  ids: readonly string[];
  /** Where `ids` begin in a longer list, and how long that is; `ids` are all of it where absent. */
  part?: { first: number; count: number };
  label: string;
  /** The height of a row; measured where `measured`. */
  height: number;
  measured?: boolean;
  /** The row that is open: the view goes there when it changes, and so does the Tab key. */
  chosen: string | undefined;
  /** Whether rows exist behind the last one; how many there are is not known then. */
  more?: boolean;
  onScrolled?: (scrolled: boolean) => void;
  /** The index of the last row in sight. */
  onEnd?: (last: number) => void;
  /** The indices of the first and the last row in sight, without those that are drawn beyond. */
  onSight?: (first: number, last: number) => void;
  /** The arrow up on the first row. */
  onTop?: () => void;
  /** A row: a link or button, with the `tabIndex` it is given. */
  row: (id: string, tabIndex: 0 | -1) => ReactNode;
  /** What stands for a row of a longer list that is not among `ids`. */
  blank?: ReactNode;
  children?: ReactNode;
}

/** The list. */
export function VirtualRows({ scroller, ids, part, label, height, measured, chosen, more, onScrolled, onEnd, onSight, onTop, row, blank, children }: RowsProps) {
  const { first, count } = part ?? { first: 0, count: ids.length };
  const idAt = (index: number) => ids[index - first];
  // The same while the rows are: with another one, the places of all rows are computed anew, also of those far away.
  const getItemKey = useCallback((index: number) => ids[index - first] ?? index, [ids, first]);
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    getItemKey,
    overscan: 8,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  const sight = virtual.range;
  const [focused, setFocused] = useState<string | null>(null);
  const wanted = useRef<number | null>(null);
  useEffect(() => onEnd?.(last), [onEnd, last]);
  useEffect(() => {
    if (sight) onSight?.(sight.startIndex, sight.endIndex);
  }, [onSight, sight?.startIndex, sight?.endIndex]);
  useEffect(() => {
    const index = chosen ? ids.indexOf(chosen) : -1;
    if (index >= 0) virtual.scrollToIndex(first + index, { align: "auto" });
    // Only when another row is chosen: a list that moves must not pull the view along.
  }, [chosen]);
  useEffect(() => {
    if (wanted.current === null) return;
    const node = scroller.current?.querySelector<HTMLElement>(`[data-index="${wanted.current}"] :is(a, button)`);
    if (!node) return;
    wanted.current = null;
    node.focus({ preventScroll: true });
  });
  function go(index: number) {
    const next = Math.min(Math.max(index, 0), count - 1);
    wanted.current = next;
    virtual.scrollToIndex(next, { align: "auto" });
    setFocused(idAt(next) ?? null);
    // The row that has the focus goes out of the page; the next one comes when it is known.
    if (idAt(next) === undefined) scroller.current?.focus({ preventScroll: true });
  }
  function key(event: KeyboardEvent) {
    const on = (event.target as HTMLElement).closest("[data-index]")?.getAttribute("data-index");
    const at = wanted.current ?? Number(on ?? Number.NaN);
    if (Number.isNaN(at) || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.key === "ArrowDown") go(at + 1);
    else if (event.key === "ArrowUp" && at === 0 && onTop) onTop();
    else if (event.key === "ArrowUp") go(at - 1);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(count - 1);
    else return;
    event.preventDefault();
  }
  const shown = items.flatMap((item) => idAt(item.index) ?? []);
  // The stop is where one was last, else what is open, else the first; always one that is in the page.
  const stop = [focused, chosen, shown[0]].find((id) => id != null && shown.includes(id));
  return (
    <div className="list-scroll" ref={scroller} tabIndex={-1} data-scrolls={virtual.isScrolling || undefined} onKeyDown={key} onScroll={(event) => onScrolled?.(event.currentTarget.scrollTop > 4)}>
      <ul className="list-rows" style={{ height: virtual.getTotalSize() }} aria-label={label}>
        {items.map((item) => {
          const id = idAt(item.index);
          if (id === undefined && blank === undefined) return null;
          return (
            <li
              key={item.key}
              data-index={item.index}
              ref={measured ? virtual.measureElement : undefined}
              style={{ top: item.start, ...(measured ? {} : { height: item.size }) }}
              aria-setsize={more ? -1 : count}
              aria-posinset={item.index + 1}
              onFocus={() => {
                wanted.current = null;
                setFocused(id ?? null);
              }}
            >
              {id === undefined ? blank : row(id, id === stop ? 0 : -1)}
            </li>
          );
        })}
      </ul>
      {children}
    </div>
  );
}

/** Puts the focus on the row that the Tab key would come to; says whether there is one. */
export function focusRows(scroller: Element | null): boolean {
  const row = scroller?.querySelector<HTMLElement>("[data-index] :is(a, button)[tabindex='0']");
  row?.focus();
  return row != null;
}
