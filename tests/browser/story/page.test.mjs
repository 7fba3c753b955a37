// Pages of all kinds: one that allows little, one on a telephone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Stack, answer, findPanel, openRow, say, sees, until } from "../stack.mjs";

let stack;
before(async () => (stack = await Stack.start()));
after(() => stack.stop());

test("the chat works on a page with a strict content security policy", async () => {
  const agent = await stack.console();
  const page = await stack.person();
  const answered = await page.goto(`${stack.origin}/demo/strict/`);
  const policy = answered.headers()["content-security-policy"] ?? "";
  assert.match(policy, /script-src[^;]*'self'/);
  assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval/);
  await page.locator("[data-chat]").click();
  const panel = await findPanel(page);
  await say(panel, "Is it strict here?");
  await openRow(agent, "Is it strict here?");
  await answer(agent, "Very.");
  await sees(panel, "Very.");
  assert.deepEqual(stack.complaints, []);
  for (const each of [agent, page]) await each.context().close();
});

test("on a telephone the chat fills the screen and nothing scrolls sideways", async () => {
  const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };
  const { page, panel } = await stack.visitor("/demo/", phone);
  const frame = await panel.frameElement();
  // It may take a moment to open up.
  await until("a full screen", async () => {
    const box = await frame.boundingBox();
    return box !== null && box.width >= 389 && box.height >= 800;
  });
  await say(panel, "Sent by thumb");
  await sees(panel, "Sent by thumb");

  const agent = await stack.console(phone);
  await openRow(agent, "Sent by thumb");
  await agent.getByText("Sent by thumb").first().waitFor();
  for (const side of [agent, page]) {
    await until(`nothing of ${side.url()} beside the screen`, () => side.evaluate(() => document.documentElement.scrollWidth <= innerWidth + 1));
  }
  assert.deepEqual(stack.complaints, []);
  for (const each of [agent, page]) await each.context().close();
});

test("the page keeps its globals and loses the widget without a trace", async () => {
  const page = await stack.person();
  await page.goto(`${stack.origin}/demo/about/`);
  await page.waitForFunction(() => window.Switchboard !== undefined);
  await page.evaluate(() => window.Switchboard.push(["open"]));
  await findPanel(page);
  await page.evaluate(() => window.Switchboard.push(["destroy"]));
  await until("no frame", () => page.frames().length === 1);
  assert.deepEqual(stack.complaints, []);
});
