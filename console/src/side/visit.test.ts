import { describe, expect, it } from "vitest";
import type { Browser } from "@switchboard/protocol";

import { deviceText, placeText } from "./visit.tsx";

describe("where somebody is", () => {
  const text = (browser: Partial<Browser>) => placeText(browser as Browser);

  it("is a place where that is known", () => {
    expect(text({ city: "Ljubljana", country: "SI", time_zone: "Europe/London" })).toBe("Ljubljana, Slovenia");
    expect(text({ country: "SI" })).toBe("Slovenia");
  });

  it("is told with the time zone where that may be all that is known", () => {
    expect(text({ country: "US", time_zone: "America/New_York" })).toBe("United States, New York time");
    expect(text({ country: "SI", time_zone: "UTC" })).toBe("Slovenia");
    expect(text({ time_zone: "America/New_York" })).toBe("New York time");
    expect(text({ country: "IN", time_zone: "Asia/Calcutta" })).toBe("India, Kolkata time");
  });

  it("says no name twice", () => {
    expect(text({ country: "SG", time_zone: "Asia/Singapore" })).toBe("Singapore");
    expect(text({ country: "SG", city: "Singapore" })).toBe("Singapore");
    expect(text({ country: "HK", time_zone: "Asia/Hong_Kong" })).toBe("Hong Kong SAR China");
  });

  it("is not said where nothing is known", () => {
    expect(text({})).toBe("");
    expect(text({ time_zone: "UTC" })).toBe("");
  });
});

describe("what somebody looks with", () => {
  const text = (browser: Partial<Browser>) => deviceText(browser as Browser);

  it("is a program, a system and its form, each said once", () => {
    expect(text({ name: "Chrome", system: "Android", device: "mobile" })).toBe("Chrome on Android, phone");
    expect(text({ name: "Safari", system: "iPhone", device: "mobile" })).toBe("Safari on iPhone");
    expect(text({ name: "Safari", system: "iPad", device: "tablet" })).toBe("Safari on iPad");
    expect(text({ name: "Safari", system: "Mac OSX", device: "desktop" })).toBe("Safari on macOS");
    expect(text({ name: "", device: "unknown" })).toBe("Unknown browser");
  });
});
