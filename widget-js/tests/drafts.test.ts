import { describe, expect, it } from "vitest";
import { Drafts } from "../src/panel/drafts.ts";
import { FakeStorage } from "./fake.ts";

describe("what is being written", () => {
  it("survives a reload for the same visitor", () => {
    const storage = new FakeStorage();
    const before = new Drafts(storage, "site_1");
    expect(before.become("vis_1")).toBeNull();
    before.write("half a");
    const after = new Drafts(storage, "site_1");
    expect(after.become("vis_1")).toBeNull();
    expect(after.text).toBe("half a");
  });

  it("goes when another visitor comes, in this page or a later one", () => {
    const storage = new FakeStorage();
    const drafts = new Drafts(storage, "site_1");
    drafts.become("vis_1");
    drafts.write("secret");
    expect(drafts.become("vis_2")).toBe("vis_1");
    expect(drafts.text).toBe("");
    drafts.write("secret too");
    expect(new Drafts(storage, "site_1").become("vis_3")).toBe("vis_2");
    const kept = Array.from({ length: storage.length }, (_, index) => storage.getItem(storage.key(index) ?? ""));
    expect(kept.join()).not.toContain("secret");
  });

  it("is what the page suggests, until the visitor writes himself", () => {
    const storage = new FakeStorage();
    const drafts = new Drafts(storage, "site_1");
    drafts.suggest("a quote for ");
    expect(drafts.text).toBe("a quote for ");
    drafts.become("vis_1");
    expect(drafts.text).toBe("a quote for ");
    // What only was suggested is no draft.
    expect(new Drafts(storage, "site_1").text).toBe("");
    drafts.write("a quote for two");
    drafts.suggest("something else");
    expect(drafts.text).toBe("a quote for two");
    drafts.write("");
    expect([drafts.text, drafts.suggested]).toEqual(["", ""]);
  });

  it("stays when it was begun before it was known who writes", () => {
    const storage = new FakeStorage();
    new Drafts(storage, "site_1").become("vis_1");
    const drafts = new Drafts(storage, "site_1");
    drafts.write("quick");
    expect(drafts.become("vis_1")).toBeNull();
    expect(drafts.text).toBe("quick");
    drafts.forget();
    expect(drafts.become("vis_2")).toBe("vis_1");
    expect(drafts.text).toBe("");
  });

  it("of another site's widget on the same page stays", () => {
    const storage = new FakeStorage();
    const [one, other] = [new Drafts(storage, "site_1"), new Drafts(storage, "site_2")];
    one.become("vis_1");
    one.write("to the shop");
    expect(other.become("vis_2")).toBeNull();
    expect(new Drafts(storage, "site_1").become("vis_1")).toBeNull();
    expect(one.text).toBe("to the shop");
  });

  it("lives as long as the page where nothing is kept", () => {
    const drafts = new Drafts(null, "site_1");
    drafts.become("vis_1");
    drafts.write("here");
    expect(drafts.text).toBe("here");
    expect(drafts.become("vis_2")).toBe("vis_1");
    expect(drafts.text).toBe("");
  });
});
