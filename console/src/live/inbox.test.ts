import { describe, expect, it } from "vitest";

import { conversation, counts } from "../../test/sample.ts";
import { emptyInbox, sortedIds, withChanges, withOlder, withSnapshot } from "./inbox.ts";

const a1 = conversation("cnv_a", { version: 1, active_at_ms: 100 });
const a3 = conversation("cnv_a", { version: 3, active_at_ms: 300 });
const b2 = conversation("cnv_b", { version: 2, active_at_ms: 200 });
const start = withSnapshot(emptyInbox({ filter: "all" }), { filter: "all", rows: [b2, a1], cursor: "older", counts: counts(2) });

describe("the inbox list", () => {
  it("is ready with the first snapshot, last active first", () => {
    expect(start.ready).toBe(true);
    expect(sortedIds(start)).toEqual(["cnv_b", "cnv_a"]);
  });

  it("moves a row up when a newer version says it was active", () => {
    const next = withChanges(start, { filter: "all", rows: [a3], gone: [], counts: counts(2) });
    expect(sortedIds(next)).toEqual(["cnv_a", "cnv_b"]);
  });

  it("keeps the counts that it has where others could not be counted", () => {
    const next = withChanges(start, { filter: "all", rows: [a3], gone: [] });
    expect(next.counts).toEqual(counts(2));
    expect(withChanges(next, { filter: "mine", rows: [], gone: [] }).counts).toEqual(counts(2));
  });

  it("knows how many are mine and how many wait, whatever the list is narrowed to", () => {
    const told = withChanges(start, { filter: "all", rows: [], gone: [], counts: { ...counts(9), mine_anywhere: 5, waiting_anywhere: 7 } });
    expect(told.anywhere).toEqual({ mine: 5, waiting: 7 });
    const closed = emptyInbox({ filter: "closed", order: "waiting" }, told);
    expect([closed.counts?.all, closed.anywhere]).toEqual([9, told.anywhere]);
    const narrowed = emptyInbox({ filter: "all", language: "de" }, told);
    expect([narrowed.counts, narrowed.anywhere]).toEqual([null, told.anywhere]);
    const german = withSnapshot(narrowed, { filter: "all", language: "de", rows: [], counts: { ...counts(1), mine_anywhere: 6 } });
    expect([german.counts?.all, german.anywhere]).toEqual([1, { mine: 6, waiting: 0 }]);
    expect(withChanges(german, { filter: "all", language: "de", rows: [], gone: [] }).anywhere).toEqual(german.anywhere);
  });

  it("never lets older news overwrite newer, in a change or in a late snapshot", () => {
    const newer = withChanges(start, { filter: "all", rows: [a3], gone: [], counts: counts(2) });
    const late = withChanges(newer, { filter: "all", rows: [a1], gone: [], counts: counts(2) });
    expect(late.rows.get("cnv_a")?.version).toBe(3);
    const again = withSnapshot(newer, { filter: "all", rows: [a1], counts: counts(1) });
    expect(again.rows.get("cnv_a")?.version).toBe(3);
  });

  it("takes nothing of another site's list", () => {
    const of_site = emptyInbox({ filter: "all", site_id: "site_a" });
    expect(withSnapshot(of_site, { filter: "all", rows: [a1], counts: counts(1) }).ready).toBe(false);
    const own = withSnapshot(of_site, { filter: "all", site_id: "site_a", rows: [a1], counts: counts(1) });
    expect(own.rows.size).toBe(1);
    const other = withChanges(own, { filter: "all", site_id: "site_b", rows: [b2], gone: [], counts: counts(9) });
    expect(other).toBe(own);
  });

  it("takes a row out and does not let an older version bring it back", () => {
    const out = withChanges(start, { filter: "all", rows: [], gone: [{ id: "cnv_a", version: 2 }], counts: counts(1) });
    expect(out.rows.has("cnv_a")).toBe(false);
    const back = withChanges(out, { filter: "all", rows: [a1], gone: [], counts: counts(1) });
    expect(back.rows.has("cnv_a")).toBe(false);
    const older = withOlder(out, { filter: "all" }, "older", [a1], null);
    expect(older.rows.has("cnv_a")).toBe(false);
  });

  it("lets a newer version bring a row back that had left", () => {
    const out = withChanges(start, { filter: "all", rows: [], gone: [{ id: "cnv_a", version: 2 }], counts: counts(1) });
    const back = withChanges(out, { filter: "all", rows: [a3], gone: [], counts: counts(2) });
    expect(back.rows.get("cnv_a")?.version).toBe(3);
  });

  it("keeps a row whose version is newer than the one that took it out", () => {
    const newer = withChanges(start, { filter: "all", rows: [a3], gone: [], counts: counts(2) });
    const stale = withChanges(newer, { filter: "all", rows: [], gone: [{ id: "cnv_a", version: 2 }], counts: counts(2) });
    expect(stale.rows.has("cnv_a")).toBe(true);
  });

  it("takes only the counts of another filter's changes", () => {
    const next = withChanges(start, { filter: "mine", rows: [a3], gone: [{ id: "cnv_b", version: 9 }], counts: counts(7) });
    expect(next.rows).toBe(start.rows);
    expect(next.counts?.all).toBe(7);
  });

  it("ignores an older page that comes after the filter changed", () => {
    const mine = emptyInbox({ filter: "mine" });
    expect(withOlder(mine, { filter: "all" }, "older", [a1], "next")).toBe(mine);
  });

  it("ends when the last older page has no cursor", () => {
    const more = withOlder(start, { filter: "all" }, "older", [], "next");
    expect(more.cursor).toBe("next");
    expect(withOlder(more, { filter: "all" }, "next", [], null).cursor).toBe(null);
  });

  it("goes on behind its snapshot, and takes no page twice or of a place it has left", () => {
    expect(start.cursor).toBe("older");
    const c1 = conversation("cnv_c", { active_at_ms: 50 });
    const next = withOlder(start, { filter: "all" }, "older", [c1], "oldest");
    expect(sortedIds(next)).toEqual(["cnv_b", "cnv_a", "cnv_c"]);
    expect(withOlder(next, { filter: "all" }, "older", [c1], "oldest")).toBe(next);
    // A page that was on its way while the list began anew would leave a hole before it.
    const anew = withSnapshot(next, { filter: "all", rows: [a3, b2], cursor: "anew", counts: counts(9) });
    expect(withOlder(anew, { filter: "all" }, "oldest", [c1], null)).toBe(anew);
  });

  it("stands in the order that was asked for", () => {
    const list = { filter: "all", order: "waiting" } as const;
    const rows = [
      conversation("cnv_answered", { waiting_on: "customer", waiting_since_at_ms: 1, active_at_ms: 90 }),
      conversation("cnv_long", { waiting_since_at_ms: 5, active_at_ms: 100 }),
      conversation("cnv_short", { waiting_since_at_ms: 50, active_at_ms: 50 }),
    ];
    const waiting = withSnapshot(emptyInbox(list), { ...list, rows, counts: counts(3) });
    expect(sortedIds(waiting)).toEqual(["cnv_long", "cnv_short", "cnv_answered"]);
    const oldest = withSnapshot(emptyInbox({ filter: "all", order: "oldest" }), { filter: "all", order: "oldest", rows, counts: counts(3) });
    expect(sortedIds(oldest)).toEqual(["cnv_short", "cnv_answered", "cnv_long"]);
  });

  it("shows no row behind those that are not known yet, until their page comes", () => {
    const list = { filter: "all", order: "oldest" } as const;
    const [one, two] = [conversation("cnv_1", { active_at_ms: 1 }), conversation("cnv_2", { active_at_ms: 2 })];
    const first = withSnapshot(emptyInbox(list), { ...list, rows: [one, two], cursor: "older", counts: counts(4) });
    const active = withChanges(first, { ...list, rows: [conversation("cnv_1", { version: 2, active_at_ms: 9 })], gone: [], counts: counts(4) });
    expect(sortedIds(active)).toEqual(["cnv_2"]);
    const next = withOlder(active, list, "older", [conversation("cnv_3", { active_at_ms: 3 }), conversation("cnv_4", { active_at_ms: 4 })], null);
    expect(sortedIds(next)).toEqual(["cnv_2", "cnv_3", "cnv_4", "cnv_1"]);
  });
});
