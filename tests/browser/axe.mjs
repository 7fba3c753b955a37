// A checker of WCAG 2.2 AA, within a page or a frame.

import { readFile } from "node:fs/promises";

import { until } from "./stack.mjs";

const axe = await readFile(new URL("./node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

/** Whether all stands still: what fades in is read badly until it is there. What moves for ever does so by design. */
const isStill = (frame) => frame.evaluate(() =>
  document.getAnimations().every(({ playState, effect }) => playState !== "running" || effect?.getComputedTiming().endTime === Infinity));

/** What it finds to blame: the rule and the elements. What guards the focus of a window passes it on at once. */
export async function violations(frame) {
  await until("all to stand still", () => isStill(frame));
  if (!(await frame.evaluate(() => "axe" in window))) await frame.evaluate(axe);
  const found = await frame.evaluate(() =>
    window.axe.run({ exclude: ["[data-base-ui-focus-guard]"] }, { iframes: false, runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`);
}
