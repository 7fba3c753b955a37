import { describe, expect, it } from "vitest";

import { conversation } from "../../test/sample.ts";
import { othersOf } from "./others.ts";

const held = (...rows: ReturnType<typeof conversation>[]) => new Map(rows.map((row) => [row.id, row]));

describe("other conversations of a person", () => {
  const row = conversation("cnv_a");

  it("are those that were read, without the one at hand", () => {
    expect(othersOf(row, [row, conversation("cnv_b")], held(row)).map(({ id }) => id)).toEqual(["cnv_b"]);
  });

  it("are all of them where none is at hand", () => {
    expect(othersOf({ contact_id: row.contact_id, id: null }, [row], held(row)).map(({ id }) => id)).toEqual(["cnv_a"]);
  });

  it("stand as they were heard of last, whichever door told it", () => {
    const closed = conversation("cnv_b", { version: 5, state: "closed" });
    expect(othersOf(row, [conversation("cnv_b", { version: 4 })], held(row, closed))[0]?.state).toBe("closed");
    expect(othersOf(row, [closed], held(row, conversation("cnv_b", { version: 4 })))[0]?.state).toBe("closed");
  });

  it("take in one that began meanwhile, and nobody else's", () => {
    const begun = conversation("cnv_c", { active_at_ms: 9 });
    const foreign = conversation("cnv_d", { contact_id: "con_li" });
    expect(othersOf(row, [conversation("cnv_b")], held(row, begun, foreign)).map(({ id }) => id)).toEqual(["cnv_c", "cnv_b"]);
  });
});
