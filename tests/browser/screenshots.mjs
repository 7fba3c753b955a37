// The pictures of the documentation: a believable workspace, in the light and dark theme and on a
// telephone. Writes docs/screenshots/*.png.

import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { seed } from "./seed.mjs";
import { Stack, findPanel, openPanel, openRow, say, sees, until } from "./stack.mjs";

const folder = fileURLToPath(new URL("../../docs/screenshots/", import.meta.url));

async function shoot(page, name) {
  // Fonts and pictures are there, and nothing moves.
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: `${folder}${name}.png`, animations: "disabled" });
}

async function consoleIn(stack, name, options, row) {
  const page = await stack.console({ reducedMotion: "reduce", ...options });
  await page.locator("a.row").nth(3).waitFor();
  if (row) {
    await openRow(page, "gift");
    await page.getByText("Third order this year").first().waitFor();
  }
  await shoot(page, name);
  return page;
}

const stack = await Stack.start();
try {
  await mkdir(folder, { recursive: true });
  await seed(stack);
  const wide = { viewport: { width: 1440, height: 900 } };
  const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };
  const light = await consoleIn(stack, "console-light", { ...wide, colorScheme: "light" }, true);
  await consoleIn(stack, "console-dark", { ...wide, colorScheme: "dark" }, true);
  await consoleIn(stack, "console-phone", { ...phone, colorScheme: "light" }, false);
  await light.getByRole("link", { name: /^Visitors/ }).click();
  await light.getByText("Smoky black").first().waitFor();
  await shoot(light, "visitors-light");

  for (const [name, options] of [
    ["widget-light", { ...wide, colorScheme: "light" }],
    ["widget-dark", { ...wide, colorScheme: "dark" }],
    ["widget-phone", { ...phone, colorScheme: "light" }],
  ]) {
    const page = await stack.person({ reducedMotion: "reduce", ...options });
    await page.goto(`${stack.origin}/demo/`);
    const panel = await openPanel(page);
    await say(panel, "Hello. Which tea goes with rye bread?");
    await openRow(light.url().includes("/inbox/") ? light : await inboxOf(light), "rye bread");
    const box = light.getByRole("textbox", { name: /^Reply to / });
    await box.fill("The smoky black. A slice of butter, and you will not want anything else.");
    await box.press("Enter");
    await sees(panel, "The smoky black.");
    await until("the panel", () => findPanel(page));
    await shoot(page, name);
    await page.close();
    await closeOpen(light);
  }
} finally {
  await stack.stop();
}

async function inboxOf(page) {
  await page.getByRole("link", { name: /^Inbox/ }).click();
  await page.waitForURL(/\/inbox\//);
  return page;
}

/** Ends the conversation at hand, so that the next one of this kind is alone in the list. */
async function closeOpen(page) {
  await page.getByRole("button", { name: /^Close/ }).first().click();
  await page.locator("a.row", { hasText: "rye bread" }).waitFor({ state: "detached" }).catch(() => undefined);
}
