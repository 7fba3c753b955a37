import { expect, test } from "vitest";

import { hoursText, inUse, lampOf, spentBy } from "./hours.ts";

const HOUR = 60 * 60 * 1_000;
const span = (from: number, to: number) => ({ created_at_ms: from * HOUR, seen_at_ms: to * HOUR });

test("a length is said in hours and minutes", () => {
  expect(hoursText(59 * 60_000)).toBe("59 min");
  expect(hoursText(2 * HOUR + 61_000)).toBe("2 h 1 min");
});

const by = (agent_id: string, from: number, to: number, ended_at_ms: number | null = null) => ({ ...span(from, to), id: `${agent_id} ${from}`, agent_id, address: "", user_agent: "", ended_at_ms });

test("of all of the team the longest at work stand first, and who left where he signed in", () => {
  const agent = (id: string, deactivated = false) => ({ id, name: id, deactivated });
  const team = [agent("ana"), agent("bob"), agent("cyd"), agent("dan", true), agent("eva", true)];
  const sign_ins = [by("bob", 9, 12), by("bob", 10, 13), by("dan", 9, 10, 10 * HOUR), by("cyd", 1, 2)];
  const attendance = [{ agent_id: "bob", used_ms: 4 * HOUR }, { agent_id: "dan", used_ms: HOUR }, { agent_id: "eva", used_ms: HOUR }];
  const spent = spentBy(team, sign_ins, new Set(sign_ins.slice(1, 2)), attendance);
  expect(spent.map(({ agent, ms, count, use }) => [agent.id, ms / HOUR, count, use])).toEqual([
    ["bob", 4, 2, "live"],
    ["dan", 1, 1, null],
    ["ana", 0, 0, null],
    ["cyd", 0, 1, "quiet"],
  ]);
  expect(spent[0]?.seen_at_ms).toBe(13 * HOUR);
  expect(spent[2]?.seen_at_ms).toBeNull();
});

test("in use is what was used less than five minutes ago, and the last one of whoever is here", () => {
  const now_ms = 20 * HOUR;
  const minute = 1 / 60;
  const yesterday = by("ana", 1, 2);
  const before = by("ana", 9, 20 - 5 * minute);
  const just = by("bob", 19, 20 - 4 * minute);
  const ended = by("cyd", 19, 20 - minute, now_ms - 30_000);
  const all = [yesterday, before, just, ended];
  expect([...inUse(all, new Set(), now_ms)]).toEqual([just]);
  expect([...inUse(all, new Set(["ana", "cyd"]), now_ms)]).toEqual([before, just]);
  const used = inUse(all, new Set(), now_ms);
  expect(all.map((one) => lampOf([one], used))).toEqual(["quiet", "quiet", "live", null]);
});
