import { expect, it } from "vitest";

import { visitor } from "../../test/sample.ts";
import { missedOf, missedText } from "./missed.ts";
import { noVisitors, withVisitors } from "./visitors.ts";

const counts = { listed: 2, active: 2, idle: 0 };
const paused = withVisitors([visitor("vis_a"), visitor("vis_b")], counts, 10);

it("a paused list counts who came, who left and who walked on", () => {
  expect(missedOf(paused, paused)).toEqual({ came: 0, left: 0, changed: 0 });
  const later = withVisitors([visitor("vis_b", { version: 2 }), visitor("vis_c"), visitor("vis_d")], counts, 20);
  expect(missedOf(paused, later)).toEqual({ came: 2, left: 1, changed: 1 });
});

it("a list that is on its way is no news of anybody", () => {
  expect(missedOf(paused, noVisitors)).toEqual({ came: 0, left: 0, changed: 0 });
});

it("what is missed is said in words, and what is not missed is not said", () => {
  expect(missedText({ came: 2, left: 1, changed: 4 })).toBe("2 came, 1 left, 4 changed");
  expect(missedText({ came: 0, left: 1, changed: 0 })).toBe("1 left");
  expect(missedText({ came: 0, left: 0, changed: 0 })).toBe("");
});
