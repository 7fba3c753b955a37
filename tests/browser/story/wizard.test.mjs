// From nothing to a first chat: what a new owner does in the first minute.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Shop, tag } from "../shop.mjs";
import { Stack, answer, openPanel, openRow, owner, say, sees, until } from "../stack.mjs";

let stack;
let shop;
before(async () => {
  stack = await Stack.start({ isSetUp: false });
  shop = await Shop.open();
});
after(async () => {
  await shop.close();
  await stack.stop();
});

/** The field has the focus, and says what it lacks to who sees it and to who hears it. */
async function asksFor(page, label, words) {
  const field = page.getByLabel(label);
  await until(`the focus on ${label}`, () => field.evaluate((element) => element === document.activeElement));
  assert.equal(await field.getAttribute("aria-invalid"), "true");
  const described = (await field.getAttribute("aria-describedby")).split(" ");
  assert.ok((await Promise.all(described.map((id) => page.locator(`[id="${id}"]`).innerText()))).includes(words), words);
}

/** The button can always be pressed: it leads to the first field that lacks something. */
async function saysWhatIsMissing(page) {
  const next = page.getByRole("button", { name: "Next" });
  await next.click();
  await asksFor(page, "Your name", "Write your name.");
  assert.deepEqual(await violations(page), []);
  await page.getByLabel("Your name").fill(owner.name);
  await page.getByLabel("E-mail").fill("mira");
  await page.keyboard.press("Enter");
  await asksFor(page, "E-mail", "Write a whole e-mail address, like name@example.com.");
  await page.getByLabel("E-mail").fill(owner.email);
  await page.getByLabel("Password").fill("correct");
  await next.click();
  await asksFor(page, "Password", "5 more characters are needed.");
  // What is mended is no longer blamed.
  await page.getByLabel("Password").fill(owner.password);
  await until("nothing to blame", () => page.evaluate(() => document.querySelector("[aria-invalid], .field-error") === null));
}

test("an owner sets Switchboard up and answers the first visitor", async () => {
  const page = await stack.person();
  const link = new URL(stack.setupLink);
  await page.goto(stack.origin + link.pathname + link.search + link.hash);
  await saysWhatIsMissing(page);
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByRole("button", { name: "Set up" }).click();
  await asksFor(page, "Name of the business", "Write what the business is called.");
  await page.getByLabel("Name of the business").fill("Kettle & Leaf");
  await page.getByRole("button", { name: "Set up" }).click();
  await page.getByText("Waiting for the first visitor.").waitFor();
  const snippet = await page.getByText("data-site-key").first().textContent();
  assert.match(snippet, /widget\.js/);
  assert.match(snippet, /site_[0-9a-z]{26}/);

  const visitor = await stack.person();
  await visitor.goto(`${stack.origin}/demo/`);
  await page.getByText("Visitor seen.").waitFor();
  await page.getByRole("button", { name: "Go to the inbox" }).click();
  // What is still to be done is listed, and what teaches the next step stands within its pane.
  const steps = page.getByRole("region", { name: "Set-up" });
  // Our own test page is no page of theirs.
  await steps.getByText("0 of 6 done").waitFor();
  await steps.getByText("the test page does not count").waitFor();
  // The tag on a page of the business is seen there, and the list hears of it by itself.
  const customer = await stack.person();
  await customer.goto(shop.page("/tea", { head: tag({ origin: stack.origin, siteKey: /site_[0-9a-z]{26}/.exec(snippet)[0] }) }));
  await steps.getByText("1 of 6 done").waitFor();
  await steps.getByText("the test page does not count").waitFor({ state: "detached" });
  const lesson = page.locator(".pane-list .empty > .stack");
  await lesson.waitFor();
  await until("the lesson within its pane", () =>
    lesson.evaluate((element) => element.getBoundingClientRect().right <= element.closest(".pane-list").getBoundingClientRect().right));

  // Who may not put it on a page is not taught to.
  const jon = await stack.console({}, await stack.joins("Jon Arden"));
  await jon.getByText("No open conversations").waitFor();
  await jon.waitForLoadState("networkidle");
  assert.equal(await jon.getByText("data-site-key").count(), 0);

  const panel = await openPanel(visitor);
  await say(panel, "Do you ship to Norway?");
  await openRow(page, "Do you ship to Norway?");
  await answer(page, "Yes, in two days.");
  await sees(panel, "Yes, in two days.");
  // Nor is who has been written to, when all is done.
  await page.getByRole("button", { name: "Close", exact: true }).click();
  await page.getByText("No open conversations").waitFor();
  await page.waitForLoadState("networkidle");
  assert.equal(await page.getByText("data-site-key").count(), 0);

  // The link works once.
  const other = await stack.person();
  await other.goto(stack.origin + link.pathname + link.search + link.hash);
  await other.getByText("Set up already").waitFor();
  assert.deepEqual(stack.complaints, []);
});
