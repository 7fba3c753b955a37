import { expect, it } from "vitest";

import { filterOf, often } from "./narrow.ts";

it("an address narrows the list by what it names, and by nothing else", () => {
  expect(filterOf({ page: "/pricing", source: "search.example", find: "ana", visitor: "vis_a", order: "pages" })).toEqual({
    page: "/pricing",
    source: "search.example",
    search: "ana",
  });
  expect(filterOf({ state: "gone", device: "toaster" })).toEqual({});
});

it("a text is cut to what the server looks for, between two letters", () => {
  const { page } = filterOf({ page: `x${"é".repeat(200)}` });
  expect(page).toBe(`x${"é".repeat(99)}`);
});

it("what stands on many rows is offered first, and each once", () => {
  expect(often(["/b", "", "/a", "/b", "/c"])).toEqual(["/b", "/a", "/c"]);
  expect(often(Array.from({ length: 50 }, (_, index) => `/${index}`)).length).toBe(20);
});
