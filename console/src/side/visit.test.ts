import { describe, expect, it } from "vitest";
import type { Browser } from "@switchboard/protocol";

import { placeText, shortPlaceText } from "./visit.tsx";

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
