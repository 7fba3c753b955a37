/** Who is on the sites now: live, filtered, still while pointed at, with the honest age of the news. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { LiveVisitor } from "@switchboard/protocol";

import { sitesQuery } from "../api/query.ts";
import { useLiveVisitor } from "../live/beside.ts";
import { missedOf, missedText } from "../live/missed.ts";
import { arrange, shownRows, type Arranged } from "../live/order.ts";
import { neighbourOf } from "../live/selection.ts";
import { status, visitors, watchVisitors } from "../live/session.ts";
import { useTimeText } from "../part/clock.ts";
import { Button } from "../part/control.tsx";
import { usePhone } from "../part/screen.ts";
import { VirtualRows } from "../part/rows.tsx";
import { useStore } from "../part/store.ts";
import { spanText } from "../part/time.tsx";
import { Snippet } from "../settings/snippet.tsx";
import { useActions } from "../shell/action.ts";
import { density } from "../shell/density.ts";
import { visitorOrder, type Order, type Visitors } from "../live/visitors.ts";
import { ColumnHeads } from "./column.tsx";
import { VisitorDetail } from "./detail.tsx";
import { Filters, orderOf } from "./filter.tsx";
import { filterOf, type VisitorSearch } from "./narrow.ts";
import { VisitorRow } from "./row.tsx";

const ROW_HEIGHT = { comfortable: 60, compact: 36 };
const PHONE_ROW_HEIGHT = 92;

/** The page of visitors. */
export function VisitorsPage() {
  const search: VisitorSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const live = useStore(visitors);
  const [paused, setPaused] = useState<Visitors | null>(null);
  const shown = paused ?? live;
  const filter = filterOf(search);
  const filter_key = JSON.stringify(filter);
  useEffect(() => {
    watchVisitors(filter);
    setPaused(null);
    // The key stands for the filter.
  }, [filter_key]);
  // Elsewhere the list of all is watched: the palette finds who is here, and the rail counts them.
  useEffect(() => () => watchVisitors({}), []);
  const change = useCallback(
    (next: VisitorSearch) => void navigate({ to: "/visitors", search: (before: Record<string, unknown>) => ({ ...before, ...next }), replace: true }),
    [navigate],
  );
  // The same for all rows and at all times: a row is drawn again only when its own visitor changes.
  const choose = useCallback((id: string) => change({ visitor: id }), [change]);
  const toggle = () => setPaused(paused ? null : live);
  useActions([{ id: "pause", name: paused ? "Resume the list" : "Pause the list", group: "List", keys: "p", icon: paused ? "play" : "pause", run: toggle }]);
  const beside = useLiveVisitor(search.visitor).live;
  const chosen = search.visitor ? (paused?.rows.get(search.visitor) ?? beside) : undefined;
  return (
    <div className="visitors" data-open={search.visitor ? "" : undefined}>
      <section className="visitors-main" aria-label="Visitors">
        <header className="visitors-head">
          <h1>Visitors</h1>
          <Counts live={shown} />
          <span className="grow" />
          {paused && <Missed paused={paused} live={live} />}
          <Freshness paused={paused} />
          <Button size="small" icon={paused ? "play" : "pause"} onClick={toggle} aria-keyshortcuts="p" title={`${paused ? "Resume" : "Pause"} (P)`}>
            {paused ? "Resume" : "Pause"}
          </Button>
        </header>
        <Filters search={search} change={change} rows={live.rows} />
        <ColumnHeads />
        <VisitorList key={filter_key} shown={shown} chosen={search.visitor} order={orderOf(search.order)} filtered={filter_key !== "{}"} onChoose={choose} />
      </section>
      {search.visitor && (
        <VisitorDetail key={search.visitor} id={search.visitor} live={chosen} onClose={() => change({ visitor: undefined })} />
      )}
    </div>
  );
}

function Counts({ live }: { live: Visitors }) {
  if (!live.counts) return null;
  return (
    <span className="counts">
      <b>{live.counts.active}</b> active · <b>{live.counts.idle}</b> idle
    </span>
  );
}

/** What a paused list keeps back, until it goes on. */
function Missed({ paused, live }: { paused: Visitors; live: Visitors }) {
  const text = missedText(missedOf(paused, live));
  return <span className="missed small">{text}</span>;
}

/** How old the list is, in words. While connected, changes come as they happen. */
function Freshness({ paused }: { paused: Visitors | null }) {
  const connected = useStore(status, (state) => state.name === "live");
  const text = useTimeText((at_ms) => {
    if (paused) return `Paused, ${spanText(at_ms - paused.heard_at_ms)} old`;
    if (connected) return "Live";
    const heard = visitors.get().heard_at_ms;
    return heard ? `Not connected, ${spanText(at_ms - heard)} old` : "Connecting";
  });
  return (
    <span className="freshness small faint" role="status">
      {text}
    </span>
  );
}

function VisitorList({ shown, chosen, order: wanted, filtered, onChoose }: { shown: Visitors; chosen: string | undefined; order: Order; filtered: boolean; onChoose: (id: string) => void }) {
  const scroller = useRef<HTMLDivElement>(null);
  const [pointed, setPointed] = useState(false);
  const arranged = useRef<Arranged>({ order: [], waiting_count: 0 });
  const sorted = useMemo(() => visitorOrder(shown.rows, wanted), [shown.rows, wanted]);
  const { order, waiting_count } = useMemo(() => (arranged.current = arrange(arranged.current.order, sorted, pointed)), [sorted, pointed]);
  // Whoever left while the list stands still is shown as he was, dimmed.
  const known = useRef<ReadonlyMap<string, LiveVisitor>>(new Map());
  const rows = useMemo(() => (known.current = shownRows(known.current, order, shown.rows)), [order, shown.rows]);
  const row_height = ROW_HEIGHT[useStore(density)];
  const height = usePhone() ? PHONE_ROW_HEIGHT : row_height;
  const walk = (step: 1 | -1) => {
    const id = neighbourOf(order, chosen, step);
    if (id) onChoose(id);
  };
  useActions([
    { id: "next", name: "Next visitor", group: "List", keys: "j", keyOnly: true, run: () => walk(1) },
    { id: "previous", name: "Previous visitor", group: "List", keys: "k", keyOnly: true, run: () => walk(-1) },
  ]);
  if (!shown.ready) return <VisitorSkeleton />;
  if (order.length === 0) return <NobodyHere filtered={filtered} />;
  return (
    <div className="list" onPointerEnter={(event) => event.pointerType === "mouse" && setPointed(true)} onPointerLeave={() => setPointed(false)}>
      {waiting_count > 0 && <div className="list-news list-news-quiet">{waiting_count} more, shown when the pointer leaves</div>}
      <VirtualRows
        key={height}
        scroller={scroller}
        ids={order}
        label="Visitors on the sites"
        height={height}
        chosen={chosen}
        row={(id, tabIndex) => {
          const row = rows.get(id);
          return row && <VisitorRow row={row} chosen={id === chosen} gone={!shown.rows.has(id)} tabIndex={tabIndex} onChoose={onChoose} />;
        }}
      >
        {shown.counts && shown.counts.listed > order.length && (
          <p className="list-more faint">
            The {order.length} most recently active of {shown.counts.listed}. Narrow the list to see others.
          </p>
        )}
      </VirtualRows>
    </div>
  );
}

function NobodyHere({ filtered }: { filtered: boolean }) {
  const sites = useQuery(sitesQuery);
  const site = sites.data?.find((each) => !each.archived);
  if (filtered) {
    return (
      <div className="empty">
        <h2>Nobody fits</h2>
        <p className="faint">Somebody who does appears here at once.</p>
      </div>
    );
  }
  return (
    <div className="empty">
      <h2>Nobody is on the site right now</h2>
      <p className="faint">Visitors appear here the moment a page with the snippet opens.</p>
      {site && <Snippet site_id={site.id} />}
      <a className="button" href="/demo/" target="_blank" rel="noopener">
        Open the test page
      </a>
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
