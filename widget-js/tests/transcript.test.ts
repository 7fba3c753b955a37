import { expect, it } from "vitest";
import { rowsOf } from "../src/panel/thread.ts";
import { transcriptOf } from "../src/panel/transcript.ts";
import { speak } from "../src/panel/words.ts";
import { CONVERSATION, entry } from "./fake.ts";

await speak("en");

it("keeps who said what and when, without marks of format", () => {
  const message = { format: "markdown" as const, body: "The **smoky** black.", attachments: [{ id: "att_1", name: "price.pdf", media_type: "application/pdf", size_bytes: 1 }] };
  const entries = [
    entry(1, { author: { kind: "you" }, client_id: "c1" }),
    entry(2, { content: { kind: "message", message } }),
    entry(3, { content: { kind: "message", message: { format: "plain", body: "", deleted_at_ms: 5 } } }),
    entry(4, { author: { kind: "system" }, content: { kind: "closed" } }),
  ];
  const conversation = { id: CONVERSATION, version: 1, closed: true, number: 4, read_number: 0, created_at_ms: 0 };
  const text = transcriptOf("Kettle & Leaf", rowsOf([{ conversation, entries, older: false, marks: null }], [], () => null));
  expect(text).toMatch(/^Kettle & Leaf\n\n\w+, \w+ \d+, \d{4}/);
  expect(text).toMatch(/You: /);
  expect(text).toMatch(/: The smoky black\. \[price\.pdf\]\n/);
  expect(text).toMatch(/: This message was deleted\n/);
  expect(text).toMatch(/This conversation has ended\n$/);
  expect(text).not.toMatch(/\*\*/);
});
