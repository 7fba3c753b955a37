/** The log of a conversation on screen: windowed for long ones, older on scroll, at the end by itself. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore, type RefObject } from "react";
import type { Conversation, Entry } from "@switchboard/protocol";
import type { Log, OutboxItem } from "@switchboard/client";

import { errorText } from "../api/http.ts";
import { loadOlderEntries, useLog } from "../live/follow.ts";
import { reads } from "../live/record.ts";
import { useMay } from "../live/right.ts";
import { CUSTOMER, typing } from "../live/signal.ts";
import { client, markRead, membership, team } from "../live/session.ts";
import { isText, useForms, type Form } from "../part/begun.ts";
import { serverTime } from "../part/clock.ts";
import { Button } from "../part/control.tsx";
import { usePhone, useTouch } from "../part/screen.ts";
import { useStore } from "../part/store.ts";
import type { Names } from "./event.ts";
import { Line, type Desk } from "./entry.tsx";
import { itemsOf, keepingSame, type Item } from "./item.ts";
import { useSaidMenu } from "./said-menu.tsx";
import { lineOf, sought, type Place } from "./sought.ts";
import { lineWith, useWindow } from "./window.ts";

const NEAR_PX = 80;

/** The log. `bottom` is called by the composer after sending; `at` is the entry to go to. */
export function Thread({ row, bottom, at }: { row: Conversation; bottom: RefObject<(() => void) | null>; at: number | undefined }) {
  const log = useLog(row.id);
  const items = useItems(row, log);
  const names = useNames(row);
  const scroller = useRef<HTMLDivElement>(null);
  const part = useWindow(items, scroller);
  const { shown } = part;
  const older = useOlderEntries(row.id, log);
  const end = useEnd(scroller, items, part.to_end);
  const toEnd = () => {
    part.showEnd();
    end.stickToEnd();
  };
  const place = usePlace(row.id, at);
  useJump({ place, scroller, items, shown, log, older: older.load, show: part.showAt, leaveEnd: end.leaveEnd });
  bottom.current = toEnd;
  useReading(row.id, log, end.at_end);
  function scrolled() {
    end.onScroll();
    part.onScroll();
    if (part.wantsOlder()) older.load();
  }
  const edits = useForms(`${names.me} message ${row.id} `, isText);
  const menu = useSaidMenu(shown, names, row.id, edits);
  const desk = useDesk(row.id, names, menu.toggle);
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
          {log && !log.loading && !log.older && part.from_start && <Beginning row={row} />}
          {(!log || log.loading) && items.length === 0 && <ThreadSkeleton />}
          {shown.map((item) => (
            <Line key={item.key} item={item} desk={desk} edit={editIn(item, edits)} menu_open={item.key === menu.open_key} />
          ))}
          {part.to_end && <TypingLine row={row} />}
        </div>
      </div>
      {menu.view}
      {!end.at_end && (
        <button type="button" className="to-end" onClick={toEnd}>
          {end.behind > 0 ? `${end.behind} new below` : "To the end"}
        </button>
      )}
    </div>
  );
}

function useDesk(conversation_id: string, names: Names, onMenu: Desk["onMenu"]): Desk {
  const may = useMay();
  const [may_write, may_delete] = [may("conversations.write"), may("team.write")];
  const [is_phone, is_touch] = [usePhone(), useTouch()];
  const tools_shown = is_phone || is_touch;
  return useMemo(
    () => ({ conversation_id, names, may_write, may_delete, tools_shown, onMenu }),
    [conversation_id, names, may_write, may_delete, tools_shown, onMenu],
  );
}

/** The form of a line whose words are being changed. */
function editIn(item: Item, edits: (entry_id: string) => Form<string>): Form<string> | null {
  if (!("message" in item) || item.entry_id === null) return null;
  const edit = edits(item.entry_id);
  return edit.opened === null ? null : edit;
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
  const drawn = useRef<Item[]>([]);
  return useMemo(() => {
    const items = itemsOf({ conversation_id: row.id, entries: log?.entries ?? [], waiting: outbox.map(onServerClock), marks: log?.marks ?? null, me, unread_after });
    return (drawn.current = keepingSame(drawn.current, items));
  }, [row.id, log, outbox, me, unread_after]);
}

/** What waits, with the time at which everybody else sees that it was written. */
function onServerClock(item: OutboxItem): OutboxItem {
  return { ...item, made_at_ms: serverTime(item.made_at_ms) };
}

/** The names of those who speak in a conversation. */
export function useNames(row: Conversation): Names {
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
  const start = () => {
    if (busy.current || !log?.older || first === undefined) return;
    busy.current = true;
    loadOlderEntries(conversation_id, first)
      .catch((reason: unknown) => setError(errorText(reason)))
      .finally(() => (busy.current = false));
  };
  return {
    error,
    load: () => error === null && start(),
    again() {
      setError(null);
      start();
    },
  };
}

/** Whether the end is in sight; stays there when something new comes. */
function useEnd(scroller: RefObject<HTMLDivElement | null>, items: readonly Item[], end_shown: boolean) {
  const [at_end, setAtEnd] = useState(true);
  const stick = useRef(true);
  const last_seen = useRef<string | undefined>(undefined);
  const last_key = items.at(-1)?.key;
  const stickToEnd = () => {
    stick.current = true;
    const node = scroller.current;
    if (node) node.scrollTop = node.scrollHeight;
  };
  useLayoutEffect(() => {
    if (stick.current) stickToEnd();
  });
  useEffect(() => {
    const node = scroller.current;
    if (!node) return;
    // Images and a growing composer change heights without a new line.
    const watcher = new ResizeObserver(() => stick.current && stickToEnd());
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
    stick.current = end_shown && node.scrollHeight - node.scrollTop - node.clientHeight < NEAR_PX;
    setAtEnd(stick.current);
  }
  return { at_end, onScroll, stickToEnd, behind, leaveEnd: () => (stick.current = false) };
}

/** Where somebody wants to go: what the address says, or what was asked for since. */
function usePlace(conversation_id: string, at: number | undefined): Place | undefined {
  const asked = useStore(sought);
  // Who comes back, or follows another address, is not led to where somebody went before.
  useEffect(() => () => sought.set(null), [conversation_id, at]);
  const by_address = useMemo(() => (at === undefined ? undefined : { seq: at }), [at]);
  return asked?.conversation_id === conversation_id ? asked.place : by_address;
}

/** Older pages that are read on the way to an entry, at most. */
const JUMP_PAGES_MAX = 60;

interface Jump {
  place: Place | undefined;
  scroller: RefObject<HTMLDivElement | null>;
  items: readonly Item[];
  shown: readonly Item[];
  log: Log<Entry> | undefined;
  older: () => unknown;
  show: (index: number) => void;
  leaveEnd: () => void;
}

/** Goes to a place once, reading older pages until it is there, and marks the line for a moment. */
function useJump({ place, scroller, items, shown, log, older, show, leaveEnd }: Jump): void {
  const jump = useRef<{ place: Place | undefined; pages: number; done: boolean }>({ place: undefined, pages: 0, done: true });
  if (jump.current.place !== place) jump.current = { place, pages: 0, done: place === undefined };
  const first = log?.entries[0]?.seq;
  useEffect(() => {
    if (jump.current.done || place === undefined || !log || log.loading) return;
    leaveEnd();
    const index = lineOf(items, place, !log.older);
    const key = items[index]?.key;
    const line = key === undefined ? null : lineWith(scroller.current, key);
    if (line) {
      jump.current.done = true;
      line.scrollIntoView({ block: "seq" in place ? "center" : "start" });
      line.dataset["sought"] = "";
      line.addEventListener("animationend", () => delete line.dataset["sought"], { once: true });
    } else if (index >= 0) show(index);
    else if (log.older && jump.current.pages < JUMP_PAGES_MAX) {
      jump.current.pages += 1;
      older();
    } else jump.current.done = true;
    // Each page that comes, and each other part of the log, is looked at once.
  }, [place, first, items.length, shown, log?.loading]);
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
          <span className="typing-who cut">
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
