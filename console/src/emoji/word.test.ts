import { expect, it } from "vitest";
import { EMOJI } from "@switchboard/emoji";

import { ALL, emojiAskedAt, emojiFitting } from "./word.ts";

it("every emoji has a name, those of the widget first", () => {
  expect(ALL.slice(0, EMOJI.length).map(({ emoji }) => emoji)).toEqual(EMOJI);
  expect(ALL.filter(({ name }) => name === "")).toEqual([]);
  expect(new Set(ALL.map(({ emoji }) => emoji)).size).toBe(ALL.length);
});

it("a colon and two letters ask for one, where a word begins", () => {
  expect(emojiAskedAt("thanks :Thu", 11)).toEqual({ query: "thu", start: 7, end: 11 });
  for (const text of [":", ":t", "at 10:30", "http://x", ":)", "a:th", ":th "]) expect(emojiAskedAt(text, text.length), text).toBeNull();
});

it("a name finds it by any of its words", () => {
  expect(emojiFitting("thu").map(({ emoji }) => emoji)).toEqual(["👍", "👎"]);
  expect(emojiFitting("deliv").map(({ emoji }) => emoji)).toEqual(["🚚"]);
  expect(emojiFitting("zzz")).toEqual([]);
});
