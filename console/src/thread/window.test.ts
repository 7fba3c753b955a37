import { describe, expect, it } from "vitest";

import { around, downwards, rangeOf, upwards, type Span } from "./window.ts";

const lines = (count: number) => Array.from({ length: count }, (_, index) => ({ key: String(index) }));
const start: Span = { count: 60, last: null };

describe("the part of a log in the page", () => {
  it("is the end at first, and stays the end when lines come", () => {
    expect(rangeOf(lines(1_000), start)).toEqual([940, 1_000]);
    expect(rangeOf(lines(1_001), start)).toEqual([941, 1_001]);
    expect(rangeOf(lines(5), start)).toEqual([0, 5]);
  });

  it("grows upwards by few lines at a time to a bound, then leaves the end behind", () => {
    const all = lines(1_000);
    let span = start;
    const ranges = Array.from({ length: 50 }, () => rangeOf(all, (span = upwards(all, span))));
    expect(ranges.slice(0, 9)).toEqual([[920, 1_000], [900, 1_000], [880, 1_000], [860, 1_000], [840, 1_000], [820, 1_000], [800, 1_000], [780, 980], [760, 960]]);
    expect(ranges.at(-1)).toEqual([0, 180]);
    for (const [from, before] of ranges) expect(before - from).toBeLessThanOrEqual(200);
  });

  it("comes back to the end on the way down", () => {
    const all = lines(1_000);
    let span = around(all, 500);
    expect(rangeOf(all, span)).toEqual([470, 530]);
    for (let step = 0; step < 24; step += 1) span = downwards(all, span);
    expect(rangeOf(all, span)).toEqual([800, 1_000]);
    expect(span.last).toBeNull();
  });

  it("holds still while lines come at the end, or above", () => {
    const span = around(lines(1_000), 500);
    expect(rangeOf(lines(1_050), span)).toEqual([470, 530]);
    const above = [...lines(20).map(({ key }) => ({ key: `old ${key}` })), ...lines(1_000)];
    expect(rangeOf(above, span)).toEqual([490, 550]);
  });
});
