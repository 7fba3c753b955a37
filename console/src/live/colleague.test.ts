/** Who is here, and where. */
import type { Agent, AgentId, Availability, Screen } from "@switchboard/protocol";
import { expect, test } from "vitest";

import { colleagues, screenOf, whereabouts } from "./colleague.ts";

const agent = (id: string, name: string, deactivated = false): Agent => ({
  id,
  version: 1,
  user_id: "usr_1",
  name,
  email: `${id}@shop.example`,
  role: "agent",
  grants: [],
  time_zone: "UTC",
  deactivated,
  created_at_ms: 0,
});

function named(presence: [AgentId, Availability][], screens: [AgentId, Screen][] = []) {
  const all = [agent("me", "Ana"), agent("b", "Zoe"), agent("c", "Bob"), agent("d", "Cyd"), agent("e", "Eva", true)];
  const team = { agents: new Map(all.map((each) => [each.id, each])), presence: new Map(presence), screens: new Map(screens) };
  return colleagues(team, "me").map(({ agent, isAway, screen }) => [agent.name, isAway, screen]);
}

test("who is here stands there without me, those to be reached first", () => {
  expect(
    named(
      [
        ["me", "online"],
        ["b", "online"],
        ["c", "away"],
        ["d", "online"],
        ["e", "online"],
      ],
      [["d", "visitors"]],
    ),
  ).toEqual([
    ["Cyd", false, "visitors"],
    ["Zoe", false, null],
    ["Bob", true, null],
  ]);
  expect(named([["b", "offline"]])).toEqual([]);
});

test("an address shows a screen, and each has words", () => {
  expect(screenOf("/inbox/all")).toBe("inbox");
  expect(screenOf("/inbox/mine/cnv_1")).toBe("conversation");
  expect(screenOf("/console/visitors")).toBe("visitors");
  expect(screenOf("/settings/team")).toBe("settings");
  expect(screenOf("/")).toBe(null);
  const screens: (Screen | null)[] = ["inbox", "conversation", "visitors", "settings", null];
  expect(new Set(screens.map(whereabouts)).size).toBe(screens.length);
});
