/** Who is on the sites now: live, filtered, still while pointed at, with the honest age of the news. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useRef, useState } from "react";

import { sitesQuery } from "../api/query.ts";
import { useLiveVisitor } from "../live/beside.ts";
import { missedOf, missedText } from "../live/missed.ts";
import { status, visitors, watchVisitors } from "../live/session.ts";
import { useTimeText } from "../part/clock.ts";
import { Button } from "../part/control.tsx";
import { useStore } from "../part/store.ts";
import { spanText } from "../part/time.tsx";
import { Snippet } from "../settings/snippet.tsx";
import { useActions } from "../shell/action.ts";
import { filterKey, type Visitors } from "../live/visitors.ts";
import { ColumnHeads } from "./column.tsx";
import { VisitorDetail } from "./detail.tsx";
import { Arranged, Filters, orderOf } from "./filter.tsx";
import { filterOf, type VisitorSearch } from "./narrow.ts";
import { VisitorList } from "./list.tsx";

/** The page of visitors. */
export function VisitorsPage() {
  const search: VisitorSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const live = useStore(visitors);
  const [paused, setPaused] = useState<Visitors | null>(null);
  const shown = paused ?? live;
  const filter = filterOf(search);
  const order = orderOf(search.order);
  const list_key = `${order} ${filterKey(filter)}`;
  const filtered = filterKey(filter) !== filterKey();
  useEffect(() => {
    watchVisitors({ filter, order });
    setPaused(null);
    // The key stands for both.
  }, [list_key]);
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
  const list = useRef<HTMLElement>(null);
  const close = () => {
    // Back to the row that led there.
    list.current?.querySelector<HTMLElement>("[aria-current]")?.focus();
    change({ visitor: undefined });
  };
  const beside = useLiveVisitor(search.visitor).live;
  const chosen = search.visitor ? (paused?.rows.get(search.visitor) ?? beside) : undefined;
  return (
    <div className="visitors" data-open={search.visitor ? "" : undefined}>
      <section ref={list} className="visitors-main" aria-label="Visitors">
        <header className="visitors-head">
          <h1>Visitors</h1>
          <Counts live={shown} filtered={filtered} />
          <span className="grow" />
          {paused && <Missed paused={paused} live={live} />}
          <Freshness paused={paused} />
          <Arranged search={search} change={change} />
          <Button size="small" icon={paused ? "play" : "pause"} onClick={toggle} aria-keyshortcuts="p" title={`${paused ? "Resume" : "Pause"} (P)`}>
            {paused ? "Resume" : "Pause"}
          </Button>
        </header>
        <Filters search={search} change={change} live={live} />
        <ColumnHeads />
        <VisitorList key={list_key} shown={shown} paused={paused !== null} chosen={search.visitor} onChoose={choose} nobody={<NobodyHere filtered={filtered} />} />
      </section>
      {search.visitor && (
        <VisitorDetail key={search.visitor} id={search.visitor} live={chosen} onClose={close} />
      )}
    </div>
  );
}

/** How many there are, whatever part of them is in sight. */
function Counts({ live, filtered }: { live: Visitors; filtered: boolean }) {
  if (!live.counts) return null;
  return (
    <span className="counts">
      {filtered && live.ready && (
        <>
          <b>{live.counts.listed}</b> listed ·{" "}
        </>
      )}
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
