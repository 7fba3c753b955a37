// What an agent chooses for his own screen: its theme.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Stack, until } from "../stack.mjs";

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
