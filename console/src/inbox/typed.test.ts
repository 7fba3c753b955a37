import { describe, expect, it } from "vitest";

import { told } from "./typed.ts";

describe("a field that the address follows", () => {
  it("keeps what was typed since the address was asked", () => {
    expect(told(["blue"], "blue")).toEqual({ asked: [], text: null });
    expect(told(["blue", "blue tea"], "blue")).toEqual({ asked: ["blue tea"], text: null });
    expect(told(["blue", "blue tea"], "blue tea")).toEqual({ asked: [], text: null });
  });

  it("shows an address that was gone to", () => {
    expect(told([], "gift")).toEqual({ asked: [], text: "gift" });
    expect(told(["blue"], "")).toEqual({ asked: [], text: "" });
  });
});
