import { expect, it } from "vitest";

import { readsLikeNote } from "./guard.ts";

const members = ["Jon Arden", "Mira Novak"];

it.each([
  ["Note: third order this year", true],
  ["internal - ask the carrier first", true],
  ["FYI: he called yesterday", true],
  ["@Jon can you take this one?", true],
  ["please look, @mira novak.", true],
  ["Noted, thank you.", false],
  ["Note that we ship on Friday.", false],
  ["Write to jon@example.com or mail@jon.example", false],
  ["Find us as @jonas on the web", false],
  ["It leaves today.", false],
  ["", false],
])("takes %j for a note: %s", (text, expected) => {
  expect(readsLikeNote(text, members)).toBe(expected);
});
