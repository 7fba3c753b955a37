import { expect, it } from "vitest";

import { touchesOf } from "./merge.ts";
import { parted, stillRefused, withRefused, worthSending } from "./refusal.ts";

const site = { name: "Shop", archived: false, theme: { title: "", color: "#111111", asks: { name: "never" } } };
const touches = touchesOf({ name: "Shops", theme: { ...site.theme, title: "long", color: "#222222" } }, site);
const refused = (field: string | null, is_passing = false) => parted(touches, { error: "no", field, is_passing });

it("what is named is refused, and the rest may go without it", () => {
  const { refused: wrong, others } = refused("title");
  expect([...wrong]).toEqual([["theme.title", { before: "", mine: "long", error: "no", fault: "value" }]]);
  expect([...others.keys()]).toEqual(["name", "theme.color"]);
  expect([...refused("questions[2].label").others]).toEqual([]);
});

it("where nothing of it is named, or the moment is wrong, all of it is refused", () => {
  for (const [field, is_passing, fault] of [[null, false, "change"], ["including_me", false, "change"], ["title", true, "moment"]] as const) {
    const { refused: all, others } = refused(field, is_passing);
    expect([...all.values()].map((each) => each.fault)).toEqual([fault, fault, fault]);
    expect(others.size).toBe(0);
  }
});

it("a refusal lasts until the form shows what is stored, or that is stored", () => {
  const { refused: wrong } = refused("title");
  // Another field, the same words once more, and a form that says nothing of it.
  expect(stillRefused(wrong, site, { name: "Shops" }).size).toBe(1);
  expect(stillRefused(wrong, site, { theme: { ...site.theme, title: "long" } }).size).toBe(1);
  expect(stillRefused(wrong, site).size).toBe(1);
  expect(stillRefused(wrong, site, { theme: site.theme }).size).toBe(0);
  expect(stillRefused(wrong, { ...site, theme: { ...site.theme, title: "long" } }).size).toBe(0);
});

it("a whole part does not carry along what was refused in it, unless it is another by now", () => {
  const { refused: wrong } = refused("title");
  const part = (title: string) => touchesOf({ theme: { ...site.theme, title, color: "#333333" } }, site);
  expect([...worthSending(part("long"), wrong).keys()]).toEqual(["theme.color"]);
  expect([...worthSending(part("short"), wrong).keys()]).toEqual(["theme.title", "theme.color"]);
  // A thing of its own is pressed again on purpose, and what only came at a bad moment goes along.
  const archived = touchesOf({ archived: true }, site);
  expect(worthSending(archived, parted(archived, { error: "no", field: null, is_passing: false }).refused).size).toBe(1);
  expect(worthSending(part("long"), refused(null, true).refused).size).toBe(2);
});

it("what came at a bad moment goes with the next change, on what stood there first", () => {
  const then = touchesOf({ theme: { ...site.theme, title: "longer" } }, site);
  expect(withRefused(then, refused(null, true).refused, ["moment"]).get("theme.title")).toEqual({ before: "", mine: "longer" });
  expect([...withRefused(then, refused(null).refused, ["moment"]).keys()]).toEqual(["theme.title"]);
  expect([...withRefused(new Map(), refused(null).refused, ["moment", "change"]).keys()]).toEqual(["name", "theme.title", "theme.color"]);
});
