import { expect, it } from "vitest";
import { beginningOf } from "../src/markup/index.ts";
import { previewOf } from "../src/panel/preview.ts";
import type { Thread } from "../src/panel/thread.ts";
import { speak } from "../src/panel/words.ts";
import type { VisitorEntry } from "../src/protocol.ts";

await speak("en");

const message = (number: number, body: string, change: object = {}): VisitorEntry =>
  ({ number, author: { kind: "agent", name: "Mira" }, content: { kind: "message", message: { format: "text", body, ...change } } }) as unknown as VisitorEntry;
const mine = (number: number, body: string): VisitorEntry => ({ ...message(number, body), author: { kind: "you" } });
const seen = (entries: VisitorEntry[], readNumber: number): string | undefined => previewOf({ entries } as unknown as Thread, readNumber)?.text;

it("is the first line of the team's that was not read, and the last where all were", () => {
  const entries = [message(1, "first"), mine(2, "mine"), message(3, "second"), message(4, "third")];
  expect(seen(entries, 0)).toBe("first");
  expect(seen(entries, 2)).toBe("second");
  expect(seen(entries, 4)).toBe("third");
  expect(seen([mine(1, "mine")], 0)).toBeUndefined();
  expect(previewOf(undefined, 0)).toBeNull();
});

it("passes over what was deleted, and names a file where there are no words", () => {
  expect(seen([message(1, "gone", { deleted_at_ms: 5 }), message(2, "there")], 0)).toBe("there");
  expect(seen([message(1, "", { attachments: [{ name: "form.pdf" }] })], 0)).toBe("form.pdf");
});

it("ends with a whole character where it is cut", () => {
  expect(seen([message(1, `${"x".repeat(199)}👩 and more`)], 0)).toBe("x".repeat(199));
  expect(seen([message(1, `${"x".repeat(198)}👩 and more`)], 0)).toBe(`${"x".repeat(198)}👩`);
  expect(beginningOf("short 👍🏽", 200)).toBe("short 👍🏽");
  expect(beginningOf("", 3)).toBe("");
});
