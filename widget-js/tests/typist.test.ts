import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Typist, type Said } from "../src/panel/typist.ts";

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

function typist(isSeen: boolean): { it: Typist; said: Said[]; site: { isSeen: boolean } } {
  const said: Said[] = [];
  const site = { isSeen };
  return { it: new Typist(() => site.isSeen, (each) => said.push(each)), said, site };
}

test("where the team does not see the words, none leave the browser", () => {
  const { it, said } = typist(false);
  it.typed("my pass");
  it.typed("my password");
  vi.advanceTimersByTime(2_000);
  it.typed("my password is");
  expect(said).toEqual([{ active: true }, { active: true }]);
});

test("words are said at most every two seconds, the last ones, too", () => {
  const { it, said } = typist(true);
  for (const text of ["a", "ab", "abc"]) it.typed(text);
  expect(said).toEqual([{ active: true, text: "a" }]);
  vi.advanceTimersByTime(1_999);
  expect(said.length).toBe(1);
  vi.advanceTimersByTime(1);
  expect(said.slice(1)).toEqual([{ active: true, text: "abc" }]);
  vi.advanceTimersByTime(5_000);
  expect(said.slice(2)).toEqual([{ active: false }]);
});

test("what is emptied, sent or turned off is said no more", () => {
  const { it, said, site } = typist(true);
  it.typed("a");
  it.typed("ab");
  it.typed("");
  vi.advanceTimersByTime(10_000);
  expect(said).toEqual([{ active: true, text: "a" }, { active: false }]);
  it.typed("c");
  it.typed("cd");
  site.isSeen = false;
  vi.advanceTimersByTime(2_000);
  expect(said.slice(2)).toEqual([{ active: true, text: "c" }, { active: true }]);
});

test("of a long text the end is said, and no half of a sign", () => {
  const { it, said } = typist(true);
  it.typed(`x${"\u{1f375}".repeat(200)}y`);
  expect(said[0]?.text).toBe(`${"\u{1f375}".repeat(149)}y`);
});
