import { describe, expect, it } from "vitest";

import { emphasized, memberAskedAt, membersFitting, mentionedIn, mentionsIn, sharedNameIn, withPicked } from "./word.ts";

const members = [
  { id: "agt_mira", name: "Mira Novak", deactivated: false },
  { id: "agt_jon", name: "Jon", deactivated: false },
  { id: "agt_arden", name: "Jon Arden", deactivated: false },
  { id: "agt_gone", name: "Željka Gone", deactivated: true },
  { id: "agt_z", name: "Željka", deactivated: false },
];

describe("what is asked for at the caret", () => {
  it("is a name, where a word begins", () => {
    expect(memberAskedAt("ask @Jo", 7)).toEqual({ query: "jo", start: 4, end: 7 });
    expect(memberAskedAt("(@", 2)).toEqual({ query: "", start: 1, end: 2 });
    expect(memberAskedAt("@Jon Ar", 7)?.query).toBe("jon ar");
    for (const text of ["a@b", "jon@example.com", "@Jon Arden said", "@Jon, ", "jon"]) expect(memberAskedAt(text, text.length), text).toBeNull();
  });
});

it("members are found by any word of the name; oneself and who left are not", () => {
  const names = (query: string) => membersFitting(members, "agt_mira", query).map((member) => member.id);
  expect(names("")).toEqual(["agt_jon", "agt_arden", "agt_z"]);
  expect(names("ard")).toEqual(["agt_arden"]);
  expect(names("zel")).toEqual(["agt_z"]);
  expect(names("mira")).toEqual([]);
});

it("the longest name at a place is meant, and no address", () => {
  const found = (text: string) => mentionsIn(text, members).map(({ from, to, agent_ids }) => [text.slice(from, to), ...agent_ids]);
  expect(found("@Jon Arden and @jon, @Jonas")).toEqual([["@Jon Arden", "agt_arden"], ["@jon", "agt_jon"]]);
  expect(found("mail jon@jon.example, @@Jon")).toEqual([]);
  expect(found("@Željka!")).toEqual([["@Željka", "agt_z"]]);
});

it("who is told is told once, and neither oneself nor who left", () => {
  expect(mentionedIn("@Jon @Mira Novak @Jon @Željka Gone", members, "agt_mira")).toEqual(["agt_jon", "agt_z"]);
});

it("of several with one name, those are told who were picked", () => {
  const twins = [...members, { id: "agt_twin", name: "jon", deactivated: false }];
  expect(mentionedIn("@Jon @Željka", twins, "agt_mira", ["agt_twin"])).toEqual(["agt_twin", "agt_z"]);
  expect(mentionedIn("@Jon", twins, "agt_mira")).toEqual(["agt_jon", "agt_twin"]);
  expect(sharedNameIn("ask @jon", twins, "agt_mira", [])).toBe("jon");
  expect(sharedNameIn("ask @jon", twins, "agt_mira", ["agt_twin"])).toBeNull();
  expect(sharedNameIn("ask @jon", twins, "agt_twin", [])).toBeNull();
  expect(sharedNameIn("ask @jon", members, "agt_mira", [])).toBeNull();
  expect(withPicked(["agt_z", "agt_jon"], "agt_twin", twins)).toEqual(["agt_z", "agt_twin"]);
});

it("names stand out in a note, and code stays as it was written", () => {
  expect(emphasized("ask @Jon Arden, or @Jon.", members)).toBe("ask **@Jon Arden**, or **@Jon**.");
  expect(emphasized("`@Jon` and @Jon", members)).toBe("`@Jon` and @Jon");
  expect(emphasized("nobody", members)).toBe("nobody");
});
