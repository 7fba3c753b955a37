import { describe, expect, it } from "vitest";
import type { Todo, TodoFilter } from "@switchboard/protocol";

import { isUnread, todoFilterOf, withMark } from "./word.ts";

const todo = (entry_id: string, more: Partial<Todo> = {}): Todo => ({
  entry_id,
  kind: "mention",
  conversation_id: "cnv_1",
  seq: 5,
  state: "open",
  contact_name: "Ana",
  author: { kind: "agent", agent_id: "agt_jon" },
  text: "see",
  at_ms: 1,
  read: false,
  done: false,
  ...more,
});

it("is unread until I have read as far, said so, or done it", () => {
  expect(isUnread(todo("a"), undefined)).toBe(true);
  expect(isUnread(todo("a"), 4)).toBe(true);
  expect(isUnread(todo("a"), 5)).toBe(false);
  expect(isUnread(todo("a", { read: true }), undefined)).toBe(false);
  expect(isUnread(todo("a", { done: true }), undefined)).toBe(false);
});

describe("what is marked", () => {
  const rows = [todo("a"), todo("b"), todo("c", { read: true })];
  const ids = (filter: TodoFilter, marked: string[], mark: "read" | "done" | "open", of = rows) => withMark(of, filter, new Set(marked), mark).map((each) => each.entry_id);

  it("leaves the lists that it fits no longer, and moves nothing else", () => {
    expect(ids("all", ["a"], "read")).toEqual(["a", "b", "c"]);
    expect(ids("unread", ["a"], "read")).toEqual(["b", "c"]);
    expect(ids("all", ["a", "c"], "done")).toEqual(["b"]);
    const done = [todo("d", { read: true, done: true }), todo("e", { read: true, done: true })];
    expect(ids("done", ["d"], "open", done)).toEqual(["e"]);
    expect(ids("done", ["d"], "done", done)).toEqual(["d", "e"]);
  });

  it("is read, whatever was said of it", () => {
    expect(withMark([todo("a")], "all", new Set(["a"]), "read")[0]).toEqual(todo("a", { read: true }));
    expect(withMark([todo("a")], "all", new Set(["x"]), "done")).toEqual([todo("a")]);
    expect(withMark([todo("a")], "mentions", new Set(["a"]), "read")).toHaveLength(1);
    expect(withMark([todo("a")], "mentions", new Set(["a"]), "done")).toEqual([]);
  });
});

it("an address names a list, or means all", () => {
  expect(["done", "unread", undefined, "mine"].map(todoFilterOf)).toEqual(["done", "unread", "all", "all"]);
});
