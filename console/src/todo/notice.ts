/** What is newly asked of me is told, unless its kind was switched off: on the page, and by desktop and sound where that was chosen. */
import { InfiniteQueryObserver } from "@tanstack/react-query";
import type { Todo } from "@switchboard/protocol";

import { queries, todosQuery } from "../api/query.ts";
import { reads } from "../live/record.ts";
import { membership, team } from "../live/session.ts";
import { toastWay } from "../part/toast.tsx";
import { chime, desktopState, notice_choice, show } from "../shell/notice.ts";
import { writerName } from "./list.tsx";
import { isUnread } from "./word.ts";

/** Listens until the returned function is called; `open` leads to a place of the console. */
export function followTodos(open: (path: string) => void): () => void {
  let whose = "";
  let known = new Set<string>();
  let newest_at_ms = 0;
  const observer = new InfiniteQueryObserver(queries, todosQuery("unread"));
  return observer.subscribe(({ data }) => {
    const me = membership.get()?.agent_id ?? "";
    if (!data || me === "") return;
    const all = data.pages.flatMap((page) => page.items);
    // What was there when the console was opened stands in the list, and calls nobody.
    // Nor does what comes later from further back.
    const fresh = whose === me ? all.filter((each) => !known.has(each.entry_id) && each.at_ms >= newest_at_ms) : [];
    if (whose !== me) {
      known = new Set();
      newest_at_ms = 0;
    }
    whose = me;
    known = new Set([...known, ...all.map((each) => each.entry_id)]);
    newest_at_ms = Math.max(newest_at_ms, ...all.map((each) => each.at_ms));
    for (const each of fresh) if (isUnread(each, reads.get().get(each.conversation_id)) && !isOpen(each)) tell(each, open);
  });
}

/** Whether I look at the conversation anyway. */
function isOpen({ conversation_id }: Todo): boolean {
  return document.visibilityState === "visible" && document.hasFocus() && location.pathname.endsWith(`/${conversation_id}`);
}

function tell({ kind, author, conversation_id, contact_name, seq, text }: Todo, open: (path: string) => void): void {
  const { desktop, sound, ...is_told } = notice_choice.get();
  if (is_told[kind] === false) return;
  const name = `${writerName(author, team.get())} ${kind === "mention" ? "named you at" : "gave you"} ${contact_name}`;
  toastWay(text ? `${name}: ${text}` : name, { name: "Show", conversation_id, at: seq });
  if (document.visibilityState === "visible" && document.hasFocus()) return;
  if (desktop && desktopState() === "granted") void show({ conversation_id, name, text, path: `/console/inbox/todo/${conversation_id}?at=${seq}` }, open);
  if (sound) chime();
}
