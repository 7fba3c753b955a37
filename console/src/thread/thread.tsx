/** The log of a conversation on screen: windowed for long ones, older on scroll, at the end by itself. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore, type RefObject } from "react";
import type { Conversation, Entry } from "@switchboard/protocol";
import type { Log } from "@switchboard/client";

import { errorText } from "../api/http.ts";
import { loadOlderEntries, useLog } from "../live/follow.ts";
import { reads } from "../live/record.ts";
import { useMay } from "../live/right.ts";
import { CUSTOMER, typing } from "../live/signal.ts";
import { client, markRead, membership, team } from "../live/session.ts";
import { Button } from "../part/control.tsx";
import { useStore } from "../part/store.ts";
import type { Names } from "./event.ts";
import { Line } from "./entry.tsx";
import { itemsOf, type Item } from "./item.ts";

/** How many lines stand in the page at first, and how many more come with each step up. */
const WINDOW = 120;
const NEAR_PX = 80;

/** The log. `bottom` is called by the composer after sending; `at` is the entry to go to. */
export function Thread({ row, bottom, at }: { row: Conversation; bottom: RefObject<(() => void) | null>; at: number | undefined }) {
  const log = useLog(row.id);
  const items = useItems(row, log);
  const names = useNames(row);
  const [window_size, setWindow] = useState(WINDOW);
  const scroller = useRef<HTMLDivElement>(null);
  const shown = items.slice(-window_size);
  const older = useOlderEntries(row.id, log);
  const { at_end, onScroll, toEnd, behind, leaveEnd } = useEnd(scroller, items);
  useJump({ at, scroller, items, shown_count: shown.length, log, older: older.load, show: setWindow, leaveEnd });
  bottom.current = toEnd;
  useReading(row.id, log, at_end);
  useKept(scroller, shown[0]?.key);
  const more_here = items.length > shown.length;
  function scrolled() {
    onScroll();
    const top = scroller.current?.scrollTop ?? 0;
    if (top > 400) return;
    if (more_here) setWindow((size) => size + WINDOW);
    else older.load();
  }
  const may_delete = useMay()("team.write");
  return (
    <div className="thread-frame">
      <div className="thread" ref={scroller} onScroll={scrolled} tabIndex={0} aria-label={`Conversation with ${row.contact_name}`} role="log" aria-live="polite" aria-relevant="additions">
        <div className="thread-inner">
          {older.error && (
            <div className="thread-older">
              {older.error}{" "}
              <Button size="small" onClick={older.again}>
                Try again
              </Button>
            </div>
          )}
          {log && !log.loading && !log.older && !more_here && <Beginning row={row} />}
          {(!log || log.loading) && items.length === 0 && <ThreadSkeleton />}
          {shown.map((item) => (
            <Line key={item.key} item={item} names={names} conversation_id={row.id} may_delete={may_delete} />
          ))}
          <TypingLine row={row} />
        </div>
      </div>
      {!at_end && (
        <button type="button" className="to-end" onClick={() => toEnd()}>
          {behind > 0 ? `${behind} new below` : "To the end"}
        </button>
      )}
    </div>
  );
}

function useItems(row: Conversation, log: Log<Entry> | undefined): Item[] {
  const speaker = client();
  const outbox = useSyncExternalStore(
    (listener) => speaker.subscribe(listener),
    () => speaker.outbox,
  );
  const me = useStore(membership, (member) => member?.agent_id ?? "");
  // The line stands where I had read to when I came, and stays there while I look.
  const [unread_after] = useState(() => {
    const mark = reads.get().get(row.id);
    return mark !== undefined && mark < row.customer_seq ? mark : null;
  });
  return useMemo(
    () => itemsOf({ conversation_id: row.id, entries: log?.entries ?? [], waiting: outbox, marks: log?.marks ?? null, me, unread_after }),
    [row.id, log, outbox, me, unread_after],
  );
}

function useNames(row: Conversation): Names {
  const agents = useStore(team, (held) => held.agents);
  const keys = useStore(team, (held) => held.keys);
  const me = useStore(membership, (member) => member?.agent_id ?? "");
  const customer = row.contact_name;
  const erased = row.contact_erased;
  return useMemo(
    () => ({
      me,
      customer,
      erased,
      agent: (id) => agents.get(id)?.name ?? "A former member",
      key: (id) => keys.get(id) ?? "A program",
    }),
    [agents, keys, me, customer, erased],
  );
}

function useOlderEntries(conversation_id: string, log: Log<Entry> | undefined) {
  const [error, setError] = useState<string | null>(null);
  const busy = useRef(false);
  const first = log?.entries[0]?.seq;
  const load = () => {
    if (busy.current || !log?.older || first === undefined || error !== null) return;
    busy.current = true;
    loadOlderEntries(conversation_id, first)
      .catch((reason: unknown) => setError(errorText(reason)))
      .finally(() => (busy.current = false));
  };
  return { error, load, again: () => setError(null) };
}

/** Whether the end is in sight; stays there when something new comes. */
function useEnd(scroller: RefObject<HTMLDivElement | null>, items: readonly Item[]) {
  const [at_end, setAtEnd] = useState(true);
  const stick = useRef(true);
  const last_seen = useRef<string | undefined>(undefined);
  const last_key = items.at(-1)?.key;
  const toEnd = () => {
    stick.current = true;
    const node = scroller.current;
    if (node) node.scrollTop = node.scrollHeight;
  };
  useLayoutEffect(() => {
    if (stick.current) toEnd();
  });
  useEffect(() => {
    const node = scroller.current;
    if (!node) return;
    // Images and a growing composer change heights without a new line.
    const watcher = new ResizeObserver(() => stick.current && toEnd());
    watcher.observe(node);
    if (node.firstElementChild) watcher.observe(node.firstElementChild);
    return () => watcher.disconnect();
  }, []);
  if (at_end) last_seen.current = last_key;
  const seen_at = items.findIndex((item) => item.key === last_seen.current);
  const behind = seen_at < 0 ? 0 : items.slice(seen_at + 1).filter((item) => item.kind === "message" || item.kind === "note").length;
  function onScroll() {
    const node = scroller.current;
    if (!node) return;
    stick.current = node.scrollHeight - node.scrollTop - node.clientHeight < NEAR_PX;
    setAtEnd(stick.current);
  }
  return { at_end, onScroll, toEnd, behind, leaveEnd: () => (stick.current = false) };
}

/** Older pages that are read on the way to an entry, at most. */
const JUMP_PAGES_MAX = 30;

interface Jump {
  at: number | undefined;
  scroller: RefObject<HTMLDivElement | null>;
  items: readonly Item[];
  shown_count: number;
  log: Log<Entry> | undefined;
  older: () => void;
  show: (size: (before: number) => number) => void;
  leaveEnd: () => void;
}

/** Goes to an entry once, reading older pages until it is there, and marks it for a moment. */
function useJump({ at, scroller, items, shown_count, log, older, show, leaveEnd }: Jump): void {
  const jump = useRef<{ at: number | undefined; pages: number; done: boolean }>({ at: undefined, pages: 0, done: true });
  if (jump.current.at !== at) jump.current = { at, pages: 0, done: at === undefined };
  const first = log?.entries[0]?.seq;
  const index = at === undefined ? -1 : items.findIndex((item) => "seq" in item && item.seq === at);
  useEffect(() => {
    if (jump.current.done || at === undefined || !log || log.loading) return;
    leaveEnd();
    const line = scroller.current?.querySelector<HTMLElement>(`[data-seq="${at}"]`);
    if (line) {
      jump.current.done = true;
      line.scrollIntoView({ block: "center" });
      line.dataset["sought"] = "";
      line.addEventListener("animationend", () => delete line.dataset["sought"], { once: true });
    } else if (index >= 0) show((before) => Math.max(before, items.length - index + 20));
    else if (log.older && jump.current.pages < JUMP_PAGES_MAX) {
      jump.current.pages += 1;
      older();
    } else jump.current.done = true;
    // Each page that comes, and each wider window, is looked at once.
  }, [at, first, index, items.length, shown_count, log?.loading]);
}

/** What one looks at stays put when older lines come in above. */
function useKept(scroller: RefObject<HTMLDivElement | null>, first_key: string | undefined): void {
  const before = useRef<{ key: string | undefined; height: number }>({ key: undefined, height: 0 });
  useLayoutEffect(() => {
    const node = scroller.current;
    if (!node) return;
    const { key, height } = before.current;
    if (key !== undefined && key !== first_key && node.scrollTop < 1_000) node.scrollTop += node.scrollHeight - height;
    before.current = { key: first_key, height: node.scrollHeight };
  });
}

/** Tells the server how far I have read, while the page is looked at and the end is in sight. */
function useReading(conversation_id: string, log: Log<Entry> | undefined, at_end: boolean): void {
  const last = log?.entries.at(-1)?.seq ?? 0;
  useEffect(() => {
    if (!at_end || last === 0) return;
    const mark = () => {
      if (document.visibilityState === "visible" && document.hasFocus()) markRead(conversation_id, last);
    };
    mark();
    window.addEventListener("focus", mark);
    document.addEventListener("visibilitychange", mark);
    return () => {
      window.removeEventListener("focus", mark);
      document.removeEventListener("visibilitychange", mark);
    };
  }, [conversation_id, last, at_end]);
}

function TypingLine({ row }: { row: Conversation }) {
  const typists = useStore(typing, (held) => held.get(row.id));
  const agents = useStore(team, (held) => held.agents);
  const me = useStore(membership, (member) => member?.agent_id);
  const others = typists?.filter((typist) => typist.who !== me) ?? [];
  return (
    <>
      {others.map((typist) => (
        <div key={typist.who} className="typing" data-customer={typist.who === CUSTOMER || undefined} aria-live="off">
          <span className="typing-dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          <span>
            <bdi>{typist.who === CUSTOMER ? row.contact_name : (agents.get(typist.who)?.name ?? "A colleague")}</bdi> is typing
          </span>
          {typist.text && (
            <q className="cut" dir="auto">
              {typist.text}
            </q>
          )}
        </div>
      ))}
    </>
  );
}

function Beginning({ row }: { row: Conversation }) {
  return <div className="event">The conversation began here, number {row.number}</div>;
}

function ThreadSkeleton() {
  return (
    <div className="thread-skeleton" role="status" aria-label="Loading the conversation">
      {[44, 62, 38].map((width, index) => (
        <span key={width} className="skeleton" data-side={index === 1 ? "ours" : "theirs"} style={{ width: `${width}%`, height: 44 }} />
      ))}
    </div>
  );
}
