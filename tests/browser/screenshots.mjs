// The pictures of the documentation: every page of a believable workspace, in the light and dark theme
// and on a telephone. Writes docs/screenshots/<page>-<light|dark|phone>.png.

import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { seed } from "./seed.mjs";
import { Stack, openPanel, openRow, owner, say, sees } from "./stack.mjs";

const folder = fileURLToPath(new URL("../../docs/screenshots/", import.meta.url));

const wide = { viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" };
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, reducedMotion: "reduce" };
const looks = {
  light: { ...wide, colorScheme: "light" },
  dark: { ...wide, colorScheme: "dark" },
  phone: { ...phone, colorScheme: "light" },
};

/** The pages of the settings, and what is there when one has its records. */
const settings = {
  workspace: "General",
  sites: "Kettle & Leaf",
  team: "Jon Arden",
  canned: "\\gift",
  keys: "Order desk",
  audit: "joined the team",
  activity: "Chrome on Linux",
  security: "this one",
  notifications: "A sound",
  profile: "How others see you",
};

async function shoot(page, name) {
  // So is what the connection tells: the rail counts who waits.
  if (await page.locator(".rail").count()) await page.locator(".rail-count").first().waitFor({ state: "attached" });
  // Fonts and pictures are there, and nothing moves.
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: `${folder}${name}.png`, animations: "disabled" });
}

async function shootConsole(stack, look, options) {
  const page = await stack.console(options);
  await page.locator("a.row").nth(3).waitFor();
  if (look === "phone") await shoot(page, "inbox-phone");
  await openRow(page, "gift");
  await page.getByText("Third order this year").first().waitFor();
  await shoot(page, `console-${look}`);
  await page.goto(`${stack.origin}/console/inbox/todo`);
  await page.locator("a.row-todo").nth(1).waitFor();
  await shoot(page, `todo-${look}`);
  await page.goto(`${stack.origin}/console/inbox/all?q=gift`);
  await page.getByText("1 found").waitFor();
  await shoot(page, `search-${look}`);
  await page.goto(`${stack.origin}/console/visitors`);
  await page.getByText("basket_filled").first().waitFor();
  await shoot(page, `visitors-${look}`);
  await page.getByText("basket_filled").first().click();
  await page.getByRole("button", { name: "Open the conversation" }).waitFor();
  await shoot(page, `visitor-${look}`);
  for (const [place, mark] of Object.entries(settings)) {
    await page.goto(`${stack.origin}/console/settings/${place}`);
    await page.getByText(mark).first().waitFor();
    await shoot(page, `settings-${place}-${look}`);
  }
  await page.goto(`${stack.origin}/console/settings/sites?site=${stack.siteKey}`);
  await page.getByLabel("Allowed origins").waitFor();
  await shoot(page, `site-${look}`);
  await page.getByRole("link", { name: /^Inbox/ }).click();
  if (look === "phone") return page;
  // Who has no keys finds things in the lists.
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Find anything" }).fill("an");
  await page.getByRole("option").nth(2).waitFor();
  await shoot(page, `palette-${look}`);
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
  await shoot(page, `shortcuts-${look}`);
  return page;
}

/** A visitor and an agent speak; the panel is the picture. */
async function shootWidget(stack, look, options, agent) {
  const page = await stack.person(options);
  await page.goto(`${stack.origin}/demo/`);
  await shoot(page, `demo-${look}`);
  const panel = await openPanel(page);
  const question = `Hello. Which tea goes with ${{ light: "rye bread", dark: "dark bread", phone: "white bread" }[look]}?`;
  await say(panel, question);
  await openRow(agent, question);
  const box = agent.getByRole("textbox", { name: /^Reply to / });
  await box.fill("The smoky black. A slice of butter, and you will not want anything else.");
  await box.press("Enter");
  await sees(panel, "The smoky black.");
  await shoot(page, `widget-${look}`);
  await page.close();
}

/** The team reads along: what it sees, and what the visitor is told. */
async function shootTyping(stack, look, options) {
  const page = await stack.person(options);
  await page.goto(`${stack.origin}/demo/tea/`);
  const panel = await openPanel(page);
  const question = `Do you still have the oolong ${{ light: "in the blue tin", dark: "in the black tin", phone: "in the small tin" }[look]}?`;
  await say(panel, question);
  const team = await stack.console(options);
  await openRow(team, question);
  await panel.getByText("The team can see what you write").waitFor();
  const words = "And how many grams are";
  await Promise.all([
    team.locator(".typing q", { hasText: words }).waitFor(),
    panel.getByLabel("Message", { exact: true }).pressSequentially(words, { delay: 100 }),
  ]);
  await shoot(team, `typing-${look}`);
  await shoot(page, `widget-typing-${look}`);
  await team.context().close();
  await page.close();
}

/** Nobody is signed in. */
async function shootDoors(stack, fresh, look, options) {
  const page = await stack.person(options);
  await page.goto(`${stack.origin}/console/sign-in`);
  await page.getByLabel("E-mail").waitFor();
  await shoot(page, `sign-in-${look}`);
  await page.goto(`${stack.origin}/console/design`);
  await page.getByRole("heading", { name: "Colors" }).waitFor();
  await shoot(page, `design-${look}`);
  const link = new URL(fresh.setupLink);
  await page.goto(fresh.origin + link.pathname + link.search + link.hash);
  await page.getByLabel("Your name").fill(owner.name);
  await shoot(page, `setup-${look}`);
  await page.context().close();
}

const stack = await Stack.start();
const fresh = await Stack.start({ isSetUp: false });
try {
  await mkdir(folder, { recursive: true });
  await seed(stack);
  for (const [look, options] of Object.entries(looks)) {
    await shootDoors(stack, fresh, look, options);
    // Taken whole before a visitor of the panel's picture writes.
    const page = await shootConsole(stack, look, options);
    await page.context().close();
  }
  const agent = await stack.console();
  for (const [look, options] of Object.entries(looks)) await shootWidget(stack, look, options, agent);
  const { api, headers } = await stack.api();
  const { settings: now, version } = await api.ask("GET", "workspace", undefined, headers);
  await api.ask("PATCH", "workspace", { settings: { ...now, typing_preview: true } }, { ...headers, "if-match": `"${version}"` });
  for (const [look, options] of Object.entries(looks)) await shootTyping(stack, look, options);
} finally {
  await fresh.stop();
  await stack.stop();
}
