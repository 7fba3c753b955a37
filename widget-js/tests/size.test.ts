// The budget is the product: what a page pays for the widget. Runs on the build that ships.

import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";

const dist = new URL("../dist/", import.meta.url);
const size = (path: string): number => gzipSync(readFileSync(new URL(path, dist)), { level: 9 }).length;

it("has a loader of at most 6 KB", () => {
  expect(size("loader.js")).toBeLessThanOrEqual(6 * 1_024);
});

it("has a panel of at most 45 KB, all of its scripts and styles", () => {
  const files = readdirSync(new URL("assets/", dist)).filter((name) => /\.(js|css)$/.test(name));
  expect(files.length).toBeGreaterThanOrEqual(2);
  const sum = files.reduce((bytes, name) => bytes + size(`assets/${name}`), 0);
  expect(sum).toBeLessThanOrEqual(45 * 1_024);
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
