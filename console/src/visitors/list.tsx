/** The rows of the live list: those in sight of however many there are, still while pointed at. */
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, type ReactNode, type RefObject } from "react";
import type { LiveVisitor } from "@switchboard/protocol";

import { arrange, shownRows, type Arranged } from "../live/order.ts";
import { firstFor, rowAt, shiftOf, type Part, type Sight } from "../live/part.ts";
import { visitorList, watchVisitors } from "../live/session.ts";
import { hasLeft, isSameList, isSamePart, visitorOrder, type Visitors } from "../live/visitors.ts";
import { VirtualRows } from "../part/rows.tsx";
import { usePhone } from "../part/screen.ts";
import { useStore } from "../part/store.ts";
import { useActions } from "../shell/action.ts";
import { density } from "../shell/density.ts";
import { VisitorRow } from "./row.tsx";

const ROW_HEIGHT = { comfortable: 60, compact: 36 };
const PHONE_ROW_HEIGHT = 92;

/** While one scrolls on and on, parts are asked for so seldom. */
const ASK_EVERY_MS = 100;

/** The list. */
export function VisitorList({ shown, paused, chosen, onChoose, nobody }: { shown: Visitors; paused: boolean; chosen: string | undefined; onChoose: (id: string) => void; nobody: ReactNode }) {
  const scroller = useRef<HTMLDivElement>(null);
  const [pointed, setPointed] = useState(false);
  const [sight, setSight] = useState<Sight>({ first: 0, last: 0 });
  const row_height = ROW_HEIGHT[useStore(density)];
  const height = usePhone() ? PHONE_ROW_HEIGHT : row_height;
  const part = usePart(shown, pointed);
  const listed_count = Math.max(shown.counts?.listed ?? 0, part.first + part.order.length);
  usePlace(scroller, part, height);
  useAsk(shown, paused, part, sight);
  const see = useCallback((first: number, last: number) => setSight({ first, last }), []);
  // Whoever left while the list stands still is shown as he was, dimmed.
  const known = useRef<ReadonlyMap<string, LiveVisitor>>(new Map());
  const rows = useMemo(() => (known.current = shownRows(known.current, part.order, shown.rows)), [part, shown.rows]);
  const walk = (step: 1 | -1) => {
    const rank = chosen === undefined ? -1 : part.order.indexOf(chosen);
    const id = rank < 0 ? rowAt(part, sight.first) : part.order[rank + step];
    if (id) onChoose(id);
  };
  useActions([
    { id: "next", name: "Next visitor", group: "List", keys: "j", keyOnly: true, run: () => walk(1) },
    { id: "previous", name: "Previous visitor", group: "List", keys: "k", keyOnly: true, run: () => walk(-1) },
  ]);
  if (!shown.ready) return <VisitorSkeleton />;
  if (listed_count === 0) return nobody;
  const is_known = [sight.first, Math.min(sight.last, listed_count - 1)].every((rank) => rowAt(part, rank) !== undefined);
  return (
    <div className="list" onPointerEnter={(event) => event.pointerType === "mouse" && setPointed(true)} onPointerLeave={() => setPointed(false)}>
      {part.waiting_count > 0 && is_known && <div className="list-news list-news-quiet">{part.waiting_count} more, shown when the pointer leaves</div>}
      {paused && !is_known && <div className="list-news list-news-quiet">Others are shown when the list goes on</div>}
      <VirtualRows
        key={height}
        scroller={scroller}
        ids={part.order}
        part={{ first: part.first, count: listed_count }}
        label="Visitors on the sites"
        height={height}
        chosen={chosen}
        onSight={see}
        blank={<BlankRow />}
        row={(id, tabIndex) => {
          const row = rows.get(id);
          return row && <VisitorRow row={row} chosen={id === chosen} gone={hasLeft(shown, id)} tabIndex={tabIndex} onChoose={onChoose} />;
        }}
      />
    </div>
  );
}

/** The rows in their order, from their rank on. While pointed at, those that stand there stay there. */
function usePart({ list, rows }: Visitors, pointed: boolean): Part & Arranged {
  const drawn = useRef<Part & Arranged & { list: Visitors["list"] }>({ list: {}, first: 0, order: [], waiting_count: 0 });
  const sorted = useMemo(() => visitorOrder(rows, list.order), [rows, list]);
  return useMemo(() => {
    const before = isSamePart(drawn.current.list, list) ? drawn.current.order : [];
    return (drawn.current = { list, first: list.first ?? 0, ...arrange(before, sorted, pointed) });
  }, [sorted, list, pointed]);
}

/** Moves the view along with the row on its top, as others come and go before that. */
function usePlace(scroller: RefObject<HTMLDivElement | null>, part: Part, height: number): void {
  const before = useRef(part);
  useLayoutEffect(() => {
    const node = scroller.current;
    const shift = node ? shiftOf(before.current, part, node.scrollTop / height) : 0;
    before.current = part;
    if (node && shift !== 0) node.scrollTop += shift * height;
  }, [part]);
}

/** Asks for the part that is in sight. A paused list stays what it is. */
function useAsk(shown: Visitors, paused: boolean, part: Part, sight: Sight): void {
  const asked_at_ms = useRef(0);
  useEffect(() => {
    const wanted = visitorList.get();
    if (paused || !shown.ready || !isSameList(wanted, shown.list)) return;
    const first = firstFor(sight, part, shown.counts?.listed ?? 0);
    if (first === (wanted.first ?? 0)) return;
    const ask = () => {
      asked_at_ms.current = performance.now();
      watchVisitors({ ...wanted, first });
    };
    const timer = setTimeout(ask, asked_at_ms.current + ASK_EVERY_MS - performance.now());
    return () => clearTimeout(timer);
  }, [shown, paused, part, sight]);
}

/** Somebody who is there, and is known in a moment. */
function BlankRow() {
  return (
    <div className="visitor-blank" aria-hidden="true">
      <span className="skeleton" />
      <span className="skeleton" />
    </div>
  );
}

function VisitorSkeleton() {
  return (
    <div className="list-skeleton" role="status" aria-label="Loading visitors">
      {[52, 64, 46, 58].map((width) => (
        <div key={width} className="list-skeleton-row">
          <span className="skeleton" style={{ width: 10, height: 10, borderRadius: 5 }} />
          <span className="skeleton" style={{ display: "block", width: `${width}%`, height: 14 }} />
        </div>
      ))}
    </div>
  );
}
