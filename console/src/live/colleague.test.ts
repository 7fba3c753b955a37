/** Who is here, and where. */
import type { Agent, AgentId, Availability, Screen, SettingsPage } from "@switchboard/protocol";
import { expect, test } from "vitest";

import { colleagues, sightOf, whereabouts } from "./colleague.ts";
import { PAGES } from "../settings/pages.ts";
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

const at = (screen: Screen, settings_page: SettingsPage | null = null): Sight => ({ screen, conversation_id: null, settings_page });
const conversation: Sight = { ...at("conversation"), conversation_id: "cnv_1" };

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
  expect(sightOf("/inbox/todo")).toEqual(at("todo"));
  for (const list of ["mine", "todo"]) expect(sightOf(`/inbox/${list}/cnv_1`)).toEqual(conversation);
  expect(sightOf("/console/visitors")).toEqual(at("visitors"));
  expect(sightOf("/settings")).toEqual(at("settings"));
  expect(sightOf("/settings/team")).toEqual(at("settings", "team"));
  expect(sightOf("/settings/elsewhere")).toEqual(at("settings"));
  expect(sightOf("/")).toBe(null);
  const pages = PAGES.map(({ place }) => at("settings", place));
  const sights = [at("inbox"), at("todo"), at("conversation"), at("visitors"), at("settings"), ...pages, null];
  expect(new Set(sights.map((sight) => whereabouts(sight))).size).toBe(sights.length);
  expect(whereabouts(conversation, "Ana")).toBe("With Ana");
  expect(whereabouts(at("settings", "canned"))).toBe("Settings: Canned responses");
});
