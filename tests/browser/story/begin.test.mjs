// What a site asks before the first message, and what a visitor can take along after the last.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Stack, answer, findPanel, openPanel, openRow, say, sees, until } from "../stack.mjs";

let stack;
let agent;
before(async () => {
  stack = await Stack.start();
  agent = await stack.console({ viewport: { width: 1440, height: 900 } });
});
after(() => stack.stop());

async function ask(asks) {
  const { api, headers } = await stack.api();
  const site = await api.ask("GET", `sites/${stack.siteKey}`, undefined, headers);
  await api.ask("PATCH", `sites/${stack.siteKey}`, { theme: { ...site.theme, asks } }, { ...headers, "if-match": `"${site.version}"` });
}

test("a visitor says who he is before the first message, once, and the agent reads it as a claim", async () => {
  await ask({ name: "optional", email: "needed", phone: "never" });
  const page = await stack.person({ reducedMotion: "reduce" });
  await page.goto(`${stack.origin}/demo/`);
  await page.locator("[data-chat]").first().click();
  const panel = await findPanel(page);
  const begin = panel.getByRole("button", { name: "Begin the chat" });
  await begin.waitFor();
  assert.equal(await panel.getByLabel("Message", { exact: true }).count(), 0);
  assert.equal(await panel.getByLabel("Phone").count(), 0);
  assert.deepEqual(await violations(panel), []);

  await begin.click();
  await panel.getByText("This is needed").waitFor();
  const email = panel.getByLabel("E-mail");
  await until("the focus", () => email.evaluate((element) => element === document.activeElement));
  await email.fill("ana at kettle");
  await email.press("Enter");
  await panel.getByText("This is no e-mail address").waitFor();
  assert.deepEqual(await violations(panel), []);
  await email.fill("ana@kettle.example");
  await panel.getByLabel("Name (optional)").fill("Ana Kovač");
  await begin.click();
  await say(panel, "Now you know me");
  await openRow(agent, "Now you know me");
  const side = agent.getByRole("complementary", { name: "Contact" });
  await side.getByText("ana@kettle.example").waitFor();
  await side.getByText("claimed").first().waitFor();
  await side.getByRole("heading", { name: "Ana Kovač" }).waitFor();

  await page.reload();
  const again = await openPanel(page);
  await sees(again, "Now you know me");
  assert.equal(await again.getByRole("button", { name: "Begin the chat" }).count(), 0);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("where all may be left empty, it can be, and a reload does not ask again", async () => {
  await ask({ name: "optional", email: "optional", phone: "optional" });
  const page = await stack.person();
  await page.goto(`${stack.origin}/demo/`);
  await page.locator("[data-chat]").first().click();
  const panel = await findPanel(page);
  await panel.getByRole("button", { name: "Begin the chat" }).click();
  await panel.getByLabel("Message", { exact: true }).waitFor();
  await page.reload();
  const again = await openPanel(page);
  await say(again, "I would rather not");
  await openRow(agent, "I would rather not");
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a conversation can be kept as a text, with an emoji put in by mouse or by keys", async () => {
  await ask({ name: "never", email: "never", phone: "never" });
  const { page, panel } = await stack.visitor("/demo/", { reducedMotion: "reduce" });
  const box = panel.getByLabel("Message", { exact: true });
  await box.fill("Good tea ");
  await panel.getByRole("button", { name: "Insert an emoji" }).click();
  assert.deepEqual(await violations(panel), []);
  await panel.getByRole("menuitem", { name: "👍" }).click();
  await until("the first", async () => (await box.inputValue()) === "Good tea 👍");
  await panel.getByRole("button", { name: "Insert an emoji" }).focus();
  await page.keyboard.press("Enter");
  const chosen = (emoji) => until(`the focus on ${emoji}`, () => panel.evaluate((emoji) => document.activeElement?.textContent?.includes(emoji), emoji));
  await chosen("😀");
  await page.keyboard.press("ArrowRight");
  await chosen("😂");
  await page.keyboard.press("Enter");
  await until("the second", async () => (await box.inputValue()) === "Good tea 👍😂");
  await panel.getByRole("button", { name: "Send" }).click();
  await openRow(agent, "Good tea");
  await answer(agent, "The **smoky** one?");
  await sees(panel, "smoky");

  await panel.getByRole("button", { name: "More", exact: true }).click();
  const [download] = await Promise.all([page.waitForEvent("download"), panel.getByRole("menuitem", { name: "Save this conversation" }).click()]);
  assert.equal(download.suggestedFilename(), "Conversation.txt");
  const text = await readFile(await download.path(), "utf8");
  assert.match(text, /You: Good tea 👍😂/);
  assert.match(text, /: The smoky one\?/);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});
