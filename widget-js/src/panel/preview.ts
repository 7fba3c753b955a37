// The line that the launcher shows of what was not read yet.

import { beginningOf, plainText } from "../markup/index.ts";
import type { Preview } from "../messages.ts";
import { nameOf, type Thread } from "./thread.ts";

/** The first line of the team's after `readNumber`; the last one where all were read, as far as is known here. */
export function previewOf(thread: Thread | undefined, readNumber: number): Preview | null {
  const said = thread?.entries.filter(
    ({ author, content }) => content.kind === "message" && content.message.deleted_at_ms == null && author.kind !== "you",
  );
  const line = said?.find(({ number }) => number > readNumber) ?? said?.at(-1);
  if (line?.content.kind !== "message") return null;
  const { format, body, attachments } = line.content.message;
  return { name: nameOf(line.author), text: beginningOf(plainText(format, body), 200) || (attachments?.[0]?.name ?? "") };
}
