// The day of an agent by keys alone: from the sign-in to the sign-out nothing is pointed at.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Crowd } from "../crowd.mjs";
import { Stack, owner, until } from "../stack.mjs";

let stack;
let api;
let headers;
let crowd;
let jon;
let page;
before(async () => {
  stack = await Stack.start();
  ({ api, headers } = await stack.api());
  crowd = new Crowd(stack, api);
  await stack.joins("Jon Arden");
  jon = (await api.ask("GET", "agents", undefined, headers)).items.find((agent) => agent.name === "Jon Arden").id;
  await api.ask("POST", "canned-responses", { whose: "team", nickname: "ship", body: "We ship on Mondays." }, headers);
  for (const words of ["the first of the day", "the second of the day", "the third of the day"]) await writes(stack.siteKey, words);
});
after(async () => {
  crowd?.leave();
  await stack.stop();
});

/** Somebody comes to a site and writes; gives the conversation. */
async function writes(siteKey, body, language = "en") {
  await crowd.writes(await crowd.comes({ page: "/demo/", language, siteKey }), body);
  let id;
  await until(`the conversation of ${body}`, async () => {
    const { items } = await api.ask("GET", "conversations?filter=all", undefined, headers);
    id = items.find((one) => one.preview?.text === body)?.id;
    return id !== undefined;
  });
  return id;
}

/** Signs in, in a console that counts what is pressed with a pointer. */
async function begins() {
  page = await stack.person({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
  await page.addInitScript(() => {
    window.pressed = 0;
    document.addEventListener("pointerdown", () => (window.pressed += 1), true);
  });
  await page.goto(`${stack.origin}/console/sign-in`);
  await focus("the address", "input[type=email]");
  await page.keyboard.type(owner.email);
  await press("Tab");
  await page.keyboard.type(owner.password);
  await press("Enter");
}

/** Presses keys in a row, as fast as hands do. */
const press = (...keys) => Promise.all(keys.map((key) => page.keyboard.press(key)));
const focus = (what, selector) => until(`the focus on ${what}`, () => page.evaluate((wanted) => document.activeElement?.matches(wanted) === true, selector));
const log = () => page.getByRole("log");
const said = (text) => log().getByText(text).first().waitFor();
const stored = (id, what, is) => until(what, async () => is(await api.ask("GET", `conversations/${id}`, undefined, headers)));
const opened = () => /\/(cnv_[^/?]+)/.exec(new URL(page.url()).pathname)?.[1];
const row = (text) => page.locator("a.row", { hasText: text });
/** The foot of the rail says who I am, and how many conversations are mine. */
const footSays = (name) => page.getByRole("button", { name }).waitFor();

/** Chooses in the menu that is open, by its arrows. */
async function choose(name) {
  await page.getByRole("menuitem", { name }).waitFor();
  const at = () => page.evaluate(() => document.activeElement?.getAttribute("role") === "menuitem" ? document.activeElement.textContent : "");
  for (let step = 0; !name.test(await at()); step += 1) {
    assert.ok(step < 30, `${name} is not in the menu`);
    const before = await at();
    await press("ArrowDown");
    await until("the next item", async () => (await at()) !== before);
  }
  await press("Enter");
  await page.getByRole("menu").waitFor({ state: "detached" });
}

/** Finds something by its name, and goes there or does it. */
async function find(text, name) {
  await press("Control+k");
  await focus("what is sought", "[role=combobox]");
  await page.keyboard.type(text);
  await page.getByRole("option", { selected: true }).filter({ hasText: name }).waitFor();
  await press("Enter");
  await page.getByRole("combobox", { name: "Find anything" }).waitFor({ state: "detached" });
}

/** Writes where the key leads, and leaves the field again. */
async function write(key, field, text) {
  await press(key);
  await focus("the field", `textarea[aria-label^="${field}"]`);
  await page.keyboard.type(text);
  await press("Enter");
  await said(text);
  await press("Escape");
  await focus("the page", "body");
}

test("sign in, open, answer, note, canned response, assign, snooze, close, next, search, palette, sign out", async () => {
  await begins();
  await row("of the day").nth(2).waitFor();

  await press("j");
  await said("the third of the day");
  const third = opened();
  await write("r", "Reply to", "good morning");
  // Who answers joins and takes it; it is one line.
  await said("You took this");
  assert.equal(await log().getByText("You joined").count(), 0);
  await footSays(/^Online ?, 1 in Mine, menu of /);
  await write("n", "Note", "she is in a hurry");
  await press("r");
  await focus("the field", 'textarea[aria-label^="Reply to"]');
  await page.keyboard.type("\\shi");
  await page.getByRole("listbox", { name: "Canned responses" }).getByRole("option", { selected: true }).filter({ hasText: "We ship on Mondays." }).waitFor();
  await press("Enter");
  await until("its text", () => page.evaluate(() => document.activeElement.value === "We ship on Mondays."));
  await press("Enter");
  await log().locator("article").filter({ hasText: "We ship on Mondays." }).waitFor();
  await press("Escape");
  await focus("the page", "body");

  await press("t");
  await choose(/Jon Arden/);
  await stored(third, "that it is Jon's", (row) => row.assignee_id === jon);
  await footSays(/^Online ?, menu of /);
  await press("s");
  await choose(/In 3 hours/);
  await stored(third, "that it rests", (row) => row.state === "snoozed");

  // The next one is closed, and the one after it opens by that.
  await press("j");
  await said("the second of the day");
  const second = opened();
  await press("e");
  await said("the first of the day");
  await stored(second, "that it is closed", (row) => row.state === "closed");

  await press("/");
  await focus("the search", "input[type=search]");
  await page.keyboard.type("hurry");
  await row("hurry").waitFor();
  await press("ArrowDown");
  await focus("what was found", "a.row");
  await press("Enter");
  await until("the third one", () => opened() === third);
  await said("she is in a hurry");

  await find("visitors", "Visitors");
  await page.getByRole("heading", { name: "Visitors" }).waitFor();
  await find("sign out", "Sign out");
  await page.waitForURL(/\/sign-in/);
  await focus("the address", "input[type=email]");
  assert.equal(await page.evaluate(() => window.pressed), 0);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("priority and spam, and their way back", async () => {
  const id = await writes(stack.siteKey, "the fourth of the day");
  await begins();
  await row("the fourth of the day").waitFor();
  await press("j");
  await said("the fourth of the day");
  await find("urgent", "Priority: Urgent");
  await stored(id, "that it is urgent", (row) => row.priority === 4);
  await row("the fourth of the day").getByText("Urgent").waitFor();
  await find("priority normal", "Priority: Normal");
  await stored(id, "that it is not urgent", (row) => row.priority === 2);
  await press("!");
  await stored(id, "that it is spam", (row) => row.spam);
  await row("the fourth of the day").waitFor({ state: "detached" });
  await press("g", "p");
  await row("the fourth of the day").waitFor();
  await press("j");
  await said("the fourth of the day");
  await press("!");
  await stored(id, "that it is no spam", (row) => !row.spam);
  await press("g", "i");
  await row("the fourth of the day").waitFor();
  assert.equal(await page.evaluate(() => window.pressed), 0);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a list is narrowed to a site and a language, both by keys, and the address keeps it", async () => {
  const blog = await api.ask("POST", "sites", { name: "Tea blog", allowed_origins: ["loopback"] }, headers);
  await writes(blog.id, "from the blog", "en");
  await writes(blog.id, "vom Blog", "de");
  await writes(stack.siteKey, "vom Laden", "de-AT");
  await begins();
  await row("vom Laden").waitFor();
  const shows = async (...texts) => {
    for (const text of ["from the blog", "vom Blog", "vom Laden"]) await row(text).waitFor({ state: texts.includes(text) ? "visible" : "detached" });
  };
  /** Goes to a choice by the Tab key, and walks it from its beginning. */
  const set = async (label, text) => {
    await page.locator("label", { hasText: new RegExp(`^${label}`) }).locator("option", { hasText: text }).first().waitFor({ state: "attached" });
    const is_there = () => page.evaluate((wanted) => document.activeElement?.closest("label")?.firstElementChild?.textContent === wanted, label);
    for (let step = 0; !(await is_there()); step += 1) {
      assert.ok(step < 40, `${label} is not reached`);
      await press("Tab");
    }
    const chosen = () => page.evaluate(() => document.activeElement.selectedOptions[0].text);
    await press("Home");
    for (let step = 0; (await chosen()) !== text; step += 1) {
      assert.ok(step < 20, `${text} is no choice`);
      const before = await chosen();
      await press("ArrowDown");
      await until("the next choice", async () => (await chosen()) !== before);
    }
  };
  await press("f");
  await page.getByRole("group", { name: "Filters of the list" }).waitFor();
  await set("Site", "Tea blog");
  await shows("from the blog", "vom Blog");
  // Also to one that nobody has spoken here.
  await set("Language", "Afrikaans");
  await shows();
  await set("Language", "German");
  await shows("vom Blog");
  await page.waitForURL((url) => url.searchParams.get("site") === blog.id && url.searchParams.get("language") === "de");
  await page.reload();
  await shows("vom Blog");
  await press("f");
  await page.getByRole("group", { name: "Filters of the list" }).waitFor();
  await set("Site", "All sites");
  await shows("vom Blog", "vom Laden");
  assert.equal(await page.evaluate(() => window.pressed), 0);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});
