// The side panel: what somebody looked at in this visit and in those before, and what was talked about before.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Crowd } from "../crowd.mjs";
import { Stack, answer, openRow, say, sees, until } from "../stack.mjs";

/** A visit is over after so long without another page: the least that may be set. */
const VISIT_MS = 60_000;
/** The server's clock is behind by this until the first visit is to be over. */
const BEHIND_MS = 2 * VISIT_MS;

let stack;
let agent;
let visitor;
let panel;
before(async () => {
  stack = await Stack.start({ behind_ms: BEHIND_MS });
  const { api, headers } = await stack.api();
  const site = await api.ask("GET", `sites/${stack.siteKey}`, undefined, headers);
  await api.ask("PATCH", `sites/${stack.siteKey}`, { overrides: { ...site.overrides, session_timeout_ms: VISIT_MS } }, { ...headers, "if-match": `"${site.version}"` });
  agent = await stack.console({ viewport: { width: 1440, height: 900 } });
  ({ page: visitor, panel } = await stack.visitor("/demo/tea/", { timezoneId: "Asia/Kolkata" }));
  await say(panel, "What I asked in the first visit");
  await sees(panel, "What I asked in the first visit");
  await openRow(agent, "What I asked in the first visit");
  // A visit of more pages than are shown at once, with something the shop reports.
  await visitor.evaluate(() => {
    for (let page = 1; page <= 12; page += 1) window.Switchboard.page({ url: `${location.origin}/demo/tea/tin-${page}` });
  });
  await side().getByText("/demo/tea/tin-12", { exact: true }).waitFor();
  await visitor.evaluate(() => window.Switchboard.track("basket_filled", { tins: 2 }));
});
after(() => stack.stop());

const side = () => agent.getByRole("complementary", { name: "Contact" });
const steps = (list) => list.locator("li").evaluateAll((lines) => lines.map((line) => line.querySelector(".pages-event, bdi")?.textContent ?? line.textContent));

test("the trail of a visit is shown in short, and whole to who asks", async () => {
  await side().getByText("basket_filled").waitFor();
  const trail = side().locator(".pages").first();
  await until("what is stored", async () => (await trail.locator("li").count()) === 11);
  assert.equal(await trail.getByText("/demo/tea/tin-1", { exact: true }).count(), 0);
  await trail.getByRole("button", { name: /^and [45] more$/ }).click();
  await trail.getByText("/demo/tea/tin-1", { exact: true }).waitFor();
  assert.deepEqual((await steps(trail)).slice(-2), ["/demo/tea/tin-1", "/demo/tea/"]);
  assert.equal(await side().getByText(/^Earlier visits/).count(), 0);
  assert.deepEqual(await violations(agent), []);
  assert.deepEqual(stack.complaints, []);
});

test("a visitor is from the country of his clock, and is shown with it", async () => {
  // Chromium calls the zone as it was called before, `Asia/Calcutta`.
  await side().getByText("India, Kolkata time", { exact: true }).waitFor();
  await side().getByText(/^\d\d:\d\d · Kolkata$/).waitFor();
  assert.deepEqual(stack.complaints, []);
});

test("an earlier conversation stands beside the new one, and opens", async () => {
  await answer(agent, "Answered in the first one");
  await sees(panel, "Answered in the first one");
  await agent.getByRole("button", { name: "Close", exact: true }).click();
  const { api, headers } = await stack.api();
  await until("the conversation to be closed", async () => (await api.ask("GET", "conversations?filter=closed", undefined, headers)).items.length === 1);
  await say(panel, "And something else altogether");
  await openRow(agent, "And something else altogether");
  const earlier = side().getByRole("link", { name: /Answered in the first one/ });
  await earlier.click();
  const log = agent.getByRole("log");
  await log.getByText("What I asked in the first visit").waitFor();
  assert.equal(await log.getByText("And something else altogether").count(), 0);
  await side().getByRole("link", { name: /And something else altogether/ }).click();
  await log.getByText("And something else altogether").waitFor();
  assert.deepEqual(stack.complaints, []);
});

test("an earlier visit unfolds its pages and what the site reported", async () => {
  // Nobody looks at a page of theirs while the time passes.
  await visitor.goto("about:blank");
  await stack.setClock(0);
  await visitor.goto(`${stack.origin}/demo/about/`);
  await side().getByText(/^Earlier visits \(1\)$/).click();
  const line = side().locator(".earlier-visit");
  await line.locator("summary", { hasText: /13 pages · 1 event/ }).click();
  const trail = line.locator(".pages");
  await until("what was reported", async () => (await steps(trail))[0] === "basket_filled");
  await trail.getByRole("button", { name: "and 4 more" }).click();
  await until("the whole trail", async () => (await steps(trail)).length === 14);
  assert.deepEqual((await steps(trail)).slice(-2), ["/demo/tea/tin-1", "/demo/tea/"]);
  // The visit of now is another one.
  await until("the visit of now", async () => (await steps(side().locator(".pages").first())).join() === "/demo/about/");
  assert.deepEqual(await violations(agent), []);
  await line.locator("summary").click();
  await trail.waitFor({ state: "detached" });
  assert.deepEqual(stack.complaints, []);
});

test("beside the list of visitors stands who somebody is, and what was before", async () => {
  const { api, headers } = await stack.api();
  const [{ contact_id, visitor_id }] = (await api.ask("GET", "conversations?filter=all", undefined, headers)).items;
  const contact = await api.ask("GET", `contacts/${contact_id}`, undefined, headers);
  await api.ask("PATCH", `contacts/${contact_id}`, { email: "ana@kettle.example" }, { ...headers, "if-match": `"${contact.version}"` });
  const page = await stack.console({ viewport: { width: 1440, height: 900 } });
  await page.goto(`${stack.origin}/console/visitors?visitor=${visitor_id}`);
  const detail = page.getByRole("complementary", { name: /^Visitor / });
  // As a fact; once it is known, the visitor is called so, too.
  await detail.getByRole("definition").getByText("ana@kettle.example").waitFor();
  await detail.getByText(/^Earlier visits/).waitFor();
  await detail.getByText("Other conversations").waitFor();
  assert.deepEqual(await violations(page), []);
  // The one that is open has a button of its own.
  await detail.getByRole("button", { name: "Open the conversation" }).waitFor();
  assert.equal(await detail.locator(".earlier-link").count(), 1);
  await detail.locator(".earlier-link").click();
  await page.waitForURL(/\/inbox\/all\/cnv_/);
  await page.context().close();
});

test("of many other conversations the last ones stand there, and more to who asks", async () => {
  const { api, headers } = await stack.api();
  const crowd = new Crowd(stack, api);
  const guest = await crowd.comes({ page: "/demo/about/" });
  const close = (conversation_id) => api.ask("POST", "commands", { do: "close", conversation_id }, { ...headers, "idempotency-key": api.nextId() });
  const begun = async (text) => (await api.ask("GET", "conversations?filter=all", undefined, headers)).items.find((row) => row.preview?.text === text);
  for (let number = 1; number <= 22; number += 1) {
    const text = `Question ${number} of many`;
    await crowd.writes(guest, text);
    await until(text, async () => (await begun(text)) !== undefined);
    if (number < 22) await close((await begun(text)).id);
  }
  // A console that heard of none of them as they ended.
  const page = await stack.console({ viewport: { width: 1440, height: 900 } });
  await openRow(page, "Question 22 of many");
  const others = page.getByRole("complementary", { name: "Contact" }).locator(".earlier-link");
  const names = () => others.locator("bdi").allTextContents();
  const from = (first, last) => Array.from({ length: first - last + 1 }, (_, index) => `Question ${first - index} of many`);
  const shows = (what, wanted) => until(what, async () => (await names()).join() === wanted.join());
  await shows("the first page", from(21, 3));
  await page.getByRole("button", { name: "Show more" }).click();
  await shows("all", from(21, 1));
  await page.getByRole("button", { name: "Show more" }).waitFor({ state: "detached" });
  assert.deepEqual(await violations(page), []);
  await others.last().click();
  await page.getByRole("log").getByText("Question 1 of many").waitFor();
  crowd.leave();
  await page.context().close();
  assert.deepEqual(stack.complaints, []);
});
