// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { followPages, isDoNotTrack } from "../src/loader/pages.ts";
import type { Page } from "../src/protocol.ts";

const pages: Page[] = [];
let end: () => void = () => undefined;
const original = history.pushState;

beforeEach(() => {
  vi.useFakeTimers();
  pages.length = 0;
  end = followPages((page) => pages.push(page));
});

afterEach(() => {
  end();
  vi.useRealTimers();
});

const paths = (): string[] => pages.map(({ url }) => new URL(url, "http://x").pathname);

it("counts a route change, with the title that is set after it", () => {
  history.pushState(null, "", "/pricing");
  document.title = "Pricing";
  vi.runAllTimers();
  expect(pages).toMatchObject([{ title: "Pricing" }]);
  expect(paths()).toEqual(["/pricing"]);
});

it("counts one address once, and only the last of a chain of redirects", () => {
  history.pushState(null, "", "/a");
  history.replaceState(null, "", "/b");
  history.replaceState({ scroll: 10 }, "", "/b");
  vi.runAllTimers();
  history.replaceState({ scroll: 20 }, "", "/b");
  vi.runAllTimers();
  expect(paths()).toEqual(["/b"]);
});

it("takes a fragment for a page only where it is a route", () => {
  history.pushState(null, "", "/docs");
  vi.runAllTimers();
  history.pushState(null, "", "/docs#chapter-2");
  vi.runAllTimers();
  history.pushState(null, "", "/docs#/orders");
  vi.runAllTimers();
  expect(pages).toHaveLength(2);
});

it("puts back what it patched, and is silent afterwards", () => {
  expect(history.pushState).not.toBe(original);
  end();
  expect(history.pushState).toBe(original);
  history.pushState(null, "", "/after");
  vi.runAllTimers();
  expect(pages).toEqual([]);
});

it("leaves a later patch of somebody else in place, and only passes through", () => {
  const ours = history.pushState;
  const theirs: typeof history.pushState = function (this: History, ...call) {
    ours.apply(this, call);
  };
  history.pushState = theirs;
  end();
  expect(history.pushState).toBe(theirs);
  history.pushState(null, "", "/after");
  vi.runAllTimers();
  expect(pages).toEqual([]);
  history.pushState = original;
});

it.each([
  ["1", undefined, true],
  [null, true, true],
  [null, undefined, false],
  ["0", false, false],
])("reads Do Not Track %s and Global Privacy Control %s", (doNotTrack, globalPrivacyControl, quiet) => {
  vi.stubGlobal("navigator", { doNotTrack, globalPrivacyControl });
  expect(isDoNotTrack()).toBe(quiet);
  vi.unstubAllGlobals();
});
