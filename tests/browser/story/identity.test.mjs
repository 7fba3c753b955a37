// Who sits here, in a page that never loads anew: nothing of one person is left for the next.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { identity } from "../api.mjs";
import { Shop, tag } from "../shop.mjs";
import { Stack, answer, findPanel, openRow, say, sees, until } from "../stack.mjs";

let stack;
let shop;
let agent;
let secret;
before(async () => {
  stack = await Stack.start();
  shop = await Shop.open();
  agent = await stack.console();
  const { api, headers } = await stack.api();
  secret = (await api.ask("POST", `sites/${stack.siteKey}/secrets`, {}, headers)).secret;
});
after(async () => {
  await shop.close();
  await stack.stop();
});

const proof = (customer) => identity(secret, stack.siteKey, customer);

/** A page of the shop on which a customer may be signed in already, with the chat open. */
async function enter(options, attributes = "async") {
  const page = await stack.person(options);
  const opening = `<script>window.Switchboard = window.Switchboard || []; Switchboard.push(["open"]);</script>`;
  await page.goto(shop.page("/account", { head: tag(stack, attributes), body: opening }));
  return { page, panel: await ready(page) };
}

async function ready(page) {
  const panel = await findPanel(page);
  await panel.getByLabel("Message", { exact: true }).waitFor();
  return panel;
}

/** Who the widget of a page is. */
const visitorOf = (page) => page.evaluate((key) => JSON.parse(localStorage.getItem(`switchboard.${key}`) ?? "null")?.visitor_id, stack.siteKey);

/** Waits until nothing of a page holds a word: what was held a moment ago may still be let go. */
async function forgets(page, word) {
  let found;
  await until(`no trace of ${word}`, async () => (found = await traces(page, word)).length === 0).catch(() => assert.deepEqual(found, [], word));
}

/** What of a page holds a word: elements, storage, and after the rubbish was taken out, memory. */
async function traces(page, word) {
  const found = [];
  for (const frame of page.frames()) {
    const has = await frame.evaluate((word) => ({
      elements: document.documentElement.outerHTML.includes(word) || [...document.querySelectorAll("textarea")].some((area) => area.value.includes(word)),
      storage: Object.entries({ ...localStorage, ...sessionStorage }).some((pair) => pair.join().includes(word)),
    }), word);
    for (const [place, is] of Object.entries(has)) if (is) found.push(`${place} of ${frame.url()}`);
  }
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.enable");
  for (let round = 0; round < 3; round += 1) await session.send("HeapProfiler.collectGarbage");
  let heap = "";
  session.on("HeapProfiler.addHeapSnapshotChunk", ({ chunk }) => (heap += chunk));
  await session.send("HeapProfiler.takeHeapSnapshot", { reportProgress: false });
  await session.detach();
  if (heap.includes(word)) found.push("memory");
  return found;
}

test("a signed customer has one thread on two devices, as it happens", async () => {
  const phone = await enter({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  const laptop = await enter();
  for (const { page } of [phone, laptop]) await page.evaluate((token) => window.Switchboard.identify({ token }), proof("ana"));
  await until("the proof", async () => {
    const proved = await Promise.all([phone, laptop].map(({ page }) => page.evaluate((key) => JSON.parse(localStorage.getItem(`switchboard.${key}`)).identified, stack.siteKey)));
    return proved.every(Boolean);
  });
  await say(phone.panel, "written on the way");
  await sees(laptop.panel, "written on the way");
  await openRow(agent, "written on the way");
  await answer(agent, "read at the desk");
  for (const { panel } of [phone, laptop]) await sees(panel, "read at the desk");
  await say(laptop.panel, "and at home");
  await sees(phone.panel, "and at home");
  assert.deepEqual(stack.complaints, []);
  await phone.page.context().close();
  await laptop.page.context().close();
});

test("who proves himself while he writes keeps his words and files, and the change he makes to a message", async () => {
  const { page, panel } = await enter();
  const visitor = await visitorOf(page);
  await say(panel, "my old words");
  const message = panel.locator("article.message", { hasText: "my old words" });
  await panel.getByText("Sent", { exact: true }).first().waitFor();
  const picker = panel.locator("input[type=file]");
  await picker.setInputFiles({ name: "receipt.txt", mimeType: "text/plain", buffer: Buffer.from("1 pot of tea") });
  await panel.locator(".upload .quiet").waitFor();
  await message.hover();
  await message.getByRole("button").first().click();
  await panel.getByRole("menuitem", { name: "Edit" }).click();
  await panel.getByLabel("Message", { exact: true }).fill("my new words");
  await page.evaluate((token) => window.Switchboard.identify({ token }), proof("iva"));
  await until("the proof", () => page.evaluate((key) => JSON.parse(localStorage.getItem(`switchboard.${key}`)).identified, stack.siteKey));
  await until("the line", () => panel.getByLabel("Message", { exact: true }).isEditable());
  assert.equal(await visitorOf(page), visitor);
  assert.equal(await panel.getByLabel("Message", { exact: true }).inputValue(), "my new words");
  await panel.getByRole("button", { name: "Save" }).click();
  await panel.locator("article.message", { hasText: "my new words" }).waitFor();
  await say(panel, "and the receipt");
  await panel.locator("article.message", { hasText: "and the receipt" }).getByText("receipt.txt").waitFor();
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("what a page says of its visitor is shown to the team as said, not as proved", async () => {
  const { page, panel } = await enter();
  await page.evaluate(() => window.Switchboard.identify({ name: "Ema Horvat", email: "ema@example.com", plan: "team" }));
  await say(panel, "who am I?");
  await openRow(agent, "who am I?");
  await agent.locator("a.row", { hasText: "Ema Horvat" }).first().waitFor();
  await agent.getByText("ema@example.com").first().waitFor();
  // Said again by somebody else, it opens nothing.
  const other = await enter();
  await other.page.evaluate(() => window.Switchboard.identify({ name: "Ema Horvat", email: "ema@example.com" }));
  await say(other.panel, "me, too");
  await other.panel.getByText("Sent", { exact: true }).first().waitFor();
  assert.equal(await other.panel.locator("article.message").count(), 1);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
  await other.page.context().close();
});

test("another identity in the same page sees nothing of the one before, not even in memory", async () => {
  const { page, panel } = await enter({}, `async data-identity-token="${proof("ben")}"`);
  await say(panel, "plum-secret of ben");
  await sees(panel, "plum-secret of ben");
  await panel.getByText("Sent", { exact: true }).first().waitFor();
  await panel.getByLabel("Message", { exact: true }).fill("plum-draft of ben");
  const ben = await visitorOf(page);
  assert.notDeepEqual(await traces(page, "plum-secret"), []);

  // From that moment on, also where the server cannot be asked.
  stack.cable.cut();
  await page.evaluate((token) => window.Switchboard.identify({ token }), proof("cleo"));
  await panel.getByText("plum-secret").waitFor({ state: "hidden" });
  await until("no way to send", () => panel.getByRole("button", { name: "Send" }).isDisabled());
  stack.cable.mend();
  await until("somebody else", async () => (await visitorOf(page)) !== ben);
  await panel.getByText("Hello. How can we help?").waitFor();
  await panel.getByText("plum-secret").waitFor({ state: "detached" });
  await until("an empty field", async () => (await panel.getByLabel("Message", { exact: true }).inputValue()) === "");
  await say(panel, "quince of cleo");
  await panel.getByText("Sent", { exact: true }).first().waitFor();
  assert.equal(await panel.locator("article.message").count(), 1);
  for (const word of ["plum-secret", "plum-draft"]) await forgets(page, word);

  // Ben comes back, and finds his own.
  await page.evaluate((token) => window.Switchboard.identify({ token }), proof("ben"));
  await sees(panel, "plum-secret of ben");
  assert.equal(await panel.getByText("quince").count(), 0);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("who logs out leaves nothing: no words, no draft, nothing that waits", async () => {
  const { page, panel } = await enter();
  await say(panel, "medlar-secret");
  await panel.getByText("Sent", { exact: true }).first().waitFor();
  const before = await visitorOf(page);
  stack.cable.cut();
  await page.context().setOffline(true);
  await say(panel, "medlar-waiting");
  await panel.getByText("Waiting to be sent").waitFor();
  await panel.getByLabel("Message", { exact: true }).fill("medlar-draft");
  await page.evaluate(() => window.Switchboard.logout());
  stack.cable.mend();
  await page.context().setOffline(false);
  await until("somebody new", async () => ![before, undefined].includes(await visitorOf(page)));
  await page.evaluate(() => window.Switchboard.open());
  await panel.getByText("Hello. How can we help?").waitFor();
  await until("no message", async () => (await panel.locator("article.message").count()) === 0);
  await until("an empty field", async () => (await panel.getByLabel("Message", { exact: true }).inputValue()) === "");
  await say(panel, "as somebody new");
  await panel.getByText("Sent", { exact: true }).first().waitFor();
  for (const word of ["medlar-secret", "medlar-waiting", "medlar-draft"]) await forgets(page, word);
  const { api, headers } = await stack.api();
  const { items } = await api.ask("GET", "conversations?filter=all", undefined, headers);
  const words = JSON.stringify(items);
  assert.ok(words.includes("as somebody new") && !words.includes("medlar-waiting"), words);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("an identity that proves nothing is refused, and the page is told what to do", async () => {
  const page = await stack.person();
  const warnings = [];
  page.on("console", (message) => message.type() === "warning" && warnings.push(message.text()));
  const listening = `<script>window.Switchboard = window.Switchboard || []; Switchboard.push(["on", "refused", (code) => (window.code = code)]);</script>`;
  const forged = identity("sbi_guess", stack.siteKey, "dora");
  await page.goto(shop.page("/forged", { head: listening + tag(stack, `async data-identity-token="${forged}"`) }));
  await page.waitForFunction(() => window.code === "identity_invalid");
  await until("a warning", () => warnings.some((text) => /identity_invalid/.test(text) && /secret/.test(text)));
  // A good one mends it.
  await page.evaluate((token) => window.Switchboard.push(["identify", { token }], ["open"]), proof("dora"));
  const panel = await ready(page);
  await say(panel, "now it is me");
  await sees(panel, "now it is me");
  // A bad one after it shows nothing of the good one's.
  await page.evaluate((token) => window.Switchboard.identify({ token }), identity("sbi_guess", stack.siteKey, "emil"));
  await panel.getByText("It could not be confirmed who you are.").waitFor();
  await panel.getByText("now it is me").waitFor({ state: "detached" });
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});
