import { describe, expect, it } from "vitest";

import { languageName, otherLanguages, SPOKEN_LANGUAGES, spokenOf } from "./language.ts";

describe("languages", () => {
  it("have a name, and without one their tag", () => {
    expect(["de", "pt-BR", "x"].map(languageName)).toEqual(["German", "Brazilian Portuguese", "x"]);
  });

  it("of the widget are chosen by name", () => {
    const names = SPOKEN_LANGUAGES.map(([, name]) => name);
    expect(names).toEqual([...names].sort());
    expect([names.length, names[0]]).toEqual([10, "Arabic"]);
  });

  it("are all there to choose from, each once and by its name", () => {
    const others = otherLanguages(["de", "hr"]);
    expect(others.find(([tag]) => tag === "is")).toEqual(["is", "Icelandic"]);
    expect(others.filter(([tag]) => tag === "de" || tag === "hr")).toEqual([]);
    expect(new Set(others.map(([, name]) => name)).size).toBe(others.length);
    expect(SPOKEN_LANGUAGES.filter(([tag]) => tag !== "de" && !others.some(([other]) => other === tag))).toEqual([]);
  });

  it("are none for what is none of them", () => {
    expect(["de", "", "hr", "constructor"].map(spokenOf)).toEqual(["de", null, null, null]);
  });
});
