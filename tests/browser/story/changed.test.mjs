// Who changed a setting, when: on a line of the setting itself, for those who may read the log.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { misfits } from "../layout.mjs";
import { Stack, until } from "../stack.mjs";

let stack;
before(async () => {
  stack = await Stack.start();
});
after(() => stack.stop());

/** The line of a page, of a window, or of one row. */
const line = (around) => around.locator(".last-change summary");

/** Waits until the line says who did this, when, and what, and gives it. */
async function tells(around, who, what = "") {
  const last = line(around);
  const words = new RegExp(`^${who}, (now|\\d+ (s|min) ago)${what && `: ${what}`}$`);
  await until(`"${words}"`, async () => (await last.count()) === 1 && words.test(await last.innerText())).catch(async () => assert.match((await last.allInnerTexts()).join(" | "), words));
  return last;
}

/** What stands behind the line, a text for each. */
const lines = (around) => around.locator(".change-lines > li").allInnerTexts();

async function open(page, place) {
  await page.goto(`${stack.origin}/console/settings/${place}`);
  return page;
}

/** Gives a member rights besides those of the role. */
async function grant(name, grants) {
  const { api, headers } = await stack.api();
  const { items } = await api.ask("GET", "agents", undefined, headers);
  const { id, version } = items.find((each) => each.name === name);
  await api.ask("PATCH", `agents/${id}`, { grants }, { ...headers, "if-match": `"${version}"` });
}

test("two change one site's look, and each sees who did what and when; who may not read the log sees nothing of it", async () => {
  const place = `sites?site=${stack.siteKey}`;
  const mira = await open(await stack.console(), place);
  const jon = await open(await stack.console({}, await stack.joins("Jon Arden", "admin")), place);
  const kim_signs_in = await stack.joins("Kim Sato");
  await grant("Kim Sato", ["sites.write"]);
  const kim = await open(await stack.console({}, kim_signs_in), place);
  await mira.getByText("No changes in the log.").waitFor();

  // Without a page being loaded anew, at both.
  await mira.getByLabel("Title").fill("Teas");
  await tells(mira, "Last changed by you", "title");
  await tells(jon, "Last changed by mira", "title");
  await jon.getByLabel("First words").fill("Good morning");
  await jon.getByRole("button", { name: "Green" }).click();
  await tells(jon, "Last changed by you", "(first words, color|color, first words)");
  const last = await tells(mira, "Last changed by Jon Arden", "(first words, color|color, first words)");

  // Each from what to what, and by whom; by keys, too.
  await last.focus();
  await mira.keyboard.press("Enter");
  await until("both", async () => (await lines(mira)).length === 2);
  const [jons, miras] = await lines(mira);
  assert.match(jons, /^Changed by Jon Arden, /);
  assert.match(jons, /First words: Good morning/);
  assert.match(jons, /Color: #[0-9a-f]{6} → #2f6b43/);
  assert.match(miras, /^Changed by you, .*\nTitle: Teas$/);
  assert.deepEqual(await violations(mira), []);
  // It stays open while more comes in, and what is written in one go is one line.
  await jon.getByLabel("First words").fill("Good evening");
  await until("the evening", async () => (await lines(mira))[0].includes("First words: Good evening"));
  assert.equal((await lines(mira)).length, 2);

  // What happened besides is told by its name.
  await jon.getByRole("button", { name: "Archive this site" }).click();
  await tells(mira, "Archived by Jon Arden");
  await jon.getByRole("button", { name: "Use it again" }).click();
  await tells(mira, "Taken back into use by Jon Arden");

  // Kim changes the same, and asks for none of it.
  await kim.getByLabel("Title").fill("Teas and cups");
  await tells(mira, "Last changed by Kim Sato", "title");
  assert.equal(await kim.locator(".last-change").count(), 0);
  await grant("Kim Sato", ["sites.write", "audit.read"]);
  // Kim is further down: it is read once the line is in sight.
  await kim.locator(".last-change").scrollIntoViewIfNeeded();
  await tells(kim, "Last changed by you", "title");
  await grant("Kim Sato", ["sites.write"]);
  await kim.locator(".last-change").waitFor({ state: "detached" });
  for (const page of [mira, jon, kim]) await page.context().close();
  assert.deepEqual(stack.complaints, []);
});

test("the workspace, members, canned responses and the own profile say it, too, and a program is named", async () => {
  const { api, headers } = await stack.api();
  const { key } = await api.ask("POST", "keys", { name: "Night shift", scopes: ["settings.write", "canned.write"] }, headers);
  const program = { authorization: `Bearer ${key}` };
  const mira = await open(await stack.console(), "workspace");
  await tells(mira, "Set up by Switchboard");
  const { version } = await api.ask("GET", "workspace", undefined, headers);
  await api.ask("PATCH", "workspace", { currency: "EUR", industry: "Tea" }, { ...program, "if-match": `"${version}"` });
  await tells(mira, "Last changed by Night shift", "(industry, currency|currency, industry)");

  await open(mira, "team");
  const jon = mira.getByRole("listitem").filter({ hasText: "jon.arden@example.com" });
  await tells(jon, "Invitation accepted by Jon Arden");
  await jon.getByLabel("Role of Jon Arden").selectOption("agent");
  const last = await tells(jon, "Last changed by you", "role");
  await last.click();
  await jon.getByText("Role: admin → agent").waitFor();
  assert.deepEqual(await violations(mira), []);

  await open(mira, "profile");
  await mira.getByLabel("Name", { exact: true }).fill("Mira N.");
  await tells(mira, "Last changed by you", "name");

  await api.ask("POST", "canned-responses", { whose: "team", nickname: "hours", body: "Until six." }, program);
  await open(mira, "canned");
  await mira.getByRole("button", { name: "Change hours" }).click();
  const dialog = mira.getByRole("dialog");
  await tells(dialog, "Written by Night shift");
  await dialog.getByRole("textbox", { name: "Text" }).fill("Until seven.");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  await mira.getByRole("button", { name: "Change hours" }).click();
  await tells(dialog, "Last changed by you", "text");
  await mira.context().close();
  assert.deepEqual(stack.complaints, []);
});

test("its place is kept until it comes, and it fits a window of 320 px, by day and by night", async () => {
  const { api, headers } = await stack.api();
  const { version, theme } = await api.ask("GET", `sites/${stack.siteKey}`, undefined, headers);
  const look = { ...theme, greeting: "Words ".repeat(30), title: "T", color: "#123456", consent: "Yes", show_brand: !theme.show_brand };
  await api.ask("PATCH", `sites/${stack.siteKey}`, { theme: look }, { ...headers, "if-match": `"${version}"` });
  const page = await stack.console({ viewport: { width: 320, height: 700 }, colorScheme: "dark", serviceWorkers: "block" });
  let comes;
  const isHere = new Promise((done) => (comes = done));
  await page.route("**/api/v1/audit?*", async (route) => {
    await isHere;
    return route.continue();
  });
  await open(page, `sites?site=${stack.siteKey}`);
  const heading = page.getByRole("heading", { name: "Put it on your pages" });
  await page.locator(".last-change").waitFor({ state: "attached" });
  await page.evaluate(() => document.fonts.ready);
  const top = async () => (await heading.boundingBox()).y;
  const before = await top();
  comes();
  const last = await tells(page, "Last changed by you", ".* and \\d more");
  assert.equal(await top(), before);
  assert.deepEqual(await misfits(page, 320), []);
  await last.click();
  await until("what changed", async () => (await lines(page)).length > 0);
  assert.deepEqual(await misfits(page, 320), []);
  assert.deepEqual(await violations(page), []);
  await page.emulateMedia({ colorScheme: "light" });
  assert.deepEqual(await violations(page), []);
  await page.context().close();
  assert.deepEqual(stack.complaints, []);
});
