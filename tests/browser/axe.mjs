// A checker of WCAG 2.2 AA, within a page or a frame.

import { readFile } from "node:fs/promises";

import { until } from "./stack.mjs";

const axe = await readFile(new URL("./node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

/** Whether all stands still: what fades in is read badly until it is there. What moves for ever does so by design. */
const isStill = (frame) => frame.evaluate(() =>
  document.getAnimations().every(({ playState, effect }) => playState !== "running" || effect?.getComputedTiming().endTime === Infinity));

const all = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** What it finds to blame: the rule and the elements; of the whole frame, or of what a selector finds. */
export const violations = (frame, within) => check(frame, all, within);

/** What it finds to blame in the colors alone. */
export const badColors = (frame, within) => check(frame, { type: "rule", values: ["color-contrast", "link-in-text-block"] }, within);

/** What it finds to blame in what depends on the room: colors over what shines through, what one hits, and what scrolls. */
export const badForRoom = (frame) => check(frame, { type: "rule", values: ["color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable"] });

/** What guards the focus of a window passes it on at once. */
async function check(frame, runOnly, within) {
  await until("all to stand still", () => isStill(frame));
  if (!(await frame.evaluate(() => "axe" in window))) await frame.evaluate(axe);
  const found = await frame.evaluate(([runOnly, within]) =>
    window.axe.run({ ...(within && { include: [within] }), exclude: ["[data-base-ui-focus-guard]"] }, { iframes: false, resultTypes: ["violations"], runOnly }), [runOnly, within]);
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`);
}
