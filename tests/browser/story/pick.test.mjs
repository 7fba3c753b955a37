// Lists: ordered and narrowed. Several conversations at once: picked by mouse and by keys, done with in one
// step, taken back in one.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Crowd } from "../crowd.mjs";
import { Stack, openList, openRow, until } from "../stack.mjs";

let stack;
let page;
const words = ["first of four", "second of four", "third of four", "last of four"];
const answered = "answer to the second";
before(async () => {
  stack = await Stack.start();
  const crowd = await Crowd.of(stack, words.length, () => ({ page: "/demo/" }));
  // One after the other, so that their order is known.
  for (const [index, each] of words.entries()) await crowd.writes(index, each);
  crowd.leave();
  page = await stack.console({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
  await page.locator("a.row").nth(3).waitFor();
});
after(() => stack.stop());

const row = (text) => page.locator("a.row", { hasText: text });
const bar = () => page.getByRole("toolbar", { name: "With the picked conversations" });
const picked = (count) => bar().getByText(`${count} picked`).waitFor();

/** Waits until a list of the server holds so many. */
async function stored(filter, count) {
  const { api, headers } = await stack.api();
  await until(`${count} in ${filter}`, async () => (await api.ask("GET", `conversations?filter=${filter}`, undefined, headers)).items.length === count);
}

/** Takes back what the words tell of, once the server has it; they stay while they are pointed at. */
async function undo(said, filter, count) {
  const toast = page.locator(".toast", { hasText: said });
  await toast.hover();
  await stored(filter, count);
  await toast.getByRole("button", { name: "Undo" }).click();
  await stored(filter, 0);
}

async function list(name, texts) {
  await openList(page, name);
  await until(`${texts.length} in ${name}`, async () => (await page.locator("a.row").count()) === texts.length);
  for (const text of texts) await row(text).waitFor();
}

test("the names of the lists stand in one line, what is put away behind a menu that shows which of it is open", async () => {
  const lists = page.getByRole("navigation", { name: "Lists" });
  const lines = () => lists.evaluate((nav) => new Set([...nav.children].filter((each) => each.checkVisibility()).map((each) => each.offsetTop)).size);
  const away = lists.getByRole("button", { name: /more lists/i });
  for (const viewport of [{ width: 390, height: 844 }, { width: 1440, height: 900 }]) {
    await page.setViewportSize(viewport);
    assert.equal(await lines(), 1);
    assert.equal(await lists.locator(".filter-count").count(), 4);
  }
  await away.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Snoozed" }).waitFor();
  await until("the focus on the first", () => page.evaluate(() => document.activeElement?.textContent?.startsWith("Snoozed")));
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/inbox\/closed$/);
  assert.deepEqual(await violations(page), []);
  await lists.getByRole("button", { name: /^Closed ?, more lists$/ }).and(page.locator("[aria-current=page]")).waitFor();
  assert.equal(await lines(), 1);
  await page.keyboard.press("g");
  await page.keyboard.press("p");
  await lists.getByRole("button", { name: /^Spam ?, more lists$/ }).waitFor();
  await openList(page, "All");
  await page.locator("a.row").nth(3).waitFor();
  assert.equal(await away.getAttribute("aria-current"), null);
});

test("the sheet of keys lists all of them always, and says which do nothing right now", async () => {
  const sheet = page.getByRole("dialog", { name: "Keyboard" });
  const lines = (selector) => sheet.locator(`dl > div${selector} kbd`).allInnerTexts();
  const opened = async () => {
    await page.keyboard.press("?");
    await sheet.waitFor();
    const found = [await lines(""), await lines("[data-idle]")];
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press("Escape");
    await sheet.waitFor({ state: "detached" });
    return found;
  };
  const [all, idle] = await opened();
  for (const key of ["A", "T", "E", "S", "R", "N", "M", "P"]) assert.ok(idle.includes(key), `${key} among ${idle}`);
  for (const key of ["J", "K", "F", "X"]) assert.ok(all.includes(key) && !idle.includes(key), key);
  await row("last of four").click();
  await page.getByRole("textbox", { name: /^Reply to / }).waitFor();
  await page.getByRole("heading", { level: 2 }).first().click();
  const [all_then, idle_then] = await opened();
  assert.deepEqual(all_then, all);
  for (const key of ["A", "T", "E", "S", "R", "N"]) assert.ok(!idle_then.includes(key), `${key} among ${idle_then}`);
  await page.keyboard.press("?");
  assert.match(await sheet.locator("dt", { hasText: "Pause the list" }).textContent(), /, not right now$/);
  await page.keyboard.press("Escape");
  await sheet.waitFor({ state: "detached" });
  await page.goto(`${stack.origin}/console/inbox/all`);
  await page.locator("a.row").nth(3).waitFor();
});

test("rows are picked with Ctrl, with Shift as a range, and by their box", async () => {
  const top = () => row("last of four").evaluate((element) => element.getBoundingClientRect().top);
  const before = await top();
  await row("last of four").click({ modifiers: ["Control"] });
  await picked(1);
  // What is pointed at next does not move away.
  assert.equal(await top(), before);
  // Nothing was opened by it.
  assert.match(new URL(page.url()).pathname, /\/inbox\/all\/?$/);
  await row("second of four").click({ modifiers: ["Shift"] });
  await picked(3);
  await row("first of four").hover();
  await page.locator("li", { has: row("first of four") }).getByRole("checkbox").click();
  await picked(4);
  await row("third of four").click({ modifiers: ["Control"] });
  await picked(3);
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press("Escape");
  await bar().waitFor({ state: "detached" });
});

test("by keys alone: walk, pick with X, assign, and undo", async () => {
  await row("last of four").focus();
  await page.keyboard.press("x");
  await picked(1);
  await page.keyboard.press("ArrowDown");
  await until("the focus on the next row", () => page.evaluate(() => document.activeElement?.textContent?.includes("third of four")));
  await page.keyboard.press("x");
  await picked(2);
  await bar().getByRole("button", { name: "Assign" }).focus();
  await page.keyboard.press("Enter");
  // The key belongs to the button until the menu has the focus.
  const me = page.getByRole("menuitem", { name: /\(you\)$/ });
  await until("the focus on oneself", () => me.evaluateAll(([item]) => item !== undefined && item === document.activeElement));
  await page.keyboard.press("Enter");
  await undo("2 conversations assigned to you", "mine", 2);
  await list("Mine", []);
  await page.getByText("Nothing is assigned to you").waitFor();
  await list("All", words);
});

/** Waits until the list on screen holds these, in this order. */
async function inOrder(texts) {
  await page.mouse.move(0, 0);
  await until(texts.join(", "), async () => {
    const rows = await page.locator("a.row .row-preview").allInnerTexts();
    return rows.length === texts.length && rows.every((row, index) => row.includes(texts[index]));
  });
}

test("a list is ordered and narrowed, the address says how, and every other list keeps it", async () => {
  const { api, headers } = await stack.api();
  const [me] = (await api.ask("GET", "agents", undefined, headers)).items;
  const mine = `${me.name} (you)`;
  // By what was last done; who waits longest is another thing.
  const newest = (await api.ask("GET", "conversations", undefined, headers)).items.map((each) => each.preview.text);
  await inOrder(newest);
  const order = page.getByRole("combobox", { name: "Order of the list" });
  await order.selectOption({ label: "Oldest first" });
  await inOrder(newest.toReversed());
  await order.selectOption({ label: "Waiting longest" });
  await inOrder(words);
  // One that was answered stands behind those who wait.
  const { items } = await api.ask("GET", "conversations", undefined, headers);
  const second = items.find((each) => each.preview.text === "second of four");
  const command = (body) => api.ask("POST", "commands", body, { ...headers, "idempotency-key": api.nextId() });
  await command({ do: "send_message", conversation_id: second.id, body: answered });
  await inOrder(["first of four", "third of four", "last of four", answered]);
  await page.reload();
  await inOrder(["first of four", "third of four", "last of four", answered]);

  await page.keyboard.press("f");
  const choices = page.getByRole("group", { name: "Filters of the list" });
  await choices.getByLabel("Assigned to").selectOption({ label: mine });
  await page.getByText("Nothing here fits the filters").or(row(answered)).first().waitFor();
  await page.waitForURL((url) => url.searchParams.get("agent") === me.id);
  await command({ do: "assign", conversation_id: items.find((each) => each.preview.text === "last of four").id, agent_id: me.id });
  await row("last of four").waitFor();
  await choices.getByLabel("Last active").selectOption({ label: "Last 7 days" });
  await row("last of four").waitFor();
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press("f");
  const tags = page.getByRole("list", { name: "The list is narrowed to" });
  await tags.getByText(mine).waitFor();
  await list("Snoozed", []);
  await page.getByText("Nothing here fits the filters").waitFor();
  await list("Waiting", ["last of four"]);
  await tags.getByRole("button", { name: `Not only ${mine}` }).click();
  await inOrder(["first of four", "third of four", "last of four"]);
  await namedAndOpened(order, tags);
});

/** Saves a name, writes on while that is on its way, and saves what is then there. */
async function savesLate(method, path, more) {
  const dialog = page.getByRole("dialog");
  const field = dialog.getByLabel("Name");
  const save = dialog.getByRole("button", { name: "Save" });
  const stopped = [];
  let comes;
  const held = new Promise((done) => (comes = done));
  await page.route(`**/api/v1/${path}`, (route) => (route.request().method() === method ? (stopped.push(route), held.then(() => route.continue())) : route.fallback()));
  const name = (await field.inputValue()) + more;
  await save.click();
  await until("the way out", () => stopped.length === 1);
  await field.press("End");
  await field.pressSequentially(more);
  comes();
  await page.getByText("It is stored but for what you wrote since").last().waitFor();
  await page.unrouteAll({ behavior: "wait" });
  assert.equal(await field.inputValue(), name);
  assert.equal(await dialog.getByText("meanwhile").count(), 0);
  await dialog.getByRole("heading", { name: "Rename the view" }).waitFor();
  await save.click();
  await dialog.waitFor({ state: "detached" });
}

/** The list on screen, of a week and who waits longest, gets a name; it is opened by it, renamed and taken away. */
async function namedAndOpened(order, tags) {
  const views = page.getByRole("navigation", { name: "Saved views" });
  const shown = (name) => views.locator("[aria-current]", { hasText: name }).waitFor();
  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: "Save view" }).click();
  await dialog.getByLabel("Name").fill("Who waits");
  await dialog.getByLabel("The whole team").check();
  assert.deepEqual(await violations(page), []);
  await savesLate("POST", "saved-views", " today");
  await shown("Who waits today");
  assert.deepEqual(await violations(page), []);
  await page.getByRole("button", { name: "Clear", exact: true }).click();
  await tags.waitFor({ state: "detached" });
  await order.selectOption({ label: "Newest first" });
  await list("All", ["first of four", "third of four", "last of four", answered]);
  await views.getByRole("link", { name: "Who waits today" }).click();
  await inOrder(["first of four", "third of four", "last of four"]);
  await shown("Who waits today");

  const menu = async (name, item) => {
    await page.getByRole("button", { name: `The view ${name}` }).click();
    await page.getByRole("menuitem", { name: item }).click();
  };
  await menu("Who waits today", "Rename it");
  await dialog.getByLabel("Name").fill("To");
  await savesLate("PATCH", "saved-views/*", "day");
  await shown("Today");
  await menu("Today", "Take it away");
  await views.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Clear", exact: true }).click();
  await tags.waitFor({ state: "detached" });
  await order.selectOption({ label: "Newest first" });
}

/** What rests is closed, or put to rest until another time, and taken back: it rests until the same time as before. */
async function restAsBefore() {
  const { api, headers } = await stack.api();
  const times = async () => {
    const { items } = await api.ask("GET", "conversations?filter=snoozed", undefined, headers);
    return items.map(({ id, snoozed_until_ms }) => `${id} ${snoozed_until_ms}`).sort().join();
  };
  const before = await times();
  const asBefore = () => until("both to rest as before", async () => (await times()) === before);
  const pickBoth = async () => {
    for (const text of ["first of four", answered]) await row(text).click({ modifiers: ["Control"] });
    await picked(2);
  };
  await pickBoth();
  await bar().getByRole("button", { name: "Close" }).click();
  await undo("2 conversations closed", "closed", 2);
  await asBefore();
  await list("Snoozed", ["first of four", answered]);
  await pickBoth();
  await bar().getByRole("button", { name: "Snooze the picked ones" }).click();
  await page.getByRole("menuitem", { name: /Tomorrow morning/ }).click();
  const toast = page.locator(".toast", { hasText: /^2 conversations snoozed until tomorrow 0?9:00/ });
  await toast.hover();
  await until("another time", async () => (await times()) !== before);
  await toast.getByRole("button", { name: "Undo" }).click();
  await asBefore();
}

test("snoozed ones stand in their own list, closed ones in theirs, and those that wait in another", async () => {
  await list("Waiting", ["first of four", "third of four", "last of four"]);
  await list("All", ["first of four", answered, "third of four", "last of four"]);
  await row("first of four").click({ modifiers: ["Control"] });
  await row(answered).click({ modifiers: ["Control"] });
  await bar().getByRole("button", { name: "Snooze the picked ones" }).click();
  await page.getByRole("menuitem", { name: /In 3 hours/ }).click();
  await list("Snoozed", ["first of four", answered]);
  await restAsBefore();
  await list("Waiting", ["third of four", "last of four"]);
  await row("third of four").click({ modifiers: ["Control"] });
  await row("last of four").click({ modifiers: ["Control"] });
  await bar().getByRole("button", { name: "Close" }).click();
  await undo("2 conversations closed", "closed", 2);
  await list("Closed", []);
  await page.getByText("Nothing is closed yet").waitFor();
  await list("Waiting", ["third of four", "last of four"]);
  // One that is looked at can be picked, too.
  await openRow(page, "third of four");
  await row("last of four").click({ modifiers: ["Control"] });
  await picked(1);
  // The one that is open and the one that is picked are told apart.
  const paper = (text) => row(text).evaluate((element) => getComputedStyle(element).backgroundColor);
  await until("another look", async () => (await paper("third of four")) !== (await paper("last of four")));
  assert.deepEqual(await violations(page), []);
  await row("last of four").click({ modifiers: ["Control"] });
  await bar().waitFor({ state: "detached" });
  await page.keyboard.press("x");
  await picked(1);
  assert.deepEqual(stack.complaints, []);
});

test("on a slow line it is said how many are done so far, and then how many it were", async () => {
  // The first of what is to be closed leaves at once, the others when it was said how many are done.
  let goOn;
  const goesOn = new Promise((done) => (goOn = done));
  let close_count = 0;
  await page.routeWebSocket(/./, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage(async (frame) => {
      const isHeld = `${frame}`.includes('"do":"close"') && (close_count += 1) > 1;
      if (isHeld) await goesOn;
      server.send(frame);
    });
  });
  await page.reload();
  await list("All", ["first of four", answered, "third of four", "last of four"]);
  for (const text of ["first of four", answered, "third of four", "last of four"]) await row(text).click({ modifiers: ["Control"] });
  await picked(4);
  await bar().getByRole("button", { name: "Close" }).click();
  await page.locator(".toast", { hasText: "1 of 4 conversations closed" }).waitFor();
  goOn();
  await undo(/^4 conversations closed/, "closed", 4);
  await list("All", ["first of four", answered, "third of four", "last of four"]);
  assert.deepEqual(stack.complaints, []);
});
