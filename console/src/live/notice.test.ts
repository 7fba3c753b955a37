import { describe, expect, it } from "vitest";

import { conversation } from "../../test/sample.ts";
import { listOfNotices, noticesOf } from "./notice.ts";

const known = new Map([["cnv_a", conversation("cnv_a", { customer_seq: 4, assignee_id: "agt_1" })]]);
const said = (facts: Parameters<typeof conversation>[1] = {}) => [conversation("cnv_a", { customer_seq: 6, assignee_id: "agt_1", ...facts })];
const told = (rows: Parameters<typeof noticesOf>[1], whose: "mine" | "open" | "all" = "open") => noticesOf(known, rows, "agt_1", whose).map(({ text }) => text);

it("what is watched for it has all that one wants to hear of, and nothing where nothing is to call", () => {
  const silent = { desktop: false, sound: false };
  expect(listOfNotices({ ...silent, whose: "all" })).toBeNull();
  expect(listOfNotices({ ...silent, sound: true, whose: "mine" })).toEqual({ filter: "mine" });
  for (const whose of ["open", "all"] as const) expect(listOfNotices({ ...silent, desktop: true, whose })).toEqual({ filter: "all" });
});

describe("one is called back", () => {
  it("for new words of a customer, once", () => {
    expect(told(said())).toEqual(["Is there a yearly plan?"]);
    expect(told(said({ customer_seq: 4 }))).toEqual([]);
  });

  it("for a conversation that is new", () => expect(told([conversation("cnv_b", { assignee_id: null })])).toHaveLength(1));

  it("not for one's own words, nor what is over, spam or erased", () => {
    const preview = { entry_id: "ent_6", from_customer: false, text: "Yes", attachment_count: 0, sent_at_ms: 0 };
    expect(told(said({ preview }))).toEqual([]);
    expect(told(said({ state: "closed" }))).toEqual([]);
    expect(told(said({ spam: true }))).toEqual([]);
    expect(told(said({ contact_erased: true }))).toEqual([]);
  });

  it("for those that concern one", () => {
    expect(told(said({ assignee_id: "agt_2" }))).toEqual([]);
    expect(told(said({ assignee_id: "agt_2" }), "all")).toHaveLength(1);
    expect(told(said({ assignee_id: null }), "mine")).toEqual([]);
    expect(told(said({ assignee_id: null }))).toHaveLength(1);
  });

  it("for a file without words", () => {
    const preview = { entry_id: "ent_6", from_customer: true, text: "", attachment_count: 1, sent_at_ms: 0 };
    expect(told(said({ preview }))).toEqual(["Sent a file"]);
  });
});
