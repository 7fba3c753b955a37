/** The live list of conversations: virtual rows that stand still while somebody points at them. */
import { useRouter } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import type { InboxList } from "@switchboard/protocol";

import { emptyInbox, isOf, sortedIds } from "../live/inbox.ts";
import { arrange, type Arranged } from "../live/order.ts";
import { shownOrder } from "../live/selection.ts";
import { inbox, loadOlder } from "../live/session.ts";
import { Button } from "../part/control.tsx";
import { focusRows, VirtualRows } from "../part/rows.tsx";
import { useStore } from "../part/store.ts";
import { useConnected } from "../shell/connection.tsx";
import { density } from "../shell/density.ts";
import { errorText } from "../api/http.ts";
import { NothingHere } from "./empty.tsx";
import { keptSearch, useListSearch } from "./narrow.tsx";
import { Row, type Way } from "./row.tsx";
import { useSites } from "./site.tsx";

const ROW_HEIGHT = { comfortable: 68, compact: 36 };

/** A list. Mount it anew for another one. */
export function LiveList({ list, chosen }: { list: InboxList; chosen: string | undefined }) {
  const held_list = useStore(inbox);
  const is_this = isOf(held_list, list);
  const known = is_this ? held_list : NOTHING_KNOWN;
  const way = useWay(list);
  const [pointed, setPointed] = useState(false);
  const [scrolled, setScrolled] = useState(false);
  const arranged = useRef<Arranged>({ order: [], waiting_count: 0 });
  const [released, setReleased] = useState(0);
  const sorted = useMemo(() => sortedIds(known), [known.rows, known.edge]);
  const shown = useMemo(() => {
    arranged.current = arrange(arranged.current.order, sorted, pointed || scrolled);
    return arranged.current;
    // `released` asks for a new arrangement.
  }, [sorted, pointed, scrolled, released]);
  useEffect(() => shownOrder.set(shown.order), [shown.order]);
  const height = ROW_HEIGHT[useStore(density)];
  const scroller = useRef<HTMLDivElement>(null);
  // Of how many rows the end is near. Not which row is the last: that changes with each frame of a scroll, and the list would be drawn twice in it.
  const [near_end_of, setNearEndOf] = useState<number | null>(null);
  const row_count = shown.order.length;
  const older = useOlder(known.cursor !== null, row_count === 0 || near_end_of === row_count, loadOlder);
  /** `by_key`: its button goes away, and whoever pressed it with a key goes on in the list. */
  function release(by_key: boolean) {
    arranged.current = { order: [], waiting_count: 0 };
    scroller.current?.scrollTo({ top: 0 });
    setReleased((count) => count + 1);
    if (by_key) requestAnimationFrame(() => focusRows(scroller.current));
  }
  // All that was known may have left while others stand behind it.
  if (!known.ready || (shown.order.length === 0 && known.cursor !== null && !older.error)) return <ListSkeleton />;
  if (shown.order.length === 0) return <NothingHere list={list} />;
  return (
    <div className="list" onPointerEnter={(event) => event.pointerType === "mouse" && setPointed(true)} onPointerLeave={() => setPointed(false)}>
      {shown.waiting_count > 0 && (
        <button type="button" className="list-news" onClick={(event) => release(event.detail === 0)}>
          {shown.waiting_count} new
        </button>
      )}
      <VirtualRows
        key={height}
        scroller={scroller}
        ids={shown.order}
        label="Conversations"
        height={height}
        chosen={chosen}
        more={known.cursor !== null}
        onScrolled={setScrolled}
        onEnd={(last) => setNearEndOf(last >= row_count - 20 ? row_count : null)}
        row={(id, tabIndex) => <Row id={id} way={way} chosen={id === chosen} gone={!known.rows.has(id)} tabIndex={tabIndex} />}
      >
        {older.error && (
          <div className="list-more">
            <span className="faint">{older.error}</span>
            <Button size="small" onClick={older.again}>
              Try again
            </Button>
          </div>
        )}
        {older.busy && <div className="list-more faint">Older conversations are on their way</div>}
      </VirtualRows>
    </div>
  );
}

const NOTHING_KNOWN = emptyInbox({ filter: "all" });

/** Where the rows of a list lead. Addresses are made out of one, for there are many rows. */
function useWay({ filter, site_id }: InboxList): Way {
  const router = useRouter();
  const sites = useSites();
  const connected = useConnected();
  const search = JSON.stringify(useListSearch());
  return useMemo(() => {
    const names = new Map(site_id ? [] : sites.map((site) => [site.id, site.name]));
    const to = (conversationId: string) => ({ to: "/inbox/$list/$conversationId", params: { list: filter, conversationId }, search: keptSearch }) as const;
    const [before, after] = router.buildLocation(to(PLACE)).publicHref.split(PLACE);
    return {
      href: (id) => `${before}${id}${after}`,
      open: (id) => void router.navigate(to(id)),
      siteName: (id) => names.get(id) ?? null,
      connected,
    };
    // The words stand for the search; sites are made anew with each look.
  }, [router, filter, search, site_id, connected, sites.map((site) => site.name).join("\n")]);
}

/** Stands in an address where an id will. */
const PLACE = "cnv_0";

/** Loads older rows near the end. */
function useOlder(more: boolean, near_end: boolean, onMore: () => Promise<unknown>) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const load = async () => {
    setBusy(true);
    setError(null);
    try {
      await onMore();
    } catch (reason) {
      setError(errorText(reason));
    } finally {
      setBusy(false);
    }
  };
  useEffect(() => {
    if (more && near_end && !busy && error === null) void load();
    // A failed load waits for a click; `busy` turning false asks again while the end is near.
  }, [more, near_end, busy, error]);
  return { busy, error, again: () => void load() };
}

/** Rows that are on their way; they show only when that takes longer than a blink. */
export function ListSkeleton() {
  return (
    <div className="list-skeleton" role="status" aria-label="Loading conversations">
      {[72, 54, 63, 48, 70, 58].map((width) => (
        <div key={width} className="list-skeleton-row">
          <span className="skeleton" style={{ width: 28, height: 28, borderRadius: 14 }} />
          <span className="grow">
            <span className="skeleton" style={{ display: "block", width: `${width - 18}%`, height: 12, marginBottom: 8 }} />
            <span className="skeleton" style={{ display: "block", width: `${width + 16}%`, height: 10 }} />
          </span>
        </div>
      ))}
    </div>
  );
}
