import { describe, expect, it } from "vitest";

import { visitor } from "../../test/sample.ts";
import { namesOf, noNames, noPresence, withNames, withPresence } from "./presence.ts";

const named = { visitor_ids: ["vis_a", "vis_b"], row_id: "vis_a" };
const row = visitor("vis_a");
const told = withPresence(noPresence, { states: [{ visitor_id: "vis_a", state: "active" }, { visitor_id: "vis_b", state: "left" }], row }, named);

describe("whether visitors are here", () => {
  it("is as it was told last, and the row stays until another comes", () => {
    expect([...told.states]).toEqual([["vis_a", "active"], ["vis_b", "left"]]);
    const next = withPresence(told, { states: [{ visitor_id: "vis_b", state: "idle" }] }, named);
    expect(next.states.get("vis_b")).toBe("idle");
    expect(next.row).toBe(row);
    const walked = visitor("vis_a", { page_count: 9 });
    expect(withPresence(next, { states: [], row: walked }, named).row).toBe(walked);
  });

  it("has no row of who left, nor of one whom nobody asked for any more", () => {
    expect(withPresence(told, { states: [{ visitor_id: "vis_a", state: "left" }] }, named).row).toBeNull();
    const other = { ...named, row_id: "vis_b" };
    expect(withNames(told, other).row).toBeNull();
    expect(withPresence(withNames(told, other), { states: [], row }, other).row).toBeNull();
  });

  it("is forgotten of those who are not named any more", () => {
    const kept = withNames(told, { visitor_ids: ["vis_b", "vis_c"], row_id: "vis_a" });
    expect([...kept.states]).toEqual([["vis_b", "left"], ["vis_a", "active"]]);
    expect(kept.row).toBe(row);
    expect(withNames(told, noNames)).toEqual(noPresence);
  });
});

describe("whom to name", () => {
  const ids = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `vis_${from + index}`);

  it("are those who are shown, and those of before while there is room", () => {
    const first = namesOf(noNames, ids(0, 40), null);
    expect(first).toEqual({ visitor_ids: ids(0, 40), row_id: null });
    const second = namesOf(first, ids(30, 70), null);
    expect([...second.visitor_ids].sort()).toEqual(ids(0, 70).sort());
    expect(namesOf(second, ids(10, 50), null)).toBe(second);
    expect(namesOf(second, ids(70, 110), null)).toEqual({ visitor_ids: ids(70, 110), row_id: null });
  });

  it("are a hundred at most, those shown last", () => {
    expect(namesOf(noNames, ids(0, 130), null).visitor_ids).toEqual(ids(30, 130));
  });

  it("change with the one of whom all is shown", () => {
    const first = namesOf(noNames, ["vis_a"], "vis_a");
    expect(namesOf(first, ["vis_a"], null)).toEqual({ visitor_ids: ["vis_a"], row_id: null });
    expect(namesOf(first, ["vis_a"], "vis_a")).toBe(first);
  });
});
