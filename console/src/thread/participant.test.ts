import { describe, expect, it } from "vitest";
import type { Entry } from "@switchboard/protocol";

import { message } from "../../test/sample.ts";
import { takesPart } from "./participant.ts";

const moved = (seq: number, kind: "joined" | "left", agent_id: string): Entry => message(seq, "agent", { content: { kind, agent_id } });

describe("who takes part", () => {
  it.each([
    ["nobody who never joined", [message(1, "visitor"), moved(2, "joined", "agt_2")], false, false],
    ["whoever joined", [message(1, "visitor"), moved(2, "joined", "agt_1")], true, true],
    ["not who left again", [moved(1, "joined", "agt_1"), moved(2, "left", "agt_1"), moved(3, "joined", "agt_2")], false, false],
    ["who came back", [moved(1, "left", "agt_1"), moved(2, "joined", "agt_1")], true, true],
    ["somebody unknown while older entries are not read", [message(7, "visitor")], true, null],
  ] as const)("is %s", (_, entries, older, expected) => {
    expect(takesPart([...entries], older, "agt_1")).toBe(expected);
  });
});
