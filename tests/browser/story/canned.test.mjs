// What is put in while one writes: canned responses, written once and live on every agent's screen, and emoji.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { PATIENCE } from "../hostile.mjs";
import { Stack, openRow, say, sees, until } from "../stack.mjs";

let stack;
let mira;
let jon;
let who;
before(async () => {
  stack = await Stack.start();
  const wide = { viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" };
  mira = await stack.console(wide);
  who = await stack.joins("Jon Arden");
  jon = await stack.console(wide, who);
});
after(() => stack.stop());

const reply = (page) => page.getByRole("textbox", { name: /^Reply to / });
const list = (page) => page.getByRole("listbox", { name: "Canned responses" });
const option = (page, text) => list(page).getByRole("option").filter({ hasText: text });
const value = (page, wanted) => until(`“${wanted}” in the composer`, async () => (await reply(page).inputValue()) === wanted);

/** Goes there within the page: what was read stays read. */
async function settings(page) {
  await page.getByRole("link", { name: /^Settings/ }).click();
  await page.getByRole("link", { name: "Canned responses" }).click();
  await page.getByRole("heading", { name: "Canned responses", level: 1 }).waitFor();
}

async function write(page, { whose, nickname, text }) {
  await page.getByRole("button", { name: "Write one" }).click();
  const dialog = page.getByRole("dialog");
  if (whose) await dialog.getByRole("radio", { name: whose }).check();
  await dialog.getByLabel("Nickname").fill(nickname);
  await dialog.getByRole("textbox", { name: "Text" }).fill(text);
  await dialog.getByRole("button", { name: "Add it" }).click();
}

async function written(page, ...words) {
  await write(page, ...words);
  await page.getByRole("dialog").waitFor({ state: "detached" });
}

test("an admin writes the team's, an agent his own, and what is wrong is said where it is", async () => {
  await settings(mira);
  await mira.getByText("The team has none yet.").waitFor();
  assert.deepEqual(await violations(mira), []);
  await written(mira, { whose: "The whole team", nickname: "\\hello", text: "Hello {{customer_name}}, this is {{agent_name}}." });
  await written(mira, { whose: "The whole team", nickname: "", text: "We ship on Mondays and Thursdays." });
  await written(mira, { whose: "Only you", nickname: "late", text: "Sorry for the wait: {{response_details}}\n{{department_signature}}" });
  await mira.getByText("\\hello", { exact: true }).waitFor();

  await write(mira, { whose: "The whole team", nickname: "HELLO", text: "Another {{greting}}" });
  const dialog = mira.getByRole("dialog");
  await dialog.getByText("Another one is called by this nickname.").waitFor();
  await dialog.getByText("{{greting}} is no variable").waitFor();
  assert.deepEqual(await violations(mira), []);
  await dialog.getByLabel("Nickname").fill("two words");
  await dialog.getByRole("button", { name: "Add it" }).click();
  await dialog.getByText("A nickname is one word").waitFor();
  await dialog.getByRole("textbox", { name: "Text" }).fill("x".repeat(4_097));
  await dialog.getByText("4,096 bytes at most").waitFor();
  await dialog.getByRole("button", { name: "Add it" }).click();
  await until("the nickname to be the next thing to mend", () => dialog.getByLabel("Nickname").evaluate((field) => field === document.activeElement));
  assert.ok(await dialog.isVisible());
  await dialog.getByRole("button", { name: "Cancel" }).click();

  await settings(jon);
  await jon.getByText("We ship on Mondays").waitFor();
  assert.equal(await jon.getByText("Sorry for the wait").count(), 0);
  assert.equal(await jon.getByRole("button", { name: /^Change / }).count(), 0);
  await written(jon, { nickname: "hello", text: "Howdy, {{customer_name}}." });
  await jon.getByRole("searchbox").fill("HOWD");
  await jon.getByText("Howdy,").waitFor();
  await jon.getByText("Nothing here fits").waitFor();
  assert.equal(await jon.getByText("We ship on Mondays").count(), 0);
  assert.deepEqual(stack.complaints, []);
});

test("a nickname finds one, keys choose it, and what is known is filled in", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  await page.evaluate(() => window.Switchboard.identify({ name: "Ana Kovač", email: "ana@example.com" }));
  await say(panel, "when do you ship?");
  for (const agent of [mira, jon]) {
    await agent.getByRole("link", { name: /^Inbox/ }).click();
    await openRow(agent, "when do you ship?");
    await agent.getByRole("log").getByText("when do you ship?").waitFor();
  }
  // Until what is known of the person is there.
  await jon.locator(".side").getByText("ana@example.com").first().waitFor();
  await reply(jon).pressSequentially("\\hel");
  await option(jon, "Howdy").waitFor();
  await until("the two that fit", async () => (await list(jon).getByRole("option").count()) === 2);
  assert.deepEqual(await violations(jon), []);
  // One's own comes first; the arrows go round.
  await list(jon).getByRole("option", { selected: true }).filter({ hasText: "Howdy" }).waitFor();
  await jon.keyboard.press("ArrowDown");
  await list(jon).getByRole("option", { selected: true }).filter({ hasText: "this is" }).waitFor();
  await jon.keyboard.press("ArrowDown");
  await list(jon).getByRole("option", { selected: true }).filter({ hasText: "Howdy" }).waitFor();
  await jon.keyboard.press("ArrowUp");
  await jon.keyboard.press("Enter");
  await value(jon, "Hello Ana Kovač, this is Jon Arden.");
  await list(jon).waitFor({ state: "detached" });
  // As if it had been typed: the browser takes it back.
  await jon.keyboard.press("Control+z");
  await value(jon, "\\hel");
  await jon.keyboard.press("End");
  await list(jon).waitFor();
  await jon.keyboard.press("Escape");
  await list(jon).waitFor({ state: "detached" });
  await jon.keyboard.press("Control+a");
  await jon.keyboard.type("About that: \\\\we sh");
  await option(jon, "Mondays and Thursdays").click();
  await value(jon, "About that: We ship on Mondays and Thursdays.");
  await jon.keyboard.press("Enter");
  await sees(panel, "About that: We ship on Mondays and Thursdays.");

  await reply(mira).pressSequentially("\\late");
  await option(mira, "Only you").waitFor();
  await mira.keyboard.press("Enter");
  await mira.keyboard.type("the kettle");
  await until("its place", async () => /^Sorry for the wait: the kettle\n.+$/.test(await reply(mira).inputValue())).catch(async () => assert.fail(await reply(mira).inputValue()));
  await reply(mira).fill("");
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

/** Within so long a change shows on every open console (CAN-05). */
const LIVE_MS = 20_000 * PATIENCE;

test("a change shows on every open console within 20 seconds, and nothing of it reaches a visitor", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  let heard = "";
  page.on("response", async (response) => {
    if (response.url().includes("/api/v1/")) heard += await response.text().catch(() => "");
  });
  await say(panel, "is it live?");
  await openRow(jon, "is it live?");
  await settings(mira);
  await mira.getByRole("button", { name: "Change hello" }).click();
  const dialog = mira.getByRole("dialog");
  await dialog.getByLabel("Nickname").fill("zanzibar");
  await dialog.getByRole("button", { name: "Save" }).click();
  const live = (state) => option(jon, "zanzibar").waitFor({ state, timeout: LIVE_MS });
  await reply(jon).fill("\\zan");
  await live("visible");
  await dialog.waitFor({ state: "detached" });
  await mira.getByRole("button", { name: "Take away zanzibar" }).click();
  // It stays while somebody points at it.
  await mira.locator(".toast").hover();
  await live("detached");
  await mira.getByRole("button", { name: "Undo" }).click();
  await live("visible");
  await jon.keyboard.press("Escape");
  await reply(jon).fill("");

  // Who has no name is greeted by none: the place stays to be written in, and is not sent unasked.
  await reply(jon).pressSequentially("\\zan");
  await option(jon, "zanzibar").waitFor();
  await jon.keyboard.press("Enter");
  await value(jon, "Hello {{customer_name}}, this is Jon Arden.");
  await jon.keyboard.press("Enter");
  await jon.getByText("{{customer_name}} is still to be filled in.").waitFor();
  assert.deepEqual(await violations(jon), []);
  await jon.getByRole("button", { name: "Fill it in" }).click();
  await jon.keyboard.type("there");
  await value(jon, "Hello there, this is Jon Arden.");
  await jon.keyboard.press("Enter");
  await sees(panel, "Hello there, this is Jon Arden.");
  assert.ok(!heard.includes("zanzibar"));
  assert.equal(await panel.getByText("zanzibar").count(), 0);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("an emoji is picked from the board or by its name, by mouse or by keys", async () => {
  await reply(jon).fill("");
  await reply(jon).pressSequentially("Thanks :thu");
  const emoji = jon.getByRole("listbox", { name: "Emoji" });
  await emoji.getByRole("option", { selected: true }).filter({ hasText: "👍" }).waitFor();
  assert.deepEqual(await violations(jon), []);
  await jon.keyboard.press("Enter");
  await value(jon, "Thanks 👍 ");
  await jon.getByRole("button", { name: "Insert an emoji" }).click();
  const board = jon.getByRole("menu");
  await board.getByRole("menuitem", { name: "party" }).waitFor();
  assert.deepEqual(await violations(jon), []);
  await board.getByRole("menuitem", { name: "party" }).click();
  await value(jon, "Thanks 👍 🎉");
  // Arrows lead along the row and to the rows beside it.
  await jon.getByRole("button", { name: "Insert an emoji" }).focus();
  await jon.keyboard.press("Enter");
  // The keys belong to the button until the board has the focus.
  await until("the focus on the board", () => board.evaluateAll(([menu]) => menu?.contains(document.activeElement)));
  const focused = (name) => until(`the focus on ${name}`, () => board.getByRole("menuitem", { name, exact: true }).evaluate((node) => node === document.activeElement));
  await jon.keyboard.press("Home");
  await focused("grin");
  await jon.keyboard.press("ArrowRight");
  await focused("joy");
  await jon.keyboard.press("ArrowDown");
  await focused("thanks");
  await jon.keyboard.press("Enter");
  await value(jon, "Thanks 👍 🎉🙏");
  await reply(jon).fill("at 10:30 :)");
  await emoji.waitFor({ state: "detached" });
  await reply(jon).fill("");
  assert.deepEqual(stack.complaints, []);
});

test("the button asks for the list too, also on a narrow screen and in the dark", async () => {
  const phone = await stack.console({ viewport: { width: 390, height: 844 }, colorScheme: "dark", reducedMotion: "reduce" }, who);
  await openRow(phone, "Hello there, this is Jon Arden.");
  await phone.getByRole("button", { name: "Canned response" }).click();
  await option(phone, "Howdy").waitFor();
  assert.deepEqual(await violations(phone), []);
  // What was said last stands over the list, and stays there while that gets shorter.
  const last = () => phone.locator(".thread .said").last().evaluate((element) => Math.round(element.getBoundingClientRect().bottom));
  const top = () => phone.locator(".suggestions").evaluate((element) => Math.round(element.getBoundingClientRect().top));
  await until("what was said over the list", async () => (await last()) <= (await top()));
  const stood = await last();
  await phone.keyboard.type("hel");
  await until("a shorter list", async () => (await list(phone).getByRole("option").count()) < 3);
  await until("what was said to stay", async () => (await last()) === stood);
  const { x, width, y } = await list(phone).boundingBox();
  assert.ok(x >= 0 && x + width <= 390 && y >= 0, "it stands within the screen");
  await option(phone, "Howdy").click();
  await value(phone, "Howdy, {{customer_name}}.");
  await until("the room given back", async () => (await last()) > stood);
  assert.deepEqual(stack.complaints, []);
});

test("what one writes for it is not lost by Escape or a click beside it", async () => {
  await settings(mira);
  await mira.getByRole("button", { name: "Write one" }).click();
  const dialog = mira.getByRole("dialog");
  await dialog.getByLabel("Nickname").waitFor();
  await mira.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await mira.getByRole("button", { name: "Write one" }).click();
  const words = dialog.getByRole("textbox", { name: "Text" });
  await words.fill("Half a thought");
  await mira.keyboard.press("Escape");
  await mira.mouse.click(5, 5);
  assert.equal(await words.inputValue(), "Half a thought");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await dialog.waitFor({ state: "detached" });
  assert.deepEqual(stack.complaints, []);
});

test("what one writes while another is being added stays, and is saved on top of it", async () => {
  await settings(mira);
  const stopped = [];
  let comes;
  const held = new Promise((done) => (comes = done));
  await mira.route("**/api/v1/canned-responses", (route) => (route.request().method() === "POST" ? (stopped.push(route), held.then(() => route.continue())) : route.fallback()));
  await mira.getByRole("button", { name: "Write one" }).click();
  const dialog = mira.getByRole("dialog");
  await dialog.getByLabel("Nickname").fill("harvest");
  const words = dialog.getByRole("textbox", { name: "Text" });
  await words.fill("It is of this spring");
  await dialog.getByRole("button", { name: "Add it" }).click();
  await until("the way out", () => stopped.length === 1);
  await words.press("End");
  await words.pressSequentially(", and the next comes in May");
  comes();
  await dialog.getByRole("button", { name: "Save" }).waitFor();
  await mira.unrouteAll({ behavior: "wait" });
  assert.equal(await words.inputValue(), "It is of this spring, and the next comes in May");
  assert.equal(await dialog.getByText("meanwhile").count(), 0);
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  await mira.getByText("It is of this spring, and the next comes in May").waitFor();
  assert.equal(await mira.getByText("It is of this spring").count(), 1);
  assert.deepEqual(stack.complaints, []);
});
