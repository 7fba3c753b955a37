import { describe, expect, it } from "vitest";

import { conversation } from "../../test/sample.ts";
import { isUnread, mergeReads, mergeRecords } from "./record.ts";

describe("records", () => {
  it("keep the higher version, whichever door it came through", () => {
    const newer = conversation("cnv_a", { version: 5, contact_name: "Ana" });
    const known = mergeRecords(new Map(), [newer]);
    expect(mergeRecords(known, [conversation("cnv_a", { version: 4 })])).toBe(known);
    expect(mergeRecords(known, [conversation("cnv_a", { version: 6, contact_name: "Ana K." })]).get("cnv_a")?.contact_name).toBe("Ana K.");
  });
});

describe("read marks", () => {
  it("only grow", () => {
    const known = mergeReads(new Map(), { cnv_a: 7 });
    expect(mergeReads(known, { cnv_a: 5 })).toBe(known);
    expect(mergeReads(known, { cnv_a: 8 }).get("cnv_a")).toBe(8);
  });

  it("make a conversation unread exactly while the customer's last word is above them", () => {
    const row = conversation("cnv_a", { customer_seq: 4 });
    expect(isUnread(row, 3)).toBe(true);
    expect(isUnread(row, 4)).toBe(false);
    expect(isUnread(row, 9)).toBe(false);
  });

  it("stay out of what the customer never wrote in", () => {
    expect(isUnread(conversation("cnv_a", { customer_seq: 0 }), undefined)).toBe(false);
  });

  it("count as missing for a new row whose last word is the customer's, not for an answered one", () => {
    expect(isUnread(conversation("cnv_a"), undefined)).toBe(true);
    const answered = conversation("cnv_a", { waiting_on: "customer", preview: { entry_id: "ent_5", from_customer: false, text: "Yes", attachment_count: 0, sent_at_ms: 1 } });
    expect(isUnread(answered, undefined)).toBe(false);
  });
});
