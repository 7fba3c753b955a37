// What an agent chooses for his own screen: its theme, and how wide its panes are.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Stack, openRow, say, showSide, until } from "../stack.mjs";

let stack;
before(async () => (stack = await Stack.start()));
after(() => stack.stop());

const isDark = (page) => page.evaluate(() => {
  const [red, green, blue] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
  return red + green + blue < 384;
});

async function choose(page, theme) {
  await page.getByRole("button", { name: /, menu of / }).click();
  await page.getByRole("menuitem", { name: theme, exact: true }).click();
  await page.getByRole("menu").waitFor({ state: "detached" });
}

/** Loads the page anew while none of the console's program comes, and gives whether what is drawn by then is dark. */
async function drawnDark(page) {
  let release;
  const released = new Promise((done) => (release = done));
  const program = "**/console/assets/*.js";
  await page.route(program, async (route) => {
    await released;
    await route.continue();
  });
  await page.reload({ waitUntil: "commit" });
  await until("something drawn", () => page.evaluate(() => document.styleSheets.length > 0 && performance.getEntriesByType("paint").length > 0));
  const found = await isDark(page);
  assert.equal(await page.locator(".rail").count(), 0);
  release();
  await page.locator(".rail").waitFor();
  await page.unroute(program);
  return found;
}

test("a theme that was chosen is there before anything is drawn, and as the system goes with the system", async () => {
  const page = await stack.console({ colorScheme: "light" });
  await page.locator(".rail").waitFor();
  assert.equal(await isDark(page), false);
  await choose(page, "Dark");
  assert.equal(await isDark(page), true);
  assert.equal(await drawnDark(page), true);
  assert.equal(await isDark(page), true);
  // Whatever the system says.
  await page.emulateMedia({ colorScheme: "dark" });
  await choose(page, "Light");
  assert.equal(await isDark(page), false);
  assert.equal(await drawnDark(page), false);
  assert.equal(await isDark(page), false);

  await choose(page, "As the system");
  assert.equal(await isDark(page), true);
  assert.equal(await drawnDark(page), true);
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await until(colorScheme, async () => (await isDark(page)) === (colorScheme === "dark"));
  }
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("the panes are as wide as one makes them by pointer or by keys, until one wants them as they were", async () => {
  const { page: visitor, panel } = await stack.visitor("/demo/");
  await say(panel, "how wide is it?");
  const page = await stack.console({ viewport: { width: 1920, height: 1000 } });
  await openRow(page, "how wide is it?");
  await showSide(page);
  for (const { label, pane, fitting, min, max, sign } of [
    { label: "Width of the list", pane: ".pane-list", fitting: 440, min: 260, max: 640, sign: 1 },
    { label: "Width of the side panel", pane: ".side", fitting: 380, min: 240, max: 520, sign: -1 },
  ]) {
    const divider = page.getByRole("separator", { name: label });
    // What is told of it is what is seen.
    const isWide = async (width) => {
      await until(`${label} to be ${width}`, async () => Math.round((await page.locator(pane).boundingBox()).width) === width);
      assert.equal(await divider.getAttribute("aria-valuenow"), String(width), label);
    };
    const drag = async (by) => {
      const { x, y, width, height } = await divider.boundingBox();
      await page.mouse.move(x + width / 2, y + height / 2);
      await page.mouse.down();
      await page.mouse.move(x + width / 2 + by / 2, y + 40);
      await page.mouse.move(x + width / 2 + by, y + height / 2);
      await page.mouse.up();
    };
    for (const [name, value] of [["aria-valuemin", min], ["aria-valuemax", max]]) assert.equal(await divider.getAttribute(name), String(value));
    await isWide(fitting);
    await drag(sign * 60);
    await isWide(fitting + 60);
    // Let go, it follows no more.
    await page.mouse.move(900, 500);
    await isWide(fitting + 60);
    await drag(sign * 900);
    await isWide(max);
    await drag(sign * -900);
    await isWide(min);

    await divider.focus();
    await page.keyboard.press(sign > 0 ? "ArrowRight" : "ArrowLeft");
    await isWide(min + 16);
    await page.keyboard.press(sign > 0 ? "ArrowLeft" : "ArrowRight");
    await isWide(min);
    await page.keyboard.press("End");
    await isWide(max);
    await page.keyboard.press("Home");
    await isWide(min);
    await page.keyboard.press("End");
    await page.reload();
    await isWide(max);
  }
  // Both at their widest, on a screen that is not: what is told is true there, too.
  await page.setViewportSize({ width: 1280, height: 800 });
  for (const [label, pane] of [["Width of the list", ".pane-list"], ["Width of the side panel", ".side"]]) {
    const divider = page.getByRole("separator", { name: label });
    await until(`${label} to be told`, async () => {
      const { width } = await page.locator(pane).boundingBox();
      return (await divider.getAttribute("aria-valuenow")) === String(Math.round(width));
    });
  }
  await page.setViewportSize({ width: 1920, height: 1000 });
  for (const [label, pane, fitting] of [["Width of the list", ".pane-list", 440], ["Width of the side panel", ".side", 380]]) {
    await page.getByRole("separator", { name: label }).dblclick();
    for (const again of [false, true]) {
      if (again) await page.reload();
      await until(`${label} as it was`, async () => Math.round((await page.locator(pane).boundingBox())?.width) === fitting);
    }
  }
  assert.deepEqual(stack.complaints, []);
  for (const each of [visitor, page]) await each.context().close();
});
