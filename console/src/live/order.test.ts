import { describe, expect, it } from "vitest";

import { visitor } from "../../test/sample.ts";
import { arrange, shownRows, type Arranged } from "./order.ts";

describe("the order on screen", () => {
  it("follows the sorting while nobody points at it", () => {
    expect(arrange(["a", "b"], ["c", "b", "a"], false)).toEqual({ order: ["c", "b", "a"], waiting_count: 0 });
  });

  it("stands still while somebody points at it, and counts what waits", () => {
    expect(arrange(["a", "b"], ["c", "a", "b"], true)).toEqual({ order: ["a", "b"], waiting_count: 1 });
  });

  it("counts a row that would move to the front", () => {
    expect(arrange(["a", "b", "c"], ["c", "a", "b"], true).waiting_count).toBe(1);
  });

  it("keeps the place of a row that has gone", () => {
    expect(arrange(["a", "b", "c"], ["a", "c"], true).order).toEqual(["a", "b", "c"]);
  });

  it("takes older rows in at the end even then", () => {
    expect(arrange(["a", "b"], ["a", "b", "c", "d"], true)).toEqual({ order: ["a", "b", "c", "d"], waiting_count: 0 });
  });

  it("shows the first rows at once, pointed at or not", () => {
    expect(arrange([], ["a"], true).order).toEqual(["a"]);
  });

  it("gives the same list back when nothing changed", () => {
    const shown = ["a", "b"];
    expect(arrange(shown, ["a", "b"], false).order).toBe(shown);
  });

  it("does not grow for ever while it is held", () => {
    let held: Arranged = { order: ["v0", "v1", "v2"], waiting_count: 0 };
    for (let come = 1; come < 200; come += 1) {
      // At each turn the oldest leaves, and another comes at the end.
      held = arrange(held.order, [`v${come}`, `v${come + 1}`, `v${come + 2}`], true);
      expect(held.order.slice(0, 3)).toEqual(["v0", "v1", "v2"]);
      expect(held.order.length).toBeLessThanOrEqual(9);
    }
    expect(held.waiting_count).toBe(3);
    expect(arrange(held.order, ["v199", "v200"], false).order).toEqual(["v199", "v200"]);
  });
});

describe("the rows on screen", () => {
  const was = (id: string, page_count: number) => visitor(id, { page_count });

  it("are as they are, and as they were where they have gone", () => {
    const before = new Map([["a", was("a", 1)], ["b", was("b", 1)]]);
    const rows = shownRows(before, ["a", "b", "c"], new Map([["a", was("a", 2)]]));
    expect([...rows].map(([id, row]) => [id, row.page_count])).toEqual([["a", 2], ["b", 1]]);
  });

  it("forget whoever left the screen", () => {
    let rows: ReadonlyMap<string, ReturnType<typeof visitor>> = new Map();
    for (let come = 0; come < 1_000; come += 1) rows = shownRows(rows, [`v${come}`], new Map([[`v${come}`, was(`v${come}`, 1)]]));
    expect([...rows.keys()]).toEqual(["v999"]);
  });
});
