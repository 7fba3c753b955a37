/** Who is here, and where. */
import type { Agent, AgentId, Availability, Screen } from "@switchboard/protocol";
import { expect, test } from "vitest";

import { colleagues, sightOf, whereabouts } from "./colleague.ts";
import type { Sight } from "./session.ts";

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

const at = (screen: Screen): Sight => ({ screen, conversation_id: null });

function named(presence: [AgentId, Availability][], screens: [AgentId, Screen][] = []) {
  const all = [agent("me", "Ana"), agent("b", "Zoe"), agent("c", "Bob"), agent("d", "Cyd"), agent("e", "Eva", true)];
  const team = { agents: new Map(all.map((each) => [each.id, each])), presence: new Map(presence), sights: new Map(screens.map(([id, screen]) => [id, at(screen)])) };
  return colleagues(team, "me").map(({ agent, isAway, sight }) => [agent.name, isAway, sight?.screen ?? null]);
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
  expect(sightOf("/inbox/all")).toEqual(at("inbox"));
  expect(sightOf("/inbox/mine/cnv_1")).toEqual({ screen: "conversation", conversation_id: "cnv_1" });
  expect(sightOf("/console/visitors")).toEqual(at("visitors"));
  expect(sightOf("/settings/team")).toEqual(at("settings"));
  expect(sightOf("/")).toBe(null);
  const sights = [at("inbox"), at("conversation"), at("visitors"), at("settings"), null];
  expect(new Set(sights.map((sight) => whereabouts(sight))).size).toBe(sights.length);
  expect(whereabouts({ screen: "conversation", conversation_id: "cnv_1" }, "Ana")).toBe("With Ana");
});
