/** A conversation as a text to keep: who said what, and when. */
import { plainText } from "@switchboard/markup";
import type { Batch, Conversation, Entry } from "@switchboard/protocol";

import { call, queryText } from "../api/http.ts";
import { download } from "../part/download.ts";
import { clockText, exactText } from "../part/time.tsx";
import { authorName, eventText, isSaidByNext, type Names } from "./event.ts";

/** What of a log a text holds: all of it, or only what the customer may read. */
export type Part = "all" | "messages";

const day_format = new Intl.DateTimeFormat("en-US", { weekday: "long", year: "numeric", month: "long", day: "numeric" });

/** The text of a log. Pure. */
export function transcriptOf(row: Pick<Conversation, "number" | "contact_name">, entries: readonly Entry[], part: Part, names: Names): string {
  const lines = [`Conversation ${row.number} with ${row.contact_name}`];
  let day = "";
  for (const [index, entry] of entries.entries()) {
    const text = lineOf(entry, part, names);
    if (text === null || isSaidByNext(entry, entries[index + 1])) continue;
    const its_day = day_format.format(entry.sent_at_ms);
    if (its_day !== day) lines.push("", its_day);
    day = its_day;
    lines.push(`${clockText(entry.sent_at_ms)}  ${text}`);
  }
  return `${lines.join("\n")}\n`;
}

function lineOf(entry: Entry, part: Part, names: Names): string | null {
  const { content } = entry;
  if (content.kind === "edited" || content.kind === "deleted") return null;
  if (content.kind !== "message" && content.kind !== "note") return part === "all" ? `— ${eventText(entry, names)}` : null;
  if (content.kind === "note" && part === "messages") return null;
  const { message } = content;
  const who = entry.author.kind === "agent" ? names.agent(entry.author.agent_id) : authorName(entry.author, names);
  const files = (message.attachments ?? []).map(({ name }) => `[${name || "file"}]`);
  const words = message.deleted_at_ms != null ? "(deleted)" : plainText(message.format, message.body);
  const note = content.kind === "note" ? " (note)" : "";
  const edited = message.edited_at_ms != null && message.deleted_at_ms == null ? ` (edited ${exactText(message.edited_at_ms)})` : "";
  return `${who}${note}: ${[words, ...files].filter(Boolean).join(" ")}${edited}`;
}

/** Reads the whole log, page by page, and gives it to the browser as a file. */
export async function saveTranscript(row: Conversation, part: Part, names: Names): Promise<void> {
  const pages: Entry[][] = [];
  let before: number | undefined;
  for (let older = true; older; ) {
    const page = await call<Batch<Entry>>(`conversations/${row.id}/entries${queryText({ before, limit: 200 })}`);
    pages.unshift(page.entries);
    before = page.entries[0]?.seq;
    older = page.older && before !== undefined;
  }
  const text = transcriptOf(row, pages.flat(), part, names);
  download(new Blob([text], { type: "text/plain;charset=utf-8" }), `conversation-${row.number}.txt`);
}
