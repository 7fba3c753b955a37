import { expect, it } from "vitest";

import { firstFor, rowAt, shiftOf, type Part } from "./part.ts";

const part = (first: number, count: number): Part => ({ first, order: Array.from({ length: count }, (_, index) => `vis_${first + index}`) });

it("the part at hand is kept as long as it holds what is in sight and some rows around it", () => {
  const check = (sight: [number, number], held: Part, listed_count: number, expected: number) => {
    expect(firstFor({ first: sight[0], last: sight[1] }, held, listed_count)).toBe(expected);
  };
  check([0, 20], part(0, 100), 20_000, 0);
  check([71, 91], part(0, 100), 20_000, 0);
  check([72, 92], part(0, 100), 20_000, 40);
  check([48, 60], part(40, 100), 20_000, 40);
  check([47, 60], part(40, 100), 20_000, 0);
  // The end of the list is the end, and so is its beginning.
  check([80, 100], part(0, 100), 100, 0);
  check([19_980, 19_999], part(19_940, 60), 20_000, 19_940);
  check([19_980, 19_999], part(0, 100), 20_000, 19_940);
  check([0, 20], part(19_940, 60), 20_000, 0);
  check([0, 0], part(0, 0), 0, 0);
  check([1_500_000, 1_500_020], part(0, 100), 2_000_000, 1_000_000);
});

it("every part that is asked for holds what is in sight, wherever that is", () => {
  for (let first = 0; first < 500; first += 1) {
    const sight = { first, last: first + 59 };
    const begin = firstFor(sight, part(0, 0), 20_000);
    expect(begin % 20).toBe(0);
    expect(firstFor(sight, part(begin, 100), 20_000)).toBe(begin);
  }
});

it("where few rows fit into a part, it begins with what is in sight, and is asked for once", () => {
  const sight = { first: 60, last: 80 };
  expect(firstFor(sight, part(0, 12), 20_000)).toBe(20);
  expect(firstFor(sight, part(20, 12), 20_000)).toBe(60);
  expect(firstFor(sight, part(60, 12), 20_000)).toBe(60);
});

it("the row on top keeps its place, wherever it stands now", () => {
  const before = part(100, 100);
  expect(shiftOf(before, { first: 100, order: ["vis_new", ...before.order.slice(0, 99)] }, 120)).toBe(1);
  expect(shiftOf(before, part(140, 100), 150)).toBe(0);
  // Three came before it, and the part is another one.
  expect(shiftOf(before, { first: 140, order: before.order.slice(37) }, 150)).toBe(3);
  // It left: the next one does.
  const without = before.order.filter((id) => id !== "vis_120");
  expect(shiftOf(before, { first: 100, order: without }, 120)).toBe(-1);
  expect(shiftOf(before, part(700, 100), 150)).toBe(0);
  // At the top one looks for what is new.
  expect(shiftOf(part(0, 100), { first: 0, order: ["vis_new", ...part(0, 100).order] }, 0.5)).toBe(0);
});

it("a rank has a row where it is known", () => {
  expect(rowAt(part(100, 2), 101)).toBe("vis_101");
  expect(rowAt(part(100, 2), 99)).toBeUndefined();
  expect(rowAt(part(100, 2), 102)).toBeUndefined();
});
