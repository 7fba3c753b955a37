// Lists without end: of hundreds of conversations, lines and visitors a page holds what is in sight and a little around
// it, wherever one scrolls.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Crowd } from "../crowd.mjs";
import { Stack, until } from "../stack.mjs";

const COUNT = 240;
const AT_ONCE = 16;
/** How many times what is in sight a page may hold of a list: what comes next stands around it. */
const ROWS_MAX = 3;
/** Of a conversation, whose lines have no height that is known before. */
const LINES_MAX = 6;

let stack;
let crowd;
let page;
let id;

/** Does something for each number, a few at once. */
async function forEach(act) {
  const indices = Array.from({ length: COUNT }, (_, index) => index).values();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const index of indices) await act(index);
  }));
}

before(async () => {
  stack = await Stack.start();
  const { api, headers } = await stack.api();
  crowd = new Crowd(stack, api);
  await forEach(async (index) => crowd.writes(await crowd.comes({ page: `/demo/?long=${index}` }), `Question ${index}`));
  id = (await api.ask("GET", "conversations?limit=1", undefined, headers)).items[0].id;
  await forEach((index) => api.ask("POST", "commands", { do: "add_note", conversation_id: id, body: `Line ${index}` }, { ...headers, "idempotency-key": `line-${index}` }));
  page = await stack.console({ viewport: { width: 1440, height: 900 } });
});
after(async () => {
  crowd?.leave();
  await stack.stop();
});

/** How many rows the page holds of a list, and how many of them are in sight. */
const rowsOf = (scroller, row) => page.locator(scroller).evaluate((node, row) => {
  const rows = [...node.querySelectorAll(row)].map((each) => each.getBoundingClientRect());
  const { top, bottom } = node.getBoundingClientRect();
  return { held: rows.length, inSight: rows.filter((each) => each.bottom > top && each.top < bottom).length };
}, row);

/** Scrolls a list to a part of its height until `comes` says that what belongs there is there, and looks at what the page holds. */
async function looksAt(scroller, row, part, timesMax, comes = () => true) {
  await until(`rows at ${part} of ${scroller}`, async () => {
    await page.locator(scroller).evaluate((node, part) => (node.scrollTop = part * (node.scrollHeight - node.clientHeight)), part);
    return (await comes()) && (await rowsOf(scroller, row)).inSight > 5;
  });
  const { held, inSight } = await rowsOf(scroller, row);
  assert.ok(held <= timesMax * inSight, `${held} rows at ${part}, ${inSight} of them in sight`);
}

test("the list of conversations", async () => {
  await page.goto(`${stack.origin}/console/inbox/all`);
  await page.locator("a.row").first().waitFor();
  // It is read page by page.
  const isWhole = () => page.locator(".list-rows").evaluate((node, count) => node.clientHeight === count * node.firstElementChild.clientHeight, COUNT);
  await looksAt(".list-scroll", "a.row", 1, ROWS_MAX, isWhole);
  for (const part of [0.5, 0]) await looksAt(".list-scroll", "a.row", part, ROWS_MAX);
  assert.deepEqual(stack.complaints, []);
});

test("a conversation", async () => {
  await page.goto(`${stack.origin}/console/inbox/all/${id}`);
  await page.locator("article.said").nth(10).waitFor();
  await looksAt(".thread", "[data-key]", 1, LINES_MAX);
  const isBegin = async () => (await page.locator(".thread").getByText("The conversation began here").count()) > 0;
  await looksAt(".thread", "[data-key]", 0, LINES_MAX, isBegin);
  await looksAt(".thread", "[data-key]", 0.5, LINES_MAX);
  assert.deepEqual(stack.complaints, []);
});

test("the visitors on the site", async () => {
  await page.goto(`${stack.origin}/console/visitors`);
  await until("all of them", async () => (await page.locator(".counts").innerText()).startsWith(`${COUNT} active`));
  for (const part of [0, 0.5, 1]) await looksAt(".list-scroll", ".visitor", part, ROWS_MAX);
  assert.deepEqual(stack.complaints, []);
});
