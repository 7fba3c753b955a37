import { describe, expect, it } from "vitest";

import { languageName, SPOKEN_LANGUAGES, spokenOf } from "./language.ts";

describe("languages", () => {
  it("have a name, and without one their tag", () => {
    expect(["de", "pt-BR", "x"].map(languageName)).toEqual(["German", "Brazilian Portuguese", "x"]);
  });

  it("of the widget are chosen by name", () => {
    const names = SPOKEN_LANGUAGES.map(([, name]) => name);
    expect(names).toEqual([...names].sort());
    expect([names.length, names[0]]).toEqual([10, "Arabic"]);
  });

  it("are none for what is none of them", () => {
    expect(["de", "", "hr", "constructor"].map(spokenOf)).toEqual(["de", null, null, null]);
  });
});
