import { describe, expect, it } from "vitest";

import { begunText, EMPTY_DRAFT, withDraft, type Draft } from "./draft.ts";

const draft = (reply: string, changed_at_ms: number): Draft => ({ ...EMPTY_DRAFT, reply, changed_at_ms });

describe("drafts", () => {
  it("are kept per conversation and forgotten when empty", () => {
    const one = withDraft({}, "agt_1 cnv_a", draft("hello", 1));
    expect(one["agt_1 cnv_a"]?.reply).toBe("hello");
    expect(withDraft(one, "agt_1 cnv_a", draft("", 2))).toEqual({});
  });

  it("keep what is answered, also before a word is written", () => {
    const quote = { entry_id: "ent_1", kind: "message", name: "Ana", text: "Is it?" } as const;
    expect(withDraft({}, "agt_1 cnv_a", { ...draft("", 1), quote })["agt_1 cnv_a"]?.quote).toEqual(quote);
  });

  it("say in a list what was begun", () => {
    expect(begunText(draft(" It is,\nand more", 1))).toBe("It is,");
    expect(begunText({ ...EMPTY_DRAFT, note: "ask Jon" })).toBe("ask Jon");
    const file = { id: "att_1", name: "plan.pdf", media_type: "application/pdf", size_bytes: 8 };
    expect(begunText({ ...EMPTY_DRAFT, files: [file] })).toBe("plan.pdf");
    expect(begunText({ ...EMPTY_DRAFT, note: "ask Jon", files: [file] })).toBe("ask Jon");
    expect(begunText(undefined)).toBe("");
  });

  it("drop the oldest of too many", () => {
    let all: Record<string, Draft> = {};
    for (let index = 0; index < 130; index++) all = withDraft(all, `key ${index}`, draft("x", index));
    expect(Object.keys(all)).toHaveLength(100);
    expect(all["key 0"]).toBeUndefined();
    expect(all["key 129"]).toBeDefined();
  });
});
