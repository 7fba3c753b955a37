// A checker of WCAG 2.2 AA, within a page or a frame.

import { readFile } from "node:fs/promises";

import { until } from "./stack.mjs";

const axe = await readFile(new URL("./node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

/** Whether all stands still: what fades in is read badly until it is there. What moves for ever does so by design. */
const isStill = (frame) => frame.evaluate(() =>
  document.getAnimations().every(({ playState, effect }) => playState !== "running" || effect?.getComputedTiming().endTime === Infinity));

/** What it finds to blame: the rule and the elements. */
export const violations = (frame) => check(frame, ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]);

/** What it finds to blame in the colors alone. */
export const badColors = (frame) => check(frame, { type: "rule", values: ["color-contrast", "link-in-text-block"] });

/** What guards the focus of a window passes it on at once. */
async function check(frame, runOnly) {
  await until("all to stand still", () => isStill(frame));
  if (!(await frame.evaluate(() => "axe" in window))) await frame.evaluate(axe);
  const found = await frame.evaluate((runOnly) =>
    window.axe.run({ exclude: ["[data-base-ui-focus-guard]"] }, { iframes: false, resultTypes: ["violations"], runOnly }), runOnly);
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`);
}
