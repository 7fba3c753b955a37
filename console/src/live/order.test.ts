import { describe, expect, it } from "vitest";

import { arrange } from "./order.ts";

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
});
