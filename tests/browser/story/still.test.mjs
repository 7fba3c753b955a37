// The inbox is live, and stands still under a pointer: what is pointed at is what a click hits.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Crowd } from "../crowd.mjs";
import { Stack, until } from "../stack.mjs";

let stack;
let agent;
let crowd;
let rows;
before(async () => {
  stack = await Stack.start();
  crowd = await Crowd.of(stack, 6);
  // One after the other, so that their order is known.
  for (const index of [0, 1, 2, 3]) await crowd.writes(index, `Question ${index}`);
  agent = await stack.console({ viewport: { width: 1440, height: 900 } });
  rows = agent.locator("a.row");
  await shows(["Question 3", "Question 2", "Question 1", "Question 0"]);
});
after(async () => {
  crowd?.leave();
  await stack.stop();
});

/** What was said last in each conversation, in the order of the list. */
const said = () => rows.locator(".row-preview").allInnerTexts();

function shows(wanted) {
  return until(`the order ${wanted}`, async () => JSON.stringify(await said()) === JSON.stringify(wanted)).catch(async () => assert.deepEqual(await said(), wanted));
}

/** The row that says this, and where it stands. */
async function rowOf(text) {
  const row = rows.filter({ hasText: text });
  const { x, y } = await row.boundingBox();
  return { row, x, y };
}

test("while a row is pointed at the others wait, a click hits it, and a button lets the news in", async () => {
  const news = agent.getByRole("button", { name: /^\d+ new$/ });
  const before = await rowOf("Question 2");
  await before.row.hover();
  await crowd.writes(0, "Still question 0");
  await crowd.writes(4, "Question 4");
  await agent.getByRole("button", { name: "2 new", exact: true }).waitFor();
  // Words come in where they stand.
  await shows(["Question 3", "Question 2", "Question 1", "Still question 0"]);
  const held = await rowOf("Question 2");
  assert.deepEqual([held.x, held.y], [before.x, before.y]);
  assert.deepEqual(await violations(agent), []);
  // Where the pointer is, without moving it.
  await agent.mouse.down();
  await agent.mouse.up();
  await agent.getByRole("log").getByText("Question 2").first().waitFor();
  await shows(["Question 3", "Question 2", "Question 1", "Still question 0"]);

  await news.focus();
  await agent.keyboard.press("Enter");
  await shows(["Question 4", "Still question 0", "Question 3", "Question 2", "Question 1"]);
  await news.waitFor({ state: "detached" });
  await until("the focus to go on in the list", () => agent.evaluate(() => document.activeElement?.matches("a.row")));
  // The pointer is there still.
  await crowd.writes(1, "Still question 1");
  await agent.getByRole("button", { name: "1 new", exact: true }).click();
  await shows(["Still question 1", "Question 4", "Still question 0", "Question 3", "Question 2"]);
  assert.deepEqual(stack.complaints, []);
});

test("once the pointer leaves, the news come in by themselves, and go on doing so", async () => {
  await rows.filter({ hasText: "Question 3" }).hover();
  await crowd.writes(5, "Question 5");
  await agent.getByRole("button", { name: "1 new", exact: true }).waitFor();
  await agent.mouse.move(1_000, 400);
  await shows(["Question 5", "Still question 1", "Question 4", "Still question 0", "Question 3", "Question 2"]);
  await agent.getByRole("button", { name: /^\d+ new$/ }).waitFor({ state: "detached" });
  await crowd.writes(2, "Still question 2");
  await shows(["Still question 2", "Question 5", "Still question 1", "Question 4", "Still question 0", "Question 3"]);
  assert.deepEqual(stack.complaints, []);
});

test("somebody who waits rings, and the page rests all the same", async () => {
  const page = await stack.console({ viewport: { width: 1440, height: 900 } });
  const lamp = page.locator('.lamp[data-state="ringing"]').first();
  await lamp.waitFor();
  const rings = (wanted) => until(`${wanted || "nothing"} of the lamp`, () =>
    lamp.evaluate((element, wanted) => element.getAnimations({ subtree: true }).map((animation) => animation.playState).join() === wanted, wanted));
  await rings("running");
  const metrics = await page.context().newCDPSession(page);
  await metrics.send("Performance.enable");
  const recalculated = async () => (await metrics.send("Performance.getMetrics")).metrics.find(({ name }) => name === "RecalcStyleCount").value;
  // What moves by itself takes no style of the page: a light that did took it in each of 60 frames a second.
  const least = async (times, took = Infinity) => {
    if (times === 0) return took;
    const before = await recalculated();
    await page.waitForTimeout(1_000);
    return least(times - 1, Math.min(took, (await recalculated()) - before));
  };
  assert.ok((await least(3)) < 15);
  await page.emulateMedia({ reducedMotion: "reduce" });
  await rings("");
  await page.context().close();
});
