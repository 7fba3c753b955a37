import { describe, expect, it } from "vitest";
import type { LiveVisitor } from "@switchboard/protocol";

import { visitor } from "../../test/sample.ts";
import { hostOf, noVisitors, pathOf, sourceName, sourceText, visitorOrder, withVisitorChanges, withVisitors } from "./visitors.ts";

const counts = { listed: 1, active: 1, idle: 0 };
const start = withVisitors({ filter: {}, rows: [visitor("vis_a", { version: 4 })], counts, countries: ["SI"] }, 10);
const nothing = { filter: {}, rows: [], gone: [], beyond: [], counts };

describe("the visitor list", () => {
  it("takes newer rows and leaves older ones", () => {
    const next = withVisitorChanges(start, { ...nothing, rows: [visitor("vis_a", { version: 3, page_count: 9 }), visitor("vis_b")] }, 20);
    expect(next.rows.get("vis_a")?.page_count).toBe(2);
    expect(next.rows.has("vis_b")).toBe(true);
    expect(next.heard_at_ms).toBe(20);
  });

  it("drops those who left and those who stand elsewhere, and knows which is which", () => {
    const left = withVisitorChanges(start, { ...nothing, gone: ["vis_a"] }, 20);
    const beyond = withVisitorChanges(start, { ...nothing, beyond: ["vis_a"] }, 20);
    expect([left.rows.size, beyond.rows.size]).toEqual([0, 0]);
    expect([left.gone.has("vis_a"), beyond.gone.has("vis_a")]).toEqual([true, false]);
  });

  it("remembers a bounded number of those who left", () => {
    const ids = Array.from({ length: 1_200 }, (_, index) => `vis_${index}`);
    const { gone } = withVisitorChanges(start, { ...nothing, gone: ids }, 20);
    expect([gone.size, gone.has("vis_199"), gone.has("vis_200")]).toEqual([1_000, false, true]);
  });

  it("is not changed by what is said of another part, another order or other visitors", () => {
    for (const other of [{ first: 20 }, { order: "newest" as const }, { filter: { country: "SI" } }]) {
      expect(withVisitorChanges(start, { ...nothing, rows: [visitor("vis_b")], ...other }, 20)).toBe(start);
    }
    expect(withVisitorChanges(noVisitors, { ...nothing, rows: [visitor("vis_b")] }, 20)).toBe(noVisitors);
    expect(withVisitorChanges(start, { ...nothing, order: "active", first: 0 }, 20).heard_at_ms).toBe(20);
  });

  it("keeps the countries until others are named", () => {
    const same = withVisitorChanges(start, nothing, 20);
    expect(same.countries).toEqual(["SI"]);
    expect(withVisitorChanges(same, { ...nothing, countries: ["AT"] }, 30).countries).toEqual(["AT"]);
  });

  it("shows the active before the idle, the newest first", () => {
    const rows = new Map([
      ["a", visitor("a", { entered_at_ms: 1 })],
      ["b", visitor("b", { entered_at_ms: 9, state: "idle" })],
      ["c", visitor("c", { entered_at_ms: 5 })],
    ]);
    expect(visitorOrder(rows)).toEqual(["c", "a", "b"]);
  });

  it("stands in the order that was asked for", () => {
    const rows = new Map([
      ["a", visitor("a", { entered_at_ms: 1, page_count: 2 })],
      ["b", visitor("b", { entered_at_ms: 9, page_count: 7, state: "idle" })],
      ["c", visitor("c", { entered_at_ms: 5, page_count: 3 })],
    ]);
    expect(visitorOrder(rows, "newest")).toEqual(["b", "c", "a"]);
    expect(visitorOrder(rows, "longest")).toEqual(["a", "c", "b"]);
    expect(visitorOrder(rows, "pages")).toEqual(["b", "c", "a"]);
  });
});

describe("addresses in words", () => {
  it("are paths and hosts", () => {
    expect(pathOf("https://shop.example/pricing?plan=yearly#top")).toBe("/pricing?plan=yearly");
    expect(pathOf("not an address")).toBe("not an address");
    expect(hostOf("https://www.example.com/x")).toBe("example.com");
  });
});

describe("where a visit came from", () => {
  const check = (source: LiveVisitor["source"], name: string, text = name) => {
    expect([sourceName(source), sourceText({ source })]).toEqual([name, text]);
  };

  it("is the campaign's source, or the site that led here", () => {
    check({ referrer: "https://www.duckduckgo.com/?q=chat" }, "duckduckgo.com");
    check({ utm: { source: "newsletter", medium: "email" } }, "newsletter", "newsletter · email");
    check({ utm: { source: "newsletter" }, referrer: "https://mail.example/" }, "newsletter");
    check({ utm: { campaign: "autumn" }, referrer: "https://mail.example/" }, "mail.example");
  });

  it("is whatever else is known of the campaign, which is not direct", () => {
    check({ utm: { campaign: "autumn" } }, "autumn");
    check({ utm: { campaign: "autumn", medium: "email" } }, "autumn");
    check({ utm: { medium: "email" } }, "email");
    check({ utm: { content: "", term: "smoky tea" } }, "smoky tea");
  });

  it("is direct where nothing is known, as the server's filter says", () => {
    check({}, "direct");
    check({ referrer: null, utm: {} }, "direct");
    check({ utm: { source: "", campaign: "" } }, "direct");
  });
});
