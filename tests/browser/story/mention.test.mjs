// Who is named in a note: picked while one writes, told wherever he is, and found in a list of his own.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Stack, openRow, say, until } from "../stack.mjs";

let stack;
let mira;
let jon;
before(async () => {
  stack = await Stack.start();
  const wide = { viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" };
  mira = await stack.console(wide);
  jon = await stack.console(wide, await stack.joins("Jon Arden"));
});
after(() => stack.stop());

const note = (page) => page.getByRole("textbox", { name: "Note to the team" });
const names = (page) => page.getByRole("listbox", { name: "Mention somebody" });
const mentions = (page) => page.getByRole("navigation", { name: "Lists" }).getByRole("link", { name: /^Mentions/ });
const row = (page, text) => page.locator("a.row-mention", { hasText: text });

async function writes(page, text) {
  await note(page).fill(text);
  await note(page).press("Enter");
  await page.getByRole("article", { name: /^Note by/ }).filter({ hasText: text }).waitFor();
}

test("a member is picked by name, and who is named is told where he is", async () => {
  await mentions(jon).click();
  await jon.getByText("Nobody has named you yet").waitFor();
  assert.deepEqual(await violations(jon), []);
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "where is my parcel?");
  await openRow(mira, "where is my parcel?");
  await mira.keyboard.press("n");
  await note(mira).pressSequentially("Ask @ar");
  await names(mira).getByRole("option", { selected: true }).filter({ hasText: "Jon Arden" }).waitFor();
  assert.deepEqual(await violations(mira), []);
  await mira.keyboard.press("Enter");
  await until("the name", async () => (await note(mira).inputValue()) === "Ask @Jon Arden ");
  await mira.keyboard.type("about parcel 2207");
  // What is said shortly is waited for from before it can come.
  const told = jon.getByRole("status", { name: "Messages" }).getByText(/named you at .*about parcel 2207/).waitFor();
  await mira.keyboard.press("Enter");
  const written = mira.getByRole("article", { name: /^Note by/ }).filter({ hasText: "about parcel 2207" });
  await written.locator("strong", { hasText: "@Jon Arden" }).waitFor();

  await told;
  await row(jon, "about parcel 2207").waitFor();
  assert.equal(await row(jon, "about parcel 2207").getAttribute("data-unread"), "true");
  await mentions(jon).getByText("unread").waitFor({ state: "attached" });
  assert.deepEqual(await violations(jon), []);
  // He names nobody else's list, and not the writer's.
  await mentions(mira).click();
  await mira.getByText("Nobody has named you yet").waitFor();

  await row(jon, "about parcel 2207").click();
  await jon.getByRole("article", { name: /^Note by/ }).filter({ hasText: "about parcel 2207" }).waitFor();
  await until("it to be read", async () => (await row(jon, "about parcel 2207").getAttribute("data-unread")) === null);
  await mentions(jon).getByText("unread").waitFor({ state: "detached" });
  await jon.reload();
  await row(jon, "about parcel 2207").waitFor();
  await until("it to stay read", async () => (await row(jon, "about parcel 2207").getAttribute("data-unread")) === null);
  assert.equal(await panel.getByText("2207").count(), 0);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a note that is taken back leaves the list, and one from elsewhere leads there", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "and where is the other one?");
  await mira.getByRole("link", { name: /^All/ }).click();
  await openRow(mira, "and where is the other one?");
  await mira.keyboard.press("n");
  await jon.getByRole("link", { name: /^Visitors/ }).click();
  await jon.getByRole("heading", { name: "Visitors" }).waitFor();
  const told = jon.locator(".toast", { hasText: "the first" }).waitFor();
  await writes(mira, "@Jon Arden the first");
  await told;
  const gone = jon.locator(".toast", { hasText: "the second" }).getByRole("link", { name: "Show" }).click();
  await writes(mira, "@Jon Arden the second");
  await gone;
  await jon.getByRole("article", { name: /^Note by/ }).filter({ hasText: "the second" }).waitFor();
  await mentions(jon).click();
  await row(jon, "the first").waitFor();
  await row(jon, "the second").waitFor();
  const first = mira.getByRole("article", { name: /^Note by/ }).filter({ hasText: "the first" });
  await first.hover();
  await first.getByRole("button", { name: "Change this" }).click();
  await mira.getByRole("menuitem", { name: /Delete/ }).click();
  await mira.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await mira.getByText("Deleted", { exact: true }).first().waitFor();
  await jon.reload();
  await row(jon, "the second").waitFor();
  assert.equal(await row(jon, "the first").count(), 0);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});
