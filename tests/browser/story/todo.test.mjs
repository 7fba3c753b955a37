// What others ask of one: a name in a note, a conversation that somebody gives. Told wherever he is, found in a queue of
// his own, read and done by mouse and by keys.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Crowd } from "../crowd.mjs";
import { Stack, openRow, owner, say, until } from "../stack.mjs";

let stack;
let mira;
let jon;
before(async () => {
  stack = await Stack.start();
  const wide = { viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" };
  mira = await stack.console(wide);
  jon = await stack.console(wide, await stack.joins("Jon Arden"));
});
after(() => stack.stop());

const note = (page) => page.getByRole("textbox", { name: "Note to the team" });
const names = (page) => page.getByRole("listbox", { name: "Mention somebody" });
const place = (page) => page.getByRole("navigation", { name: "Places" }).getByRole("link", { name: /^To do/ });
const list = (page, name) => page.getByRole("navigation", { name: "Lists" }).getByRole("link", { name });
const row = (page, text) => page.locator("a.row-todo", { hasText: text });
const unread = (page, count) => place(page).getByText(`${count} unread`).waitFor();
const gone = (page, text) => row(page, text).waitFor({ state: "detached" });
const act = (page, text, name) => page.locator("li", { has: row(page, text) }).getByRole("button", { name });

async function writes(page, text) {
  await note(page).fill(text);
  await note(page).press("Enter");
  await page.getByRole("article", { name: /^Note by/ }).filter({ hasText: text }).waitFor();
}

test("a member is picked by name, and who is named is told where he is", async () => {
  await place(jon).click();
  await jon.getByText("Nothing is asked of you").waitFor();
  assert.deepEqual(await violations(jon), []);
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "where is my parcel?");
  await openRow(mira, "where is my parcel?");
  await mira.keyboard.press("n");
  await note(mira).pressSequentially("Ask @ar");
  await names(mira).getByRole("option", { selected: true }).filter({ hasText: "Jon Arden" }).waitFor();
  assert.deepEqual(await violations(mira), []);
  await mira.keyboard.press("Enter");
  await until("the name", async () => (await note(mira).inputValue()) === "Ask @Jon Arden ");
  await mira.keyboard.type("about parcel 2207");
  // What is said shortly is waited for from before it can come.
  const told = jon.getByRole("status", { name: "Messages" }).getByText(/named you at .*about parcel 2207/).waitFor();
  await mira.keyboard.press("Enter");
  const written = mira.getByRole("article", { name: /^Note by/ }).filter({ hasText: "about parcel 2207" });
  await written.locator("strong", { hasText: "@Jon Arden" }).waitFor();

  await told;
  await row(jon, "about parcel 2207").waitFor();
  assert.equal(await row(jon, "about parcel 2207").getAttribute("data-unread"), "true");
  await unread(jon, 1);
  await jon.getByRole("heading", { name: "1 not read yet" }).waitFor();
  // The foot tells of this queue, not of the inbox.
  await jon.locator(".list-foot", { hasText: "1 to do · 1 not read" }).waitFor();
  await list(jon, "All 1").waitFor();
  assert.deepEqual(await violations(jon), []);
  // He names nobody else's list, and not the writer's.
  await place(mira).click();
  await mira.getByText("Nothing is asked of you").waitFor();

  await row(jon, "about parcel 2207").click();
  await jon.getByRole("article", { name: /^Note by/ }).filter({ hasText: "about parcel 2207" }).waitFor();
  await until("it to be read", async () => (await row(jon, "about parcel 2207").getAttribute("data-unread")) === null);
  await place(jon).getByText("unread").waitFor({ state: "detached" });
  await jon.reload();
  await row(jon, "about parcel 2207").waitFor();
  await until("it to stay read", async () => (await row(jon, "about parcel 2207").getAttribute("data-unread")) === null);
  assert.equal(await panel.getByText("2207").count(), 0);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a note that is taken back leaves the list, and one from elsewhere leads there", async () => {
  const visitor = await Crowd.writer(stack, "and where is the other one?");
  await mira.getByRole("link", { name: /^Inbox/ }).click();
  await openRow(mira, "and where is the other one?");
  await mira.keyboard.press("n");
  await jon.getByRole("link", { name: /^Visitors/ }).click();
  await jon.getByRole("heading", { name: "Visitors" }).waitFor();
  const told = jon.locator(".toast", { hasText: "the first" }).waitFor();
  await writes(mira, "@Jon Arden the first");
  await told;
  const shown = jon.locator(".toast", { hasText: "the second" }).getByRole("link", { name: "Show" }).click();
  await writes(mira, "@Jon Arden the second");
  await shown;
  await jon.getByRole("article", { name: /^Note by/ }).filter({ hasText: "the second" }).waitFor();
  await place(jon).click();
  await row(jon, "the first").waitFor();
  await row(jon, "the second").waitFor();
  const first = mira.getByRole("article", { name: /^Note by/ }).filter({ hasText: "the first" });
  await first.hover();
  await first.getByRole("button", { name: "Change this" }).click();
  await mira.getByRole("menuitem", { name: /Delete/ }).click();
  await mira.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await mira.getByText("Deleted", { exact: true }).first().waitFor();
  await jon.reload();
  await row(jon, "the second").waitFor();
  assert.equal(await row(jon, "the first").count(), 0);
  assert.deepEqual(stack.complaints, []);
  visitor.leave();
});

test("a conversation that somebody gives is asked of him until it is done, and comes back", async () => {
  const visitor = await Crowd.writer(stack, "who looks after the third?");
  await mira.getByRole("link", { name: /^Inbox/ }).click();
  await openRow(mira, "who looks after the third?");
  await jon.getByRole("link", { name: /^Visitors/ }).click();
  const told = jon.getByRole("status", { name: "Messages" }).getByText(/gave you .*who looks after the third/).waitFor();
  await mira.keyboard.press("t");
  await mira.getByRole("menuitem", { name: "Jon Arden" }).click();
  await told;
  await unread(jon, 1);
  await place(jon).click();
  await list(jon, /^Unread/).click();
  await row(jon, "who looks after the third?").waitFor();
  await until("nothing else", async () => (await jon.locator("a.row-todo").count()) === 1);

  // Read without being opened; the other lists follow.
  await row(jon, "the third").hover();
  await act(jon, "the third", "Mark as read").click();
  await gone(jon, "the third");
  await jon.getByText("All is read").waitFor();
  await place(jon).getByText("unread").waitFor({ state: "detached" });
  // Mentions are the notes alone.
  await list(jon, "Mentions").click();
  await row(jon, "the second").waitFor();
  assert.equal(await row(jon, "the third").count(), 0);
  await list(jon, "All").click();
  // What does not get there is not said to be done, and stands there again.
  await jon.route("**/api/v1/todos/mark", (route) => route.abort());
  await row(jon, "the third").hover();
  await act(jon, "the third", "Mark as done").click();
  const words = jon.getByRole("status", { name: "Messages" });
  await words.getByText("The server cannot be reached.").waitFor();
  assert.equal(await words.getByText(/^Done:/).count(), 0);
  await row(jon, "the third").waitFor();
  await jon.unroute("**/api/v1/todos/mark");
  await row(jon, "the third").hover();
  await act(jon, "the third", "Mark as done").click();
  await gone(jon, "the third");
  await list(jon, "Done").click();
  await row(jon, "the third").waitFor();
  assert.deepEqual(await violations(jon), []);
  // What is done is so after a reload too, and is taken back by the words that told of it, or here.
  await jon.reload();
  await row(jon, "the third").hover();
  await act(jon, "the third", "Take back").click();
  await gone(jon, "the third");
  await list(jon, "All").click();
  await row(jon, "the third").waitFor();
  await until("it to be read still", async () => (await row(jon, "the third").getAttribute("data-unread")) === null);

  // Whose it is no longer, is asked for nothing, and sees so at once.
  await mira.keyboard.press("a");
  await gone(jon, "the third");
  await row(jon, "parcel 2207").waitFor();
  assert.deepEqual(stack.complaints, []);
  visitor.leave();
});

test("by keys alone: all is read, one is done, taken back, and done; on all of his screens", async () => {
  const other = await stack.console({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" }, { email: "jon.arden@example.com", password: owner.password });
  await place(other).click();
  const visitor = await Crowd.writer(stack, "four and five?");
  await openRow(mira, "four and five?");
  await mira.keyboard.press("n");
  await writes(mira, "@Jon Arden the fourth");
  await writes(mira, "@Jon Arden the fifth");
  // In a row, as fast as hands are.
  await Promise.all(["g", "d"].map((key) => jon.keyboard.press(key)));
  await row(jon, "the fifth").waitFor();
  await unread(jon, 2);
  await unread(other, 2);
  await jon.keyboard.press("y");
  for (const screen of [jon, other]) await place(screen).getByText("unread").waitFor({ state: "detached" });

  await row(jon, "the fifth").focus();
  await jon.keyboard.press("m");
  for (const screen of [jon, other]) await gone(screen, "the fifth");
  await jon.keyboard.press("z");
  for (const screen of [jon, other]) await row(screen, "the fifth").waitFor();

  // Of what is open the keys mean the one that was opened, and the next one opens.
  await row(jon, "the fifth").focus();
  await jon.keyboard.press("Enter");
  await jon.getByRole("article", { name: /^Note by/ }).filter({ hasText: "the fifth" }).waitFor();
  await until("the row to be the open one", async () => (await row(jon, "the fifth").getAttribute("aria-current")) !== null);
  await jon.evaluate(() => document.activeElement.blur());
  await jon.keyboard.press("m");
  await gone(jon, "the fifth");
  await until("the next one", async () => (await row(jon, "the fourth").getAttribute("aria-current")) !== null);
  assert.deepEqual(stack.complaints, []);
  visitor.leave();
  await other.context().close();
});

test("what is taken back on a slow line stays taken back", async () => {
  let goes;
  const held = new Promise((done) => (goes = done));
  const said = [];
  await jon.route("**/api/v1/todos/mark", async (route) => {
    const { mark } = route.request().postDataJSON();
    if (mark === "done") await held;
    await route.continue();
    said.push(mark);
  });
  const answered = jon.waitForResponse((response) => response.url().endsWith("/todos/mark") && response.request().postDataJSON().mark === "open");
  await row(jon, "the fourth").focus();
  await jon.keyboard.press("m");
  await gone(jon, "the fourth");
  await jon.keyboard.press("z");
  // What is asked for later has come by here: so has the way back, if it went out.
  await jon.evaluate(() => fetch("/api/v1/todos").then((answer) => answer.text()));
  goes();
  await answered;
  await until("both", () => said.length === 2);
  assert.deepEqual(said, ["done", "open"]);
  await row(jon, "the fourth").waitFor();
  await jon.unroute("**/api/v1/todos/mark");
  await jon.reload();
  await row(jon, "the fourth").waitFor();
  assert.deepEqual(stack.complaints, []);
});

test("on a telephone a finger does it, and nothing is too small or cut", async () => {
  const phone = await stack.console({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, colorScheme: "dark", reducedMotion: "reduce" }, { email: "jon.arden@example.com", password: owner.password });
  await place(phone).tap();
  await row(phone, "the fourth").waitFor();
  assert.deepEqual(await violations(phone), []);
  const width = await phone.evaluate(() => document.documentElement.scrollWidth);
  assert.equal(width, 390);
  await act(phone, "the fourth", "Mark as done").tap();
  await gone(phone, "the fourth");
  await gone(jon, "the fourth");
  assert.deepEqual(stack.complaints, []);
  await phone.context().close();
});
