import { expect, test } from "vitest";

import { changeOf, meanwhile, taken, type Facts } from "./edit.ts";

const facts = (more: Partial<Facts> = {}): Facts => ({ name: "Ana", email: "", phone: "", company: "Shop", ...more });

test("a field that nobody touched follows the record, and is not saved", () => {
  const edited = taken({ before: facts(), form: facts({ phone: "1" }) }, facts({ name: "Ana Kovač" }));
  expect(edited.form).toEqual(facts({ name: "Ana Kovač", phone: "1" }));
  expect(changeOf(edited, facts({ name: "Ana Kovač" }))).toEqual({ phone: "1" });
  expect(meanwhile(edited, facts({ name: "Ana Kovač" }))).toEqual({});
});

test("a field that both changed is told, and the last write is the one that was told", () => {
  const stored = facts({ company: "Theirs" });
  const edited = taken({ before: facts(), form: facts({ company: "Mine" }) }, stored);
  expect(edited.form.company).toBe("Mine");
  expect(meanwhile(edited, stored)).toEqual({ company: "Theirs" });
  expect(changeOf(edited, stored)).toEqual({ company: "Mine" });
});

test("what both wrote alike is no news and no change", () => {
  const stored = facts({ company: "" });
  const edited = taken({ before: facts(), form: facts({ company: "" }) }, stored);
  expect(meanwhile(edited, stored)).toEqual({});
  expect(changeOf(edited, stored)).toEqual({});
});
