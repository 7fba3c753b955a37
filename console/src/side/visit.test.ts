import { describe, expect, it } from "vitest";
import type { Browser } from "@switchboard/protocol";

import { deviceText, placeText, shortPlaceText } from "./visit.tsx";

const texts = (browser: Partial<Browser>) => [placeText(browser as Browser), shortPlaceText(browser as Browser)];

describe("where somebody is", () => {
  it("is a place where that is known", () => {
    expect(texts({ city: "Ljubljana", country: "SI", time_zone: "Europe/London" })).toEqual(["Ljubljana, Slovenia", "Ljubljana, Slovenia"]);
    expect(texts({ country: "SI" })).toEqual(["Slovenia", "Slovenia"]);
  });

  it("is said to be guessed where the time zone is all that is known", () => {
    expect(texts({ time_zone: "America/New_York" })).toEqual(["New York (by time zone)", "New York time"]);
  });

  it("is not said where nothing is known", () => {
    expect(texts({})).toEqual(["", ""]);
    expect(texts({ time_zone: "UTC" })).toEqual(["", ""]);
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
