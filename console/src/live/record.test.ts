import { describe, expect, it } from "vitest";

import { conversation } from "../../test/sample.ts";
import { isUnread, mergeNames, mergeReads, mergeRecords, nameRecords } from "./record.ts";

const nobody = new Map();

describe("records", () => {
  it("keep the higher version, whichever door it came through", () => {
    const known = mergeRecords(new Map(), [conversation("cnv_a", { version: 5, seq: 5 })], nobody);
    expect(mergeRecords(known, [conversation("cnv_a", { version: 4, seq: 4 })], nobody)).toBe(known);
    expect(mergeRecords(known, [conversation("cnv_a", { version: 6, seq: 6 })], nobody).get("cnv_a")?.seq).toBe(6);
  });
});

describe("names", () => {
  const ana = conversation("cnv_a", { version: 5, contact_version: 2 });
  const other = conversation("cnv_b", { version: 9, contact_id: "con_bo", contact_name: "Bo" });
  const known = mergeRecords(new Map(), [ana, other], nobody);
  const heard = mergeNames(nobody, [["con_ana", { name: "Ana Horvat", version: 3, erased: false }]]);

  it("change in all rows of the contact and in no other", () => {
    const named = nameRecords(known, heard);
    expect(named.get("cnv_a")?.contact_name).toBe("Ana Horvat");
    expect(named.get("cnv_b")).toBe(other);
    expect(nameRecords(named, heard)).toBe(named);
  });

  it("never go back, whether an older row or older news comes later", () => {
    const late = mergeRecords(known, [conversation("cnv_a", { version: 6, contact_version: 2 })], heard);
    expect(late.get("cnv_a")).toMatchObject({ version: 6, contact_name: "Ana Horvat" });
    expect(mergeNames(heard, [["con_ana", { name: "Ana Kovač", version: 2, erased: false }]])).toBe(heard);
  });

  it("of the erased take everything along, and nobody waits", () => {
    const erased = mergeNames(heard, [["con_ana", { name: "Visitor 4F2A", version: 4, erased: true }]]);
    const row = nameRecords(known, erased).get("cnv_a");
    expect(row).toMatchObject({ contact_name: "Visitor 4F2A", contact_erased: true, state: "closed", preview: { text: "" } });
    expect(row && isUnread(row, 0)).toBe(false);
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
