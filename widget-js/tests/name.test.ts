// Names that run the other way stand apart in a sentence, and no others do.

import { expect, it } from "vitest";
import { apart } from "../src/markup/index.ts";
import { said, speak, staffLine } from "../src/panel/words.ts";

it.each([
  ["Ana Kovač", "ltr", "Ana Kovač"],
  ["דנה כהן", "ltr", "\u2068דנה כהן\u2069"],
  ["Dana (דנה)", "ltr", "\u2068Dana (דנה)\u2069"],
  ["李伟 👩‍👩‍👧", "ltr", "李伟 👩‍👩‍👧"],
  ["", "ltr", ""],
  ["Ana Kovač", "rtl", "\u2068Ana Kovač\u2069"],
  ["ليلى", "rtl", "ليلى"],
  ["10:30", "rtl", "10:30"],
] as const)("sets %s in a sentence that runs %s as it should be", (name, sentence, expected) => {
  expect(apart(name, sentence)).toBe(expected);
});

it("fills the sentences of each language with them", async () => {
  await speak("en");
  expect(said("typing", { name: "דנה" })).toBe("\u2068דנה\u2069 is typing");
  expect(said("typing", { name: "Ana" })).toBe("Ana is typing");
  expect(staffLine({ online: true, people: [{ name: "Mira" }, { name: "דנה" }] })).toBe("Here now: \u2068Mira, \u2068דנה\u2069\u2069");
  await speak("ar");
  expect(said("joined", { name: "Ana" })).toBe("انضم \u2068Ana\u2069");
  await speak("en");
});
