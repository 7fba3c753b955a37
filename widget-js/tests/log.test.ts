import { describe, expect, it } from "vitest";
import {
  applyBatch,
  applyEntry,
  applyMarks,
  emptyLog,
  prepend,
  type Applied,
  type Log,
} from "../src/client/log.ts";
import type { VisitorEntry } from "../src/protocol.ts";
import { batch, CONVERSATION, entry, EPOCH, message } from "./fake.ts";

const empty = emptyLog<VisitorEntry>(CONVERSATION);

function applied(result: Applied<VisitorEntry>): Log<VisitorEntry> {
  if (result.result !== "applied") throw new Error(result.result);
  return result.log;
}

const three = applied(applyBatch(empty, batch("afresh", [entry(1), entry(2), entry(3)])));
const bodies = (log: Log<VisitorEntry>): string[] =>
  log.entries.map(({ content }) => (content.kind === "message" ? content.message.body : content.kind));

describe("a log", () => {
  it("takes the next number only", () => {
    expect(applyEntry(three, entry(3), EPOCH).result).toBe("known");
    expect(applyEntry(three, entry(1), EPOCH).result).toBe("known");
    expect(applyEntry(three, entry(5), EPOCH).result).toBe("gap");
    const four = applied(applyEntry(three, entry(4), EPOCH));
    expect(four.position).toEqual({ epoch: EPOCH, number: 4, entry_id: "ent_4" });
    expect(bodies(four)).toEqual(["text 1", "text 2", "text 3", "text 4"]);
  });

  it("begins with number one", () => {
    expect(applyEntry(empty, entry(2), EPOCH).result).toBe("gap");
    expect(applied(applyEntry(empty, entry(1), EPOCH)).entries).toHaveLength(1);
  });

  it("joins a replay that overlaps, and refuses one with a hole", () => {
    const joined = applied(applyBatch(three, batch("resumed", [entry(2), entry(3), entry(4)])));
    expect(joined.entries.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
    expect(applyBatch(three, batch("resumed", [entry(5)])).result).toBe("gap");
  });

  it("keeps its position when a replay is empty", () => {
    expect(applied(applyBatch(three, batch("resumed", []))).position?.number).toBe(3);
  });

  it("is replaced by an afresh page", () => {
    const afresh = applied(applyBatch(three, batch("afresh", [entry(8), entry(9)])));
    expect(afresh.entries.map(({ number }) => number)).toEqual([8, 9]);
    expect(afresh.position?.number).toBe(9);
  });

  it("shows the words of today", () => {
    const edited = entry(4, {
      content: { kind: "edited", target_id: "ent_2", message: { format: "plain", body: "better", edited_at_ms: 9 } },
    });
    expect(bodies(applied(applyEntry(three, edited, EPOCH)))).toEqual(["text 1", "better", "text 3", "edited"]);
  });

  it("lets a deletion be final", () => {
    const deleted = entry(4, { content: { kind: "deleted", target_id: "ent_2" } });
    const edited = entry(5, {
      content: { kind: "edited", target_id: "ent_2", message: { format: "plain", body: "back" } },
    });
    const log = applied(applyEntry(applied(applyEntry(three, deleted, EPOCH)), edited, EPOCH));
    expect(bodies(log)[1]).toBe("");
  });

  it("advances over a kind that it does not know", () => {
    const unknown = entry(4, { content: { kind: "of_tomorrow" } as unknown as VisitorEntry["content"] });
    expect(applied(applyEntry(three, unknown, EPOCH)).position?.number).toBe(4);
  });

  it("takes older pages above, without doubles", () => {
    const late = applied(applyBatch(empty, batch("afresh", [entry(5, { content: message("five") })])));
    const log = prepend(late, { entries: [entry(3), entry(4), entry(5)], older: true });
    expect(log.entries.map(({ number }) => number)).toEqual([3, 4, 5]);
    expect(log.older).toBe(true);
    expect(log.position?.number).toBe(5);
  });

  it("takes no page that does not reach it, as it was read afresh meanwhile", () => {
    const afresh = applied(applyBatch(empty, { ...batch("afresh", [entry(9)]), older: true }));
    expect(prepend(afresh, { entries: [entry(1), entry(2)], older: false })).toBe(afresh);
    expect(prepend(empty, { entries: [entry(1), entry(2)], older: false })).toBe(empty);
  });

  it("is told by no page how far another one reached", () => {
    const whole = applied(applyBatch(empty, batch("afresh", [entry(1), entry(2)])));
    expect(prepend(whole, { entries: [entry(2)], older: true })).toBe(whole);
  });

  it("shows the words of today in a page that was read before they changed", () => {
    const edited = entry(4, {
      content: { kind: "edited", target_id: "ent_1", message: { format: "plain", body: "better", edited_at_ms: 9 } },
    });
    const deleted = entry(5, { content: { kind: "deleted", target_id: "ent_2" } });
    const late = applied(applyBatch(empty, { ...batch("afresh", [entry(3), edited, deleted]), older: true }));
    expect(bodies(prepend(late, { entries: [entry(1), entry(2)], older: false }))).toEqual(["better", "", "text 3", "edited", "deleted"]);
  });

  it("lets marks grow only", () => {
    const marked = applyMarks(three, { delivered: 3, read: 2 });
    expect(applyMarks(marked, { delivered: 1, read: 1 })).toBe(marked);
    expect(applyMarks(marked, { delivered: 2, read: 3 }).marks).toEqual({ delivered: 3, read: 3 });
  });
});
