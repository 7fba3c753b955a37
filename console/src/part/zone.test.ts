import { describe, expect, it } from "vitest";

import renamed from "./zone-today.txt?raw";
import { zoneCity, zones, zoneToday } from "./zone.ts";

describe("the names of time zones", () => {
  it("are those of today", () => {
    expect(zoneToday("Europe/Kiev")).toBe("Europe/Kyiv");
    expect(zoneToday("Cuba")).toBe("America/Havana");
    for (const zone of ["Europe/Kyiv", "UTC", "EST", "Mars/Olympus", ""]) expect(zoneToday(zone)).toBe(zone);
  });

  it("stand for the same clock as those of before", () => {
    for (const line of renamed.trimEnd().split("\n")) {
      const [before = "", today = ""] = line.split(" ");
      const clock = (timeZone: string, at_ms: number) => new Intl.DateTimeFormat("en", { timeZone, dateStyle: "short", timeStyle: "short" }).format(at_ms);
      for (const at_ms of [Date.UTC(2026, 0, 1), Date.UTC(2026, 6, 1)]) expect(clock(before, at_ms), line).toBe(clock(today, at_ms));
      expect(zoneToday(today), line).toBe(today);
    }
  });

  it("hold the city that people know", () => {
    const cities = { "Europe/Kiev": "Kyiv", "Asia/Calcutta": "Kolkata", "Asia/Saigon": "Ho Chi Minh", "America/Buenos_Aires": "Buenos Aires", "Singapore": "Singapore", "America/New_York": "New York" };
    for (const [zone, city] of Object.entries(cities)) expect(zoneCity(zone)).toBe(city);
    for (const zone of ["UTC", "EST", "Etc/GMT+3", "Etc/UTC", ""]) expect(zoneCity(zone)).toBe("");
  });

  it("are offered once each, with the one that is set", () => {
    const offered = zones("Asia/Calcutta");
    expect(offered).toContain("Asia/Kolkata");
    expect(offered).not.toContain("Asia/Calcutta");
    expect(offered).toContain("UTC");
    expect(new Set(offered).size).toBe(offered.length);
    expect(zones("Etc/GMT+3")).toContain("Etc/GMT+3");
    expect(zones("")).not.toContain("");
  });
});
