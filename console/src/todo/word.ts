/** What others ask of me. Pure. */
import type { EntryId, Todo, TodoFilter, TodoMark } from "@switchboard/protocol";

/** The lists, in the order of their head. */
export const TODO_FILTERS: readonly TodoFilter[] = ["all", "unread", "mentions", "done"];

/** A list of the address bar, or all. */
export function todoFilterOf(text: string | undefined): TodoFilter {
  return TODO_FILTERS.find((filter) => filter === text) ?? "all";
}

/** Whether it waits to be read; how far I have read the conversation may be newer than the list. */
export function isUnread({ read, done, seq }: Pick<Todo, "read" | "done" | "seq">, mark: number | undefined): boolean {
  return !read && !done && (mark ?? 0) < seq;
}

/** What a list shows once some of it were marked. */
export function withMark(rows: readonly Todo[], filter: TodoFilter, ids: ReadonlySet<EntryId>, mark: TodoMark): Todo[] {
  return rows
    .map((each) => (ids.has(each.entry_id) ? { ...each, read: true, done: mark === "read" ? each.done : mark === "done" } : each))
    .filter((each) => fits(each, filter) || !ids.has(each.entry_id));
}

function fits({ read, done }: Todo, filter: TodoFilter): boolean {
  if (filter === "done") return done;
  return !done && (filter !== "unread" || !read);
}

/** What somebody did, after his name. */
export function askedText({ kind }: Pick<Todo, "kind">): string {
  return kind === "mention" ? "named you" : "gave you this";
}
