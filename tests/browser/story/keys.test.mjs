// What is rarely done, by keys alone: settings, an invitation, a site's look, a contact, the live list of visitors, and the begin of a chat.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Crowd } from "../crowd.mjs";
import { Hands } from "../keys.mjs";
import { Stack, findPanel, say, sees, until } from "../stack.mjs";

let stack;
let api;
let headers;
before(async () => {
  stack = await Stack.start();
  ({ api, headers } = await stack.api());
});
after(() => stack.stop());

const stored = (what, path, is) => until(what, async () => is(await api.ask("GET", path, undefined, headers)));

test("what is found by its name is what was typed, however fast, and stays marked while more is found", async () => {
  const { page: visitor, panel } = await stack.visitor("/demo/tea/");
  await say(panel, "Are visitors welcome in the garden?");
  await sees(panel, "Are visitors welcome in the garden?");
  await say(panel, "On Sundays, I mean");
  const { page } = await Hands.signIn(stack);
  await page.locator("a.row", { hasText: "On Sundays" }).waitFor();
  let release;
  const released = new Promise((done) => (release = done));
  await page.route("**/api/v1/search?*", async (route) => {
    await released;
    await route.continue();
  });
  await page.keyboard.press("Control+k");
  const field = page.getByRole("combobox", { name: "Find anything" });
  const marked = page.getByRole("option", { selected: true });
  await field.fill("visitors");
  await marked.filter({ hasText: "Visitors" }).waitFor();
  release();
  await page.getByRole("option").filter({ hasText: "welcome in the garden" }).waitFor();
  assert.equal(await marked.filter({ hasText: "welcome in the garden" }).count(), 0);
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/console\/visitors/);
  // The last letters and the key in one turn, before anything is drawn.
  await page.keyboard.press("Control+k");
  await field.evaluate((input) => {
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(input, "settings team");
    input.dispatchEvent(new InputEvent("input", { bubbles: true }));
    input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
  });
  await page.waitForURL(/\/console\/settings\/team/);
  await field.waitFor({ state: "detached" });
  assert.deepEqual(stack.complaints, []);
  for (const each of [visitor, page]) await each.context().close();
});

test("a key that is pressed while a menu or a window still fades does what it says, and the focus stays there", async () => {
  const { page: visitor, panel } = await stack.visitor("/demo/tea/");
  await say(panel, "Is the tea garden open?");
  const hands = await Hands.signIn(stack);
  const { page } = hands;
  await page.locator("a.row", { hasText: "Is the tea garden open?" }).click();
  await page.getByRole("textbox", { name: /^Reply to / }).waitFor();
  await page.evaluate(() => {
    window.fading = new CSSStyleSheet();
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, window.fading];
  });
  const fades = (rule) => page.evaluate((rule) => window.fading.replaceSync(rule), rule);
  for (const [opens, what, key, name] of [
    ["s", "[role=menu]", "n", "Note to the team"],
    ["Control+k", ".palette", "r", /^Reply to /],
    ["?", ".dialog:not(.palette)", "n", "Note to the team"],
  ]) {
    // For as long as this takes.
    await fades("@keyframes fades { to { opacity: 0.5; } } [data-closed] { animation: fades 600s !important; }");
    await hands.press(opens);
    await until(`the focus in ${what}`, () => page.evaluate((what) => document.activeElement.closest(what) !== null, what));
    await hands.press("Escape");
    await page.locator(`${what}[data-closed]`).waitFor({ state: "attached" });
    await hands.press(key);
    await hands.at(name);
    assert.equal(await page.locator(`${what}[data-closed]`).count(), 1);
    await fades("");
    await page.locator(what).waitFor({ state: "detached" });
    await hands.type("Yes");
    assert.equal(await page.getByRole("textbox", { name }).inputValue(), "Yes");
    for (const back of ["Control+a", "Delete", "Escape"]) await hands.press(back);
  }
  assert.deepEqual(stack.complaints, []);
  for (const each of [visitor, page]) await each.context().close();
});

test("a message is quoted, and one's own changed and taken back, by keys alone, and the hands lose their place nowhere", async () => {
  const { page: visitor, panel } = await stack.visitor("/demo/tea/");
  await say(panel, "Which tin keeps tea longest?");
  await say(panel, "The small one?");
  const hands = await Hands.signIn(stack);
  const { page } = hands;
  const log = page.getByRole("log");
  await page.locator("a.row", { hasText: "The small one?" }).waitFor();
  await hands.press("j");
  await log.getByText("The small one?").waitFor();
  await hands.reach("Quote this in an answer");
  await hands.press("Enter");
  await hands.at(/^Reply to /);
  await hands.type("The large one.");
  await hands.press("Enter");
  const own = page.getByRole("article").filter({ hasText: "The large one" });
  await own.getByRole("button", { name: /Which tin keeps tea longest\?/ }).waitFor();
  await panel.locator("article.team .quoted", { hasText: "Which tin keeps tea longest?" }).waitFor();

  const change = async (item) => {
    await hands.reach("Change this");
    await hands.press("Enter");
    await hands.choose(item);
  };
  await change(/^Edit/);
  await hands.at("Edit the text");
  await hands.press("Escape");
  await hands.at("Change this");
  await change(/^Edit/);
  await hands.at("Edit the text");
  await hands.press("Control+a");
  await hands.type("The large one, by far.");
  await hands.press("Enter");
  await sees(panel, "The large one, by far.");
  await hands.at("Change this");
  await change(/^Delete/);
  await page.getByRole("dialog", { name: "Delete this message?" }).waitFor();
  await hands.reach("Cancel");
  await hands.press("Enter");
  await hands.at("Change this");
  await change(/^Delete/);
  await page.getByRole("dialog", { name: "Delete this message?" }).waitFor();
  await hands.reach("Delete");
  await hands.press("Enter");
  await log.getByText("Deleted", { exact: true }).waitFor();
  await hands.at(/^Conversation with /);
  await hands.usedNoPointer();
  assert.deepEqual(stack.complaints, []);
  for (const each of [visitor, page]) await each.context().close();
});

test("a site asks, and a visitor begins a chat, answers what is asked and writes, by keys alone", async () => {
  const site = await api.ask("GET", `sites/${stack.siteKey}`, undefined, headers);
  const asked = { asks: { name: "optional", email: "needed", phone: "never" }, consent: "I agree to the terms." };
  await api.ask("PATCH", `sites/${stack.siteKey}`, { theme: { ...site.theme, ...asked } }, { ...headers, "if-match": `"${site.version}"` });
  const hands = await Hands.of(await stack.person());
  const { page } = hands;
  await page.goto(`${stack.origin}/demo/tea/`);
  // The launcher's own tree is closed: from without it is the last thing on the page, and has no name.
  await until("the launcher", () => page.evaluate(() => document.body.lastElementChild?.shadowRoot === null && window.Switchboard?.open !== undefined));
  await until("the focus on the launcher", async () => {
    await hands.press("Tab");
    return page.evaluate(() => document.activeElement?.tagName === "DIV");
  });
  await hands.press("Enter");
  const panel = await findPanel(page);
  await panel.getByRole("button", { name: "Begin the chat" }).waitFor();
  await hands.at(/^Name/, panel);
  await hands.type("Ana Kovač");
  await hands.reach(/^E-mail/, panel);
  await hands.type("ana at kettle");
  await hands.press("Enter");
  await panel.getByText("This is no e-mail address").waitFor();
  await hands.at(/^E-mail/, panel);
  await hands.press("Control+a");
  await hands.type("ana@kettle.example");
  await hands.reach(/I agree to the terms/, panel);
  await hands.press("Space");
  await hands.reach("Begin the chat", panel);
  await hands.press("Enter");
  await hands.at("Message", panel);
  await hands.type("Do you ship to Singapore?");
  await hands.press("Enter");
  await sees(panel, "Do you ship to Singapore?");
  await panel.getByText("Sent", { exact: true }).waitFor();
  await hands.usedNoPointer();
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a setting, an invitation, a site's look and a contact are changed by keys alone", async () => {
  const hands = await Hands.signIn(stack);
  const { page } = hands;
  await page.locator("a.row", { hasText: "Do you ship to Singapore?" }).waitFor();

  await hands.find("settings workspace", "Settings: Workspace");
  await page.getByRole("heading", { name: "Workspace", level: 1 }).waitFor();
  await hands.reach("Industry");
  await hands.type("Tea, weighed by hand");
  await stored("the industry", "workspace", ({ industry }) => industry === "Tea, weighed by hand");
  await hands.reach("Respect Do Not Track");
  const before = (await api.ask("GET", "workspace", undefined, headers)).settings.respect_do_not_track;
  await hands.press("Space");
  await stored("the switch", "workspace", ({ settings }) => settings.respect_do_not_track === !before);

  await hands.find("settings team", "Settings: Team");
  await hands.reach("Invite somebody");
  await hands.press("Enter");
  await hands.focus("the address", "[role=dialog] input[type=email]");
  await hands.type("kim@example.com");
  await hands.reach("Role");
  await hands.press("ArrowDown");
  await hands.reach("Make a link");
  await hands.press("Enter");
  await page.getByRole("dialog", { name: "Send the link" }).waitFor();
  await hands.reach("I have copied it");
  await hands.press("Enter");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await stored("the invitation", "invitations", ({ items }) => items.some(({ email, role }) => email === "kim@example.com" && role === "admin"));
  // The focus is back where the window came from.
  await hands.at("Invite somebody");

  await hands.find("settings sites", "Settings: Sites");
  await page.getByRole("heading", { name: "Sites", level: 1 }).waitFor();
  await hands.reach(new RegExp(stack.siteKey));
  await hands.press("Enter");
  await page.getByLabel("Allowed origins").waitFor();
  await hands.reach("Orange");
  await hands.press("Space");
  await hands.reach("First words");
  await hands.type("Tea? Ask us.");
  await stored("the look", `sites/${stack.siteKey}`, ({ theme }) => theme.color === "#c2570c" && theme.greeting === "Tea? Ask us.");
  await page.getByRole("figure", { name: "How the widget looks" }).getByText("I agree to the terms.").waitFor();

  await hands.press("Escape");
  await hands.find("inbox", "Inbox");
  await page.locator("a.row", { hasText: "Do you ship to Singapore?" }).waitFor();
  await hands.press("j");
  await page.getByRole("complementary", { name: "Contact" }).getByText("ana@kettle.example").waitFor();
  await hands.reach("Edit the contact");
  await hands.press("Enter");
  await hands.reach("Company");
  await hands.type("Kovač & Sons");
  await hands.press("Enter");
  await page.getByRole("complementary", { name: "Contact" }).locator("dd", { hasText: "Kovač & Sons" }).waitFor();
  const { items } = await api.ask("GET", "conversations?filter=all", undefined, headers);
  await stored("the company", `contacts/${items[0].contact_id}`, ({ company }) => company === "Kovač & Sons");
  await hands.usedNoPointer();
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a list is saved, a canned response written and a network blocked, by keys alone", async () => {
  const hands = await Hands.signIn(stack);
  const { page } = hands;
  await page.locator("a.row").first().waitFor();
  await hands.press("f");
  await hands.reach(/^Assigned to/);
  await hands.press("ArrowDown");
  await page.waitForURL((url) => url.searchParams.has("agent"));
  await hands.reach("Save view");
  await hands.press("Enter");
  await hands.at("Name");
  await hands.type("Mine to answer");
  await hands.press("Enter");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await stored("the view", "saved-views", ({ items }) => items.some(({ name }) => name === "Mine to answer"));
  // What was pressed is no more: the menu of what it made stands in its place.
  await hands.at("The view Mine to answer");
  await hands.press("Enter");
  await hands.choose(/^Take it away/);
  await stored("no view", "saved-views", ({ items }) => items.length === 0);
  await hands.at("Save view");

  await hands.find("settings canned", "Settings: Canned responses");
  await hands.reach("Write one");
  await hands.press("Enter");
  await hands.at("Nickname");
  await hands.type("keeps");
  await hands.reach("Text");
  await hands.type("The large tin keeps tea longest.");
  await hands.reach("Add it");
  await hands.press("Enter");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await hands.at("Write one");
  await stored("the response", "canned-responses", ({ items }) => items.some(({ nickname }) => nickname === "keeps"));

  await hands.find("settings security", "Settings: Security");
  await hands.reach("Block an address");
  await hands.press("Enter");
  await hands.at(/^Address or network/);
  await hands.type("203.0.113.0/24");
  await hands.press("Enter");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await hands.at("Block an address");
  await stored("the network", "blocked-addresses", ({ items }) => items.some(({ network }) => network === "203.0.113.0/24"));
  await hands.usedNoPointer();
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("the live list is narrowed, arranged, held and gone on with, and a chat begun with one of it, by keys alone", async () => {
  const desk = { headers: { "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0" } };
  const phone = { headers: { "user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1" } };
  const people = { ana: { page: "/demo/?hands=ana", ...desk }, ben: { page: "/demo/tea/?hands=ben", ...desk }, cleo: { page: "/demo/tea/?hands=cleo", ...phone } };
  const crowd = await Crowd.of(stack, 3, (index) => Object.values(people)[index]);
  const hands = await Hands.signIn(stack);
  const { page } = hands;
  const rows = page.locator(".visitor");
  const shows = (...names) => until(`${names}`, async () => (await rows.allInnerTexts()).map((text) => /hands=(\w+)/.exec(text)?.[1]).sort().join() === names.join());
  await page.locator("a.row").first().waitFor();
  await hands.press("g", "v");
  await page.getByRole("heading", { name: "Visitors" }).waitFor();
  await hands.press("/");
  await hands.at("Page, source or name");
  await hands.type("hands=");
  await shows("ana", "ben", "cleo");
  await hands.reach("Device");
  await hands.press("ArrowDown");
  await shows("ana", "ben");
  await hands.reach("Page holds");
  await hands.type("/demo/tea");
  await shows("ben");
  await hands.reach("Clear");
  await hands.press("Enter");
  await rows.filter({ hasText: "hands=cleo" }).waitFor();
  await page.getByRole("button", { name: "Clear", exact: true }).waitFor({ state: "detached" });
  // What is cleared is begun anew, and the hands stand there.
  await hands.at("Page, source or name");
  await hands.type("hands=");
  await shows("ana", "ben", "cleo");

  await hands.reach("Columns");
  await hands.press("Enter");
  await hands.choose(/^Place/);
  await page.locator(".visitor-heads [data-column=place]").waitFor({ state: "detached" });
  await hands.at("Columns");
  await hands.press("Enter");
  await hands.choose(/^Place/);
  await page.locator(".visitor-heads [data-column=place]").waitFor({ state: "attached" });

  await hands.reach("Pause");
  await hands.press("Enter");
  await page.getByText(/^Paused, /).waitFor();
  await crowd.comes({ page: "/demo/about/?hands=dora" });
  await page.locator(".missed", { hasText: "1 came" }).waitFor();
  await shows("ana", "ben", "cleo");
  await hands.at("Resume");
  await hands.press("Enter");
  await shows("ana", "ben", "cleo", "dora");

  // One is looked at, left, and written to.
  await hands.reach(/hands=/);
  for (let step = 0; !(await page.evaluate(() => document.activeElement.textContent.includes("hands=ben"))); step += 1) {
    assert.ok(step < 4, "the row is not reached");
    const before = await page.evaluate(() => document.activeElement.textContent);
    await hands.press("ArrowDown");
    await until("the next row", () => page.evaluate((before) => document.activeElement.textContent !== before, before));
  }
  await hands.press("Enter");
  const detail = page.getByRole("complementary", { name: /^Visitor / });
  await detail.getByText("/demo/tea/?hands=ben").waitFor();
  await hands.reach("Close");
  await hands.press("Enter");
  await detail.waitFor({ state: "detached" });
  await hands.at(/hands=ben/);
  await hands.press("Enter");
  await hands.reach(/^Start a chat/);
  await hands.type("Good day, Ben");
  await hands.reach("Start chat");
  await hands.press("Enter");
  await page.getByRole("log").getByText("Good day, Ben").waitFor();
  await hands.usedNoPointer();
  assert.deepEqual(stack.complaints, []);
  crowd.leave();
  await page.context().close();
});
