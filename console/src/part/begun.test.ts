import { describe, expect, it } from "vitest";

import { textBegun, withBegun, withoutBegunOf, type AllBegun } from "./begun.ts";

describe("what was begun", () => {
  it("is kept by its name until it is given up", () => {
    const one = withBegun({}, "agt_1 contact ctc_1", { name: "Ana" }, 1);
    expect(one["agt_1 contact ctc_1"]?.value).toEqual({ name: "Ana" });
    expect(withBegun(one, "agt_1 contact ctc_1", undefined, 2)).toEqual({});
  });

  it("goes with whom it belongs to, and nothing else does", () => {
    let all: AllBegun = {};
    for (const name of ["agt_1 contact ctc_1", "agt_2 message cnv_1 ent_1", "agt_1 message cnv_12 ent_2", "agt_1 chat vis_1"]) all = withBegun(all, name, "x", 1);
    expect(Object.keys(withoutBegunOf(all, ["ctc_1", "cnv_1"])).sort()).toEqual(["agt_1 chat vis_1", "agt_1 message cnv_12 ent_2"]);
  });

  it("says in a list what was begun last", () => {
    const all = withBegun(withBegun({}, "agt_1 message cnv_1 ent_1", "once", 1), "agt_1 message cnv_1 ent_2", " at once,\nand more", 2);
    expect(["agt_1 message cnv_1 ", "agt_1 message cnv_2 "].map((beginning) => textBegun(all, beginning))).toEqual(["at once,", ""]);
  });

  it("drops the oldest of too many", () => {
    let all: AllBegun = {};
    for (let index = 0; index < 130; index++) all = withBegun(all, `agt_1 chat vis_${index}`, "x", index);
    expect(Object.keys(all)).toHaveLength(100);
    expect([all["agt_1 chat vis_0"], all["agt_1 chat vis_129"]?.value]).toEqual([undefined, "x"]);
  });
});
