// Titles and names as pages have them: none of them keeps a visitor from chatting.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Shop, tag } from "../shop.mjs";
import { Stack, answer, findPanel, openRow, say, sees, until } from "../stack.mjs";

let stack;
let shop;
let agent;
before(async () => {
  stack = await Stack.start();
  shop = await Shop.open();
  agent = await stack.console();
});
after(async () => {
  await shop.close();
  await stack.stop();
});

for (const [kind, title] of [
  ["that is cut in the middle of a character", `${"a".repeat(299)}\u{1F375}`],
  ["with half of a character", "Tea \uD83C sale"],
  ["with control characters", "Tea\u0000\u0007\u009b sale"],
  ["that turns what stands around it", "Tea \u202Egnp.exe"],
  ["longer than anybody reads", "tea ".repeat(5_000)],
]) {
  test(`a page with a title ${kind} chats, and its agent sees the page`, async () => {
    const page = await stack.person();
    await page.addInitScript((title) => document.addEventListener("readystatechange", () => (document.title = title)), title);
    await page.goto(shop.page("/title", { head: tag(stack), body: "" }));
    await until("the widget", () => page.evaluate(() => window.Switchboard !== undefined && !Array.isArray(window.Switchboard)));
    await page.evaluate((name) => window.Switchboard.identify({ name: "Ana \uD83C", note: name }), title);
    await page.evaluate(() => window.Switchboard.open());
    const panel = await findPanel(page);
    await say(panel, `a title ${kind}`);
    await openRow(agent, `a title ${kind}`);
    await answer(agent, "I can read it");
    await sees(panel, "I can read it");
    await agent.getByRole("complementary", { name: "Contact" }).getByText("/title").first().waitFor();
    assert.deepEqual(stack.complaints, []);
    await page.context().close();
  });
}
