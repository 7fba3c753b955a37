import type { Command, State } from "@switchboard/protocol";
import { describe, expect, it } from "vitest";

import { wayBack } from "./back.ts";

const NOW_MS = 1_000;

const check = (state: State, snoozed_until_ms: number | null, is: State, way: readonly string[]) => {
  const words = (command: Command) => (command.do === "snooze" ? `snooze ${command.until_ms}` : command.do);
  expect(wayBack({ id: "cnv_a", state, snoozed_until_ms }, is, NOW_MS).map(words)).toEqual(way);
};

describe("the way back", () => {
  it("of what was open is to open it", () => {
    check("open", null, "closed", ["reopen"]);
    check("open", null, "snoozed", ["reopen"]);
    check("open", null, "open", []);
  });

  it("of what rested is to let it rest until the same time", () => {
    check("snoozed", 5_000, "closed", ["reopen", "snooze 5000"]);
    check("snoozed", 5_000, "snoozed", ["snooze 5000"]);
    check("snoozed", 5_000, "open", ["snooze 5000"]);
  });

  it("of what would be awake by now is to open it", () => {
    check("snoozed", NOW_MS, "closed", ["reopen"]);
    check("snoozed", NOW_MS, "snoozed", ["reopen"]);
    check("snoozed", NOW_MS, "open", []);
  });

  it("of what was closed is to close it", () => {
    check("closed", null, "open", ["close"]);
    check("closed", null, "closed", []);
  });
});
