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

async function ask(asks, more = { questions: [], consent: "" }) {
  const { api, headers } = await stack.api();
  const site = await api.ask("GET", `sites/${stack.siteKey}`, undefined, headers);
  await api.ask("PATCH", `sites/${stack.siteKey}`, { theme: { ...site.theme, asks, ...more } }, { ...headers, "if-match": `"${site.version}"` });
}

test("a visitor says who he is before the first message, once, and the agent reads it as a claim", async () => {
  await ask({ name: "optional", email: "needed", phone: "never" }, {
    questions: [
      { name: "order_id", label: "", kind: "text", needed: false },
      { name: "tins", label: "How many tins?", kind: "number", needed: true },
      { name: "gift", label: "It is a gift", kind: "flag", needed: false },
    ],
    consent: "I have read the [privacy policy](https://kettle.example/privacy).",
  });
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
  await panel.getByText("This is needed").nth(2).waitFor();
  const email = panel.getByLabel("E-mail");
  await until("the focus", () => email.evaluate((element) => element === document.activeElement));
  await email.fill("ana at kettle");
  await email.press("Enter");
  await panel.getByText("This is no e-mail address").waitFor();
  assert.deepEqual(await violations(panel), []);
  await email.fill("ana@kettle.example");
  await panel.getByLabel("Name (optional)").fill("Ana Kovač");
  await panel.getByLabel("Order number (optional)").fill("A-1017");
  const tins = panel.getByLabel("How many tins?");
  await tins.fill("two");
  await begin.click();
  await panel.getByText("This is no number").waitFor();
  await tins.fill("2");
  await panel.getByLabel("It is a gift").check();
  await panel.getByRole("link", { name: "privacy policy" }).waitFor();
  await panel.getByRole("checkbox", { name: "I have read the privacy policy." }).check();
  await begin.click();
  await say(panel, "Now you know me");
  await openRow(agent, "Now you know me");
  const side = agent.getByRole("complementary", { name: "Contact" });
  await side.getByText("ana@kettle.example").waitFor();
  await side.getByText("claimed").first().waitFor();
  await side.getByRole("heading", { name: "Ana Kovač" }).waitFor();
  const fact = (name, value) => side.locator("dl.facts > div", { has: agent.getByText(name, { exact: true }) }).getByText(value, { exact: true }).waitFor();
  await fact("Order number", "A-1017");
  await fact("Tins", "2");
  await fact("Gift", "Yes");
  await fact("Agreed to", "I have read the privacy policy.");

  await page.reload();
  const again = await openPanel(page);
  await sees(again, "Now you know me");
  assert.equal(await again.getByRole("button", { name: "Begin the chat" }).count(), 0);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("on a slow line nobody writes a message before it is known whether something is asked first", async () => {
  await ask({ name: "optional", email: "needed", phone: "never" });
  for (const comes of ["late", "never"]) {
    const page = await stack.person();
    let answers;
    const held = new Promise((done) => (answers = done));
    await page.route("**/visitor/history*", (route) => held.then(() => (comes === "late" ? route.continue() : route.abort())));
    await page.goto(`${stack.origin}/demo/`);
    await page.locator("[data-chat]").first().click();
    const panel = await findPanel(page);
    await panel.locator("h1", { hasText: /\S/ }).waitFor();
    await panel.getByLabel("Message", { exact: true }).waitFor({ state: "detached" });
    assert.equal(await panel.getByRole("button", { name: "Begin the chat" }).count(), 0);
    answers();
    await panel.getByRole("button", { name: "Begin the chat" }).waitFor();
    await until("the focus", () => panel.getByLabel("Name (optional)").evaluate((element) => element === document.activeElement));
    assert.deepEqual(stack.complaints, []);
    await page.context().close();
  }
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

/** The agent is there for visitors, or is not. */
async function be(state) {
  await agent.getByRole("button", { name: /, menu of / }).click();
  await agent.getByRole("menuitem", { name: state }).click();
  // While it fades it shows what it would offer next.
  await agent.getByRole("menu").waitFor({ state: "detached" });
}

test("who writes while nobody is here is asked in the conversation where to reach him, and may keep it", async () => {
  await ask({ name: "never", email: "never", phone: "never" }, { questions: [], consent: "", asks_email_later: true });
  await be("Away");
  const { page, panel } = await stack.visitor("/demo/", { reducedMotion: "reduce" });
  await panel.getByText("Nobody is here right now").waitFor();
  assert.equal(await panel.getByLabel("Where can we reach you if you leave?").count(), 0);
  await say(panel, "Do you send to Norway?");
  const email = panel.getByLabel("Where can we reach you if you leave?");
  await email.waitFor();
  assert.deepEqual(await violations(panel), []);
  await email.fill("ana at kettle");
  await panel.getByRole("button", { name: "Save" }).click();
  await panel.getByText("This is no e-mail address").waitFor();
  await email.fill("ana@kettle.example");
  // Somebody comes: what is being written stays.
  await be("Online");
  await panel.getByText(/ is here now$/).first().waitFor();
  await email.press("Enter");
  await panel.locator(".line", { hasText: "Noted: ana@kettle.example" }).waitFor();
  await openRow(agent, "Do you send to Norway?");
  await agent.getByRole("complementary", { name: "Contact" }).locator(".proved-value", { hasText: "ana@kettle.example" }).waitFor();
  await page.context().close();

  await be("Away");
  const other = await stack.visitor("/demo/");
  await say(other.panel, "And to Iceland?");
  await other.panel.getByRole("button", { name: "No, thanks" }).click();
  await other.page.reload();
  const again = await openPanel(other.page);
  await say(again, "Never mind");
  await again.locator("article.message", { hasText: "Never mind" }).getByText("Sent", { exact: true }).waitFor();
  assert.equal(await again.getByLabel("Where can we reach you if you leave?").count(), 0);
  await other.page.context().close();

  // Whom the page told of need not say it again.
  const known = await stack.person();
  await known.goto(`${stack.origin}/demo/`);
  await known.evaluate(() => window.Switchboard.push(["identify", { email: "eva@kettle.example" }]));
  await agent.getByRole("link", { name: /^Visitors/ }).click();
  await agent.getByText("eva@kettle.example").first().waitFor();
  await agent.getByRole("link", { name: /^Inbox/ }).click();
  const there = await openPanel(known);
  await say(there, "And to Greenland?");
  await there.locator("article.message", { hasText: "And to Greenland?" }).getByText("Sent", { exact: true }).waitFor();
  assert.equal(await there.getByLabel("Where can we reach you if you leave?").count(), 0);
  await be("Online");
  assert.deepEqual(stack.complaints, []);
  await known.context().close();
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
