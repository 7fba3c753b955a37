import { expect, it } from "vitest";
import { contrast, inkOn, luminance, PAPER, readableOn, safeColor } from "../src/color.ts";

const colors = ["#000000", "#ffffff", "#0f4c5c", "#ffcc00", "#767676", "#777777", "#808080", "#ff0000", "#00ff00", "#7b61ff"];

it.each(colors)("writes readably on %s", (color) => {
  expect(contrast(luminance(inkOn(color)), luminance(color))).toBeGreaterThanOrEqual(4.5);
});

it.each(colors)("makes %s readable on paper and ink", (color) => {
  for (const paper of Object.values(PAPER)) {
    expect(contrast(luminance(readableOn(color, paper)), luminance(paper))).toBeGreaterThanOrEqual(4.5);
  }
});

it("writes readably on every grey", () => {
  for (let value = 0; value < 256; value += 1) {
    const color = `#${value.toString(16).padStart(2, "0").repeat(3)}`;
    expect(contrast(luminance(inkOn(color)), luminance(color))).toBeGreaterThanOrEqual(4.5);
  }
});

it("takes nothing but a colour for a colour", () => {
  expect(safeColor("red;background:url(//evil)")).toBe("#0f4c5c");
  expect(safeColor("#12345")).toBe("#0f4c5c");
  expect(safeColor("#A1B2C3")).toBe("#A1B2C3");
});
