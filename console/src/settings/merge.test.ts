import { describe, expect, it } from "vitest";

import { begunIn, bodyOf, followed, isSame, joined, metIn, sinceBegun, touchesOf, withTouches } from "./merge.ts";

const site = { name: "Shop", allowed_origins: ["https://a.example"], theme: { title: "", color: "#111111", asks: { name: "never", email: "never" } } };
const theirs = { ...site, theme: { ...site.theme, title: "Theirs", asks: { name: "never", email: "needed" } } };

describe("of a whole part that a form sends", () => {
  const touches = touchesOf({ theme: { ...site.theme, color: "#222222", asks: { ...site.theme.asks, name: "needed" } } }, site);

  it("only what differs counts as changed", () => expect([...touches.keys()]).toEqual(["theme.color", "theme.asks.name"]));

  it("what a colleague put elsewhere stays", () => {
    expect(bodyOf(touches, theirs)).toEqual({ theme: { title: "Theirs", color: "#222222", asks: { name: "needed", email: "needed" } } });
    expect(metIn(touches, theirs)).toEqual([]);
  });

  it("nothing differs in what stands there already, with or without spaces around it", () => {
    expect(touchesOf({ name: "Shop ", theme: site.theme }, site).size).toBe(0);
    expect(isSame(undefined, null)).toBe(true);
    expect(isSame("", null)).toBe(false);
  });
});

describe("where both changed one thing", () => {
  it("mine is sent, and theirs is told", () => {
    const mine = touchesOf({ theme: { ...site.theme, title: "Mine" } }, site);
    expect(metIn(mine, theirs)).toEqual([{ leaf: "theme.title", theirs: "Theirs" }]);
    expect(bodyOf(mine, theirs).theme).toMatchObject({ title: "Mine", asks: { email: "needed" } });
  });

  it("the same words from both are no news", () => expect(metIn(touchesOf({ theme: { ...site.theme, title: "Theirs" } }, site), theirs)).toEqual([]));

  it("a list is one thing", () => {
    const mine = touchesOf({ allowed_origins: ["https://a.example", "https://b.example"] }, site);
    const newest = { ...site, allowed_origins: [] };
    expect(metIn(mine, newest)).toEqual([{ leaf: "allowed_origins", theirs: [] }]);
  });
});

it("two changes of one thing rest on what stood there first", () => {
  const first = touchesOf({ name: "Sho" }, site);
  const then = touchesOf({ name: "Shops" }, withTouches(site, first));
  expect(joined(first, then).get("name")).toEqual({ before: "Shop", mine: "Shops" });
});

it("what is begun and not sent yet rests on what stood there when it was begun", () => {
  const half = { theme: { ...site.theme, color: "#22" } };
  const begun = begunIn(new Map(), half, new Map(), site);
  expect([...begun]).toEqual([["theme.color", "#111111"]]);
  const newest = { ...site, theme: { ...site.theme, color: "#333333" } };
  const done = touchesOf({ theme: { ...site.theme, color: "#222222" } }, newest);
  expect(metIn(sinceBegun(done, begun), newest)).toEqual([{ leaf: "theme.color", theirs: "#333333" }]);
  expect(begunIn(begun, half, done, newest).size).toBe(0);
  // A form beside it says nothing of it; taken back, it is as if it never was.
  expect(begunIn(begun, { name: "Shop" }, new Map(), newest).size).toBe(1);
  expect(begunIn(begun, { theme: newest.theme }, new Map(), newest).size).toBe(0);
});

it("a form follows where nobody touched it, and keeps what is written in it", () => {
  const form = { ...site.theme, color: "#22" };
  expect(followed(form, site.theme, theirs.theme)).toEqual({ ...theirs.theme, color: "#22" });
  expect(followed("Shop", "Shop", "Store")).toBe("Store");
  expect(followed("Shops", "Shop", "Store")).toBe("Shops");
});
