/** The inbox: the list, and beside it the conversation that is open. */
import { Outlet, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState, type KeyboardEvent, type ReactNode, type RefObject } from "react";
import type { InboxFilter } from "@switchboard/protocol";

import { foundAt, neighbourOf, shownOrder } from "../live/selection.ts";
import { clearPicked } from "../live/pick.ts";
import { listKey } from "../live/inbox.ts";
import { inbox, watchInbox } from "../live/session.ts";
import { now } from "../part/clock.ts";
import { Icon } from "../part/icon.tsx";
import { Button, IconButton } from "../part/control.tsx";
import { Divider, usePaneWidth, type PaneSize } from "../part/pane.tsx";
import { focusRows } from "../part/rows.tsx";
import { useStore } from "../part/store.ts";
import { useActions } from "../shell/action.ts";
import { TodoFilters, TodoList, useOpenCount, useUnread } from "../todo/list.tsx";
import { Checklist } from "./checklist.tsx";
import { LiveList } from "./list.tsx";
import { countText, filterOf, LIST_NAMES, Lists } from "./lists.tsx";
import { listOf } from "./narrow.ts";
import { keptSearch, NarrowBar, useListSearch } from "./narrow.tsx";
import { PickedBar } from "./picked.tsx";
import { SavedViews } from "./saved.tsx";
import { FoundCount, FoundText, SearchList } from "./search.tsx";
import { told } from "./typed.ts";

const LIST_SIZE: PaneSize = { name: "list", width: 352, wide: 440, min: 260, max: 640 };

/** The inbox with its panes. */
export function InboxPage() {
  const params = useParams({ strict: false });
  const filter = filterOf(params.list);
  const list = params.list === "todo" ? "todo" : filter;
  const search = useSearch({ strict: false }).q ?? "";
  const chosen = params.conversationId;
  const width = usePaneWidth(LIST_SIZE);
  const watched = listOf(filter, useListSearch(), now());
  const watched_key = listKey(watched);
  // The key stands for the list.
  useEffect(() => watchInbox(watched), [watched_key]);
  // What was picked in one list is not picked in another.
  useEffect(() => clearPicked(), [list, watched_key, search]);
  useWalk(list, chosen);
  const pane = useRef<HTMLElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const toField = () => field.current?.select();
  // What an earlier search found is in sight until the next one has found something: none of it is meant.
  const toRows = () => pane.current?.querySelector("[data-stale]") === null && focusRows(pane.current);
  return (
    <div className="panes" data-open={chosen ? "" : undefined}>
      <section
        ref={pane}
        className="pane-list"
        style={{ "--pane": `${width}px` } as React.CSSProperties}
        aria-label="Conversations"
        onKeyDown={(event) => {
          if (event.key === "Escape" && search && event.target !== field.current) toField();
        }}
      >
        <ListHead list={list} search={search} chosen={chosen} field={field} onDown={toRows} />
        {search ? (
          <SearchList filter={filter} search={search} chosen={chosen} onTop={toField} />
        ) : list === "todo" ? (
          <TodoList chosen={chosen} />
        ) : (
          <LiveList key={watched_key} list={watched} chosen={chosen} />
        )}
        {!search && (list === "todo" ? <TodoFoot /> : <ListFoot />)}
      </section>
      <Divider size={LIST_SIZE} label="Width of the list" before />
      <div className="pane-thread">
        <Outlet />
      </div>
    </div>
  );
}

interface HeadProps {
  list: InboxFilter | "todo";
  search: string;
  chosen: string | undefined;
  field: RefObject<HTMLInputElement | null>;
  /** Goes into the list; says whether there is something to go to. */
  onDown: () => boolean;
}

function ListHead({ list, search, chosen, field, onDown }: HeadProps) {
  const narrowing = useListSearch();
  const navigate = useNavigate();
  const [text, setText] = useState(search);
  const asked = useRef<readonly string[]>([]);
  // What is typed stays as it is typed, with its last space; an address that was gone to is taken over.
  useEffect(() => {
    const next = told(asked.current, search);
    asked.current = next.asked;
    setText((typed) => (next.text === null || typed.trim() === next.text ? typed : next.text));
  }, [search]);
  useEffect(() => {
    const wanted = text.trim();
    if (wanted === search) return;
    const timer = setTimeout(() => {
      asked.current = [...asked.current, wanted];
      void navigate({ to: ".", search: (before: Record<string, unknown>) => ({ ...keptSearch(before), q: wanted || undefined }), replace: true });
    }, 180);
    return () => clearTimeout(timer);
  }, [text, search, navigate]);
  useActions([{ id: "search", name: "Search all conversations", group: "List", keys: "/", icon: "search", run: () => field.current?.select() }]);
  function key(event: KeyboardEvent<HTMLInputElement>) {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "Enter") {
      // The rows follow the letters after a pause: before that they are not what was typed.
      if (text.trim() === search && onDown()) event.preventDefault();
    } else if (event.key === "Escape" && text) {
      // The first Escape clears, the next one leaves the field.
      setText("");
      event.stopPropagation();
    } else if (event.key === "Escape") event.currentTarget.blur();
  }
  return (
    <header className="list-head">
      <div className="line">
        <h1>{list === "todo" ? "To do" : "Inbox"}</h1>
        <div className="search">
          <Icon name="search" size={14} />
          <input
            ref={field}
            type="search"
            aria-label="Search all conversations"
            aria-keyshortcuts="/"
            placeholder="Search all"
            enterKeyHint="search"
            value={text}
            onChange={(event) => setText(event.target.value)}
            onKeyDown={key}
          />
          {text ? <IconButton icon="close" name="Clear the search" onClick={() => setText("")} /> : <kbd>/</kbd>}
        </div>
      </div>
      {search ? (
        <div className="found-head">
          <FoundCount search={search} />
          <Button size="small" tone="plain" onClick={() => setText("")}>
            Back to {LIST_NAMES[list]}
          </Button>
        </div>
      ) : list === "todo" ? (
        <TodoFilters />
      ) : (
        <Lists list={list} />
      )}
      {!search && list !== "todo" && <SavedViews filter={list} search={narrowing} />}
      {search && (
        <div className="list-tools">
          <NarrowBar filter="all" searching />
        </div>
      )}
      {!search && list !== "todo" && (
        <div className="list-tools">
          <NarrowBar filter={list} />
          <PickedBar chosen={chosen} />
        </div>
      )}
    </header>
  );
}

function ListFoot() {
  const counts = useStore(inbox, (held) => held.counts);
  if (!counts) return null;
  return (
    <footer className="list-foot">
      {countText(counts.all)} open · <span data-waiting={counts.waiting > 0 || undefined}>{countText(counts.waiting)} waiting</span>
    </footer>
  );
}

function TodoFoot() {
  const { count } = useUnread();
  const open_count = useOpenCount();
  if (open_count === null) return null;
  return (
    <footer className="list-foot">
      {open_count} to do · {count ?? 0} not read
    </footer>
  );
}

function useWalk(list: string, chosen: string | undefined): void {
  const navigate = useNavigate();
  const go = (step: 1 | -1) => {
    const id = neighbourOf(shownOrder.get(), chosen, step);
    if (id) {
      void navigate({
        to: "/inbox/$list/$conversationId",
        params: { list, conversationId: id },
        search: (before: Record<string, unknown>) => ({ ...before, at: foundAt.get().get(id) }),
      });
    }
  };
  useActions([
    { id: "next", name: "Next conversation", group: "List", keys: "j", keyOnly: true, run: () => go(1) },
    { id: "previous", name: "Previous conversation", group: "List", keys: "k", keyOnly: true, run: () => go(-1) },
  ]);
}

/** What stands beside the list while nothing is open. */
export function NothingOpen() {
  const waiting_count = useStore(inbox, (held) => held.anywhere.waiting);
  const is_todo = useParams({ strict: false }).list === "todo";
  const search = useSearch({ strict: false }).q;
  if (is_todo) return <NoTodoOpen />;
  return (
    <div className="empty nothing-open">
      <h2>{search ? <FoundText search={search} /> : waiting_count > 0 ? `${waiting_count} waiting for an answer` : "Nobody is waiting"}</h2>
      <p className="faint">
        <WayIn>
          Open one with <kbd>J</kbd>, walk with <kbd>J</kbd> <kbd>K</kbd>,
        </WayIn>
      </p>
      {!search && <Checklist />}
    </div>
  );
}

/** The keys that lead into the list, where it holds something, and those to all others. */
function WayIn({ children }: { children: ReactNode }) {
  const holds = useStore(shownOrder, (order) => order.length > 0);
  return (
    <>
      {holds ? <>{children} see</> : "See"} all keys with <kbd>?</kbd>
    </>
  );
}

/** What stands beside what is asked of me while none of it is open. */
function NoTodoOpen() {
  const { count } = useUnread();
  return (
    <div className="empty nothing-open">
      <h2>{count !== null ? `${count} not read yet` : "Nothing new is asked of you"}</h2>
      <p className="faint">
        <WayIn>
          Open one with <kbd>J</kbd>, mark it as done with <kbd>M</kbd>,
        </WayIn>
      </p>
    </div>
  );
}
