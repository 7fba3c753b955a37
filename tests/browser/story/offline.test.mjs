// Lost network, killed server: nothing is lost or doubled, and nobody presses refresh.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Stack, answer, openRow, say, sees, until } from "../stack.mjs";

let stack;
before(async () => (stack = await Stack.start()));
after(() => stack.stop());

test("what is written offline goes out once when the network is back", async () => {
  const agent = await stack.console();
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "before the tunnel");
  await openRow(agent, "before the tunnel");
  stack.cable.cut();
  await page.context().setOffline(true);
  await panel.getByText(/offline|No connection/).first().waitFor();
  await say(panel, "in the tunnel, one");
  await say(panel, "in the tunnel, two");
  await panel.getByText("Waiting to be sent").first().waitFor();
  stack.cable.mend();
  await page.context().setOffline(false);
  await agent.getByText("in the tunnel, two").first().waitFor();
  await answer(agent, "welcome back");
  await sees(panel, "welcome back");
  const said = await panel.locator("article.message .bubble").allInnerTexts();
  assert.deepEqual(
    said.map((text) => text.trim()),
    ["before the tunnel", "in the tunnel, one", "in the tunnel, two", "welcome back"],
  );
  assert.deepEqual(stack.complaints, []);
});

test("a killed and restarted server is only a pause", async () => {
  const agent = await stack.console();
  const { panel } = await stack.visitor("/demo/");
  await say(panel, "before the crash");
  await openRow(agent, "before the crash");
  await answer(agent, "answered before the crash");
  await sees(panel, "answered before the crash");
  const other = await stack.console();
  await other.evaluate(() => navigator.serviceWorker.ready);
  await stack.killServer();
  await say(panel, "said to nobody");
  // Who loads the console now reads why there is nothing to see, and is back by himself.
  await other.reload();
  await other.getByRole("heading", { name: "The server cannot be reached" }).waitFor();
  assert.deepEqual(await violations(other), []);
  await stack.startServer();
  await other.getByText("said to nobody").first().waitFor();
  await agent.getByText("said to nobody").first().waitFor();
  await answer(agent, "heard after all");
  await sees(panel, "heard after all");
  assert.equal(await panel.locator("article.message", { hasText: "said to nobody" }).count(), 1);
  assert.deepEqual(stack.complaints, []);
});

test("a tab from before an upgrade loads itself anew once nobody writes in it, and keeps the draft", async () => {
  const agent = await stack.console();
  const { panel } = await stack.visitor("/demo/");
  await say(panel, "before the upgrade");
  await openRow(agent, "before the upgrade");
  const box = agent.getByRole("textbox", { name: /^Reply to / });
  await box.fill("half an answ");
  await agent.evaluate(() => (window.isOfBefore = true));
  const isOfBefore = () => agent.evaluate(() => window.isOfBefore === true);
  // The server that comes back is of another version: its page names another script.
  const page = (url) => url.pathname === "/console/";
  await agent.context().route(page, async (route) => {
    const served = await route.fetch();
    await route.fulfill({ response: served, body: (await served.text()).replace(/assets\/index-[^"]+\.js/, "assets/index-newer.js") });
  });
  await stack.killServer();
  await stack.startServer();
  await agent.getByText("Switchboard was updated.").waitFor();
  await box.press("End");
  await box.pressSequentially("er");
  assert.ok(await isOfBefore(), "nobody is interrupted");
  await box.evaluate((field) => field.blur());
  await until("the page of today", async () => !(await isOfBefore().catch(() => true)));
  await until("the draft", async () => (await box.inputValue().catch(() => "")) === "half an answer");
  assert.deepEqual(stack.complaints, []);
});
