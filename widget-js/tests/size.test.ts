// The budget is the product: what a page pays for the widget. Runs on the build that ships.

import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";

const dist = new URL("../dist/", import.meta.url);
const size = (path: string): number => gzipSync(readFileSync(new URL(path, dist)), { level: 9 }).length;

it("has a loader of at most 6 KB", () => {
  expect(size("loader.js")).toBeLessThanOrEqual(6 * 1_024);
});

it("has a panel of at most 45 KB, all of its scripts and styles with the words of the largest language", () => {
  const files = readdirSync(new URL("assets/", dist)).filter((name) => /\.(js|css)$/.test(name));
  const isWords = (name: string): boolean => /^[a-z]{2}-/.test(name);
  const words = files.filter(isWords).map((name) => size(`assets/${name}`));
  expect(words).toHaveLength(10);
  const parts = files.filter((name) => !isWords(name)).map((name) => size(`assets/${name}`));
  expect(parts.length).toBeGreaterThanOrEqual(2);
  expect(parts.reduce((sum, bytes) => sum + bytes, Math.max(...words))).toBeLessThanOrEqual(45 * 1_024);
});

it("asks for one language's words, not for all", () => {
  const page = readFileSync(new URL("panel.html", dist), "utf8");
  expect(page).not.toMatch(/\/[a-z]{2}-[\w-]+\.js/);
  const script = readdirSync(new URL("assets/", dist)).find((name) => /^panel-.*\.js$/.test(name)) ?? "";
  const text = readFileSync(new URL(`assets/${script}`, dist), "utf8");
  expect(text).not.toMatch(/How can we help|Wie k\u00f6nnen wir/);
});

it("runs nothing inline, for strict policies", () => {
  const page = readFileSync(new URL("panel.html", dist), "utf8");
  expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\son\w+=|style=/);
});

it("has nothing in the loader that a strict policy forbids, and only one global", () => {
  const loader = readFileSync(new URL("loader.js", dist), "utf8");
  expect(loader).not.toMatch(/\beval\(|new Function|innerHTML|insertAdjacentHTML|document\.write|postMessage\([^)]*[`'"]\*/);
  expect(loader).not.toMatch(/^var \w+\s*=\s*\(?function/);
});
