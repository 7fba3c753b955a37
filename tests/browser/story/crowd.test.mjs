// The live list of more visitors than the console holds at a time: it is scrolled, sorted and narrowed as a whole.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Crowd } from "../crowd.mjs";
import { Stack, until } from "../stack.mjs";

const COUNT = 260;
const ROW_HEIGHT = 60;

let stack;
let crowd;
let page;
before(async () => {
  stack = await Stack.start();
  // Who came first is from elsewhere than all others.
  crowd = await Crowd.of(stack, COUNT, (index) => ({ page: `/demo/?crowd=${index}`, zone: index === 0 ? "Atlantic/Reykjavik" : "Europe/Ljubljana" }));
  page = await stack.console();
});
after(async () => {
  crowd?.leave();
  await stack.stop();
});

const list = () => page.locator(".list-scroll");
const row = (name) => page.locator(".visitor", { hasText: new RegExp(`crowd=${name}(?!\\d)`) });
const nameAt = async (index) => {
  const [text] = await page.locator(`[data-index="${index}"] .visitor`).allInnerTexts();
  return /crowd=(\w+)/.exec(text ?? "")?.[1];
};
const isAt = (index, name) => until(`${name} at ${index}`, async () => (await nameAt(index)) === `${name}`);
const counts = (wanted) => until(wanted, async () => (await page.locator(".counts").innerText()) === wanted);
const scrollTo = (top) => list().evaluate((node, top) => (node.scrollTop = top), top);

/** Opens the list anew, with the pointer away from it: rows under it stand still. */
async function open(search = "") {
  await page.goto(`${stack.origin}/console/visitors${search}`);
  await page.mouse.move(0, 0);
  await page.locator(".visitor").first().waitFor();
}

test("the list is as long as there are visitors, and is scrolled to its end", async () => {
  await open();
  await isAt(0, COUNT - 1);
  await until("its length", async () => (await list().evaluate((node) => node.scrollHeight)) === COUNT * ROW_HEIGHT);
  await counts(`${COUNT} active · 0 idle`);
  await scrollTo(COUNT * ROW_HEIGHT);
  await isAt(COUNT - 1, 0);
  await scrollTo((COUNT / 2) * ROW_HEIGHT);
  await isAt(COUNT / 2, COUNT / 2 - 1);
  await scrollTo(0);
  await isAt(0, COUNT - 1);
  assert.deepEqual(stack.complaints, []);
});

test("the whole list stands in the order that is chosen, and keys walk through all of it", async () => {
  await open();
  await page.getByLabel("Order of the list").selectOption("longest");
  await isAt(0, 0);
  // He who came in the middle has seen more pages than all others.
  await page.getByLabel("Order of the list").selectOption("pages");
  await crowd.does(130, { type: "page", url: `${stack.origin}/demo/tea/?crowd=130`, title: "Tea" });
  await isAt(0, 130);
  await page.getByLabel("Order of the list").selectOption("longest");
  await isAt(0, 0);

  const focused = () => page.evaluate(() => /crowd=(\w+)/.exec(document.activeElement?.innerText ?? "")?.[1]);
  const focusIsOn = (name) => until(`the focus on ${name}`, async () => (await focused()) === `${name}`);
  await page.locator('[data-index="0"] .visitor').focus();
  await page.keyboard.press("End");
  await focusIsOn(COUNT - 1);
  await page.keyboard.press("Home");
  await focusIsOn(0);
  // Over the end of what was read, without waiting for what comes.
  for (let step = 0; step < 120; step += 1) await page.keyboard.press("ArrowDown");
  await focusIsOn(120);
  await page.keyboard.press("Enter");
  await page.getByRole("complementary", { name: /^Visitor / }).waitFor();
  await page.keyboard.press("j");
  await until("the next one", async () => /crowd=121(?!\d)/.test((await page.locator('.visitor[aria-current="true"]').allInnerTexts()).join()));
  assert.deepEqual(stack.complaints, []);
});

test("what is read keeps its place while others come above it", async () => {
  await open();
  await isAt(0, COUNT - 1);
  await scrollTo(150 * ROW_HEIGHT);
  const name = COUNT - 1 - 150;
  await isAt(150, name);
  const topOf = async () => Math.round((await row(name).boundingBox())?.y ?? Number.NaN);
  const top = await topOf();
  const others = await Crowd.of(stack, 3, (index) => ({ page: `/demo/?crowd=late${index}` }));
  await isAt(153, name);
  await until("the row in its place", async () => (await topOf()) === top);
  await until("the list to have gone on", async () => (await list().evaluate((node) => node.scrollTop)) === 153 * ROW_HEIGHT);
  // At the top it is the new ones that one looks for.
  await scrollTo(0);
  await isAt(0, "late2");
  others.leave();
  await until("that they are gone", async () => (await page.locator(".counts").innerText()).startsWith(`${COUNT} active`));
  await isAt(0, COUNT - 1);
  assert.deepEqual(stack.complaints, []);
});

test("a country is offered though nobody in sight is from there, and finds who is", async () => {
  await open();
  await isAt(0, COUNT - 1);
  const country = page.getByRole("combobox", { name: "Country", exact: true });
  await until("both countries", async () => (await country.locator("option").allInnerTexts()).join() === "Country: any,Iceland,Slovenia");
  await country.selectOption({ label: "Iceland" });
  await isAt(0, 0);
  await until("one row", async () => (await page.locator(".visitor").count()) === 1);
  await counts(`1 listed · ${COUNT} active · 0 idle`);
  // The others are offered still.
  await country.selectOption({ label: "Slovenia" });
  await until("all but one", async () => (await page.locator(".counts").innerText()).startsWith(`${COUNT - 1} listed`));
  assert.deepEqual(stack.complaints, []);
});

test("a paused list is the part that was in sight, and says so beyond it", async () => {
  await open();
  await isAt(0, COUNT - 1);
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await scrollTo(COUNT * ROW_HEIGHT);
  await page.getByText("Others are shown when the list goes on").waitFor();
  assert.equal(await nameAt(COUNT - 1), undefined);
  await page.keyboard.press("p");
  await isAt(COUNT - 1, 0);
  await page.getByText("Others are shown when the list goes on").waitFor({ state: "detached" });
  assert.deepEqual(stack.complaints, []);
});
