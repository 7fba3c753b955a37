// What the widget costs the thread of a page that loads: no task of 50 ms, in the processor's own time, so that it says
// something on a machine that has other things to do, too. And what is seen of the panel while it loads.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Stack, findPanel, launcherMiddle, launcherName, openPanel, until } from "../stack.mjs";

const TASK_MS_MAX = 50;

let stack;
before(async () => (stack = await Stack.start()));
after(() => stack.stop());

/** Where the tracer tells of tasks, of scripts that begin, and of functions that are called. */
const categories = ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline", "disabled-by-default-lighthouse"];

/** The tasks of a trace in which the widget's script began or one of its functions was called, in milliseconds of processor time. */
function tasksOfWidget(events) {
  const isOurs = ({ name, args }) => ["EvaluateScript", "FunctionCall"].includes(name) && args?.data?.url?.endsWith("/widget.js");
  const begun = events.filter(isOurs);
  const isAround = (task) => begun.some(({ pid, tid, ts }) => pid === task.pid && tid === task.tid && ts >= task.ts && ts <= task.ts + task.dur);
  return events.filter((event) => event.ph === "X" && /RunTask$/.test(event.name) && isAround(event)).map(({ tdur }) => tdur / 1_000);
}

/** Loads the demo page until its launcher says that somebody is there. */
async function trace(prepare = () => undefined) {
  const page = await stack.person();
  await prepare(page);
  const browser = page.context().browser();
  await browser.startTracing(page, { categories });
  await page.goto(`${stack.origin}/demo/`);
  await until("the launcher", async () => (await launcherName(page)).startsWith("Open chat, somebody is here now"));
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  await page.context().close();
  return tasksOfWidget(traceEvents);
}

test("no task of the widget's takes 50 ms while a page loads, and one that did would be seen", async () => {
  const agent = await stack.console();
  const tasks = await trace();
  // Its script, and what the session and the socket bring.
  assert.ok(tasks.length > 1 && tasks.every((ms) => ms > 0), tasks.join());
  assert.ok(Math.max(...tasks) < TASK_MS_MAX, `${Math.max(...tasks)} ms`);

  const slowed = await trace((page) => page.route("**/widget.js", async (route) => {
    const answered = await route.fetch();
    // By turns, not by the clock: a processor that is shared does little in half a second.
    const busy = "for (let turns = 0; turns < 5e8; turns += 1);";
    await route.fulfill({ response: answered, body: busy + (await answered.text()) });
  }));
  assert.ok(Math.max(...slowed) > TASK_MS_MAX, `${Math.max(...slowed)} ms`);
  assert.deepEqual(stack.complaints, []);
  await agent.context().close();
});

test("while the panel's script comes over a slow line, what the launcher draws beneath is seen through it", async () => {
  const page = await stack.person({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  let comes;
  const held = new Promise((done) => (comes = done));
  await page.route("**/widget/assets/panel-*.js", (route) => held.then(() => route.continue()));
  await page.goto(`${stack.origin}/demo/`);
  const opened = openPanel(page);
  const panel = await findPanel(page);
  await until("its style sheet", () => panel.evaluate(() => document.styleSheets.length > 0));
  const grounds = () => panel.evaluate(() => [document.documentElement, document.body, document.querySelector(".panel")].map((each) => each && getComputedStyle(each).backgroundColor));
  const none = "rgba(0, 0, 0, 0)";
  assert.deepEqual(await grounds(), [none, none, null]);
  comes();
  await opened;
  assert.notEqual((await grounds())[2], none);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

/** Runs in each frame: what the page says to the panel waits until it is let in. */
function holdsWords() {
  if (location.pathname !== "/widget/panel") return;
  const held = [];
  const hold = (event) => {
    event.stopImmediatePropagation();
    held.push(event);
  };
  addEventListener("message", hold);
  window.letIn = () => {
    removeEventListener("message", hold);
    for (const { data, origin, source } of held) dispatchEvent(new MessageEvent("message", { data, origin, source }));
  };
}

test("one writes before the panel heard who one is, and goes on in the same place", async () => {
  const page = await stack.person();
  await page.addInitScript(holdsWords);
  await page.goto(`${stack.origin}/demo/`);
  await page.locator("[data-chat]").first().click();
  const panel = await findPanel(page);
  const field = panel.getByLabel("Message", { exact: true });
  await until("the cursor in the field", () => panel.evaluate(() => document.activeElement?.matches("textarea")));
  await page.keyboard.type("Is it cold there?");
  for (let step = 0; step < "there?".length; step += 1) await page.keyboard.press("ArrowLeft");
  assert.equal(await panel.locator("h1").innerText(), "");
  await panel.evaluate(() => window.letIn());
  await panel.locator("h1", { hasText: /\S/ }).waitFor();
  await page.keyboard.type("up ");
  assert.equal(await field.inputValue(), "Is it cold up there?");
  await page.keyboard.press("Enter");
  await panel.locator("article.message", { hasText: "Is it cold up there?" }).waitFor();
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

for (const [what, files] of [
  ["page is", /\/widget\/panel\?/],
  ["scripts are", /\/widget\/assets\/.*\.js/],
]) {
  test(`a visitor whose panel’s ${what} long in coming finds a way back, and later the panel’s own`, async () => {
    const page = await stack.person({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
    let let_go;
    const held = new Promise((done) => (let_go = done));
    await page.route(files, async (route) => {
      await held;
      await route.continue().catch(() => undefined);
    });
    await page.goto(`${stack.origin}/demo/`);
    const isOpen = () => page.evaluate(() => [...document.body.children].some((child) => child.matches("div[open]")));
    for (const [name, isOpenThen] of [["Open chat", true], ["Close chat", false], ["Open chat", true]]) {
      await until(name, async () => (await launcherName(page)).startsWith(name));
      await page.touchscreen.tap(...(await launcherMiddle(page)));
      await until(name, async () => (await isOpen()) === isOpenThen);
    }
    let_go();
    const panel = await findPanel(page);
    await panel.getByLabel("Message", { exact: true }).waitFor();
    await until("one way back", async () => (await launcherName(page)) === "");
    await panel.getByRole("button", { name: "Close chat" }).tap();
    await until("the launcher again", async () => (await launcherName(page)).startsWith("Open chat"));
    assert.deepEqual(stack.complaints, []);
    await page.context().close();
  });
}
