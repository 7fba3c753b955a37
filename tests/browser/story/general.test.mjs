// What a business says of itself: its hours, as visitors hear of them, its currency, and the icon of its tabs.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { violations } from "../axe.mjs";
import { Crowd } from "../crowd.mjs";
import { Stack, findPanel, until } from "../stack.mjs";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const always = Object.fromEntries(DAYS.map((day) => [day, [{ from: "00:00", to: "24:00" }]]));

let stack;
before(async () => {
  // So far at least, that the server's clock can be set within its minute.
  stack = await Stack.start({ behind_ms: MINUTE_MS });
});
after(() => stack.stop());
beforeEach(() => change({ support_hours: {}, industry: "", currency: "", icon: "", time_zone: "UTC" }));

async function workspace() {
  const { api, headers } = await stack.api();
  return api.ask("GET", "workspace", undefined, headers);
}

async function change(body) {
  const { api, headers } = await stack.api();
  const { version } = await api.ask("GET", "workspace", undefined, headers);
  return api.ask("PATCH", "workspace", body, { ...headers, "if-match": `"${version}"` });
}

/** A zone in which it is about noon, so that no hours of today end at midnight; and what its clock says at a moment. */
function noonZone(now) {
  const ahead = 12 - now.getUTCHours();
  // By POSIX, which these are named after, east is minus.
  const time_zone = ahead === 0 ? "Etc/GMT" : `Etc/GMT${ahead > 0 ? "-" : "+"}${Math.abs(ahead)}`;
  const clock = (at_ms) => new Date(at_ms + ahead * HOUR_MS).toISOString().slice(11, 16);
  const day = DAYS[new Date(now.getTime() + ahead * HOUR_MS).getUTCDay()];
  return { time_zone, clock, day };
}

/** What the panel says of who is there. */
const line = (panel) => panel.locator(".who p");

test("outside of its hours the team says when it is back, and inside them what it always said", async () => {
  const { page, panel } = await stack.visitor("/demo/", { timezoneId: "Asia/Tokyo" });
  await line(panel).getByText("Nobody is here right now").waitFor();
  // As it is changed, without the page being loaded anew.
  const now = new Date();
  const { time_zone, clock, day } = noonZone(now);
  const opens_ms = Math.floor(now.getTime() / HOUR_MS) * HOUR_MS + 3 * HOUR_MS;
  await change({ time_zone, support_hours: { [day]: [{ from: clock(opens_ms), to: "24:00" }] } });
  // By the visitor's own clock, whatever the workspace's is.
  const time = new Intl.DateTimeFormat("en", { timeZone: "Asia/Tokyo", timeStyle: "short" }).format(opens_ms);
  // No line ends within it.
  const told = time.replace(/\s/gu, "\u00a0");
  await line(panel).getByText(new RegExp(`^We are back (tomorrow )?at ${told}$`)).waitFor();
  assert.deepEqual(await violations(panel), []);
  await change({ support_hours: always });
  await line(panel).getByText("Nobody is here right now").waitFor();
  await change({ support_hours: { [day]: [{ from: clock(opens_ms), to: "24:00" }] } });
  await line(panel).getByText(/^We are back/).waitFor();
  // Who is there all the same is named.
  const agent = await stack.console();
  await line(panel).getByText(/is here now$/).waitFor();
  await agent.context().close();
  await line(panel).getByText(/^We are back/).waitFor();
  await page.context().close();
  // A visitor who comes now hears it at once, in his language.
  const other = await stack.person({ timezoneId: "Europe/Berlin", viewport: { width: 320, height: 640 } });
  // Before anything on the page looks.
  await other.addInitScript(() => new MutationObserver(() => (document.documentElement.lang = "de")).observe(document, { childList: true }));
  await other.goto(`${stack.origin}/demo/`);
  await other.locator("[data-chat]").first().click();
  const words = line(await findPanel(other)).getByText(/^Wir sind (morgen )?um \d\d:\d\d Uhr wieder da$/);
  await words.waitFor();
  // It is read whole, however narrow the panel is.
  assert.ok(await words.evaluate((part) => getComputedStyle(part).whiteSpace === "normal" && part.scrollWidth <= part.clientWidth + 1), "it is cut");
  await other.context().close();
  assert.deepEqual(stack.complaints, []);
});

test("while somebody is here visitors read how long answers usually take, once ten were answered", async () => {
  const { api, headers } = await stack.api();
  const crowd = new Crowd(stack, api);
  const begun = async (text) => (await api.ask("GET", "conversations?filter=all", undefined, headers)).items.find((row) => row.preview?.text === text);
  const usual = async () => (await api.ask("POST", "visitor/session", { site_key: stack.siteKey })).config.first_answer_ms;
  for (let number = 1; number <= 10; number += 1) {
    assert.equal(await usual(), undefined);
    const text = `Question ${number} to the team`;
    await crowd.writes(await crowd.comes({ page: "/demo/" }), text);
    await until(text, async () => (await begun(text)) !== undefined);
    const answer = { do: "send_message", conversation_id: (await begun(text)).id, body: "Yes" };
    await api.ask("POST", "commands", answer, { ...headers, "idempotency-key": api.nextId() });
  }
  crowd.leave();
  // What is kept is measured again after ten minutes, or by a server that begins.
  await stack.killServer();
  await stack.startServer();
  await until("it to be measured", async () => (await usual()) === 60_000);
  const { page, panel } = await stack.visitor();
  await panel.getByText("Leave a message.").waitFor();
  const agent = await stack.console();
  await panel.getByText("Answers usually come within 1\u00a0minute.").waitFor();
  assert.deepEqual(await violations(panel), []);
  await agent.context().close();
  await page.context().close();
  assert.deepEqual(stack.complaints, []);
});

/** How long the server takes to begin, and a visitor to come, with time to spare. */
const LOOK_MS = 20_000;

test("an open panel says it as the minute comes, by the server's clock", async () => {
  // The next full minute of the server's leaves time to look before it, and no more.
  const behind_ms = (Date.now() + LOOK_MS) % MINUTE_MS;
  await stack.setClock(behind_ms);
  const now = () => Date.now() - behind_ms;
  const { time_zone, clock, day } = noonZone(new Date(now()));
  const closes_ms = Math.ceil(now() / MINUTE_MS) * MINUTE_MS;
  const open = { from: "00:00", to: clock(closes_ms) };
  await change({ time_zone, support_hours: { [day]: [open, { from: "23:00", to: "24:00" }] } });
  const { page, panel } = await stack.visitor();
  await line(panel).getByText(/^Nobody is here right now|^We are back/).waitFor();
  await line(panel).getByText(/^We are back/).waitFor({ timeout: 180_000 });
  assert.ok(now() >= closes_ms - 1_000, "it was said too early");
  await page.context().close();
});

test("hours, currency, industry and the main language are set in the settings, and kept", async () => {
  const owner = await stack.console({ viewport: { width: 1440, height: 1000 } });
  await owner.goto(`${stack.origin}/console/settings/workspace`);
  await owner.getByLabel("Industry").fill("Tea and what it is drunk from");
  await owner.getByLabel("Currency").selectOption("EUR");
  await owner.getByLabel("Main language").selectOption("German");
  await owner.getByRole("button", { name: "Add hours on Monday" }).focus();
  await owner.keyboard.press("Enter");
  const monday = owner.getByRole("group", { name: "Monday" });
  await monday.getByLabel("Monday, until").selectOption("12:00");
  await monday.getByRole("button", { name: "Add hours on Monday" }).press("Enter");
  await monday.getByLabel("Monday, hours 2, until").selectOption("24:00");
  await until("the hours to be stored", async () => (await workspace()).support_hours.monday[1]?.to === "24:00");
  await owner.getByRole("button", { name: "Monday’s hours until Friday" }).press("Enter");
  await until("the week to be stored", async () => (await workspace()).support_hours.friday.length === 2);
  const stored = await workspace();
  assert.deepEqual(stored.support_hours.friday, [{ from: "09:00", to: "12:00" }, { from: "13:00", to: "24:00" }]);
  assert.deepEqual(stored.support_hours.saturday, []);
  assert.deepEqual([stored.industry, stored.currency, stored.settings.language], ["Tea and what it is drunk from", "EUR", "de"]);
  // What cannot be is said there, and not sent.
  await monday.getByLabel("Monday, hours 2, from").selectOption("11:00");
  await monday.getByRole("alert").getByText("do not overlap").waitFor();
  await monday.getByLabel("Monday, hours 1, until").selectOption("10:00");
  await monday.getByRole("alert").waitFor({ state: "detached" });
  await until("what may be to be stored", async () => (await workspace()).support_hours.monday[0].to === "10:00");
  await owner.getByRole("button", { name: "Remove Friday, hours 2" }).click();
  await until("a span to be gone", async () => (await workspace()).support_hours.friday.length === 1);
  await owner.reload();
  assert.equal(await monday.getByLabel("Monday, hours 2, from").inputValue(), "11:00");
  assert.equal(await owner.getByLabel("Currency").inputValue(), "EUR");
  assert.equal(await owner.getByLabel("Main language").inputValue(), "de");
  await owner.goto(`${stack.origin}/console/settings/audit`);
  await owner.getByText(/Support hours, Monday: .*09:00–10:00, 11:00–24:00/).first().waitFor();
  await owner.getByText("Main language: German").waitFor();
  await owner.context().close();
  assert.deepEqual(stack.complaints, []);
});

test("the icon of the tab is the workspace's own, in every open console, until it is taken away", async () => {
  const owner = await stack.console();
  const other = await stack.console({}, await stack.joins("Jon Arden"));
  const icon = (page) => page.evaluate(() => document.querySelector("link[rel=icon]").href);
  const usual = await icon(other);
  assert.match(usual, /\/console\/icon\.svg$/);
  await owner.goto(`${stack.origin}/console/settings/workspace`);
  // A drawing becomes a picture here: what runs in it stays behind.
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="32"><rect width="64" height="32" fill="#c2570c"/><script>alert(1)</script></svg>';
  await owner.getByLabel("Picture: Icon of the tab").setInputFiles({ name: "lamp.svg", mimeType: "image/svg+xml", buffer: Buffer.from(svg) });
  await until("another icon", async () => /\/api\/v1\/pictures\/pic_/.test(await icon(other)));
  const found = await fetch(await icon(other));
  assert.deepEqual([found.status, found.headers.get("content-type")], [200, "image/png"]);
  assert.match(found.headers.get("cache-control"), /immutable/);
  await owner.getByRole("img", { name: "Icon of the tab of now" }).waitFor();
  await other.reload();
  await until("the icon to be there again", async () => (await icon(other)) !== usual);
  await owner.getByLabel("Picture: Icon of the tab").setInputFiles({ name: "words.png", mimeType: "image/png", buffer: Buffer.from("no picture") });
  await owner.getByText("This could not be read as a picture.").waitFor();
  await owner.getByRole("group", { name: "Icon of the tab" }).getByRole("button", { name: "Remove" }).click();
  await until("the usual icon", async () => (await icon(other)) === usual);
  await owner.context().close();
  await other.context().close();
  assert.deepEqual(stack.complaints, []);
});

test("the set-up list that one member puts away is gone for all, also elsewhere, until somebody wants it back", async () => {
  const owner = await stack.console();
  const admin = await stack.console({}, await stack.joins("Ada Lind", "admin"));
  const list = (page) => page.getByRole("region", { name: "Set-up" });
  for (const page of [owner, admin]) await list(page).getByRole("button", { name: "Put away" }).waitFor();
  // Refused, it stays, and nothing is said to be done.
  const refuse = (route) => (route.request().method() === "PATCH" ? route.abort() : route.continue());
  await admin.route("**/api/v1/workspace", refuse);
  await list(admin).getByRole("button", { name: "Put away" }).click();
  await list(admin).getByRole("alert").waitFor();
  assert.equal(await admin.locator(".toast").count(), 0);
  await admin.unroute("**/api/v1/workspace", refuse);
  await list(admin).getByRole("button", { name: "Put away" }).click();
  // Words with a way back stay while they are pointed at.
  await admin.locator(".toast", { hasText: "The set-up list was put away for the team" }).hover();
  for (const page of [owner, admin]) await list(page).waitFor({ state: "detached" });
  assert.equal((await workspace()).settings.setup_put_away, true);
  // Another browser of the same person does not begin anew.
  const elsewhere = await stack.console();
  await elsewhere.getByRole("navigation", { name: "Lists" }).waitFor();
  await until("the workspace to be known there", () => elsewhere.evaluate(() => performance.getEntriesByType("resource").some(({ name }) => name.endsWith("/api/v1/workspace"))));
  assert.equal(await list(elsewhere).count(), 0);
  await admin.getByRole("button", { name: "Undo" }).click();
  for (const page of [owner, admin, elsewhere]) await list(page).waitFor();
  await list(owner).getByRole("button", { name: "Put away" }).click();
  await list(elsewhere).waitFor({ state: "detached" });
  await elsewhere.goto(`${stack.origin}/console/settings/workspace`);
  await elsewhere.getByRole("switch", { name: "Set-up list in the inbox" }).click();
  for (const page of [owner, admin]) await list(page).waitFor();
  assert.deepEqual(await violations(elsewhere), []);
  for (const page of [owner, admin, elsewhere]) await page.context().close();
  assert.deepEqual(stack.complaints, []);
});

for (const [width, colorScheme] of [[320, "dark"], [1440, "light"], [2560, "dark"]]) {
  test(`a week of hours is read and reached at ${width} pixels, ${colorScheme}`, async () => {
    await change({ support_hours: { ...always, monday: [{ from: "08:00", to: "12:00" }, { from: "13:00", to: "17:30" }], sunday: [] }, currency: "EUR" });
    const owner = await stack.console({ viewport: { width, height: 1000 }, colorScheme, reducedMotion: "reduce" });
    await owner.goto(`${stack.origin}/console/settings/workspace`);
    await owner.getByLabel("Monday, hours 2, from").selectOption("11:00");
    await owner.getByText("do not overlap").waitFor();
    assert.deepEqual(await violations(owner), []);
    const isWide = await owner.evaluate(() => {
      const body = document.querySelector(".settings-body");
      return body.scrollWidth > body.clientWidth || document.documentElement.scrollWidth > innerWidth;
    });
    assert.ok(!isWide, "the page runs to the side");
    await owner.context().close();
  });
}
