import { describe, expect, it } from "vitest";

import { message } from "../../test/sample.ts";
import type { Names } from "./event.ts";
import { transcriptOf } from "./transcript.ts";

const names: Names = { agent: () => "Mira Novak", key: () => "A program", customer: "Ana Kovač", me: "agt_1", erased: false };
const at = (minute: number) => new Date(2026, 10, 26, 9, minute).getTime();
const row = { number: 12, contact_name: "Ana Kovač" };
const entries = [
  message(1, "visitor", { sent_at_ms: at(1) }),
  message(2, "agent", { sent_at_ms: at(2), content: { kind: "note", message: { format: "markdown", body: "**rude**" } } }),
  message(3, "agent", { sent_at_ms: at(3), content: { kind: "closed" } }),
  message(4, "agent", { sent_at_ms: at(4), content: { kind: "message", message: { format: "plain", body: "", deleted_at_ms: at(5) } } }),
];

describe("a conversation as a text", () => {
  it("holds everything for the team", () => {
    expect(transcriptOf(row, entries, "all", names)).toBe(
      "Conversation 12 with Ana Kovač\n\nThursday, November 26, 2026\n09:01  Ana Kovač: line 1\n09:02  Mira Novak (note): rude\n09:03  — You closed this\n09:04  Mira Novak: (deleted)\n",
    );
  });

  it("holds no note and nothing that the team did where the customer may read it", () => {
    const text = transcriptOf(row, entries, "messages", names);
    expect(text).not.toMatch(/rude|closed/);
    expect(text).toMatch(/line 1/);
  });
});
