import { describe, expect, it } from "vitest";
import type { Entry } from "@switchboard/protocol";

import { eventText, type Names } from "./event.ts";

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
});
