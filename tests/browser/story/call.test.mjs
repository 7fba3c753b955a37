// What calls an agent back to the console without a word: the title of its tab, and a sound.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Stack, answer, openRow, say, sees, until } from "../stack.mjs";

let stack;
before(async () => (stack = await Stack.start()));
after(() => stack.stop());

test("the title of the tab counts who waits, wherever one is in the console", async () => {
  const agent = await stack.console();
  const titled = (wanted) => until(`the title ${wanted}`, async () => (await agent.title()) === wanted).catch(async () => assert.equal(await agent.title(), wanted));
  await titled("Switchboard");
  const ana = await stack.visitor("/demo/");
  await say(ana.panel, "is anybody here?");
  await titled("(1) Switchboard");
  const ben = await stack.visitor("/demo/");
  await say(ben.panel, "me too");
  await titled("(2) Switchboard");
  await agent.goto(`${stack.origin}/console/settings/notifications`);
  await titled("(2) Switchboard");
  const counts = agent.getByRole("switch", { name: "A count in the tab’s title" });
  await counts.click();
  await titled("Switchboard");
  await agent.reload();
  await counts.click();
  await titled("(2) Switchboard");
  await agent.goto(`${stack.origin}/console/inbox/all`);
  await openRow(agent, "is anybody here?");
  await answer(agent, "yes, I am");
  await sees(ana.panel, "yes, I am");
  await titled("(1) Switchboard");
  // Who was answered waits again once he writes.
  await say(ana.panel, "good");
  await titled("(2) Switchboard");
  await agent.getByRole("button", { name: "Close", exact: true }).click();
  await titled("(1) Switchboard");
  await openRow(agent, "me too");
  await answer(agent, "and you");
  await titled("Switchboard");
  assert.deepEqual(stack.complaints, []);
  for (const { page } of [ana, ben]) await page.context().close();
  await agent.context().close();
});

test("a customer's words sound where the agent chose it and looks elsewhere, also after a reload", async () => {
  const agent = await stack.console();
  await agent.context().addInitScript(() => {
    window.tones = 0;
    const { start } = OscillatorNode.prototype;
    OscillatorNode.prototype.start = function (...when) {
      window.tones += 1;
      return start.apply(this, when);
    };
    Document.prototype.hasFocus = () => !window.isAway;
  });
  await agent.reload();
  const looks = (elsewhere) => agent.evaluate((isAway) => (window.isAway = isAway), elsewhere);
  const tones = (wanted) => until(`${wanted} tones`, async () => (await agent.evaluate(() => window.tones)) === wanted);
  const { page, panel } = await stack.visitor("/demo/");
  const hears = async (text) => {
    await say(panel, text);
    await agent.locator("a.row", { hasText: text }).waitFor();
  };
  await looks(true);
  await hears("before it is chosen");
  await looks(false);
  const settings = async () => {
    await agent.getByRole("link", { name: /^Settings/ }).click();
    await agent.getByRole("link", { name: "Notifications" }).click();
  };
  await settings();
  await tones(0);
  await agent.getByRole("switch", { name: "A sound" }).click();
  await agent.getByRole("button", { name: "Try it" }).click();
  await tones(2);
  await agent.getByRole("link", { name: /^Inbox/ }).click();
  await hears("in sight");
  await looks(true);
  await hears("out of sight");
  // Two for this one, and none for the one in sight.
  await tones(4);

  await agent.reload();
  await agent.locator("a.row", { hasText: "out of sight" }).waitFor();
  await looks(true);
  await hears("after a reload");
  await tones(2);
  await looks(false);
  await settings();
  await agent.getByRole("switch", { name: "A sound" }).click();
  await agent.getByRole("link", { name: /^Inbox/ }).click();
  await looks(true);
  await hears("and silent again");
  await tones(2);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
  await agent.context().close();
});
