// Two who change the same settings at once: neither undoes what the other did, and the last write is told.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Stack, openRow, say, showSide, until } from "../stack.mjs";

let stack;
before(async () => {
  stack = await Stack.start();
});
after(() => stack.stop());

async function site() {
  const { api, headers } = await stack.api();
  return api.ask("GET", `sites/${stack.siteKey}`, undefined, headers);
}

/** A colleague's program changes something, on top of what stands there now. */
async function colleague(path, change) {
  const { api, headers } = await stack.api();
  const now = await api.ask("GET", path, undefined, headers);
  return api.ask("PATCH", path, change(now), { ...headers, "if-match": `"${now.version}"` });
}

/** The same, of one among others of its kind. */
async function colleagueOf(kind, id, change) {
  const { api, headers } = await stack.api();
  const { version } = (await api.ask("GET", kind, undefined, headers)).items.find((each) => each.id === id);
  return api.ask("PATCH", `${kind}/${id}`, change, { ...headers, "if-match": `"${version}"` });
}

/** A console whose requests can be held back: none goes through a worker of its own. */
const console_of = (who) => stack.console({ serviceWorkers: "block" }, who);

/** Before the page's next change arrives, `first` happens. */
function holdsBack(page, path, first) {
  let waits = true;
  return page.route(`**/api/v1/${path}`, async (route) => {
    if (!waits || route.request().method() !== "PATCH") return route.fallback();
    waits = false;
    await first();
    return route.continue();
  });
}

test("what two admins change in different fields of one site stands, and both read both", async () => {
  const one = await console_of();
  const other = await console_of(await stack.joins("Jon Arden", "admin"));
  for (const page of [one, other]) await page.goto(`${stack.origin}/console/settings/sites?site=${stack.siteKey}`);
  await other.getByLabel("Title").waitFor();
  await one.getByLabel("Title").fill("Teas and cups");
  // It appears where the other looks, who has not touched it.
  await until("the title at the other's", async () => (await other.getByLabel("Title").inputValue()) === "Teas and cups");
  await other.getByLabel("Words on the launcher").fill("Ask us");
  await until("both", async () => {
    const { theme } = await site();
    return theme.title === "Teas and cups" && theme.launcher_text === "Ask us";
  });
  // Even where it does not hear of it: the version is another by the time its change arrives.
  const path = `sites/${stack.siteKey}`;
  await holdsBack(one, path, () => colleague(path, ({ theme }) => ({ theme: { ...theme, greeting: "Good day" }, overrides: { messages_per_minute: 7 } })));
  await one.getByRole("switch", { name: "Show “Switchboard” at the foot" }).click();
  await until("all of it", async () => {
    const { theme, overrides } = await site();
    return !theme.show_brand && theme.greeting === "Good day" && overrides.messages_per_minute === 7;
  });
  await until("the greeting in the form", async () => (await one.getByLabel("First words").inputValue()) === "Good day");
  await until("the number in the form", async () => (await one.getByLabel("Messages of one visitor a minute").inputValue()) === "7");
  assert.equal(await one.locator(".met-line").count(), 0);
  // A whole form that was opened before changes nothing of it, either.
  await one.getByLabel("Show what visitors type").selectOption("true");
  await until("one more", async () => (await site()).overrides.typing_preview === true);
  assert.equal((await site()).overrides.messages_per_minute, 7);
  for (const page of [one, other]) await page.context().close();
  assert.deepEqual(stack.complaints, []);
});

test("where both changed one field the last write stands, is told, and gives way to theirs", async () => {
  const owner = await console_of();
  await owner.goto(`${stack.origin}/console/settings/sites?site=${stack.siteKey}`);
  const path = `sites/${stack.siteKey}`;
  const theirs = "Theirs <b>and</b> more";
  await holdsBack(owner, path, () => colleague(path, ({ theme }) => ({ theme: { ...theme, title: theirs } })));
  await owner.getByLabel("Title").fill("Mine");
  const told = owner.getByRole("status", { name: "Changed by colleagues" });
  await told.getByText(`A colleague changed Title to ${theirs} meanwhile. Yours stands in its place.`).waitFor();
  assert.equal((await site()).theme.title, "Mine");
  assert.deepEqual(await violations(owner), []);
  await told.getByRole("button", { name: "Take theirs" }).press("Enter");
  await until("theirs", async () => (await site()).theme.title === theirs);
  await until("theirs in the form", async () => (await owner.getByLabel("Title").inputValue()) === theirs);
  await told.getByText("A colleague changed").waitFor({ state: "detached" });
  // What is half written when a colleague's comes stays in the field; once it is whole, it is told of.
  await owner.getByLabel("Color", { exact: true }).fill("#1234");
  await colleague(path, ({ theme }) => ({ theme: { ...theme, color: "#445566", launcher_text: "Ask" } }));
  await until("the colleague's words", async () => (await owner.getByLabel("Words on the launcher").inputValue()) === "Ask");
  assert.equal(await owner.getByLabel("Color", { exact: true }).inputValue(), "#1234");
  await owner.getByLabel("Color", { exact: true }).fill("#123456");
  await told.getByText("A colleague changed Color to #445566 meanwhile.").waitFor();
  await told.getByRole("button", { name: "Keep mine: Color" }).click();
  assert.equal((await site()).theme.color, "#123456");
  await owner.context().close();
  assert.deepEqual(stack.complaints, []);
});

test("a contact that somebody else changed meanwhile is saved at the first try, where both wrote other fields", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "Who pays for it?");
  const agent = await console_of();
  await openRow(agent, "Who pays for it?");
  const { api, headers } = await stack.api();
  const { items } = await api.ask("GET", "conversations?filter=all", undefined, headers);
  const path = `contacts/${items[0].contact_id}`;
  const side = await showSide(agent);
  await side.getByRole("button", { name: "Edit the contact" }).click();
  await side.getByLabel("Company").fill("Tea and Sons");
  await holdsBack(agent, path, () => colleague(path, () => ({ phone: "+385 1 234" })));
  await side.getByRole("button", { name: "Save" }).click();
  await side.getByRole("button", { name: "Edit the contact" }).waitFor();
  for (const words of ["Tea and Sons", "+385 1 234"]) await side.getByText(words, { exact: true }).waitFor();

  // Where both wrote the same one, it is told first.
  await side.getByRole("button", { name: "Edit the contact" }).click();
  await side.getByLabel("Company").fill("Tea and Daughters");
  await holdsBack(agent, path, () => colleague(path, () => ({ company: "Tea alone" })));
  await side.getByRole("button", { name: "Save" }).click();
  await side.getByText("A colleague changed this to Tea alone meanwhile.").waitFor();
  await side.getByRole("button", { name: "Save" }).click();
  await side.getByText("Tea and Daughters", { exact: true }).waitFor();
  assert.equal((await api.ask("GET", path, undefined, headers)).company, "Tea and Daughters");
  for (const each of [agent, page]) await each.context().close();
  assert.deepEqual(stack.complaints, []);
});

test("the workspace's settings and the days of its week are kept apart, too", async () => {
  const owner = await console_of();
  await owner.goto(`${stack.origin}/console/settings/workspace`);
  await owner.getByLabel("Industry").waitFor();
  const hours = [{ from: "08:00", to: "16:00" }];
  await holdsBack(owner, "workspace", () =>
    colleague("workspace", ({ settings, support_hours }) => ({ settings: { ...settings, messages_per_minute: 9 }, support_hours: { ...support_hours, sunday: hours }, name: "Theirs" })),
  );
  const { api, headers } = await stack.api();
  const workspace = () => api.ask("GET", "workspace", undefined, headers);
  const before = await workspace();
  await owner.getByRole("switch", { name: "Shorten network addresses" }).click();
  await until("both", async () => {
    const { settings } = await workspace();
    return settings.anonymize_addresses !== before.settings.anonymize_addresses && settings.messages_per_minute === 9;
  });
  await until("the colleague's number", async () => (await owner.getByLabel("Messages of one visitor a minute").inputValue()) === "9");
  await owner.getByRole("button", { name: "Add hours on Monday" }).click();
  await until("Monday", async () => (await workspace()).support_hours.monday.length === 1);
  const stored = await workspace();
  assert.deepEqual([stored.support_hours.sunday, stored.settings.messages_per_minute, stored.name], [hours, 9, "Theirs"]);
  await until("the colleague's name", async () => (await owner.getByLabel("Name", { exact: true }).inputValue()) === "Theirs");
  assert.equal(await owner.locator(".met-line").count(), 0);
  await owner.context().close();
  assert.deepEqual(stack.complaints, []);
});

test("what is refused says so until it is saved or undone, and keeps nothing else from being saved", async () => {
  const owner = await console_of();
  await owner.goto(`${stack.origin}/console/settings/sites?site=${stack.siteKey}`);
  const title = owner.getByLabel("Title");
  await title.waitFor();
  const before = (await site()).theme.title;
  const told = owner.getByRole("status", { name: "Not saved" });
  const isSaved = owner.getByText("Saved", { exact: true });
  const field = owner.locator(".field", { has: title }).locator(".field-error");
  await title.fill("T".repeat(500));
  await told.getByText("Title is not saved. The title is too long.").waitFor();
  await field.getByText("The title is too long.").waitFor();
  assert.deepEqual(await violations(owner), []);
  // Others of the same part are stored, and it still says what is not.
  await owner.getByLabel("First words").fill("Good morning");
  await until("the other field", async () => (await site()).theme.greeting === "Good morning");
  await owner.getByLabel("Domain").fill("tea.example");
  await until("another part", async () => (await site()).domain === "tea.example");
  await owner.getByText("Not all of it is saved").waitFor();
  await told.getByText("Title is not saved.").waitFor();
  await field.waitFor();
  assert.equal((await site()).theme.title, before);
  await title.fill(before);
  await told.getByText("Title is not saved.").waitFor({ state: "detached" });
  await field.waitFor({ state: "detached" });
  await title.fill("T".repeat(500));
  await told.getByText("Title is not saved.").waitFor();
  await title.fill("Tea again");
  await until("the title", async () => (await site()).theme.title === "Tea again");
  await isSaved.waitFor();
  assert.equal(await told.innerText(), "");

  // Where the server is away nothing is wrong with the words: they go with the next ones, or when it is asked for.
  await owner.route(`**/api/v1/sites/${stack.siteKey}`, (route) => (route.request().method() === "PATCH" ? route.abort() : route.fallback()), { times: 1 });
  await owner.getByRole("switch", { name: "Require a signed identity" }).click();
  await told.getByText("Require a signed identity is not saved. The server cannot be reached.").waitFor();
  await told.getByRole("button", { name: "Try again" }).click();
  await until("the switch", async () => (await site()).identity_required);
  await isSaved.waitFor();
  assert.equal(await told.innerText(), "");
  await owner.context().close();
  assert.deepEqual(stack.complaints, []);
});

test("a canned response and a view that somebody else changed, or took away, are told of and saved all the same", async () => {
  const { api, headers } = await stack.api();
  const mine = await console_of();
  const made = await api.ask("POST", "canned-responses", { whose: "team", nickname: "hours", body: "We are here until six." }, headers);
  const stored = async () => (await api.ask("GET", "canned-responses", undefined, headers)).items;
  const changes = (change) => colleagueOf("canned-responses", made.id, change);
  await mine.goto(`${stack.origin}/console/settings/canned`);
  const dialog = mine.getByRole("dialog");
  const save = () => dialog.getByRole("button", { name: "Save" }).click();

  // Where both wrote other fields, both stand.
  await mine.getByRole("button", { name: "Change hours" }).click();
  await dialog.getByRole("textbox", { name: "Text" }).fill("We are here until seven.");
  await holdsBack(mine, `canned-responses/${made.id}`, () => changes({ nickname: "times" }));
  await save();
  await dialog.waitFor({ state: "detached" });
  assert.deepEqual((await stored()).map(({ nickname, body }) => [nickname, body]), [["times", "We are here until seven."]]);

  // Where both wrote the same one, it is told; theirs can be taken, and one's own saved.
  await mine.getByRole("button", { name: "Change times" }).click();
  const text = dialog.getByRole("textbox", { name: "Text" });
  await text.fill("We are here until eight.");
  await changes({ body: "We are here until nine." });
  await dialog.getByText("A colleague changed this to We are here until nine. meanwhile.").waitFor();
  assert.deepEqual(await violations(mine), []);
  await dialog.getByRole("button", { name: "Take theirs" }).click();
  assert.equal(await text.inputValue(), "We are here until nine.");
  await text.fill("We are here until ten.");
  await holdsBack(mine, `canned-responses/${made.id}`, () => changes({ body: "We are here until dawn." }));
  await save();
  await dialog.getByText("A colleague changed this to We are here until dawn. meanwhile.").waitFor();
  await save();
  await dialog.waitFor({ state: "detached" });
  assert.equal((await stored())[0].body, "We are here until ten.");

  // What was taken away is written anew, by who wants it.
  await mine.getByRole("button", { name: "Change times" }).click();
  await text.fill("We are always here.");
  await api.ask("DELETE", `canned-responses/${made.id}`, undefined, headers);
  await dialog.getByText("A colleague took this one away meanwhile.").waitFor();
  await save();
  await dialog.waitFor({ state: "detached" });
  assert.deepEqual((await stored()).map(({ nickname, body }) => [nickname, body]), [["times", "We are always here."]]);

  await api.ask("POST", "saved-views", { whose: "team", name: "Waits", list: { filter: "waiting" } }, headers);
  const view = async () => (await api.ask("GET", "saved-views", undefined, headers)).items[0];
  await mine.goto(`${stack.origin}/console/inbox/waiting`);
  const rename = async (name) => {
    await mine.getByRole("button", { name: /^The view / }).click();
    await mine.getByRole("menuitem", { name: "Rename it" }).click();
    await dialog.getByLabel("Name").fill(name);
  };
  await rename("Waits for us");
  await holdsBack(mine, `saved-views/${(await view()).id}`, async () => colleagueOf("saved-views", (await view()).id, { name: "Who waits" }));
  await save();
  await dialog.getByText("A colleague changed this to Who waits meanwhile.").waitFor();
  await save();
  await dialog.waitFor({ state: "detached" });
  assert.equal((await view()).name, "Waits for us");
  await mine.context().close();
  assert.deepEqual(stack.complaints, []);
});

test("a right that somebody takes away while others are given stays away", async () => {
  await stack.joins("Kim Sato");
  const { api, headers } = await stack.api();
  const kim = async () => (await api.ask("GET", "agents", undefined, headers)).items.find(({ name }) => name === "Kim Sato");
  const { id } = await kim();
  await colleagueOf("agents", id, { grants: ["sites.write"] });
  const mine = await console_of();
  await mine.goto(`${stack.origin}/console/settings/team`);
  await mine.getByRole("button", { name: "Rights +1 of Kim Sato" }).click();
  const right = (name) => mine.getByRole("dialog").getByRole("checkbox", { name });
  assert.equal(await right("sites.write").isChecked(), true);
  await right("canned.write").check();
  await colleagueOf("agents", id, { grants: [] });
  await until("it to be shown", async () => !(await right("sites.write").isChecked()));
  assert.equal(await right("canned.write").isChecked(), true);
  await mine.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await mine.getByRole("dialog").waitFor({ state: "detached" });
  assert.deepEqual((await kim()).grants, ["canned.write"]);
  await mine.context().close();
  assert.deepEqual(stack.complaints, []);
});
