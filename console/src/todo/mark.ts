/** Says of what is asked of me that it is read or done: at once on screen, then on the server. */
import type { InfiniteData } from "@tanstack/react-query";
import { limit, type EntryId, type Listing, type Todo, type TodoMark } from "@switchboard/protocol";

import { call, errorText, queryText } from "../api/http.ts";
import { queries, todosQuery } from "../api/query.ts";
import { toast, toastError } from "../part/toast.tsx";
import { TODO_FILTERS, withMark } from "./word.ts";

let before: Promise<void> = Promise.resolve();
let under_way = 0;

/** Marks some; what fails is shown again as it was, and said in place of what was said too early. */
async function change(ids: readonly EntryId[], mark: TodoMark, withdraw?: () => void): Promise<void> {
  under_way += 1;
  // An answer that is on its way knows nothing of this.
  await queries.cancelQueries({ queryKey: ["todos"] });
  const marked = new Set(ids);
  for (const filter of TODO_FILTERS) {
    queries.setQueryData<InfiniteData<Listing<Todo>, string | undefined>>(todosQuery(filter).queryKey, (held) => held && { ...held, pages: held.pages.map((page) => ({ ...page, items: withMark(page.items, filter, marked, mark) })) });
  }
  try {
    await say(ids, mark);
  } catch (error) {
    withdraw?.();
    toastError(errorText(error));
  }
  under_way -= 1;
  // What is read before the last one is there would show what was before it.
  if (under_way === 0) void queries.invalidateQueries({ queryKey: ["todos"] });
}

/** Marks go one after another: on a slow line what takes one back must not overtake it. */
function say(entry_ids: readonly EntryId[], mark: TodoMark): Promise<void> {
  const said = before.then(() => call<void>("todos/mark", { method: "POST", body: { entry_ids, mark } }));
  before = said.catch(() => undefined);
  return said;
}

/** It is read. */
export function markRead(todo: Todo): void {
  void change([todo.entry_id], "read");
}

/** Marks one, and says so; the words offer the way back. */
function markAloud(words: string, { entry_id, contact_name }: Todo, mark: TodoMark, back: TodoMark): void {
  const withdraw = toast(`${words}: ${contact_name}`, () => void change([entry_id], back), `todo ${entry_id}`);
  void change([entry_id], mark, withdraw);
}

/** It is done. */
export function markDone(todo: Todo): void {
  markAloud("Done", todo, "done", "open");
}

/** It is not done after all. */
export function markOpen(todo: Todo): void {
  markAloud("Not done after all", todo, "open", "done");
}

/** All that is unread is read, also what no page shows yet; what came later than this one is new. */
export async function markAllRead(newest: Todo): Promise<void> {
  await queries.cancelQueries({ queryKey: ["todos"] });
  let count = 0;
  try {
    for (let cursor: string | null | undefined; ; ) {
      const page: Listing<Todo> = await call(`todos${queryText({ filter: "unread", cursor, limit: limit.todo_marks_max })}`);
      const ids = page.items.filter((each) => each.at_ms <= newest.at_ms).map((each) => each.entry_id);
      if (ids.length > 0) await say(ids, "read");
      count += ids.length;
      cursor = page.cursor;
      if (!cursor) break;
    }
    toast(count === 1 ? "1 is read now" : `${count} are read now`);
  } catch (error) {
    toastError(errorText(error));
  }
  void queries.invalidateQueries({ queryKey: ["todos"] });
}
