import { describe, expect, it } from "vitest";

import { message } from "../../test/sample.ts";
import { itemsOf } from "./item.ts";
import { lineOf } from "./sought.ts";

const at = (day: number) => new Date(2026, 10, day, 9).getTime();
const entries = [3, 5, 8].map((day, index) => message(index + 1, "visitor", { sent_at_ms: at(day) }));
const items = itemsOf({ conversation_id: "cnv_a", entries, waiting: [], marks: null, me: "agt_1", unread_after: null });
const day = (date: number, whole: boolean) => {
  const item = items[lineOf(items, { at_ms: at(date) }, whole)];
  return item && "at_ms" in item ? new Date(item.at_ms).getDate() : null;
};

describe("a place in a log", () => {
  it("is the line with its number", () => {
    expect(lineOf(items, { seq: 2 }, true)).toBe(3);
    expect(lineOf(items, { seq: 9 }, true)).toBe(-1);
  });

  it("is the day, or the next one on which something was said", () => {
    expect(day(5, true)).toBe(5);
    expect(day(4, true)).toBe(5);
    expect(day(1, true)).toBe(3);
  });

  it("is the end, where nothing was said since", () => {
    expect(day(9, true)).toBe(8);
  });

  it("is not known while the first day may go on above", () => {
    expect(day(3, false)).toBeNull();
    expect(day(1, false)).toBeNull();
    expect(day(5, false)).toBe(5);
  });
});
