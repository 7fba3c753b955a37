import { expect, it } from "vitest";
import type { SavedView } from "@switchboard/protocol";

import { listSearch } from "./narrow.ts";
import { savedOf, searchOf, viewOf } from "./saved.ts";

const search = listSearch({ site: "site_a", agent: "agt_a", language: "de", priority: 4, when: "7d", order: "waiting" });
const view = (list: SavedView["list"]): SavedView => ({ id: "svw_a", version: 1, name: "Late", list });

it("a view is the address that was saved", () => {
  const list = savedOf("all", search);
  expect(list).toEqual({ filter: "all", site_id: "site_a", assignee_id: "agt_a", language: "de", priority: 4, span: "7d", order: "waiting" });
  expect(searchOf(list)).toEqual(search);
});

it("the view on screen is the one with the same list, narrowing and order", () => {
  const views = [view(savedOf("all", search))];
  expect(viewOf(views, "all", search)).toBe(views[0]);
  expect(viewOf(views, "mine", search)).toBeUndefined();
  expect(viewOf(views, "all", { ...search, when: "today" })).toBeUndefined();
  expect(viewOf(views, "all", { ...search, priority: 3 })).toBeUndefined();
  expect(viewOf(views, "all", { ...search, priority: undefined, priority_min: 4 })).toBeUndefined();
  const plain = [view({ filter: "mine", order: "newest" })];
  expect(viewOf(plain, "mine", listSearch({}))).toBe(plain[0]);
});

it("an order that a list has not is not saved", () => {
  expect(savedOf("closed", listSearch({ order: "waiting" }))).toEqual({ filter: "closed" });
});
