import { describe, expect, it } from "vitest";

import { listOf, listSearch, narrowedBy, searchNarrowing } from "./narrow.ts";

const noon = new Date(2026, 10, 26, 12).getTime();
const midnight = (day: number) => new Date(2026, 10, day).getTime();

describe("the list of an address", () => {
  it("is narrowed by what the address says", () => {
    const search = listSearch({ site: "site_a", agent: "agt_a", language: "de", order: "waiting", q: "tea" });
    expect(listOf("all", search, noon)).toEqual({ filter: "all", site_id: "site_a", assignee_id: "agt_a", language: "de", order: "waiting" });
    expect(narrowedBy(search)).toBe(3);
  });

  it("is of one priority, if there is such a one", () => {
    expect(listOf("mine", listSearch({ priority: 4 }), noon)).toEqual({ filter: "mine", priority: 4 });
    expect(narrowedBy(listSearch({ priority: 1 }))).toBe(1);
    for (const priority of [0, 5, 1.5, -1, "4"]) expect(listSearch({ priority }).priority).toBeUndefined();
  });

  it("is of a priority and those above it, which is one thing that narrows", () => {
    const search = listSearch({ priority_min: 3 });
    expect(listOf("all", search, noon)).toEqual({ filter: "all", priority_min: 3 });
    expect(narrowedBy(search)).toBe(1);
    for (const priority_min of [0, 5, "3"]) expect(listSearch({ priority_min }).priority_min).toBeUndefined();
  });

  it("narrows a search as it narrows a list, in whichever order", () => {
    const search = listSearch({ site: "site_a", agent: "agt_a", language: "de", priority: 3, when: "..2026-11-05", order: "waiting" });
    expect(searchNarrowing(search, noon)).toEqual({ site_id: "site_a", assignee_id: "agt_a", language: "de", priority: 3, until_ms: midnight(6) });
    expect(searchNarrowing(listSearch({}), noon)).toEqual({});
  });

  it("begins with a day that is reckoned from today", () => {
    expect(listOf("all", listSearch({ when: "today" }), noon).since_ms).toBe(midnight(26));
    expect(listOf("all", listSearch({ when: "7d" }), noon).since_ms).toBe(midnight(20));
  });

  it("holds both days of a span, and one end may be open", () => {
    expect(listOf("closed", listSearch({ when: "2026-11-01..2026-11-05" }), noon)).toEqual({ filter: "closed", since_ms: midnight(1), until_ms: midnight(6) });
    expect(listOf("closed", listSearch({ when: "..2026-11-05" }), noon)).toEqual({ filter: "closed", until_ms: midnight(6) });
  });

  it("leaves out what is no word of ours", () => {
    const odd = listSearch({ site: 7, language: "DE", when: "someday", order: "random" });
    expect(listOf("all", odd, noon)).toEqual({ filter: "all" });
    expect(listSearch({ when: ".." }).when).toBeUndefined();
    expect(listOf("all", listSearch({ when: "2026-99-01.." }), noon)).toEqual({ filter: "all" });
  });

  it("has no order of waiting where nobody waits", () => {
    expect(listOf("closed", listSearch({ order: "waiting" }), noon)).toEqual({ filter: "closed" });
    expect(listOf("closed", listSearch({ order: "oldest" }), noon).order).toBe("oldest");
  });
});
