// A conversation as a text to keep: who said what, and when. Pure.

import { plainText } from "../markup/index.ts";
import type { Row } from "./thread.ts";
import { exactText, said, timeText } from "./words.ts";

/** The text of what stands in the thread, from top to bottom. */
export function transcriptOf(title: string, rows: readonly Row[]): string {
  const lines: string[] = [title];
  for (const row of rows) {
    switch (row.type) {
      case "day":
        lines.push("", exactText(row.atMs).replace(/,? \d+:\d\d.*$/, ""));
        break;
      case "line":
        lines.push(`${timeText(row.atMs)}  ${row.text}`);
        break;
      case "message": {
        const { message } = row;
        const who = row.from === "you" ? said("you") : `${row.name}:`;
        const files = (message.attachments ?? []).map(({ name }) => `[${name || said("file")}]`);
        const words = message.deleted_at_ms != null ? said("deleted") : plainText(message.format, message.body);
        lines.push(`${timeText(row.atMs)}  ${who} ${[words, ...files].filter(Boolean).join(" ")}`);
        break;
      }
      case "older":
        break;
    }
  }
  return `${lines.join("\n")}\n`;
}
