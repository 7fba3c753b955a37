import { describe, expect, it } from "vitest";

import { PICKED_MAX, withRange, withShown, withToggled, type Picked } from "./pick.ts";

const none: Picked = { ids: new Set(), last: null };
const of = (held: Picked) => [...held.ids];

describe("picking", () => {
  it("takes one in, and out again", () => {
    const one = withToggled(none, "a");
    expect(of(one)).toEqual(["a"]);
    expect(of(withToggled(one, "a"))).toEqual([]);
  });

  it("goes on from the last pick, in either direction", () => {
    const order = ["a", "b", "c", "d", "e"];
    expect(of(withRange(withToggled(none, "b"), order, "d"))).toEqual(["b", "c", "d"]);
    expect(of(withRange(withToggled(none, "d"), order, "b")).sort()).toEqual(["b", "c", "d"]);
    expect(of(withRange(none, order, "c"))).toEqual(["c"]);
  });

  it("loses what left the list", () => {
    const held = withToggled(withToggled(none, "a"), "b");
    expect(withShown(held, ["b", "c"])).toEqual({ ids: new Set(["b"]), last: "b" });
    expect(withShown(held, ["a", "b"])).toBe(held);
  });

  it("has a bound", () => {
    const order = Array.from({ length: PICKED_MAX + 20 }, (_, index) => `c${index}`);
    const all = withRange(withToggled(none, "c0"), order, `c${PICKED_MAX + 19}`);
    expect(all.ids.size).toBe(PICKED_MAX);
    expect(withToggled(all, "another").ids.size).toBe(PICKED_MAX);
  });
});
