// The console on a telephone, and on a tablet: what a thumb meets there and a mouse does not.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { misfits } from "../layout.mjs";
import { Stack, openRow, say, sees, until } from "../stack.mjs";

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const tablet = { viewport: { width: 820, height: 1180 }, isMobile: true, hasTouch: true };

let stack;
before(async () => (stack = await Stack.start()));
after(() => stack.stop());

/** Fields in sight with letters so small that a telephone zooms into them. */
const smallFields = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll("input:not([type=checkbox], [type=radio], [type=range], [type=file], [type=color]), select, textarea")]
      .filter((field) => field.checkVisibility() && parseFloat(getComputedStyle(field).fontSize) < 16)
      .map((field) => `${location.pathname}: ${field.getAttribute("aria-label") ?? field.labels?.[0]?.textContent ?? field.outerHTML}`),
  );

test("no field is so small that a telephone zooms into it", async () => {
  const { page: visitor, panel } = await stack.visitor("/demo/", phone);
  await say(panel, "Is there a smaller tin?");
  assert.deepEqual(await smallFields(panel), []);

  const agent = await stack.console(phone);
  const small = [];
  const look = async (place, ready) => {
    await agent.goto(`${stack.origin}/console/${place}`);
    await ready().first().waitFor();
    small.push(...(await smallFields(agent)));
  };
  await look("visitors", () => agent.getByLabel("Source holds"));
  assert.equal(await agent.getByLabel("Page holds").count(), 1);
  await look("settings/workspace", () => agent.getByLabel("Time zone"));
  await look("settings/sites", () => agent.getByRole("button", { name: "Add a site" }));
  await agent.locator("a.card").first().click();
  await agent.getByLabel("First words").waitFor();
  small.push(...(await smallFields(agent)));
  await look("settings/canned", () => agent.getByRole("button", { name: "Write one" }));
  await look("settings/activity", () => agent.getByLabel("Whose"));
  await look("settings/system", () => agent.getByRole("table", { name: "Servers" }));
  await look("settings/security", () => agent.getByLabel("New password"));
  await look("settings/notifications", () => agent.getByLabel("What customers write in"));
  await look("settings/profile", () => agent.getByText("How others see you"));
  await look("inbox/all", () => agent.locator("a.row"));
  await agent.getByRole("button", { name: "Filter" }).click();
  await agent.getByLabel("Language").waitFor();
  small.push(...(await smallFields(agent)));
  await agent.keyboard.press("Escape");
  await openRow(agent, "Is there a smaller tin?");
  await agent.getByRole("textbox", { name: /^Reply to / }).waitFor();
  small.push(...(await smallFields(agent)));
  assert.deepEqual(small, []);
  assert.deepEqual(stack.complaints, []);
  for (const each of [agent, visitor]) await each.context().close();
});

test("what is long is in sight as a whole: a message that is changed, and a window with a form", async () => {
  const { page: visitor, panel } = await stack.visitor("/demo/", phone);
  await say(panel, "How do you pack it?");
  const agent = await stack.console(phone);
  await openRow(agent, "How do you pack it?");
  const box = agent.getByRole("textbox", { name: /^Reply to / });
  await box.fill(Array.from({ length: 9 }, (_, index) => `Tin ${index + 1} by hand`).join("\n"));
  await agent.getByRole("button", { name: "Send" }).click();
  await sees(panel, "Tin 9 by hand");
  await agent.getByRole("log").locator(".said", { hasText: "Tin 9 by hand" }).getByRole("button", { name: "Change this" }).click();
  await agent.getByRole("menuitem", { name: "Edit" }).click();
  const edited = agent.getByRole("textbox", { name: "Edit the text" });
  await until("all of it in sight", () => edited.evaluate((field) => field.scrollHeight <= field.clientHeight));
  await agent.locator(".edit").getByRole("button", { name: "Cancel" }).click();
  await agent.locator(".thread-head").getByRole("button", { name: "More", exact: true }).click();
  await agent.getByRole("menuitem", { name: /Find in it/ }).waitFor();
  assert.equal(await agent.locator(".menu-item kbd").first().isVisible(), false, "keys, to who has none");
  await agent.keyboard.press("Escape");

  await agent.goto(`${stack.origin}/console/settings`);
  await agent.getByRole("link", { name: "Workspace" }).waitFor();
  assert.equal(await agent.locator(".settings-link[aria-current]").count(), 0, "none of them is open");
  await agent.getByRole("link", { name: "Canned responses" }).click();
  await agent.getByRole("button", { name: "Write one" }).click();
  const dialog = agent.getByRole("dialog");
  await dialog.getByRole("button", { name: "Add it" }).waitFor();
  await until("the whole window", () => dialog.evaluate((element) => element.scrollHeight <= element.clientHeight));
  assert.deepEqual(stack.complaints, []);
  for (const each of [agent, visitor]) await each.context().close();
});

test("on the smallest telephone the head of a thread shows whom it is with, and says whose it is", async () => {
  const { api, headers } = await stack.api();
  const { settings, version } = await api.ask("GET", "workspace", undefined, headers);
  await api.ask("PATCH", "workspace", { settings: { ...settings, typing_preview: true } }, { ...headers, "if-match": `"${version}"` });
  const { page: visitor, panel } = await stack.visitor("/demo/", phone);
  await say(panel, "Is there a tin for two?");
  const agent = await stack.console({ ...phone, viewport: { width: 320, height: 640 } });
  await openRow(agent, "Is there a tin for two?");
  const name = agent.getByRole("heading", { level: 1, name: /^Visitor / });
  const isCut = (locator) => locator.evaluate((element) => element.scrollWidth > element.clientWidth);
  await agent.locator(".thread-head").getByRole("button", { name: "Assign", exact: true }).waitFor();
  assert.equal(await isCut(name), false);
  const words = "And one that is round";
  // Measured as it is seen: it goes by itself.
  const typing = () => agent.locator(".typing").evaluateAll(([element], words) => {
    const quote = element?.querySelector("q");
    return quote?.textContent.includes(words) && { line: element.clientHeight, quoted: quote.clientWidth };
  }, words);
  const [{ line, quoted }] = await Promise.all([
    until("what he writes", typing),
    panel.getByLabel("Message", { exact: true }).pressSequentially(words, { delay: 100 }),
  ]);
  // Who it is takes one line, what he writes has the most of it.
  assert.ok(line <= 24 && quoted >= 100, `${line} px high, ${quoted} px of words`);
  await agent.locator(".thread-head").getByRole("button", { name: "Assign", exact: true }).click();
  await agent.getByRole("menuitem", { name: /\(you\)$/ }).click();
  await agent.getByRole("button", { name: "Assigned to You", exact: true }).waitFor();
  assert.equal(await isCut(name), false);
  assert.deepEqual(stack.complaints, []);
  for (const each of [agent, visitor]) await each.context().close();
});

test("on a tablet a finger chats, and answers one message among many; what it may press is in sight, and all fits", async () => {
  const { page: visitor, panel } = await stack.visitor("/demo/", tablet);
  const write = async (text) => {
    await panel.getByLabel("Message", { exact: true }).fill(text);
    await panel.getByRole("button", { name: "Send", exact: true }).tap();
    await panel.locator("article.message", { hasText: text }).getByText("Sent", { exact: true }).waitFor();
  };
  await write("Is there a tin for three?");
  await write("Or for four?");
  assert.deepEqual(await misfits(panel, await panel.evaluate(() => innerWidth)), []);
  assert.deepEqual(await misfits(visitor, 820), []);

  const agent = await stack.console(tablet);
  const fits = async () => assert.deepEqual(await misfits(agent, 820), []);
  await agent.locator("a.row", { hasText: "Or for four?" }).tap();
  const asked = agent.getByRole("article").filter({ hasText: "a tin for three?" });
  const quote = asked.getByRole("button", { name: "Quote this in an answer" });
  await quote.locator("svg").waitFor();
  assert.notEqual(await quote.evaluate((button) => getComputedStyle(button).color), "rgba(0, 0, 0, 0)");
  await quote.tap();
  await agent.locator(".quoting", { hasText: "a tin for three?" }).waitFor();
  await fits();
  await agent.getByRole("textbox", { name: /^Reply to / }).fill("There is, and for four.");
  await agent.getByRole("button", { name: "Send", exact: true }).tap();
  await panel.locator("article.team", { hasText: "and for four" }).locator(".quoted", { hasText: "a tin for three?" }).waitFor();
  await agent.getByRole("button", { name: "Show the side panel" }).tap();
  await agent.getByRole("complementary", { name: "Contact" }).getByRole("button", { name: "Edit the contact" }).waitFor();
  await fits();
  for (const [place, name] of [["Visitors", "Visitors"], ["Settings", "Workspace"]]) {
    await agent.getByRole("link", { name: new RegExp(`^${place}`) }).tap();
    await agent.getByRole("heading", { name, level: 1 }).waitFor();
    await fits();
  }
  assert.deepEqual(stack.complaints, []);
  for (const each of [agent, visitor]) await each.context().close();
});
