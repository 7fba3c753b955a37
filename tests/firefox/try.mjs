// Tries the chat and the console in the Firefox of the system, which is driven by WebDriver BiDi: a visitor and an
// agent, both in it, who write, answer, send files, load anew and go dark. Pictures of each step go to `output`.
//
//   npm ci --prefix tests/browser && npm ci --prefix tests/firefox && node tests/firefox/try.mjs
//
// By hand, for Firefox is no part of `make test`. Everything listens on loopback.

import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import puppeteer from "puppeteer-core";

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
  assert.deepEqual(complaints, []);
  console.log("the chat and the console are there, and answer");
} finally {
  console.log(complaints.join("\n"));
  await browser.close();
  await stack.stop();
}
