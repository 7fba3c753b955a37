import { expect, test } from "vitest";

import { hoursText, within } from "./hours.ts";

const HOUR = 60 * 60 * 1_000;
const span = (from: number, to: number) => ({ created_at_ms: from * HOUR, seen_at_ms: to * HOUR });

test("several browsers at once are one person at work", () => {
  expect(within([span(9, 12), span(10, 11), span(11, 13), span(15, 16)], 0)).toBe(5 * HOUR);
});

test("only what lies in the period counts", () => {
  expect(within([span(1, 3), span(4, 4), span(5, 7)], 6 * HOUR)).toBe(HOUR);
  expect(within([], 0)).toBe(0);
});

test("a length is said in hours and minutes", () => {
  expect(hoursText(59 * 60_000)).toBe("59 min");
  expect(hoursText(2 * HOUR + 61_000)).toBe("2 h 1 min");
});
