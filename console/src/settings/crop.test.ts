import { expect, test } from "vitest";

import { moved, squareOf, WHOLE, within, ZOOM_MAX } from "./crop.ts";

const WIDE = { width: 400, height: 200 };

test("at first the middle is kept, as much of it as is square", () => {
  expect(squareOf(WIDE, WHOLE)).toEqual({ left: 100, top: 0, side: 200 });
  expect(squareOf({ width: 9, height: 9 }, WHOLE)).toEqual({ left: 0, top: 0, side: 9 });
});

test("what is moved follows the hand, and stops at the edges", () => {
  const left = moved(WIDE, WHOLE, 0.25, 0.5);
  expect(squareOf(WIDE, left)).toEqual({ left: 50, top: 0, side: 200 });
  expect(squareOf(WIDE, moved(WIDE, WHOLE, 9, 9))).toEqual({ left: 0, top: 0, side: 200 });
  expect(squareOf(WIDE, moved(WIDE, WHOLE, -9, -9))).toEqual({ left: 200, top: 0, side: 200 });
});

test("nearer shows less of it, and what shows stays within the picture", () => {
  const near = within(WIDE, { zoom: 2, x: 0.9, y: 0 });
  expect(squareOf(WIDE, near)).toEqual({ left: 300, top: 0, side: 100 });
  expect(within(WIDE, { ...near, zoom: 1 })).toEqual({ zoom: 1, x: 0.75, y: 0.5 });
  expect(within(WIDE, { ...near, zoom: 99 }).zoom).toBe(ZOOM_MAX);
});
