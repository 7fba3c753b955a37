// Tries the chat and the console in the Firefox of the system, which is driven by WebDriver BiDi: a visitor and an
// agent, both in it, who write, answer, send files, load anew and go dark; then both without a mouse, and a visitor who
// reads from right to left. A checker of accessibility looks at the panel and at the console's main pages. Pictures of
// each step go to `output`.
//
//   npm ci --prefix tests/browser && npm ci --prefix tests/firefox && node tests/firefox/try.mjs
//
// By hand, for Firefox is no part of `make test`. Everything listens on loopback.

import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import puppeteer from "puppeteer-core";

import { violations } from "../browser/axe.mjs";
import { Hands } from "../browser/keys.mjs";
import { Shop, tag } from "../browser/shop.mjs";
import { Stack, owner, until } from "../browser/stack.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const output = join(here, "output");
const executablePath = process.env.SWITCHBOARD_TEST_FIREFOX ?? "/usr/bin/firefox-esr";
const patience = 120_000;

const complaints = [];

/** A page of a browser of somebody's own, so large. */
async function person(browser, width, height) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  await page.setViewport({ width, height });
  page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error.stack ?? error}`));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`${page.url()}: ${message.text()}`);
  });
  return page;
}

async function picture(page, name) {
  await page.screenshot({ path: join(output, `${name}.png`) });
}

/** What has this text, in a page or in a frame. */
const text = (place, words) => place.waitForSelector(`::-p-text(${words})`, { timeout: patience });

async function panelOf(page) {
  await until("the widget", () => page.evaluate(() => window.Switchboard?.of !== undefined));
  await page.evaluate(() => window.Switchboard.open());
  const panel = await until("the panel", () => page.frames().find((frame) => frame.url().includes("/widget/panel")));
  await panel.waitForSelector("textarea", { visible: true, timeout: patience });
  return panel;
}

async function says(place, selector, words) {
  const field = await place.waitForSelector(selector, { visible: true, timeout: patience });
  await field.type(words);
  await field.press("Enter");
  await text(place, words);
}

async function signsIn(page, origin) {
  await page.goto(`${origin}/console/sign-in`);
  await (await page.waitForSelector("input[type=email]")).type(owner.email);
  const password = await page.waitForSelector("input[type=password]");
  await password.type(owner.password);
  await password.press("Enter");
  await until("the inbox", () => page.url().includes("/console/inbox/"));
}

/** Chooses by the palette. */
async function chooses(page, words, name) {
  await page.keyboard.down("Control");
  await page.keyboard.press("k");
  await page.keyboard.up("Control");
  await (await page.waitForSelector("[role=combobox]")).type(words);
  await page.waitForSelector(`[role=option][aria-selected=true]::-p-text(${name})`, { timeout: patience });
  await page.keyboard.press("Enter");
}

const isDark = (page) => page.evaluate(() => document.documentElement.hasAttribute("data-dark"));
const isWide = (place) => place.evaluate(() => document.documentElement.scrollWidth > innerWidth);

async function talk(browser, stack) {
  const page = await person(browser, 1280, 800);
  await page.goto(`${stack.origin}/demo/`);
  let panel = await panelOf(page);
  await says(panel, "textarea", "Said in Firefox");
  const agent = await person(browser, 1440, 900);
  await signsIn(agent, stack.origin);
  await (await agent.waitForSelector("a.row")).click();
  await text(agent, "Said in Firefox");
  await says(agent, 'textarea[aria-label^="Reply to"]', "Answered in Firefox");
  await text(panel, "Answered in Firefox");

  // Files, both ways, and what was said after both loaded anew.
  const paper = join(output, "paper.txt");
  await writeFile(paper, "two tins");
  await (await panel.waitForSelector("input[type=file]")).uploadFile(paper);
  await until("the file to be up", async () => (await panel.$(".upload .quiet")) !== null);
  await says(panel, "textarea", "My order");
  await agent.waitForSelector(".said ::-p-text(paper.txt)", { timeout: patience });
  await (await agent.waitForSelector(".composer input[type=file]")).uploadFile(join(here, "../../docs/screenshots/widget-light.png"));
  await until("the picture to be up", async () => (await agent.$(".composer [role=progressbar]")) === null);
  await says(agent, 'textarea[aria-label^="Reply to"]', "And its picture");
  await until("the picture in the panel", () => panel.evaluate(() => [...document.querySelectorAll("article img")].some((each) => each.naturalWidth > 100)));
  await picture(page, "widget");
  await picture(agent, "console");
  await page.reload();
  await agent.reload();
  panel = await panelOf(page);
  for (const words of ["Said in Firefox", "Answered in Firefox", "My order", "And its picture"]) {
    await text(panel, words);
    await agent.waitForSelector(`[role=log] ::-p-text(${words})`, { timeout: patience });
  }
  return { page, panel, agent };
}

/**
 * A page that has the keys: of several windows one has them at a time. To one behind it a driver's keys still come, as events
 * that press nothing: Enter on a button is no click there, in any page.
 */
async function takesKeys(page) {
  await page.bringToFront();
  await until("the keys", () => page.evaluate(() => document.hasFocus()));
  return new Hands(page);
}

/** Both sides by keyboard alone: open, write, change, close; sign in, open, answer, close. */
async function keyboard(browser, stack) {
  const page = await person(browser, 1280, 800);
  await page.goto(`${stack.origin}/demo/tea/`);
  await until("the widget", () => page.evaluate(() => window.Switchboard?.of !== undefined));
  let hands = await takesKeys(page);
  const onLauncher = () => page.evaluate(() => document.activeElement?.shadowRoot === null && document.activeElement.tagName === "DIV");
  for (let step = 0; !(await onLauncher()); step += 1) {
    assert.ok(step < 60, "the launcher is not reached");
    await hands.press("Tab");
  }
  await hands.press("Enter");
  const panel = await until("the panel", () => page.frames().find((frame) => frame.url().includes("/widget/panel")));
  await hands.at("Message", panel);
  await hands.type("By keyboard in Firefox");
  await hands.press("Enter");
  await text(panel, "By keyboard in Firefox");
  await hands.at("Message", panel);
  await picture(page, "widget-keyboard");
  await panel.waitForSelector("[aria-label^='Options for your message']", { timeout: patience });
  await backTo(page, panel, /^Options for your message/);
  await hands.press("Enter");
  await hands.at("Edit", panel);
  await picture(page, "widget-keyboard-menu");
  await hands.press("Enter");
  await hands.at("Message", panel);
  await page.keyboard.down("Control");
  await page.keyboard.press("a");
  await page.keyboard.up("Control");
  await hands.type("Changed in Firefox");
  await hands.press("Enter");
  await text(panel, "Changed in Firefox");

  const agent = await person(browser, 1440, 900);
  await agent.goto(`${stack.origin}/console/sign-in`);
  hands = await takesKeys(agent);
  await hands.focus("the address", "input[type=email]");
  await hands.type(owner.email);
  await hands.press("Tab");
  await hands.type(owner.password);
  await hands.press("Enter");
  await agent.waitForSelector("a.row", { timeout: patience });
  await hands.reach(/Changed in Firefox/);
  await hands.press("Enter");
  await agent.waitForSelector("[role=log] ::-p-text(Changed in Firefox)", { timeout: patience });
  await hands.press("r");
  await hands.at(/^Reply to/);
  await hands.type("Answered by keyboard");
  await hands.press("Enter");
  await text(panel, "Answered by keyboard");
  await picture(agent, "console-keyboard");
  hands = await takesKeys(agent);
  // Out of the field, where an E is a letter.
  await hands.press("Tab");
  const closed = agent.url();
  await hands.press("e");
  // The next one comes by itself.
  await until("the next one", () => agent.evaluate((before) => location.href !== before, closed));
  await agent.waitForSelector("[role=log] .said", { timeout: patience });
  await hands.press("r");
  await hands.at(/^Reply to/);
  await picture(agent, "console-keyboard-closed");

  hands = await takesKeys(page);
  await backTo(page, panel, /^Close chat/);
  await hands.press("Enter");
  await until("the focus on the launcher", onLauncher);
  return { page, agent };
}

/** Goes back by the Tab key until what has the focus is called so. */
async function backTo(page, frame, name) {
  const at = () => frame.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? "");
  for (let step = 0; !name.test(await at()); step += 1) {
    assert.ok(step < 30, `${name} is not reached`);
    await page.keyboard.down("Shift");
    await page.keyboard.press("Tab");
    await page.keyboard.up("Shift");
  }
}

/** A visitor who reads Arabic, and writes it: all stands the other way round, but for the agent's English. */
async function rightToLeft(browser, stack, agent) {
  const shop = await Shop.open();
  const page = await person(browser, 1280, 800);
  await page.goto(shop.page("/ar", { head: `<script>document.documentElement.lang = "ar"; document.documentElement.dir = "rtl"</script>${tag(stack)}` }));
  const panel = await panelOf(page);
  assert.deepEqual(await panel.evaluate(() => [document.documentElement.lang, document.documentElement.dir]), ["ar", "rtl"]);
  await picture(page, "widget-arabic");
  await says(panel, "textarea", "مرحبا، هل الشاي الأسود متوفر؟");
  await agent.bringToFront();
  await agent.goto(`${stack.origin}/console/inbox/all`);
  await (await agent.waitForSelector("a.row ::-p-text(مرحبا)", { timeout: patience })).click();
  await says(agent, 'textarea[aria-label^="Reply to"]', "Yes: 3 tins.");
  await text(panel, "Yes: 3 tins.");
  await page.bringToFront();
  const sides = await panel.evaluate(() => {
    const middle = (selector) => {
      const { left, right } = document.querySelector(selector).getBoundingClientRect();
      return (left + right) / 2;
    };
    const answer = document.querySelector("article.team [dir=auto]");
    return { own: middle("article.you") < middle(".thread"), theirs: middle("article.team") > middle(".thread"), words: getComputedStyle(answer).direction };
  });
  assert.deepEqual(sides, { own: true, theirs: true, words: "ltr" });
  assert.equal(await isWide(panel), false);
  assert.deepEqual(await violations(panel), [], "the Arabic panel");
  await picture(page, "widget-arabic-talk");
  await page.setViewport({ width: 390, height: 780 });
  await until("the panel to fill the screen", () => panel.evaluate(() => innerHeight === 780));
  await picture(page, "widget-arabic-narrow");
  assert.equal(await isWide(panel), false);
  await shop.close();
}

/** The panel as it is first and full, and the console's main pages. */
async function checks(browser, stack, agent) {
  const page = await person(browser, 1280, 800);
  await page.goto(`${stack.origin}/demo/`);
  const panel = await panelOf(page);
  assert.deepEqual(await violations(panel), [], "the empty panel");
  await says(panel, "textarea", "What does a checker say?");
  assert.deepEqual(await violations(panel), [], "the panel");
  const door = await person(browser, 1440, 900);
  await door.goto(`${stack.origin}/console/sign-in`);
  await door.waitForSelector("input[type=email]", { timeout: patience });
  assert.deepEqual(await violations(door), [], "the door");
  await agent.bringToFront();
  await agent.setViewport({ width: 1440, height: 900 });
  for (const place of ["inbox/all", "inbox/todo", "visitors", "settings/workspace", "settings/sites", "settings/team", "settings/profile"]) {
    await agent.goto(`${stack.origin}/console/${place}`);
    await agent.waitForSelector(place.startsWith("inbox") ? ".pane-list" : "main h1", { timeout: patience });
    if (place === "inbox/all") {
      await (await agent.waitForSelector("a.row")).click();
      await agent.waitForSelector("[role=log] .said", { timeout: patience });
    }
    assert.deepEqual(await violations(agent), [], place);
  }
}

async function looks({ page, panel, agent }) {
  await agent.waitForSelector("a.row", { timeout: patience });
  const before = await isDark(agent);
  await chooses(agent, "dark", "Switch between light and dark");
  await until("the other theme", async () => (await isDark(agent)) !== before);
  await picture(agent, "console-dark");
  for (const place of ["visitors", "settings/sites", "settings/team"]) {
    await agent.goto(new URL(`/console/${place}`, agent.url()).href);
    await agent.waitForSelector("main h1", { timeout: patience });
    await picture(agent, `console-${place.replace("/", "-")}`);
    assert.equal(await isWide(agent), false, `${place} scrolls sideways`);
  }
  for (const each of [page, agent]) await each.setViewport({ width: 390, height: 780 });
  await page.bringToFront();
  // But for the page's own scroll bar.
  await until("the panel to fill the screen", () => panel.evaluate(() => innerHeight === 780));
  await picture(page, "widget-narrow");
  await agent.bringToFront();
  await agent.goto(new URL("/console/inbox/all", agent.url()).href);
  await agent.waitForSelector("a.row", { timeout: patience });
  await picture(agent, "console-narrow");
  for (const each of [panel, agent]) assert.equal(await isWide(each), false);
}

await mkdir(output, { recursive: true });
const stack = await Stack.start();
const browser = await puppeteer.launch({ browser: "firefox", executablePath, headless: true, protocolTimeout: patience });
try {
  console.log(await browser.version());
  await looks(await talk(browser, stack));
  const { agent } = await keyboard(browser, stack);
  await rightToLeft(browser, stack, agent);
  await checks(browser, stack, agent);
  assert.deepEqual(complaints, []);
  console.log("the chat and the console are there, and answer");
} finally {
  console.log(complaints.join("\n"));
  await browser.close();
  await stack.stop();
}
