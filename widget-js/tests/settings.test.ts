// What a page sets for itself, and what it does not.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { wellFormed } from "../src/loader/settings.ts";
import { onPage } from "../src/panel/page-settings.ts";
import type { WidgetConfig } from "../src/protocol.ts";

const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
beforeEach(() => warn.mockClear());
afterEach(() => expect(warn.mock.calls.length).toBeLessThanOrEqual(1));

const taken = (asked: object): unknown => wellFormed(asked as Readonly<Record<string, unknown>>, Object.keys(asked));

it.each([
  [{ launcher: "hidden" }],
  [{ launcher: "shown", panel: "closed" }],
  [{ side: "start", theme: "auto", locale: "pt-BR" }],
  [{ label: "", greeting: "two\nlines", message: "Hello" }],
  [{ label: "x".repeat(60), greeting: "g".repeat(2_000), message: "m".repeat(2_000) }],
  [{ side: null, greeting: undefined }],
  [{}],
])("takes %j", (asked) => {
  expect(taken(asked)).toEqual(asked);
  expect(warn).not.toHaveBeenCalled();
});

it.each([
  [{ launcher: "Hidden" }],
  [{ launcher: true }],
  [{ panel: "" }],
  [{ side: "left" }],
  [{ side: "start\n" }],
  [{ side: ["start"] }],
  [{ theme: { toString: () => "dark" } }],
  [{ locale: "de&site=other" }],
  [{ label: "two\nlines" }],
  [{ label: "x".repeat(61) }],
  [{ label: 7 }],
  [{ greeting: "g".repeat(2_001) }],
  [{ message: Symbol("x") }],
  [{ colour: "red" }],
  [{ constructor: null }],
  [{ toString: "x" }],
  [JSON.parse('{"__proto__": "x"}')],
])("ignores %o, and says so", (asked) => {
  expect(Object.keys(taken(asked) as object)).toEqual([]);
  expect(warn).toHaveBeenCalledExactlyOnceWith(`Switchboard: ignored ${Object.keys(asked as object)[0]}`);
});

it("takes of a tag's attributes what is its own, and leaves those of others alone", () => {
  expect(wellFormed({ side: "start", mode: "chat", siteKey: "x", theme: "blue" })).toMatchObject({ side: "start" });
  expect(warn).toHaveBeenCalledExactlyOnceWith("Switchboard: ignored theme");
});

const config = { site_name: "Tea", theme: { greeting: "Hello", brightness: "light", color: "#0f4c5c" } } as unknown as WidgetConfig;

it.each([
  [{}, { greeting: "Hello", brightness: "light" }],
  [{ greeting: null, theme: null }, { greeting: "Hello", brightness: "light" }],
  [{ greeting: "Which order?", theme: "dark" as const }, { greeting: "Which order?", brightness: "dark" }],
  [{ greeting: "", theme: "auto" as const }, { greeting: "", brightness: "system" }],
])("looks on a page that sets %j as that page wants it", (settings, theme) => {
  expect(onPage(config, settings)?.theme).toEqual({ ...theme, color: "#0f4c5c" });
});

it("has no look before the site's is known", () => {
  expect(onPage(null, { greeting: "x" })).toBeNull();
});
