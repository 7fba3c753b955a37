import { describe, expect, it } from "vitest";

import { around, grown, missing, rangeOf, type Span } from "./window.ts";

const lines = (count: number) => Array.from({ length: count }, (_, index) => ({ key: String(index) }));
const start: Span = { count: 60, last: null };

describe("the part of a log in the page", () => {
  it("is the end at first, and stays the end when lines come", () => {
    expect(rangeOf(lines(1_000), start)).toEqual([940, 1_000]);
    expect(rangeOf(lines(1_001), start)).toEqual([941, 1_001]);
    expect(rangeOf(lines(5), start)).toEqual([0, 5]);
  });

  it("grows at one end and gives up at the other", () => {
    const all = lines(1_000);
    let span = grown(all, start, 8, 0);
    expect(rangeOf(all, span)).toEqual([932, 1_000]);
    span = grown(all, span, 8, -5);
    expect(rangeOf(all, span)).toEqual([924, 995]);
    // What is in sight may be few lines, far from the end.
    span = grown(all, span, 8, -60);
    expect(rangeOf(all, span)).toEqual([916, 935]);
    expect(rangeOf(all, grown(all, span, 2_000, 0))).toEqual([0, 935]);
  });

  it("comes back to the end on the way down, with room for what is said next", () => {
    const all = lines(1_000);
    const span = grown(all, around(all, 990), -20, 16);
    expect(span).toEqual({ count: 60, last: null });
    expect(rangeOf(lines(1_002), span)).toEqual([942, 1_002]);
    expect(rangeOf(all, around(all, 500))).toEqual([470, 530]);
  });

  it("takes as many lines as one scrolled by, few at once, and none for little", () => {
    expect(missing(0, 50)).toBe(16);
    expect(missing(700, 50)).toBe(6);
    expect(missing(900, 50)).toBe(0);
    expect(missing(2_000, 50)).toBe(0);
    // One that is higher than all of that.
    expect(missing(900, 4_000)).toBe(1);
  });

  it("holds still while lines come at the end, or above", () => {
    const span = around(lines(1_000), 500);
    expect(rangeOf(lines(1_050), span)).toEqual([470, 530]);
    const above = [...lines(20).map(({ key }) => ({ key: `old ${key}` })), ...lines(1_000)];
    expect(rangeOf(above, span)).toEqual([490, 550]);
  });
});
