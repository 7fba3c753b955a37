import { expect, it } from "vitest";
import type { LiveVisitor } from "@switchboard/protocol";

import { visitor } from "../../test/sample.ts";
import { missedOf, missedText } from "./missed.ts";
import { noVisitors, withVisitors } from "./visitors.ts";

const listed = (count: number, rows: readonly LiveVisitor[]) =>
  withVisitors({ rows, counts: { listed: count, active: count, idle: 0 }, countries: [] }, 10);
const paused = listed(2, [visitor("vis_a"), visitor("vis_b")]);

it("a paused list counts who came, who left and who walked on", () => {
  expect(missedOf(paused, paused)).toEqual({ came: 0, left: 0, changed: 0 });
  const rows = [visitor("vis_b", { version: 2 }), visitor("vis_c"), visitor("vis_d")];
  expect(missedOf(paused, listed(3, rows))).toEqual({ came: 2, left: 1, changed: 1 });
});

it("who is pushed out of the part that is known has not left", () => {
  const part = listed(200, [visitor("vis_c"), visitor("vis_b")]);
  expect(missedOf(paused, part)).toEqual({ came: 1, left: 0, changed: 0 });
  expect(missedOf(paused, { ...part, gone: new Set(["vis_a"]) })).toEqual({ came: 1, left: 1, changed: 0 });
});

it("a list that is on its way is no news of anybody", () => {
  expect(missedOf(paused, noVisitors)).toEqual({ came: 0, left: 0, changed: 0 });
});

it("what is missed is said in words, and what is not missed is not said", () => {
  expect(missedText({ came: 2, left: 1, changed: 4 })).toBe("2 came, 1 left, 4 changed");
  expect(missedText({ came: 0, left: 1, changed: 0 })).toBe("1 left");
  expect(missedText({ came: 0, left: 0, changed: 0 })).toBe("");
});
