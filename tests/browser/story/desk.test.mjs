// What an agent does with a conversation besides answering: let it rest, take part, block, begin one, send files.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { Crowd } from "../crowd.mjs";
import { Stack, answer, findPanel, launcherName, openRow, owner, say, sees, showSide, until } from "../stack.mjs";

let stack;
let agent;
before(async () => {
  stack = await Stack.start();
  agent = await stack.console();
});
after(() => stack.stop());

/** Opens the conversation in which this was said. */
async function open(text) {
  await agent.goto(`${stack.origin}/console/inbox/all`);
  await openRow(agent, text);
  await agent.getByRole("textbox", { name: /^Reply to / }).waitFor();
}

/** A visitor who said something, in a conversation that is open in the console. */
async function conversation(text) {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, text);
  await open(text);
  return { page, panel };
}

/** The same, of somebody at whose page nobody looks. */
async function written(text) {
  const somebody = await Crowd.writer(stack, text);
  await open(text);
  return somebody;
}

/** Chooses from a menu of the conversation's head. */
async function choose(menu, item) {
  await agent.getByRole("button", { name: menu, exact: true }).click();
  await agent.getByRole("menuitem", { name: item }).click();
  // While it fades it shows what it would offer next.
  await agent.getByRole("menu").waitFor({ state: "detached" });
}

test("a conversation rests until its time, or until the customer writes", async () => {
  const { page, panel } = await conversation("No hurry at all");
  await choose("Snooze", /^In 1 hour/);
  const head = agent.locator(".thread-head");
  await head.getByText(/Snoozed until/).waitFor();
  await agent.getByRole("log").getByText(/^You snoozed this until/).waitFor();
  await say(panel, "Well, now there is");
  await agent.getByRole("log").getByText(/wrote; open again$/).waitFor();
  await head.getByText(/Snoozed until/).waitFor({ state: "detached" });
  // And by hand.
  await choose("Snooze", /^Tomorrow morning/);
  const rests = await head.getByText(/Snoozed until/).innerText();
  const wakes = async (count) => {
    await choose("Snooze", "Wake it now");
    await agent.getByRole("log").getByText("You reopened this").nth(count - 1).waitFor();
    await head.getByText(/Snoozed until/).waitFor({ state: "detached" });
  };
  await wakes(1);
  // By mistake: it sleeps on until the same time.
  await agent.locator(".toast", { hasText: "is open again" }).getByRole("button", { name: "Undo" }).click();
  await head.getByText(/Snoozed until/).waitFor();
  assert.equal(await head.getByText(/Snoozed until/).innerText(), rests);
  await wakes(2);
  await answer(agent, "Here I am.");
  await sees(panel, "Here I am.");
  // The customer heard nothing of it.
  assert.equal(await panel.getByText(/snooze|goes on/i).count(), 0);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("who takes part can leave, and who does not can join", async () => {
  const somebody = await written("Who is with me?");
  const item = (name) => agent.getByRole("menuitem", { name, exact: true });
  const offers = async (wanted, other) => {
    await agent.getByRole("button", { name: "More", exact: true }).click();
    await agent.getByRole("button", { name: "More", exact: true, expanded: true }).waitFor();
    await item(wanted).waitFor();
    await item(other).waitFor({ state: "detached" });
    await agent.keyboard.press("Escape");
    await agent.getByRole("menu").waitFor({ state: "detached" });
  };
  await offers("Join", "Leave");
  await choose("More", "Join");
  await agent.getByRole("log").getByText("You joined").waitFor();
  await offers("Leave", "Join");
  await choose("More", "Leave");
  await agent.getByRole("log").getByText("You left").waitFor();
  await offers("Join", "Leave");
  assert.deepEqual(stack.complaints, []);
  somebody.leave();
});

test("a blocked visitor is told so, and comes back once that is undone", async () => {
  const { page, panel } = await conversation("I am about to be rude");
  await choose("More", "Block the visitor");
  await panel.locator(".notice.bad").waitFor();
  await until("no way to write", () => panel.getByLabel("Message", { exact: true }).isDisabled());
  await agent.getByText("is blocked and reads nothing").waitFor();
  await choose("More", "Unblock the visitor");
  await agent.getByText("is blocked and reads nothing").waitFor({ state: "detached" });
  await page.reload();
  await page.locator("[data-chat]").first().click();
  const again = await findPanel(page);
  await say(again, "I am sorry");
  await agent.getByRole("log").getByText("I am sorry").waitFor();
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("an agent begins a chat with a visitor, whose page hears of the first words", async () => {
  const page = await stack.person();
  await page.addInitScript(() => {
    window.heard = [];
    window.Switchboard = window.Switchboard || [];
    window.Switchboard.push(["on", "message", (from) => window.heard.push(from)], ["on", "unread", (count) => window.heard.push(count)]);
  });
  await page.goto(`${stack.origin}/demo/about/`);
  await until("the launcher", async () => (await launcherName(page)).startsWith("Open chat"));
  await agent.getByRole("link", { name: /^Visitors/ }).click();
  const row = agent.locator(".visitor", { hasText: "/demo/about/" }).first();
  // Where he is, from where, with what, for how long and over how many pages: without choosing a column.
  await row.getByText("Chrome", { exact: false }).waitFor();
  for (const text of ["direct", "1 page"]) await row.getByText(text, { exact: true }).waitFor();
  // Who does something stands out, for a moment: it is written down when it happens.
  await agent.evaluate(() => {
    const look = () => (window.breathed ||= document.querySelector(".visitor[data-breath]") !== null);
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-breath"] });
  });
  await page.evaluate(() => history.pushState(null, "", "/demo/about/?more"));
  await row.getByText("2 pages", { exact: true }).waitFor();
  await until("the row to stand out", () => agent.evaluate(() => window.breathed === true));
  await row.click();
  const detail = agent.getByRole("complementary", { name: /^Visitor / });
  await detail.getByLabel("Start a chat").fill("Shall I tell you about the gardens?");
  await detail.getByRole("button", { name: "Start chat" }).click();
  await agent.waitForURL(/\/inbox\/all\//);
  await agent.getByRole("log").getByText("Shall I tell you about the gardens?").waitFor();
  await until("the badge", async () => (await launcherName(page)).endsWith(", 1 unread"));
  await until("the page's own news", async () => (await page.evaluate(() => window.heard)).includes("team"));
  assert.deepEqual((await page.evaluate(() => window.heard)).filter((each) => each === "team"), ["team"]);
  await page.evaluate(() => window.Switchboard.open());
  const panel = await findPanel(page);
  await sees(panel, "Shall I tell you about the gardens?");
  await say(panel, "Please do");
  await agent.getByRole("log").getByText("Please do").waitFor();
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("the list of visitors keeps its order and its columns over a reload, and finds who came directly", async () => {
  // One came first and walked on, the other came last by a letter.
  const first = await stack.person();
  await first.goto(`${stack.origin}/demo/about/?these`);
  const rows = agent.locator(".visitor");
  await agent.goto(`${stack.origin}/console/visitors?page=these`);
  await rows.filter({ hasText: "1 page" }).waitFor();
  await first.evaluate(() => history.pushState(null, "", "/demo/about/?these=2"));
  await rows.filter({ hasText: "2 pages" }).waitFor();
  const last = await stack.person();
  await last.goto(`${stack.origin}/demo/tea/?these&utm_source=letter`);
  const letter = rows.filter({ hasText: "letter" });
  await letter.waitFor();
  await agent.mouse.move(0, 0);
  const firstIs = (what, text) => until(what, async () => (await rows.first().innerText()).includes(text));

  await agent.getByLabel("Order of the list").selectOption("pages");
  await firstIs("the one of most pages", "2 pages");
  await agent.getByLabel("Order of the list").selectOption("newest");
  await firstIs("the one who came last", "letter");
  await agent.getByRole("button", { name: "Columns" }).click();
  await agent.getByRole("menuitem", { name: /^Source ?, shown/ }).click();
  await rows.getByText("letter", { exact: true }).waitFor({ state: "detached" });
  await agent.reload();
  await firstIs("the order that was chosen", "/demo/tea/");
  assert.equal(await agent.getByLabel("Order of the list").inputValue(), "newest");
  assert.equal(await rows.locator('[data-column="source"]').count(), 0);
  await agent.getByRole("button", { name: "Columns" }).click();
  await agent.getByRole("menuitem", { name: /^Source ?, left out/ }).click();
  await letter.waitFor();

  // A campaign that names no source is one all the same: in the row, and for who looks for it.
  const third = await stack.person();
  await third.goto(`${stack.origin}/demo/tea/?these&utm_campaign=autumn`);
  const autumn = rows.filter({ has: agent.locator('[data-column="source"]', { hasText: "autumn" }) });
  // New rows wait while the pointer is on the list.
  await agent.mouse.move(0, 0);
  await autumn.waitFor();
  const source = agent.getByRole("combobox", { name: "Source holds" });
  await source.fill("direct");
  for (const led of [letter, autumn]) await led.waitFor({ state: "detached" });
  await rows.filter({ hasText: "2 pages" }).waitFor();
  await source.fill("autumn");
  await autumn.waitFor();
  await rows.filter({ hasText: "2 pages" }).waitFor({ state: "detached" });
  await agent.getByRole("button", { name: "Clear", exact: true }).click();
  await letter.first().waitFor();
  assert.deepEqual(stack.complaints, []);
  for (const page of [first, last, third]) await page.context().close();
});

test("two who look at one conversation see each other, find its day, and keep it as a text", async () => {
  const kim = await stack.console({}, await stack.joins("Kim Sato"));
  const somebody = await written("Who else is here?");
  await openRow(kim, "Who else is here?");
  await agent.getByRole("img", { name: "Also looking: Kim Sato" }).waitFor();
  await kim.getByRole("img", { name: /^Also looking: / }).waitFor();
  await kim.getByRole("textbox", { name: /^Reply to / }).pressSequentially("I am");
  await agent.getByText("Kim Sato is typing").waitFor();
  await kim.context().close();
  await agent.getByRole("img", { name: "Also looking: Kim Sato" }).waitFor({ state: "detached" });

  await agent.locator(".thread-head").getByRole("button", { name: "More", exact: true }).click();
  await agent.getByRole("menuitem", { name: "Go to a day" }).click();
  const day = agent.getByRole("dialog", { name: "Go to a day" });
  await day.getByLabel("Day").fill("2199-01-01");
  await day.getByText("Pick a day that has begun.").waitFor();
  await day.getByRole("button", { name: "Go there" }).click();
  await until("the day to be the next thing to write", () => day.getByLabel("Day").evaluate((field) => field === document.activeElement));
  assert.ok(await day.isVisible());
  await day.getByLabel("Day").fill("2020-01-01");
  await day.getByRole("button", { name: "Go there" }).click();
  await day.waitFor({ state: "detached" });
  await agent.getByRole("log").getByText("Who else is here?").waitFor();
  await agent.locator(".thread-head").getByRole("button", { name: "More", exact: true }).click();
  const [kept] = await Promise.all([agent.waitForEvent("download"), agent.getByRole("menuitem", { name: "What was said" }).click()]);
  assert.match(kept.suggestedFilename(), /^conversation-\d+\.txt$/);
  assert.match(await readFile(await kept.path(), "utf8"), /Who else is here\?/);
  assert.deepEqual(stack.complaints, []);
  somebody.leave();
});

test("files go both ways, as pictures and as cards to save", async () => {
  const { page, panel } = await conversation("I send you a picture");
  const png = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
  const files = [
    { name: "tin.png", mimeType: "image/png", buffer: png },
    { name: "order.txt", mimeType: "text/plain", buffer: Buffer.from("two tins") },
  ];
  await panel.locator("input[type=file]").setInputFiles(files);
  await until("both to be up", async () => (await panel.locator(".upload .quiet").count()) === 2);
  await panel.getByRole("button", { name: "Send", exact: true }).click();
  const log = agent.getByRole("log");
  await log.getByRole("img", { name: "tin.png" }).waitFor();
  const [saved] = await Promise.all([agent.waitForEvent("download"), log.getByRole("button", { name: /order\.txt/ }).click()]);
  assert.equal(saved.suggestedFilename(), "order.txt");

  await agent.locator(".composer input[type=file]").setInputFiles({ name: "invoice.txt", mimeType: "text/plain", buffer: Buffer.from("paid") });
  await agent.locator(".chip", { hasText: "invoice.txt" }).getByText("4 B").waitFor();
  await answer(agent, "Here is the invoice.");
  await sees(panel, "Here is the invoice.");
  const [kept] = await Promise.all([page.waitForEvent("download"), panel.getByRole("button", { name: /^Save invoice\.txt/ }).click()]);
  assert.equal(kept.suggestedFilename(), "invoice.txt");
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a double click on Close closes one conversation, not the next one with it", async () => {
  const people = [];
  for (const text of ["This one stays", "This one stays, too"]) people.push(await Crowd.writer(stack, text));
  people.push(await written("This one is done"));
  const rows = agent.locator("a.row");
  const count = await rows.count();
  await agent.getByRole("button", { name: "Close", exact: true }).dblclick();
  await until("it to be gone", async () => (await rows.count()) < count);
  await agent.getByRole("textbox", { name: /^Reply to / }).waitFor();
  await answer(agent, "You are next.");
  assert.equal(await rows.count(), count - 1);
  assert.deepEqual(stack.complaints, []);
  for (const somebody of people) somebody.leave();
});

test("Enter while a file is on its way says so, keeps the words, and sends both once it is there", async () => {
  const { page, panel } = await conversation("The papers, please");
  let let_go;
  const held = new Promise((resolve) => (let_go = resolve));
  await agent.route("**/api/v1/attachments", async (route) => {
    await held;
    await route.continue();
  });
  await agent.locator(".composer input[type=file]").setInputFiles({ name: "paper.txt", mimeType: "text/plain", buffer: Buffer.from("signed") });
  const field = agent.getByRole("textbox", { name: /^Reply to / });
  await field.fill("Here they are.");
  await field.press("Enter");
  await agent.getByRole("status", { name: "Messages" }).getByText("Your files are still on their way.").waitFor();
  assert.equal(await field.inputValue(), "Here they are.");
  let_go();
  await agent.locator(".chip", { hasText: "paper.txt" }).getByText("6 B").waitFor();
  await field.press("Enter");
  await sees(panel, "Here they are.");
  await panel.locator("article.team .file", { hasText: "paper.txt" }).waitFor();
  await agent.unroute("**/api/v1/attachments");
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a colleague is invited, gets more rights, and is let go", async () => {
  const settings = await stack.console();
  await settings.goto(`${stack.origin}/console/settings/team`);
  await settings.getByRole("button", { name: "Invite somebody" }).click();
  await settings.getByLabel("E-mail").fill(owner.email);
  await settings.getByRole("button", { name: "Make a link" }).click();
  await settings.getByRole("dialog").getByText(/in the team already/).waitFor();
  assert.equal(await settings.getByText(/in the team already/).count(), 1);
  await settings.getByLabel("E-mail").fill("jon@example.com");
  await settings.getByRole("button", { name: "Make a link" }).click();
  const link = new URL(await settings.getByRole("textbox", { name: "The link" }).innerText());
  await settings.getByRole("button", { name: "I have copied it" }).click();
  await settings.getByText("jon@example.com").waitFor();

  const jon = await stack.person();
  await jon.goto(stack.origin + link.pathname + link.search + link.hash);
  await jon.getByLabel("Your name").fill("Jon Arden");
  await jon.getByLabel("A new password").fill("short");
  await jon.getByRole("button", { name: "Join" }).click();
  await jon.getByText("7 more characters are needed.").waitFor();
  await jon.getByLabel("A new password").fill(owner.password);
  await jon.getByRole("button", { name: "Join" }).click();
  await jon.waitForURL(/\/console\/inbox\//);
  const member = settings.getByRole("listitem").filter({ hasText: "Jon Arden" });
  await member.waitFor();
  await member.getByLabel("Role of Jon Arden").selectOption("admin");
  await until("the role", async () => {
    const { api, headers } = await stack.api();
    return (await api.ask("GET", "agents", undefined, headers)).items.some((each) => each.name === "Jon Arden" && each.role === "admin");
  });
  await member.getByRole("button", { name: "Deactivate" }).click();
  await member.getByText("Deactivated", { exact: true }).waitFor();
  // What he has open ends, and nothing lets him in again.
  await jon.getByRole("button", { name: "Connect again" }).or(jon.getByRole("button", { name: "Sign in" })).first().waitFor();
  await jon.goto(`${stack.origin}/console/sign-in`);
  await jon.getByLabel("E-mail").fill("jon@example.com");
  await jon.getByLabel("Password").fill(owner.password);
  await jon.getByRole("button", { name: "Sign in" }).click();
  await jon.getByRole("alert").first().waitFor();
  assert.match(jon.url(), /sign-in/);
  assert.deepEqual(stack.complaints, []);
});

test("ownership is not handed over unasked, however late it comes that there is one owner only", async () => {
  const { api, headers } = await stack.api();
  await stack.joins("Tea Horvat");
  const { settings, version } = await api.ask("GET", "workspace", undefined, headers);
  await api.ask("PATCH", "workspace", { settings: { ...settings, single_owner: true } }, { ...headers, "if-match": `"${version}"` });
  const page = await stack.console();
  let comes;
  const held = new Promise((done) => (comes = done));
  await page.route("**/api/v1/workspace", (route) => held.then(() => route.continue()));
  await page.goto(`${stack.origin}/console/settings/team`);
  await page.getByLabel("Role of Tea Horvat").selectOption("owner");
  comes();
  await page.getByRole("dialog").getByText(/^You become an admin/).waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  const { items } = await api.ask("GET", "agents", undefined, headers);
  assert.deepEqual(items.filter(({ role }) => role === "owner").map(({ email }) => email), [owner.email]);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("without a line nobody is said to be here, and the counters say that they are old", async () => {
  const { page, panel } = await conversation("Are you there?");
  const side = await showSide(agent);
  await side.getByText("On the site now", { exact: true }).waitFor();
  await agent.getByRole("button", { name: /Online/ }).waitFor();
  await answer(agent, "Yes, and you?");
  const lamp = agent.locator("a.row", { hasText: "Yes, and you?" }).locator(".lamp[data-state=live]");
  await lamp.waitFor();
  stack.cable.cut();
  await side.getByText("nobody knows who is there", { exact: false }).waitFor();
  await agent.getByRole("button", { name: /Offline/ }).waitFor();
  await side.getByText("On the site now", { exact: true }).waitFor({ state: "detached" });
  await side.getByText("This visit").first().waitFor({ state: "detached" });
  await lamp.waitFor({ state: "detached" });
  stack.cable.mend();
  await lamp.waitFor();
  await side.getByText("On the site now", { exact: true }).waitFor();
  await agent.getByRole("button", { name: /Online/ }).waitFor();
  await say(panel, "So you are");
  await agent.getByRole("log").getByText("So you are").waitFor();
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});
