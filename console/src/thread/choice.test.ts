import { describe, expect, it } from "vitest";

import { snoozeChoices } from "./choice.ts";

const at = (text: string) => new Date(text).getTime();

describe("times to snooze until", () => {
  it("all lie ahead, in order", () => {
    const start = at("2026-03-04T10:30:00");
    const times = snoozeChoices(start).map((choice) => choice.until_ms);
    expect(times.every((time) => time > start)).toBe(true);
    expect([...times].sort((a, b) => a - b)).toEqual(times);
  });

  it("offer no evening that is over", () => {
    const names = snoozeChoices(at("2026-03-04T19:30:00")).map((choice) => choice.name);
    expect(names).not.toContain("This evening");
  });

  it("mean the Monday to come, on a Monday the next one", () => {
    const monday = snoozeChoices(at("2026-03-02T08:00:00")).find((choice) => choice.name === "Next Monday");
    expect(monday?.until_ms).toBe(at("2026-03-09T09:00:00"));
  });
});
