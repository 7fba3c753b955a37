/** What others ask of me, in a queue of my own: newest first, what I have not read by its weight. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useRef } from "react";
import type { Author, EntryId, Todo, TodoFilter } from "@switchboard/protocol";

import { errorText } from "../api/http.ts";
import { todosQuery } from "../api/query.ts";
import { ListSkeleton } from "../inbox/list.tsx";
import { reads, records } from "../live/record.ts";
import { foundAt, shownOrder } from "../live/selection.ts";
import { team, type Team } from "../live/session.ts";
import { Button, IconButton } from "../part/control.tsx";
import { Icon } from "../part/icon.tsx";
import { Face } from "../part/lamp.tsx";
import { VirtualRows } from "../part/rows.tsx";
import { useStore } from "../part/store.ts";
import { Ago } from "../part/time.tsx";
import { useActions } from "../shell/action.ts";
import { markAllRead, markDone, markOpen, markRead } from "./mark.ts";
import { askedText, isUnread, TODO_FILTERS, todoFilterOf } from "./word.ts";

const ROW_HEIGHT = 68;

const NAMES: Record<TodoFilter, string> = { all: "All", unread: "Unread", mentions: "Mentions", done: "Done" };

const EMPTY: Record<TodoFilter, { title: string; text: string }> = {
  all: { title: "Nothing is asked of you", text: "Notes that say @ and your name stand here, and conversations that somebody gives you. Each stays until it is done." },
  unread: { title: "All is read", text: "What is asked of you and not done yet stands under All." },
  mentions: { title: "No note names you", text: "Notes that say @ and your name stand here until they are done." },
  done: { title: "Nothing is done yet", text: "What you mark as done with M leaves the queue and stays here. It can be taken back." },
};

/** What somebody of the team is called. */
export function writerName(author: Author, { agents, keys }: Team): string {
  if (author.kind === "agent") return agents.get(author.agent_id)?.name ?? "Somebody";
  return author.kind === "key" ? (keys.get(author.key_id) ?? "A program") : "Switchboard";
}

/** How many wait to be read, as far as it is known here, and the newest of them; nothing where none does. */
export function useUnread(): { count: string | null; newest: Todo | undefined } {
  const found = useInfiniteQuery(todosQuery("unread"));
  const marks = useStore(reads);
  const todos = found.data?.pages.flatMap((page) => page.items).filter((each) => isUnread(each, marks.get(each.conversation_id))) ?? [];
  return { count: todos.length === 0 ? null : `${todos.length}${found.hasNextPage ? "+" : ""}`, newest: todos[0] };
}

/** How many are not done yet, as far as it is known here. */
export function useOpenCount(): string | null {
  const found = useInfiniteQuery(todosQuery("all"));
  return found.data ? `${found.data.pages.reduce((sum, { items }) => sum + items.length, 0)}${found.hasNextPage ? "+" : ""}` : null;
}

/** Which of the lists the address names. */
function useTodoFilter(): TodoFilter {
  return todoFilterOf(useSearch({ strict: false }).show);
}

/** The names of the lists. */
export function TodoFilters() {
  const filter = useTodoFilter();
  const { count, newest } = useUnread();
  const open_count = useOpenCount();
  useActions(newest ? [{ id: "todo all read", name: "Mark all as read", group: "List", keys: "y", icon: "checks", run: () => void markAllRead(newest) }] : []);
  return (
    <div className="line todo-head">
      <nav className="filters grow" aria-label="Lists">
        {TODO_FILTERS.map((each) => (
          <Link key={each} to="/inbox/$list" params={{ list: "todo" }} search={{ show: each === "all" ? undefined : each }} className="filter" activeOptions={{ exact: true }} aria-current={each === filter ? "page" : undefined}>
            {NAMES[each]}
            {each === "all" && open_count !== null && <span className="filter-count">{open_count}</span>}
            {each === "unread" && count !== null && (
              <span className="filter-count" data-unread="">
                {count}
              </span>
            )}
          </Link>
        ))}
      </nav>
      <Button size="small" tone="plain" disabled={!newest} aria-keyshortcuts="y" title="Mark all as read (Y)" onClick={() => newest && void markAllRead(newest)}>
        Mark all as read
      </Button>
    </div>
  );
}

/** The list that the address names. */
export function TodoList({ chosen }: { chosen: string | undefined }) {
  const filter = useTodoFilter();
  return <Queue key={filter} filter={filter} chosen={chosen} />;
}

function Queue({ filter, chosen }: { filter: TodoFilter; chosen: string | undefined }) {
  const scroller = useRef<HTMLDivElement>(null);
  const found = useInfiniteQuery(todosQuery(filter));
  const at = useSearch({ strict: false }).at;
  const rows = useMemo(() => new Map(found.data?.pages.flatMap((page) => page.items.map((each) => [each.entry_id, each] as const)) ?? []), [found.data]);
  const ids = useMemo(() => [...rows.keys()], [rows]);
  useEffect(() => {
    // Walked by conversation: the newest of each is what one goes to.
    foundAt.set(new Map([...rows.values()].reverse().map((each) => [each.conversation_id, each.seq] as const)));
    shownOrder.set([...new Set([...rows.values()].map((each) => each.conversation_id))]);
    return () => foundAt.set(new Map());
  }, [rows]);
  const here = [...rows.values()].filter((each) => each.conversation_id === chosen);
  const open = here.find((each) => each.seq === at) ?? here[0];
  const finish = useFinish(rows, open);
  useTodoActions(rows, open, finish);
  const { hasNextPage, isFetching, fetchNextPage, isError } = found;
  const onEnd = useCallback(
    (last: number) => {
      if (hasNextPage && !isFetching && !isError && last >= ids.length - 8) void fetchNextPage();
    },
    [hasNextPage, isFetching, isError, fetchNextPage, ids.length],
  );
  if (found.isPending) return <ListSkeleton />;
  if (found.isError && ids.length === 0) {
    return (
      <div className="empty">
        <h2>What is asked of you could not be read</h2>
        <p className="faint">{errorText(found.error)}</p>
        <Button onClick={() => void found.refetch()}>Try again</Button>
      </div>
    );
  }
  if (ids.length === 0) {
    return (
      <div className="empty">
        <h2>{EMPTY[filter].title}</h2>
        <p className="faint">{EMPTY[filter].text}</p>
      </div>
    );
  }
  return (
    <div className="list">
      <VirtualRows
        scroller={scroller}
        ids={ids}
        label="To do"
        height={ROW_HEIGHT}
        measured
        chosen={open?.entry_id}
        more={hasNextPage}
        onEnd={onEnd}
        row={(id, tabIndex) => {
          const each = rows.get(id);
          return each && <TodoRow todo={each} filter={filter} chosen={id === open?.entry_id} tabIndex={tabIndex} onFinish={finish} />;
        }}
      />
    </div>
  );
}

type Rows = ReadonlyMap<EntryId, Todo>;

/** Marks one as done or takes it back; where it was open, the next one is opened. */
function useFinish(rows: Rows, open: Todo | undefined): (todo: Todo) => void {
  const navigate = useNavigate();
  return (todo) => {
    const order = [...rows.values()];
    const index = order.findIndex((each) => each.entry_id === todo.entry_id);
    const next = order[index + 1] ?? order[index - 1];
    if (todo.done) markOpen(todo);
    else markDone(todo);
    if (!next || todo.entry_id !== open?.entry_id) return;
    void navigate({
      to: "/inbox/$list/$conversationId",
      params: { list: "todo", conversationId: next.conversation_id },
      search: (before: Record<string, unknown>) => ({ ...before, at: next.seq }),
    });
  };
}

/** The keys mean the row that has the focus, and otherwise what is open. */
function useTodoActions(rows: Rows, open: Todo | undefined, finish: (todo: Todo) => void): void {
  const meant = () => {
    const focused = document.activeElement?.closest<HTMLElement>("[data-todo]")?.dataset["todo"];
    return focused === undefined ? open : rows.get(focused);
  };
  const on = (act: (todo: Todo) => void) => () => {
    const todo = meant();
    if (todo) act(todo);
  };
  useActions(
    rows.size === 0
      ? []
      : [
          { id: "todo done", name: "Mark as done, or take back", group: "List", keys: "m", icon: "check", run: on(finish) },
          { id: "todo read", name: "Mark as read", group: "List", keys: "u", icon: "checks", run: on(markRead) },
        ],
  );
}

interface RowProps {
  todo: Todo;
  filter: TodoFilter;
  chosen: boolean;
  tabIndex: 0 | -1;
  onFinish: (todo: Todo) => void;
}

function TodoRow({ todo, filter, chosen, tabIndex, onFinish }: RowProps) {
  const writer = useStore(team, (held) => writerName(todo.author, held));
  const mark = useStore(reads, (known) => known.get(todo.conversation_id));
  // What the customer is called may have changed since the list was read, and whether it is over.
  const record = useStore(records, (known) => known.get(todo.conversation_id));
  const customer = record?.contact_name ?? todo.contact_name;
  const unread = isUnread(todo, mark);
  const seed = todo.author.kind === "agent" ? todo.author.agent_id : todo.author.kind;
  return (
    <>
      <Link
        to="/inbox/$list/$conversationId"
        params={{ list: "todo", conversationId: todo.conversation_id }}
        search={{ show: filter === "all" ? undefined : filter, at: todo.seq }}
        className="row row-found row-todo"
        data-todo={todo.entry_id}
        aria-current={chosen ? "true" : undefined}
        data-unread={unread || undefined}
        tabIndex={tabIndex}
        draggable={false}
      >
        <Face name={writer} seed={seed} size="small" />
        <span className="row-main">
          <span className="row-top">
            <span className="row-name cut">
              <bdi>{writer}</bdi>
              <span className="row-asked"> {askedText(todo)}</span>
              {unread && <span className="heard-only">, unread</span>}
            </span>
            <span className="row-time">
              <Ago at_ms={todo.at_ms} />
            </span>
          </span>
          <span className="row-match" data-place={todo.kind === "mention" ? "note" : "message"}>
            <Icon name={todo.kind === "mention" ? "note" : "chat"} size={13} />
            <span className="row-where">
              <bdi>{customer}</bdi>
              {(record?.state ?? todo.state) === "closed" && ", closed"}
            </span>{" "}
            <bdi dir="auto">{todo.text || "A file"}</bdi>
          </span>
        </span>
      </Link>
      <span className="row-acts">
        {unread && <IconButton icon="checks" name="Mark as read" shortcut="u" tabIndex={-1} onClick={() => markRead(todo)} />}
        <IconButton icon={todo.done ? "reopen" : "check"} name={todo.done ? "Take back" : "Mark as done"} shortcut="m" tabIndex={-1} onClick={() => onFinish(todo)} />
      </span>
    </>
  );
}
