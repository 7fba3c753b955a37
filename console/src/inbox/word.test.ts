import { describe, expect, test } from "vitest";
import type { Conversation } from "@switchboard/protocol";

import { lampOf, priorityName } from "./word.ts";

const open = { state: "open", handler: "human", waiting_on: "customer", spam: false, contact_erased: false } as Conversation;

describe("the lamp of a conversation", () => {
  test("is live while the customer is here, and rings while he waits for us", () => {
    expect(lampOf(open, true).state).toBe("live");
    expect(lampOf(open, false).state).toBe("held");
    for (const here of [true, false]) expect(lampOf({ ...open, waiting_on: "agent" }, here).state).toBe("ringing");
  });

  test("is quiet where nobody waits for anybody, here or not", () => {
    for (const over of [{ state: "closed" }, { spam: true }, { contact_erased: true }] as const) {
      expect(lampOf({ ...open, ...over, waiting_on: "agent" }, true).state).toBe("quiet");
    }
    expect(lampOf({ ...open, state: "snoozed" }, true)).toEqual({ state: "held", name: "Snoozed" });
  });
});

test("the four ranks have names, and a newer server's fifth is normal", () => {
  expect([1, 2, 3, 4, 5].map(priorityName)).toEqual(["Low", "Normal", "High", "Urgent", "Normal"]);
});
