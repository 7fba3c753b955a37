// The console in the hands of an agent: keys go where the focus is, words keep what they promise.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Stack, openRow, say, showSide, until } from "../stack.mjs";

let stack;
let agent;
before(async () => {
  stack = await Stack.start();
  agent = await stack.console();
});
after(() => stack.stop());

/** A visitor who said something, in a conversation that is open in the console. */
async function conversation(text) {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, text);
  await agent.goto(`${stack.origin}/console/inbox/all`);
  await openRow(agent, text);
  await agent.getByRole("textbox", { name: /^Reply to / }).waitFor();
  return { page, panel };
}

test("Enter does what has the focus says, with a conversation open", async () => {
  const { page } = await conversation("Enter is mine");
  await agent.getByRole("link", { name: /^Mine/ }).focus();
  await agent.keyboard.press("Enter");
  await agent.waitForURL(/\/inbox\/mine/);
  await agent.goBack();
  await agent.getByRole("button", { name: "Show the side panel" }).or(agent.getByRole("button", { name: "Hide the side panel" })).focus();
  const before = await agent.evaluate(() => document.activeElement.getAttribute("aria-label"));
  await agent.keyboard.press("Enter");
  await until("the side panel to follow", () => agent.evaluate((name) => document.activeElement.getAttribute("aria-label") !== name, before));
  // With nothing in the focus it leads to the composer.
  await agent.evaluate(() => document.activeElement.blur());
  await agent.keyboard.press("Enter");
  await until("the composer", () => agent.evaluate(() => document.activeElement.matches("textarea")));
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("what was refused is not said to be done", async () => {
  const { page, panel } = await conversation("The first of two");
  await agent.getByRole("button", { name: "Close", exact: true }).click();
  await panel.getByText("ended", { exact: false }).first().waitFor();
  await say(panel, "The second of two");
  await agent.locator("a.row", { hasText: "The second of two" }).waitFor();
  await agent.goto(`${stack.origin}/console/inbox/closed`);
  await openRow(agent, "The first of two");
  await agent.getByRole("button", { name: "Reopen", exact: true }).click();
  // Words wait while they are pointed at.
  await agent.locator(".toast", { hasText: /^Went on in #\d+\./ }).hover();
  assert.equal(await agent.getByText("is open again").count(), 0);
  // It leads there.
  await agent.getByRole("link", { name: /^Open #/ }).click();
  await agent.getByRole("log").getByText("The second of two").waitFor();
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("origins count once the field is left, whole, and never none", async () => {
  await agent.goto(`${stack.origin}/console/settings/sites?site=${stack.siteKey}`);
  const origins = agent.getByLabel("Allowed origins");
  const { api, headers } = await stack.api();
  const stored = async () => (await api.ask("GET", `sites/${stack.siteKey}`, undefined, headers)).allowed_origins;
  const before = await stored();
  await origins.fill("");
  await origins.blur();
  await agent.getByText("The widget would load nowhere.").waitFor();
  await origins.pressSequentially("https://shop.example.co");
  // A title that is stored afterwards shows that nothing else was.
  await agent.getByLabel("Title").fill("Ask us");
  await agent.getByText("Saved", { exact: true }).waitFor();
  assert.deepEqual((await stored()).toSorted(), ["https://shop.example.co"]);
  await origins.fill(`https://shop.example.co.uk/path\n${before.join("\n")}`);
  await origins.blur();
  await until("the whole list", async () => (await stored()).length === before.length + 1);
  const wanted = ["https://shop.example.co.uk", ...before].join("\n");
  await until("the list in the field", async () => (await origins.inputValue()) === wanted);
  assert.deepEqual(stack.complaints, []);
});

test("a color that is half typed holds no other change up", async () => {
  await agent.goto(`${stack.origin}/console/settings/sites?site=${stack.siteKey}`);
  await agent.getByLabel("Color", { exact: true }).fill("#12");
  await agent.getByLabel("Title").fill("Another title");
  const { api, headers } = await stack.api();
  const theme = async () => (await api.ask("GET", `sites/${stack.siteKey}`, undefined, headers)).theme;
  await until("the title", async () => (await theme()).title === "Another title");
  // Whole, it is stored, and the page may be left.
  await agent.getByLabel("Color", { exact: true }).fill("#123456");
  await until("the color", async () => (await theme()).color === "#123456");
  assert.deepEqual(stack.complaints, []);
});

test("an erasure asks for its word each time", async () => {
  const { page } = await conversation("Ask me twice");
  const side = await showSide(agent);
  await side.getByRole("button", { name: "Erase this contact" }).click();
  await agent.getByLabel("Type “erase” to confirm").fill("erase");
  await agent.getByRole("button", { name: "Cancel" }).click();
  await agent.getByRole("dialog").waitFor({ state: "detached" });
  await side.getByRole("button", { name: "Erase this contact" }).click();
  assert.equal(await agent.getByLabel("Type “erase” to confirm").inputValue(), "");
  assert.ok(await agent.getByRole("button", { name: "Erase for good" }).isDisabled());
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("rows stand on two lines or on one, as one likes, and do so after a reload", async () => {
  const { page } = await conversation("How dense is your tea?");
  const heights = async () => ({
    row: await agent.locator(".list a.row").first().evaluate((row) => row.getBoundingClientRect().height),
    lines: await agent.locator(".list a.row .row-main").first().evaluate((main) => new Set([...main.querySelectorAll(".row-name, .row-preview")].map((part) => Math.round(part.getBoundingClientRect().bottom / 8))).size),
  });
  const visitors = async () => {
    const inbox = agent.url();
    await agent.goto(`${stack.origin}/console/visitors`);
    const row = agent.locator(".visitor").first();
    await row.waitFor();
    const height = await row.evaluate((each) => each.getBoundingClientRect().height);
    await agent.goto(inbox);
    await agent.locator(".list a.row").first().waitFor();
    return height;
  };
  const choose = async (density) => {
    await agent.getByRole("button", { name: /, menu of / }).click();
    await agent.getByRole("menuitem", { name: density }).click();
    await agent.getByRole("menu").waitFor({ state: "detached" });
  };
  assert.deepEqual([await heights(), await visitors()], [{ row: 68, lines: 2 }, 60]);
  await choose("One line");
  await until("one line", async () => (await heights()).row === 36);
  assert.deepEqual([await heights(), await visitors()], [{ row: 36, lines: 1 }, 36]);
  await agent.reload();
  await agent.locator(".list a.row").first().waitFor();
  assert.deepEqual(await heights(), { row: 36, lines: 1 });
  await choose("Two lines");
  await until("two lines", async () => (await heights()).row === 68);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});
