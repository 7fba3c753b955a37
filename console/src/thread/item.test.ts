import { describe, expect, it } from "vitest";

import { message } from "../../test/sample.ts";
import { itemsOf, keepingSame, markOf, type Parts, type Waiting } from "./item.ts";

const parts = (facts: Partial<Parts>): Parts => ({ conversation_id: "cnv_a", entries: [], waiting: [], marks: null, me: "agt_1", unread_after: null, ...facts });
const waiting = (client_id: string, facts: Partial<Waiting> = {}): Waiting => ({
  client_id,
  command: { do: "send_message", conversation_id: "cnv_a", body: "on its way" },
  made_at_ms: 1_700_000_005_000,
  state: "waiting",
  problem: null,
  ...facts,
});
const kinds = (facts: Partial<Parts>) => itemsOf(parts(facts)).map((item) => item.kind);

describe("a thread", () => {
  it("begins each day with its heading", () => {
    const later = message(2, "visitor", { sent_at_ms: 1_700_000_000_000 + 3 * 86_400_000 });
    expect(kinds({ entries: [message(1, "visitor"), later] })).toEqual(["day", "message", "day", "message"]);
  });

  it("joins what one person says in a row, but not a note to a message", () => {
    const note = message(3, "agent", { content: { kind: "note", message: { format: "plain", body: "psst" } } });
    const items = itemsOf(parts({ entries: [message(1, "agent"), message(2, "agent"), note] })).filter((item) => item.kind !== "day");
    expect(items.map((item) => "joined" in item && item.joined)).toEqual([false, true, false]);
  });

  it("shows one mark for what one of us says in a row, below the last of it", () => {
    const items = itemsOf(parts({ entries: [message(1, "agent"), message(2, "agent"), message(3, "visitor"), message(4, "agent")] }));
    expect(items.flatMap((item) => ("mark" in item && item.mark ? [item.marked_below] : []))).toEqual([true, false, false]);
  });

  it("keeps the very lines that are as they were, also those that quote", () => {
    const quoting = message(2, "agent", { content: { kind: "message", message: { format: "plain", body: "Yes", reply_to_id: "ent_1" } } });
    const entries = [message(1, "visitor"), quoting];
    const before = itemsOf(parts({ entries }));
    const after = keepingSame(before, itemsOf(parts({ entries: [...entries, message(3, "visitor")] })));
    expect(after.map((item, index) => item === before[index])).toEqual([true, true, true, false]);
    const seen = keepingSame(before, itemsOf(parts({ entries, marks: { delivered: 2, read: 2 } })));
    expect(seen.map((item, index) => item === before[index])).toEqual([true, true, false]);
  });

  it("shows no line for edits and deletions: their targets show them", () => {
    const edited = message(2, "agent", { content: { kind: "edited", target_id: "ent_1", message: { format: "plain", body: "new words" } } });
    expect(kinds({ entries: [message(1, "agent"), edited] })).toEqual(["day", "message"]);
  });

  it("shows one line for an answer that joins and takes", () => {
    const at = { sent_at_ms: 1_700_000_000_005 };
    const joined = message(2, "agent", { ...at, content: { kind: "joined", agent_id: "agt_1" } });
    const taken = message(3, "agent", { ...at, content: { kind: "assigned", agent_id: "agt_1" } });
    expect(kinds({ entries: [message(1, "visitor"), joined, taken, message(4, "agent", at)] })).toEqual(["day", "message", "event", "message"]);
  });

  it("shows what waits to be sent behind what is stored", () => {
    const items = itemsOf(parts({ entries: [message(1, "visitor")], waiting: [waiting("one")] }));
    expect(items.at(-1)).toMatchObject({ kind: "message", key: "one", mark: "sending", entry_id: null });
  });

  it("shows the files of what waits, and a sign for those of which the id alone is known", () => {
    const picture = { id: "att_1", name: "tin.png", media_type: "image/png", size_bytes: 900, width: 160, height: 90 };
    const command = { do: "send_message" as const, conversation_id: "cnv_a", attachment_ids: ["att_1"] };
    const files = (facts: Partial<Waiting>) => {
      const item = itemsOf(parts({ waiting: [waiting("one", { command, ...facts })] })).at(-1);
      return item?.kind === "message" ? item.message.attachments : undefined;
    };
    expect(files({ attachments: [picture] })).toEqual([picture]);
    expect(files({})).toEqual([{ id: "att_1", name: "", media_type: "", size_bytes: 0 }]);
    expect(files({ command: { ...command, attachment_ids: [] } })).toBeUndefined();
  });

  it("shows a message once, whether its entry or its ack came first", () => {
    const stored = message(2, "agent", { client_id: "one" });
    const both = itemsOf(parts({ entries: [message(1, "visitor"), stored], waiting: [waiting("one", { state: "stored" })] }));
    expect(both.filter((item) => item.kind === "message")).toHaveLength(2);
    const acked = itemsOf(parts({ waiting: [waiting("one", { state: "stored" })] }));
    expect(acked.at(-1)).toMatchObject({ mark: "sent" });
  });

  it("keeps the key of a line when it is stored, so that it does not flicker", () => {
    const before = itemsOf(parts({ waiting: [waiting("one")] })).at(-1);
    const after = itemsOf(parts({ entries: [message(1, "agent", { client_id: "one" })] })).at(-1);
    expect(after?.key).toBe(before?.key);
  });

  it("says what was refused and why", () => {
    const problem = { code: "rate_limited", title: "Too many requests. Wait a moment.", status: 429, retry: "later" } as const;
    expect(itemsOf(parts({ waiting: [waiting("one", { state: "refused", problem })] })).at(-1)).toMatchObject({ mark: "refused", problem });
  });

  it("leaves out what waits for another conversation, and commands that are no words", () => {
    const other = waiting("two", { command: { do: "send_message", conversation_id: "cnv_b", body: "elsewhere" } });
    const close = waiting("three", { command: { do: "close", conversation_id: "cnv_a" } });
    expect(kinds({ waiting: [other, close] })).toEqual([]);
  });

  it("draws the line of new words once, before the first unread of the customer", () => {
    const entries = [message(1, "visitor"), message(2, "agent"), message(3, "visitor"), message(4, "visitor")];
    expect(kinds({ entries, unread_after: 1, me: "agt_2" })).toEqual(["day", "message", "message", "unread", "message", "message"]);
    // On a new day, below its heading.
    expect(kinds({ entries: entries.slice(2), unread_after: 1 })).toEqual(["day", "unread", "message", "message"]);
  });

  it("draws the line of new words behind what I wrote last, whatever my read mark says", () => {
    const entries = [message(1, "visitor"), message(2, "visitor"), message(3, "agent"), message(4, "visitor")];
    expect(kinds({ entries, unread_after: 0 })).toEqual(["day", "message", "message", "message", "unread", "message"]);
    expect(kinds({ entries: entries.slice(0, 3), unread_after: 0 })).toEqual(["day", "message", "message", "message"]);
    // Somebody else's answer says nothing of what I have read, and neither does what I did without a word.
    expect(kinds({ entries, unread_after: 0, me: "agt_2" })).toEqual(["day", "unread", "message", "message", "message", "message"]);
    const joined = message(3, "agent", { content: { kind: "assigned", agent_id: "agt_1" } });
    expect(kinds({ entries: [message(1, "visitor"), joined], unread_after: 0 })).toEqual(["day", "unread", "message", "event"]);
  });
});

describe("marks", () => {
  it("grow from sent over delivered to seen", () => {
    expect(markOf(5, null)).toBe("sent");
    expect(markOf(5, { delivered: 4, read: 3 })).toBe("sent");
    expect(markOf(5, { delivered: 5, read: 3 })).toBe("delivered");
    expect(markOf(5, { delivered: 6, read: 5 })).toBe("seen");
  });

  it("stand only on our messages: not on notes, not on the customer's words", () => {
    const note = message(2, "agent", { content: { kind: "note", message: { format: "plain", body: "psst" } } });
    const items = itemsOf(parts({ entries: [message(1, "visitor"), note], marks: { delivered: 9, read: 9 } }));
    expect(items.map((item) => ("mark" in item ? item.mark : "day"))).toEqual(["day", null, null]);
  });
});
