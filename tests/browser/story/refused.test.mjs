// Where the chat may not be: what the visitor sees, and what the developer is told.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Shop, tag } from "../shop.mjs";
import { Stack, answer, findPanel, openPanel, openRow, say, sees, until } from "../stack.mjs";

let stack;
let shop;
before(async () => {
  stack = await Stack.start();
  shop = await Shop.open();
});
after(async () => {
  await shop.close();
  await stack.stop();
});

/** Goes to a page and gives what its developer reads in the console, once it is refused. */
async function refusal(page, address) {
  const warnings = [];
  page.on("console", (message) => message.type() === "warning" && warnings.push(message.text()));
  await page.goto(address);
  await page.waitForFunction(() => window.code !== undefined);
  await until("a warning", () => warnings.length > 0);
  return { code: await page.evaluate(() => window.code), warning: warnings.join("\n") };
}

const listening = `<script>window.Switchboard = window.Switchboard || []; Switchboard.push(["on", "refused", (code) => (window.code = code)], ["open"]);</script>`;

const isBare = (page) => page.evaluate(() => [...document.body.children].every((child) => child.hidden || child.getBoundingClientRect().height === 0 || child.tagName === "SCRIPT"));

test("a key that no site has shows nothing, and says what to look for", async () => {
  const page = await stack.person();
  const wrong = stack.siteKey.slice(0, -1) + (stack.siteKey.endsWith("0") ? "1" : "0");
  const { code, warning } = await refusal(page, shop.page("/key", { head: listening + tag(stack).replace(stack.siteKey, wrong) }));
  assert.equal(code, "origin_refused");
  assert.ok(warning.includes(wrong) && /Settings/.test(warning), warning);
  assert.ok(await isBare(page));
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a page that may not carry the chat shows nothing, and its developer reads which origin to allow", async () => {
  const page = await stack.person();
  const address = shop.page("/origin", { head: listening + tag(stack), host: "unlisted.example" });
  const { code, warning } = await refusal(page, address);
  assert.equal(code, "origin_refused");
  assert.ok(warning.includes(new URL(address).origin), warning);
  assert.ok(await isBare(page));
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a tag without a key says so", async () => {
  const page = await stack.person();
  const warnings = [];
  page.on("console", (message) => warnings.push(message.text()));
  await page.goto(shop.page("/nokey", { head: `<script async src="${stack.origin}/widget.js"></script>` }));
  await until("a warning", () => warnings.some((text) => /data-site-key/.test(text)));
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("who is blocked in mid-sentence is told, and can send no more", async () => {
  const { api, headers } = await stack.api();
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "I will be rude");
  await panel.getByText("Sent", { exact: true }).first().waitFor();
  const { items } = await api.ask("GET", "conversations?filter=all", undefined, headers);
  const { id } = items.find((one) => one.preview?.text === "I will be rude");
  const command = { do: "block_visitor", conversation_id: id, blocked: true };
  await api.ask("POST", "commands", command, { ...headers, "idempotency-key": api.nextId() });
  await panel.getByText("This conversation cannot be continued.").waitFor();
  await until("no way to write", () => panel.getByLabel("Message", { exact: true }).isDisabled());
  await panel.getByRole("button", { name: "Insert an emoji" }).waitFor({ state: "detached" });
  await panel.getByRole("button", { name: "Try now" }).waitFor({ state: "detached" });
  await sees(panel, "I will be rude");
  // Neither a reload nor a logout makes him somebody else.
  await page.reload();
  await until("the refusal", () => page.evaluate((key) => localStorage.getItem(`switchboard.${key}`) !== null, stack.siteKey));
  await page.evaluate(() => window.Switchboard.push(["on", "refused", (code) => (window.code = code)], ["logout"]));
  await page.waitForFunction(() => window.code === "blocked");
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("who has a clock that is days off chats as others do", async () => {
  const agent = await stack.console();
  for (const days of [2, -2]) {
    const page = await stack.person();
    await page.clock.setSystemTime(Date.now() + days * 86_400_000);
    await page.goto(`${stack.origin}/demo/`);
    const panel = await openPanel(page);
    const text = `I live ${days} days from now`;
    await say(panel, text);
    await panel.getByText("Sent", { exact: true }).waitFor();
    // Midnight may come in between.
    await panel.locator(".day").first().getByText(/^(Today|Yesterday)$/).waitFor();
    await openRow(agent, text);
    await answer(agent, `Answered ${days}`);
    await sees(panel, `Answered ${days}`);
    await page.reload();
    const again = await openPanel(page);
    await sees(again, `Answered ${days}`);
    // As soon as the server has said what time it is.
    const isRight = async () => (await again.locator(".day").allInnerTexts()).every((day) => /^(Today|Yesterday)$/.test(day));
    await until("the days of all", isRight);
    // What waits to be sent stands on the day on which it is written.
    stack.cable.cut();
    await say(again, `Written ${days} days from now`);
    await again.locator("article.message", { hasText: `Written ${days} days from now` }).waitFor();
    await until("the days still", isRight);
    stack.cable.mend();
    // Nor is another day shown before the server has said it on a line: by what was known on the last visit, and without that.
    await page.routeWebSocket(/\/api\/v1\/socket/, () => {});
    for (const isKept of [true, false]) {
      if (!isKept) await findPanel(page).then((frame) => frame.evaluate(() => localStorage.removeItem("switchboard.clock")));
      await page.reload();
      const unheard = await openPanel(page);
      await sees(unheard, `Answered ${days}`);
      assert.match((await unheard.locator(".day").allInnerTexts()).join(), /^(Yesterday,)?(Today|Yesterday)$/);
    }
    await page.context().close();
  }
  assert.deepEqual(stack.complaints, []);
  await agent.context().close();
});

/** Two days off, and some hours, so that times of day are wrong as well. */
const OFF_MS = 2 * 86_400_000 + 5 * 3_600_000;

for (const [way, sign] of [["ahead", 1], ["behind", -1]]) {
  test(`an agent whose clock is two days ${way} reads days, waiting times and times to come as others do`, async () => {
    const { page, panel } = await stack.visitor("/demo/");
    const text = `Your clock is ${way}`;
    await say(panel, text);
    const agent = await stack.console({ viewport: { width: 1440, height: 900 } });
    await agent.clock.setSystemTime(Date.now() + sign * OFF_MS);
    await agent.reload();
    await openRow(agent, text);
    const row = agent.locator("a.row", { hasText: text });
    await row.locator(".row-time[data-waiting] time").getByText(/^\d+ (s|min)$/).waitFor();
    const days = () => until("the days of all", async () => /^(Yesterday,)?(Today|Yesterday)$/.test((await agent.locator(".thread .day").allInnerTexts()).join()));
    // Midnight may come in between.
    await days();
    const side = agent.getByRole("complementary", { name: "Contact" });
    const local = side.locator("dl.facts > div", { hasText: /^Local time/ }).locator("dd");
    await until("the visitor's time", async () => isAbout((await local.innerText()).slice(0, 5), Date.now()));

    await agent.getByRole("button", { name: "Snooze" }).click();
    const choice = (name) => agent.getByRole("menuitem", { name });
    assert.ok(isAbout((await choice(/^In 1 hour/).innerText()).slice(-5), Date.now() + 3_600_000));
    assert.match(await choice(/^Tomorrow morning/).innerText(), /tomorrow 09:00$/);
    await choice(/^In 1 hour/).click();
    await agent.getByRole("log").getByText(/^You snoozed this until/).waitFor();
    const { api, headers } = await stack.api();
    const id = agent.url().split("/").at(-1);
    const { snoozed_until_ms } = await api.ask("GET", `conversations/${id}`, undefined, headers);
    assert.ok(Math.abs(snoozed_until_ms - (Date.now() + 3_600_000)) < 600_000, `${snoozed_until_ms}`);

    // What waits to be sent stands on the day on which it is written.
    stack.cable.cut();
    await answer(agent, `By the clock of all, ${way}`);
    const waiting = agent.locator(".said[data-mark=sending]");
    await waiting.waitFor();
    await days();
    assert.ok(isAbout(await waiting.locator("time").first().innerText(), Date.now()));
    await say(panel, `And mine is right, ${way}`);
    stack.cable.mend();
    await sees(panel, `By the clock of all, ${way}`);
    await agent.getByRole("log").getByText(`And mine is right, ${way}`).waitFor();
    await days();
    assert.deepEqual(stack.complaints, []);
    await page.context().close();
    await agent.context().close();
  });
}

/** Whether a time of day is that of a moment, or of some minutes beside it. */
function isAbout(clock, atMs) {
  const [hours, minutes] = clock.split(":").map(Number);
  const at = new Date(atMs);
  const apart = Math.abs(hours * 60 + minutes - (at.getHours() * 60 + at.getMinutes()));
  return Math.min(apart, 1_440 - apart) <= 5;
}

test("an archived site ends the chat, and who writes in it is told", async () => {
  const { api, headers } = await stack.api();
  const agent = await stack.console();
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "are you closing down?");
  await openRow(agent, "are you closing down?");
  const path = `sites/${stack.siteKey}`;
  const site = await api.ask("GET", path, undefined, headers);
  await api.ask("PATCH", path, { archived: true }, { ...headers, "if-match": `"${site.version}"` });
  await panel.getByText("This chat was closed.").waitFor();
  await until("no way to write", () => panel.getByLabel("Message", { exact: true }).isDisabled());
  await sees(panel, "are you closing down?");
  const other = await stack.person();
  const { code } = await refusal(other, shop.page("/archived", { head: listening + tag(stack) }));
  assert.equal(code, "origin_refused");
  assert.ok(await isBare(other));
  const again = await api.ask("GET", path, undefined, headers);
  await api.ask("PATCH", path, { archived: false }, { ...headers, "if-match": `"${again.version}"` });
  await panel.getByRole("button", { name: "Try now" }).click();
  await say(panel, "good that you are back");
  await sees(panel, "good that you are back");
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});
