// Search: over all conversations, with the keyboard alone.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Crowd } from "../crowd.mjs";
import { Stack, answer, inSight, openRow, say, sees, until } from "../stack.mjs";

/** Waits until the address tells the whole search: it follows the keys after a pause. */
const searched = (page, words) => page.waitForURL((url) => url.searchParams.get("q") === words);

/** Goes to the field by its key, and types there. */
async function types(page, words) {
  await page.keyboard.press("/");
  await until("the focus in the field", () => page.evaluate(() => document.activeElement?.matches("input[type=search]") === true));
  await page.keyboard.type(words);
  await searched(page, words);
}

const LINES_AT_ONCE = 10;

let stack;
before(async () => (stack = await Stack.start()));
after(() => stack.stop());

test("a search finds what other lists hold, says where, leads there, and goes away", async () => {
  const agent = await stack.console();
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "Is the Blue Teapot still in stock?");
  await openRow(agent, "Blue Teapot");
  await answer(agent, "It is.");
  await sees(panel, "It is.");
  await agent.getByRole("button", { name: "Close", exact: true }).click();
  await agent.locator("a.row").first().waitFor({ state: "detached" });

  const field = agent.getByRole("searchbox", { name: "Search all conversations" });
  await types(agent, "blue tea");
  const found = agent.locator("a.row-found", { hasText: "Closed" });
  await found.locator("mark", { hasText: "Teapot" }).waitFor();
  await agent.getByText("1 found in all conversations").waitFor();
  assert.equal(await agent.locator(".list-foot").count(), 0);
  await agent.keyboard.press("ArrowDown");
  await until("the focus on the row", () => found.evaluate((row) => row === document.activeElement));
  await agent.keyboard.press("Enter");
  await agent.waitForURL((url) => url.searchParams.get("q") === "blue tea" && url.searchParams.get("at") === "1");
  await agent.locator("article.said", { hasText: "Blue Teapot" }).waitFor();

  await found.focus();
  await agent.keyboard.press("Escape");
  await until("the focus in the field", () => field.evaluate((input) => input === document.activeElement));
  await agent.keyboard.press("Escape");
  await agent.getByRole("link", { name: /^All/ }).waitFor();
  await until("an empty field", async () => (await field.inputValue()) === "");
  assert.deepEqual(stack.complaints, []);
  for (const each of [agent, page]) await each.context().close();
});

test("a search finds people by their name and by their address, whatever they said", async () => {
  const agent = await stack.console();
  const visitors = [];
  for (const [name, email, words] of [["Zdeňka Hrubá", "zh@kettle.example", "Do you have white tea?"], ["Tomás Rey", "tomas.rey@garden.example", "And rooibos?"]]) {
    const { page, panel } = await stack.visitor("/demo/");
    await page.evaluate((who) => window.Switchboard.identify(who), { name, email });
    await say(panel, words);
    await agent.locator("a.row", { hasText: name }).filter({ hasText: words }).waitFor();
    visitors.push(page);
  }
  const found = agent.locator("a.row-found");
  await types(agent, "zdeňka");
  await found.locator(".row-name mark", { hasText: /^Zdeňka$/ }).waitFor();
  assert.equal(await found.count(), 1);
  // Of an address the beginning is enough, and no other part.
  const instead = async (words) => {
    await agent.keyboard.press("Control+a");
    await agent.keyboard.type(words);
    await searched(agent, words);
  };
  await instead("rey@gard");
  await agent.getByText("A message is found by the beginnings of its words, an address by its own.").waitFor();
  await instead("tomas.rey@gard");
  const address = found.locator('.row-match[data-place="email"]');
  await address.locator("mark", { hasText: /^tomas\.rey@gard$/ }).waitFor();
  assert.match(await address.getAttribute("title"), /^E-mail/);
  assert.equal(await found.count(), 1);
  assert.deepEqual(await violations(agent), []);
  await agent.keyboard.press("ArrowDown");
  await until("the focus on the row", () => found.evaluate((row) => row === document.activeElement));
  await agent.keyboard.press("Enter");
  await agent.getByRole("log").getByText("And rooibos?").waitFor();
  await agent.getByRole("complementary", { name: "Contact" }).getByText("tomas.rey@garden.example").first().waitFor();
  assert.deepEqual(stack.complaints, []);
  for (const each of [agent, ...visitors]) await each.context().close();
});

/** Notes from `line 0` on. Those of a hundred come at once, but for the last two of them: these come last, in their order. */
async function writeLines(conversation_id, count, from = 0) {
  const { api, headers } = await stack.api();
  const write = (line) => api.ask("POST", "commands", { do: "add_note", conversation_id, body: `line ${line}` }, { ...headers, "idempotency-key": `line-${line}` });
  for (let first = from; first < count; first += LINES_AT_ONCE) {
    const lines = Array.from({ length: Math.min(LINES_AT_ONCE, count - first) }, (_, index) => first + index);
    await Promise.all(lines.slice(0, -2).map(write));
    for (const line of lines.slice(-2)) await write(line);
  }
}

test("a search leads to words far up in a long conversation", async () => {
  const agent = await stack.console();
  const visitor = await Crowd.writer(stack, "The needle is here", { page: "/demo/tea/" });
  await openRow(agent, "The needle is here");
  await writeLines(new URL(agent.url()).pathname.split("/").at(-1), 260);
  await agent.reload();
  await agent.getByText("line 259").first().waitFor();
  assert.equal(await agent.locator("article.said", { hasText: "needle" }).count(), 0);
  await types(agent, "needle");
  const found = agent.locator("a.row-found", { hasText: "needle" });
  await found.waitFor();
  await agent.keyboard.press("ArrowDown");
  await until("the focus on the row", () => found.evaluate((row) => row === document.activeElement));
  await agent.keyboard.press("Enter");
  await inSight(agent, "The needle is here");

  // Within the conversation: by words, by day, and back to the end. What is far out of sight is not in the page.
  await agent.getByRole("button", { name: "To the end" }).click();
  await inSight(agent, "line 259");
  await agent.locator("article.said", { hasText: "needle" }).waitFor({ state: "detached" });
  await agent.locator(".thread").focus();
  await agent.keyboard.press("l");
  const find = agent.getByRole("searchbox", { name: "Find in this conversation" });
  await find.fill("needle");
  await agent.getByText("1 of 1", { exact: true }).waitFor();
  await inSight(agent, "The needle is here");
  await find.fill("line 10");
  await agent.getByText("1 of 11", { exact: true }).waitFor();
  await inSight(agent, "line 109");
  await find.press("Enter");
  await agent.getByText("2 of 11", { exact: true }).waitFor();
  await inSight(agent, "line 108");
  // Who walked on stays where he is when one more is found, as he comes back to the window.
  await writeLines(new URL(agent.url()).pathname.split("/").at(-1), 1_001, 1_000);
  await until("one more", async () => {
    await agent.evaluate(() => dispatchEvent(new Event("visibilitychange")));
    return agent.getByText("3 of 12", { exact: true }).isVisible();
  });
  await inSight(agent, "line 108");
  assert.deepEqual(await violations(agent), []);
  await find.fill("umbrella");
  await agent.getByText("Nothing found", { exact: true }).waitFor();
  await find.press("Escape");
  await find.waitFor({ state: "detached" });
  await agent.getByRole("button", { name: /^To the end|new below$/ }).click();
  await inSight(agent, "line 1000");
  await agent.locator(".thread").focus();
  await agent.keyboard.press("d");
  const today = await agent.evaluate(() => new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 10));
  await agent.getByLabel("Day", { exact: true }).fill(today);
  await agent.getByRole("button", { name: "Go there" }).click();
  await inSight(agent, "The needle is here");

  const save = async (item) => {
    await agent.getByRole("button", { name: "More", exact: true }).click();
    const [file] = await Promise.all([agent.waitForEvent("download"), agent.getByRole("menuitem", { name: item }).click()]);
    assert.match(file.suggestedFilename(), /^conversation-\d+\.txt$/);
    return readFile(await file.path(), "utf8");
  };
  assert.match(await save("With notes and events"), /The needle is here\n[^]*\(note\): line 1000\n/);
  const said = await save("What was said");
  assert.match(said, /The needle is here\n/);
  assert.doesNotMatch(said, /line \d/);
  assert.deepEqual(stack.complaints, []);
  await agent.context().close();
  visitor.leave();
});

test("a list and a search are narrowed by what is urgent, and what narrows a search is seen and taken off", async () => {
  const agent = await stack.console({ viewport: { width: 1440, height: 900 } });
  const { api, headers } = await stack.api();
  for (const text of ["My marzipan order is broken", "Do you sell marzipan?"]) {
    const somebody = await Crowd.writer(stack, text);
    await agent.locator("a.row", { hasText: text }).waitFor();
    somebody.leave();
  }
  const urgent = agent.locator("a.row", { hasText: "marzipan order is broken" });
  const other = agent.locator("a.row", { hasText: "Do you sell marzipan" });
  await agent.mouse.move(0, 0);
  await agent.keyboard.press("f");
  const filters = agent.getByRole("group", { name: "Filters of the list" });
  await filters.getByLabel("Priority").selectOption("Urgent");
  await urgent.waitFor({ state: "detached" });
  // It comes as it becomes so, and goes as it is no longer.
  const broken = await until("the search to know it", async () => {
    const { items } = await api.ask("GET", `conversations?search=${encodeURIComponent("marzipan order")}`, undefined, headers);
    return items[0];
  });
  const rank = (priority) => api.ask("POST", "commands", { do: "prioritize", conversation_id: broken.id, priority }, { ...headers, "idempotency-key": api.nextId() });
  await rank(3);
  await filters.getByLabel("Priority").selectOption("High and up");
  await urgent.waitFor();
  await agent.waitForURL((url) => url.searchParams.get("priority_min") === "3");
  await filters.getByLabel("Priority").selectOption("Urgent");
  await urgent.waitFor({ state: "detached" });
  await rank(4);
  await urgent.waitFor();
  await other.waitFor({ state: "detached" });
  assert.deepEqual(await violations(agent), []);
  await agent.waitForURL((url) => url.searchParams.get("priority") === "4");
  await agent.reload();
  await urgent.waitFor();
  await other.waitFor({ state: "detached" });
  // Kept as a view.
  await agent.getByRole("button", { name: "Save view" }).click();
  await agent.getByRole("dialog").getByLabel("Name").fill("Urgent");
  await agent.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await agent.getByRole("navigation", { name: "Saved views" }).getByRole("link", { name: "Urgent" }).waitFor();
  const views = await api.ask("GET", "saved-views", undefined, headers);
  assert.equal(views.items.find(({ name }) => name === "Urgent").list.priority, 4);

  // A search stays as narrow as the list was, and says so.
  await types(agent, "marzipan");
  await agent.getByText("1 found among what fits the filters").waitFor();
  await agent.getByRole("list", { name: "The search is narrowed to" }).getByText("Priority: Urgent").waitFor();
  assert.deepEqual(await violations(agent), []);
  await agent.getByRole("button", { name: "1 filter" }).click();
  const search_filters = agent.getByRole("group", { name: "Filters of the search" });
  await search_filters.getByLabel("Priority").selectOption("Low");
  await agent.getByRole("heading", { name: "Nothing found that fits the filters" }).waitFor();
  await agent.getByRole("button", { name: "Search without filters" }).click();
  await agent.getByText("2 found in all conversations").waitFor();
  await search_filters.getByLabel("Last active").selectOption("days");
  await search_filters.getByLabel("To", { exact: true }).fill("2020-01-01");
  await agent.getByRole("heading", { name: "Nothing found that fits the filters" }).waitFor();
  await search_filters.getByLabel("To", { exact: true }).fill("");
  await search_filters.getByLabel("Assigned to").selectOption({ index: 1 });
  await agent.getByRole("heading", { name: "Nothing found that fits the filters" }).waitFor();
  await agent.context().close();
  assert.deepEqual(stack.complaints, []);
});

test("keys go to what a search found, and never to what stood there before it", async () => {
  const agent = await stack.console();
  await agent.locator("a.row").first().waitFor();
  let release;
  const released = new Promise((done) => (release = done));
  await agent.route("**/api/v1/search?*", async (route) => {
    await released;
    await route.continue();
  });
  await agent.keyboard.press("/");
  await until("the focus in the field", () => agent.evaluate(() => document.activeElement?.matches("input[type=search]") === true));
  await agent.keyboard.type("needle");
  await agent.keyboard.press("ArrowDown");
  await agent.keyboard.press("Enter");
  await searched(agent, "needle");
  assert.match(new URL(agent.url()).pathname, /\/inbox\/all\/?$/);
  release();
  const found = agent.locator("a.row-found", { hasText: "needle" });
  await found.waitFor();
  await agent.keyboard.press("ArrowDown");
  await until("the focus on the row", () => found.evaluate((row) => row === document.activeElement));
  assert.deepEqual(stack.complaints, []);
  await agent.context().close();
});
