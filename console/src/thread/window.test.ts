import { describe, expect, it } from "vitest";

import { around, downwards, rangeOf, upwards, type Span } from "./window.ts";

const lines = (count: number) => Array.from({ length: count }, (_, index) => ({ key: String(index) }));
const start: Span = { count: 120, last: null };

describe("the part of a log in the page", () => {
  it("is the end at first, and stays the end when lines come", () => {
    expect(rangeOf(lines(1_000), start)).toEqual([880, 1_000]);
    expect(rangeOf(lines(1_001), start)).toEqual([881, 1_001]);
    expect(rangeOf(lines(5), start)).toEqual([0, 5]);
  });

  it("grows upwards to a bound, then leaves the end behind", () => {
    const all = lines(1_000);
    let span = start;
    const ranges = Array.from({ length: 9 }, () => rangeOf(all, (span = upwards(all, span))));
    expect(ranges.slice(0, 3)).toEqual([[760, 1_000], [640, 1_000], [520, 880]]);
    expect(ranges.at(-1)).toEqual([0, 240]);
    for (const [from, before] of ranges) expect(before - from).toBeLessThanOrEqual(360);
  });

  it("comes back to the end on the way down", () => {
    const all = lines(1_000);
    let span = around(all, 500);
    expect(rangeOf(all, span)).toEqual([440, 560]);
    for (let step = 0; step < 4; step += 1) span = downwards(all, span);
    expect(rangeOf(all, span)).toEqual([640, 1_000]);
    expect(span.last).toBeNull();
  });

  it("holds still while lines come at the end, or above", () => {
    const span = around(lines(1_000), 500);
    expect(rangeOf(lines(1_050), span)).toEqual([440, 560]);
    const above = [...lines(20).map(({ key }) => ({ key: `old ${key}` })), ...lines(1_000)];
    expect(rangeOf(above, span)).toEqual([460, 580]);
  });
});
