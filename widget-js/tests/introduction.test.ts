import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { EmailLater } from "../src/panel/email-later.ts";
import { claimOf, faultsOf, fieldsOf, Introduction } from "../src/panel/introduction.ts";
import type { Theme, VisitorEntry, VisitorSession } from "../src/protocol.ts";
import type { Thread } from "../src/panel/thread.ts";

const fields = fieldsOf({
  asks: { name: "optional", email: "needed", phone: "never" },
  questions: [
    { name: "order_id", label: "", kind: "text", needed: false },
    { name: "tins", label: "How many tins?", kind: "number", needed: true },
    { name: "gift", label: "It is a gift", kind: "flag", needed: false },
  ],
  consent: "I agree to the [policy](https://shop.example).",
});
const whole = { name: "", email: "ana@kettle.example", tins: "3", consent: "yes" };

it("asks what the site wants to know, in one order", () => {
  expect(fields.map(({ key }) => key)).toEqual(["name", "email", "order_id", "tins", "gift", "consent"]);
  expect(fieldsOf({ asks: { name: "never", email: "never", phone: "never" }, questions: [], consent: "" })).toEqual([]);
  // What an older server said.
  expect(fieldsOf({})).toEqual([]);
});

it.each([
  ["email", "", "needed"],
  ["email", "   ", "needed"],
  ["email", "ana", "no_email"],
  ["email", "ana@kettle", "no_email"],
  ["email", "ana @kettle.example", "no_email"],
  ["email", "ana@@kettle.example", "no_email"],
  ["email", " ana@kettle.example ", undefined],
  ["tins", "", "needed"],
  ["tins", "three", "no_number"],
  ["tins", "1e400", "no_number"],
  ["tins", "0x10", "no_number"],
  ["tins", " -2,5 ", undefined],
  ["consent", "", "needed"],
  ["gift", "", undefined],
  ["order_id", "", undefined],
])("takes for %s %j: %s", (key, answer, fault) => {
  expect(faultsOf(fields, { ...whole, [key]: answer })[key]).toBe(fault);
});

it("claims what was written, and nothing that was not asked or left empty", () => {
  expect(claimOf(fields, { name: " ", email: " ana@kettle.example", phone: "1", tins: "2,5", consent: "yes" })).toEqual({
    email: "ana@kettle.example",
    tins: 2.5,
    gift: false,
    consent: "I agree to the [policy](https://shop.example).",
  });
  expect(claimOf(fieldsOf({ asks: { name: "optional", email: "optional", phone: "never" } }), {})).toBeNull();
});

it("asks a visitor once, also where nothing can be kept, and the next one again", () => {
  const introduction = new Introduction(null);
  expect(introduction.isDone("vis_1")).toBe(false);
  introduction.done("vis_1");
  expect([introduction.isDone("vis_1"), introduction.isDone("vis_2")]).toEqual([true, false]);
  introduction.forget("vis_1");
  expect(introduction.isDone("vis_1")).toBe(false);
});

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const session = { visitor_id: "vis_1", identified: false } as VisitorSession;
const theme = { asks_email_later: true } as Theme;
const entry = (kind: "you" | "agent"): VisitorEntry => ({ author: { kind }, content: { kind: "message" } }) as VisitorEntry;
const thread = (...entries: VisitorEntry[]): Thread => ({ conversation: { id: "con_1", closed: false }, entries }) as unknown as Thread;

it("asks where to reach a visitor when nobody is here, or no answer came for a minute", () => {
  const said = thread(entry("you"));
  const later = new EmailLater(null, () => undefined);
  expect(later.ask(session, theme, undefined, true)).toBeNull();
  expect(later.ask(session, theme, thread(entry("agent")), true)).toBeNull();
  expect(later.ask(session, theme, said, false)).toBeNull();
  later.wait();
  vi.advanceTimersByTime(59_000);
  expect(later.ask(session, theme, said, false)).toBeNull();
  later.answered();
  vi.advanceTimersByTime(60_000);
  expect(later.ask(session, theme, said, false)).toBeNull();
  later.wait();
  vi.advanceTimersByTime(60_000);
  expect(later.ask(session, theme, said, false)).toBe("asked");
  later.clear();
  expect(later.ask(session, theme, said, true)).toBe("asked");
  // Once asked, it stays until it is answered.
  expect(later.ask(session, theme, said, false)).toBe("asked");
  later.done("vis_1", "ana@kettle.example");
  expect(later.ask(session, theme, said, true)).toEqual({ email: "ana@kettle.example" });
});

it("asks nobody who was proved or told the page, where the site does not want it, or who was asked", () => {
  const said = thread(entry("you"));
  const later = new EmailLater(null, () => undefined);
  expect(later.ask({ ...session, identified: true }, theme, said, true)).toBeNull();
  expect(later.ask(session, { ...theme, asks_email_later: false }, said, true)).toBeNull();
  later.isKnown = true;
  expect(later.ask(session, theme, said, true)).toBeNull();
  // Of the next person nothing is known.
  later.clear();
  expect(later.ask(session, theme, said, true)).toBe("asked");
  later.done("vis_1", null);
  expect(later.ask(session, theme, said, true)).toBeNull();
});
