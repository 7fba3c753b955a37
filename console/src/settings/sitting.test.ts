import { describe, expect, it } from "vitest";
import type { AuditEntry } from "@switchboard/protocol";

import { changesOf } from "./change.ts";
import { sittings } from "./sitting.ts";

const MINUTE_MS = 60_000;

const line = (minute: number, changes: object | null, facts: Partial<AuditEntry> = {}): AuditEntry => ({
  id: `aud_${minute}`,
  at_ms: minute * MINUTE_MS,
  actor: "agt_1",
  action: "site.changed",
  target: "site_1",
  fields: Object.keys(changes ?? { theme: [] }),
  changes_json: changes && JSON.stringify(changes),
  address: null,
  names: {},
  ...facts,
});
const look = (minute: number, before: object, after: object) => line(minute, { theme: [before, after] });
const told = (...lines: AuditEntry[]) => sittings(lines).map((each) => [each.at_ms / MINUTE_MS, ...changesOf(each)]);

describe("what somebody changed in one sitting", () => {
  it("is read as one, from what stood before it to what stands since", () => {
    expect(told(look(12, { greeting: "Hell" }, { greeting: "Hello" }), look(11, { title: "" }, { title: "Tea" }), look(3, { greeting: "Hi" }, { greeting: "Hell" }))).toEqual([
      [12, "Title: Tea", "First words: Hi → Hello"],
    ]);
    expect(told(line(2, { name: ["Sho", "Shop"] }), line(1, { domain: ["", "tea.example"], name: ["", "Sho"] }))).toEqual([[2, "Name: Shop", "Domain: tea.example"]]);
  });

  it("ends with a pause, with somebody else, and with what is more than a change", () => {
    const [first, second] = [look(1, { color: "#1" }, { color: "#2" }), look(2, { color: "#2" }, { color: "#3" })];
    expect(told({ ...second, at_ms: 11 * MINUTE_MS }, first)).toHaveLength(1);
    expect(told({ ...second, at_ms: 11 * MINUTE_MS + 1 }, first)).toHaveLength(2);
    expect(told({ ...second, actor: "agt_2" }, first)).toHaveLength(2);
    const [archived, restored] = [line(3, { archived: [false, true] }, { action: "site.archived" }), line(4, { archived: [true, false] }, { action: "site.restored" })];
    expect(told(restored, archived, second, first)).toHaveLength(3);
    expect(told(archived, { ...archived, at_ms: MINUTE_MS })).toHaveLength(2);
    expect(told()).toEqual([]);
  });

  it("knows what was not there before, and what is put back as it was", () => {
    const set = (minute: number, before: object, after: object) => line(minute, { overrides: [before, after] });
    expect(told(set(2, { language: "de" }, { language: "uk" }), set(1, {}, { language: "de" }))).toEqual([[2, "Main language: Ukrainian"]]);
    expect(told(set(2, { language: "de" }, {}), set(1, { language: "uk" }, { language: "de" }))).toEqual([[2, "Main language: Ukrainian → nothing"]]);
    expect(told(set(2, { language: "de" }, {}), set(1, {}, { language: "de" }))).toEqual([[2]]);
    expect(told(line(2, { name: ["b", "a"] }), line(1, { name: ["a", "b"] }))).toEqual([[2]]);
  });

  it("keeps the names of its fields alone where a value is erased", () => {
    const name = line(2, { name: ["a", "b"] }, { names: { agt_1: "Ana" } });
    expect(told(name, line(1, null))).toEqual([[2, "Name, look"]]);
    expect(sittings([line(2, null), name])[0]?.names).toEqual({ agt_1: "Ana" });
  });
});
