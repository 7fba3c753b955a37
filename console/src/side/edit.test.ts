import { expect, test } from "vitest";

import { meanwhile, taken, withTheirs, type Facts } from "../part/edit.ts";
import { attributeKey, attributesIn, changeOf, factsOf } from "./edit.ts";

const facts = (more: Facts = {}): Facts => ({ name: "Ana", email: "", phone: "", company: "Shop", ...more });

test("a field that nobody touched follows the record, and is not saved", () => {
  const edited = taken({ before: facts(), form: facts({ phone: "1" }) }, facts({ name: "Ana Kovač" }));
  expect(edited.form).toEqual(facts({ name: "Ana Kovač", phone: "1" }));
  expect(changeOf(edited, facts({ name: "Ana Kovač" }))).toEqual({ phone: "1" });
  expect(meanwhile(edited, facts({ name: "Ana Kovač" }))).toEqual({});
});

test("a field that both changed is told, and the last write is the one that was told", () => {
  const stored = facts({ company: "Theirs" });
  const edited = taken({ before: facts(), form: facts({ company: "Mine" }) }, stored);
  expect(edited.form["company"]).toBe("Mine");
  expect(meanwhile(edited, stored)).toEqual({ company: "Theirs" });
  expect(changeOf(edited, stored)).toEqual({ company: "Mine" });
  const theirs = withTheirs(edited, "company", "Theirs");
  expect([meanwhile(theirs, stored), changeOf(theirs, stored)]).toEqual([{}, {}]);
});

test("what both wrote alike is no news and no change", () => {
  const stored = facts({ company: "" });
  const edited = taken({ before: facts(), form: facts({ company: "" }) }, stored);
  expect(meanwhile(edited, stored)).toEqual({});
  expect(changeOf(edited, stored)).toEqual({});
});

test("attributes are facts like others: changed in their kind, added, and taken away by emptying them", () => {
  const attributes = { plan: "team", seats: 7, paid: true };
  const stored = factsOf({ name: "Ana", attributes });
  const form = { ...stored, [attributeKey("seats")]: "8", [attributeKey("paid")]: "no", [attributeKey("plan")]: " ", [attributeKey("name")]: "of the cat" };
  const edited = { before: stored, form };
  expect(attributesIn(edited)).toEqual(["name", "paid", "plan", "seats"]);
  expect(changeOf(edited, stored, attributes)).toEqual({ attributes: { seats: 8, paid: false, plan: "", name: "of the cat" } });
  expect(changeOf({ before: stored, form: { ...stored, [attributeKey("seats")]: "many" } }, stored, attributes)).toEqual({ attributes: { seats: "many" } });
});

test("an attribute that a colleague took away leaves, and is told where it was touched here", () => {
  const before = factsOf({ name: "Ana", attributes: { plan: "team", seats: 7 } });
  const now = factsOf({ name: "Ana", attributes: {} });
  const edited = taken({ before, form: { ...before, [attributeKey("plan")]: "solo" } }, now);
  expect(attributesIn(edited)).toEqual(["plan"]);
  expect(meanwhile(edited, now)).toEqual({ [attributeKey("plan")]: "" });
});
