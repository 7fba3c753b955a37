// What is half done waits in its place until one comes back to it, in this tab and in another.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Stack, answer, openRow, say, sees, until } from "../stack.mjs";

let stack;
let agent;
let panel;
let visitor;
before(async () => {
  stack = await Stack.start();
  agent = await stack.console({ viewport: { width: 1440, height: 900 } });
  ({ panel, page: visitor } = await stack.visitor("/demo/"));
  await say(panel, "when does it come?");
  await openRow(agent, "when does it come?");
  await answer(agent, "it comes at ones");
  await sees(panel, "it comes at ones");
  await say((await stack.visitor("/demo/")).panel, "and who is next?");
  await agent.locator("a.row", { hasText: "and who is next?" }).waitFor();
});
after(() => stack.stop());

const row = (page, text) => page.locator("a.row", { hasText: text });
const side = (page) => page.getByRole("complementary", { name: "Contact" });
const edited = (page) => page.getByRole("textbox", { name: "Edit the text" });
const isFocused = (locator) => locator.evaluate((element) => element === document.activeElement);

async function edit(page, text) {
  const line = page.getByRole("log").locator(".said", { hasText: text });
  await line.hover();
  await line.getByRole("button", { name: "Change this" }).click();
  await page.getByRole("menuitem", { name: "Edit" }).click();
}

test("a message that is half changed stands so when one comes back, and is saved or given up then", async () => {
  await edit(agent, "it comes at ones");
  await until("the focus", () => isFocused(edited(agent)));
  await edited(agent).fill("it comes at once");
  await openRow(agent, "and who is next?");
  assert.equal(await edited(agent).count(), 0);
  // The list says that something waits there.
  await row(agent, "it comes at once").getByText("Draft:").waitFor();
  await row(agent, "it comes at once").click();
  await edited(agent).waitFor();
  assert.equal(await edited(agent).inputValue(), "it comes at once");
  assert.equal(await isFocused(edited(agent)), false, "who comes back was about to do something else");
  assert.deepEqual(await violations(agent), []);
  await agent.reload();
  await until("the words after a reload", async () => (await edited(agent).inputValue()) === "it comes at once");
  await agent.locator(".edit").getByRole("button", { name: "Save" }).click();
  await sees(panel, "it comes at once");
  await edited(agent).waitFor({ state: "detached" });

  // Given up it is gone, and what was not touched leaves nothing behind.
  for (const words of ["it comes never", "it comes at once"]) {
    await edit(agent, "it comes at once");
    await edited(agent).fill(words);
    if (words === "it comes never") await edited(agent).press("Escape");
    await openRow(agent, "and who is next?");
    await row(agent, "it comes at once").click();
    await agent.getByRole("log").getByText("it comes at once").waitFor();
    assert.equal(await edited(agent).count(), 0);
  }
  assert.deepEqual(stack.complaints, []);
});

test("a contact that is half changed stands so when one comes back, also by way of a closed panel", async () => {
  const company = (page) => side(page).getByRole("textbox", { name: "Company" });
  await side(agent).getByRole("button", { name: "Edit the contact" }).click();
  await company(agent).fill("Tea and Sons");
  await side(agent).getByLabel("Another fact").fill("plan");
  await openRow(agent, "and who is next?");
  assert.equal(await company(agent).count(), 0);
  await row(agent, "it comes at once").click();
  await until("the company", async () => (await company(agent).inputValue()) === "Tea and Sons");
  assert.equal(await side(agent).getByLabel("Another fact").inputValue(), "plan");
  assert.equal(await isFocused(side(agent).getByLabel("Name")), false);
  assert.deepEqual(await violations(agent), []);
  await agent.getByRole("button", { name: "Hide the side panel" }).click();
  await side(agent).waitFor({ state: "detached" });
  await agent.getByRole("button", { name: "Show the side panel" }).click();
  await until("the company again", async () => (await company(agent).inputValue()) === "Tea and Sons");
  await side(agent).getByLabel("Its value").fill("team");
  await side(agent).getByRole("button", { name: "Save" }).click();
  for (const words of ["Tea and Sons", "team"]) await side(agent).getByText(words, { exact: true }).waitFor();

  await side(agent).getByRole("button", { name: "Edit the contact" }).click();
  await company(agent).fill("Nobody");
  await side(agent).getByRole("button", { name: "Cancel" }).click();
  await openRow(agent, "and who is next?");
  await row(agent, "it comes at once").click();
  await side(agent).getByText("Tea and Sons").waitFor();
  assert.equal(await company(agent).count(), 0);
  assert.deepEqual(stack.complaints, []);
});

test("words to begin a chat wait beside their visitor", async () => {
  const quiet = await stack.person();
  await quiet.goto(`${stack.origin}/demo/about/`);
  await quiet.evaluate(() => window.Switchboard.push(["identify", { email: "eva@kettle.example" }]));
  await agent.getByRole("link", { name: /^Visitors/ }).click();
  const words = agent.getByLabel("Start a chat");
  await agent.locator(".visitor", { hasText: "eva@kettle.example" }).click();
  await agent.getByRole("button", { name: "Start chat" }).click();
  await agent.getByText("Write the first words.").waitFor();
  await until("the way to the words", () => words.evaluate((field) => field === document.activeElement));
  await words.fill("Good day, Eva");
  await agent.getByText("Write the first words.").waitFor({ state: "detached" });
  await agent.getByRole("link", { name: /^Inbox/ }).click();
  await agent.getByRole("link", { name: /^Visitors/ }).click();
  await agent.locator(".visitor", { hasText: "eva@kettle.example" }).click();
  await until("the words", async () => (await words.inputValue()) === "Good day, Eva");
  await agent.getByRole("button", { name: "Start chat" }).click();
  await agent.getByRole("log").getByText("Good day, Eva").waitFor();
  await quiet.context().close();
  assert.deepEqual(stack.complaints, []);
});

test("what is begun in one tab is not forgotten by another", async () => {
  const other = await agent.context().newPage();
  await other.goto(`${stack.origin}/console/inbox/all`);
  const box = (page) => page.getByRole("textbox", { name: /^Reply to / });
  await agent.getByRole("link", { name: /^Inbox/ }).click();
  await openRow(agent, "Good day, Eva");
  await box(agent).fill("one answer");
  await edit(agent, "Good day, Eva");
  await edited(agent).fill("Good evening, Eva");
  await row(other, "one answer").getByText("Draft:").waitFor();
  await row(other, "it comes at once").click();
  await box(other).fill("another answer");
  await edit(other, "it comes at once");
  await edited(other).fill("it comes soon");
  await row(agent, "another answer").getByText("Draft:").waitFor();
  await agent.reload();
  await until("the first", async () => (await box(agent).inputValue()) === "one answer");
  assert.equal(await edited(agent).inputValue(), "Good evening, Eva");
  await row(agent, "another answer").waitFor();
  await row(agent, "another answer").click();
  await until("the second", async () => (await box(agent).inputValue()) === "another answer");
  assert.equal(await edited(agent).inputValue(), "it comes soon");
  await other.close();
  assert.deepEqual(stack.complaints, []);
});

test("who is erased takes along what was begun of him", async () => {
  const kept = () => agent.evaluate(() => localStorage.getItem("switchboard.begun"));
  assert.match(await kept(), /it comes soon/);
  await visitor.evaluate(() => window.Switchboard.push(["identify", { email: "ana@kettle.example" }]));
  await side(agent).getByRole("button", { name: "Edit the contact" }).click();
  await side(agent).getByRole("textbox", { name: "Company" }).fill("Secret and Sons");
  await until("the company", async () => /Secret and Sons/.test(await kept()));
  const { api, headers } = await stack.api();
  const found = (await api.ask("GET", "conversations?filter=all", undefined, headers)).items.find((each) => /it comes at once/.test(each.preview?.text));
  await api.ask("DELETE", `contacts/${found.contact_id}`, undefined, headers);
  await agent.getByText("This person was erased.").waitFor();
  await until("nothing of it", async () => !/Secret and Sons|it comes soon/.test(await kept()));
  assert.match(await kept(), /Good evening, Eva/);
  assert.deepEqual(stack.complaints, []);
});
