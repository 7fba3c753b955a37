import { describe, expect, it } from "vitest";
import type { Entry } from "@switchboard/protocol";

import { eventText, isSaidByNext, type Names } from "./event.ts";

const names: Names = { agent: (id) => ({ mira: "Mira", dana: "דנה כהן" })[id] ?? id, key: () => "Import", customer: "ليلى", me: "me", erased: false };
const entry = (author: unknown, content: unknown): Entry => ({ author, content, sent_at_ms: 0 }) as Entry;
const by = (agent_id: string) => ({ kind: "agent", agent_id });

describe("what the system tells", () => {
  it.each([
    [entry(by("mira"), { kind: "closed" }), "Mira closed this"],
    [entry(by("me"), { kind: "assigned", agent_id: "mira" }), "You assigned this to Mira"],
  ])("names who did it", (told, text) => {
    expect(eventText(told, names)).toBe(text);
  });

  it.each([
    [entry(by("dana"), { kind: "closed" }), "\u2068דנה כהן\u2069 closed this"],
    [entry(by("dana"), { kind: "assigned", agent_id: "me" }), "\u2068דנה כהן\u2069 assigned this to you"],
    [entry(by("mira"), { kind: "joined", agent_id: "dana" }), "Mira added \u2068דנה כהן\u2069"],
    [entry({ kind: "visitor" }, { kind: "reopened", cause: "visitor" }), "\u2068ليلى\u2069 wrote; open again"],
  ])("is turned by no name that runs from the right", (told, text) => {
    expect(eventText(told, names)).toBe(text);
  });

  const joined = entry(by("mira"), { kind: "joined", agent_id: "mira" });
  const taken = entry(by("mira"), { kind: "assigned", agent_id: "mira" });
  const given_back = entry(by("mira"), { kind: "assigned", agent_id: null, previous_id: "mira" });
  const left = entry(by("mira"), { kind: "left", agent_id: "mira" });
  it.each([
    ["who takes it joins it", joined, taken, true],
    ["who leaves gives it back", given_back, left, true],
    ["who joins and has it given to somebody else did two things", joined, entry(by("mira"), { kind: "assigned", agent_id: "dana" }), false],
    ["who joins may take it later", joined, { ...taken, sent_at_ms: 1 }, false],
    ["what two did are two things", joined, entry(by("dana"), { kind: "assigned", agent_id: "mira" }), false],
    ["the last is said by itself", joined, undefined, false],
  ])("says one act once: %s", (_, told, next, is_said) => {
    expect(isSaidByNext(told, next)).toBe(is_said);
  });
});
