import { describe, expect, it } from "vitest";

import { begins, holds } from "./sought.ts";

describe("what is sought", () => {
  it("stands anywhere in what was said", () => {
    expect(["tin", "TWO ins", "two  ", "tea"].map((query) => holds("Then two tins, please", query))).toEqual([true, true, true, false]);
  });

  it("begins words of a name", () => {
    expect(["set", "te set", "work", ""].map((query) => begins("Go to Settings: Team", query))).toEqual([true, true, false, true]);
    expect(["tin", "ings"].map((query) => begins("Go to Settings: Team", query))).toEqual([false, false]);
  });
});
