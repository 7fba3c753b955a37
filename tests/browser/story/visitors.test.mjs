// The live list of visitors: what is drawn when somebody walks on, and how it stands still.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Stack, until } from "../stack.mjs";

let stack;
let agent;
before(async () => {
  stack = await Stack.start();
  agent = await stack.console();
});
after(() => stack.stop());

/** Somebody on a page of the demo site that only this story looks at. */
async function walker(word) {
  const page = await stack.person();
  await page.goto(`${stack.origin}/demo/about/?${word}`);
  return page;
}

/** Goes to another page of the single-page kind. */
const walk = (page, address) => page.evaluate((next) => history.pushState(null, "", next), address);

/** Runs before the page's scripts, in the place of the developer tools: writes down which rows React draws, and which of them for nothing. */
function noteDraws() {
  window.draws = [];
  const last = new Map();
  const visit = (first) => {
    for (let fiber = first; fiber; fiber = fiber.sibling) {
      const now = fiber.memoizedProps;
      const was = last.get(now?.row?.id);
      if (now?.row?.id && "gone" in now && now !== was) {
        const same = was !== undefined && ["row", "chosen", "gone", "tabIndex"].every((name) => now[name] === was[name]);
        window.draws.push({ page: now.row.page?.url, same });
        last.set(now.row.id, now);
      }
      visit(fiber.child);
    }
  };
  const nothing = () => undefined;
  window.__REACT_DEVTOOLS_GLOBAL_HOOK__ = {
    supportsFiber: true,
    checkDCE: nothing,
    inject: () => 1,
    onCommitFiberRoot: (_, root) => visit(root.current),
    onCommitFiberUnmount: nothing,
    onPostCommitFiberRoot: nothing,
  };
}

test("who walks on is drawn anew, and nobody else", async () => {
  const page = await stack.console();
  await page.addInitScript(noteDraws);
  const walkers = [];
  for (const index of [0, 1, 2, 3]) walkers.push(await walker(`drawn=${index}`));
  await page.goto(`${stack.origin}/console/visitors?page=drawn`);
  await page.mouse.move(0, 0);
  await until("all rows", async () => (await page.locator(".visitor").count()) === walkers.length);
  await page.evaluate(() => (window.draws.length = 0));
  for (const step of [1, 2, 3]) {
    await walk(walkers[1], `/demo/about/?drawn=1&step=${step}`);
    await page.locator(".visitor", { hasText: `step=${step}` }).waitFor();
  }
  const draws = await page.evaluate(() => window.draws);
  assert.ok(draws.some(({ page }) => page.endsWith("step=3")), "the walker's row is drawn");
  assert.deepEqual(draws.filter(({ same }) => same), []);
  assert.deepEqual(stack.complaints, []);
  for (const each of [...walkers, page]) await each.context().close();
});

test("a paused list stands still and says what it keeps back, and shows all of it once it goes on", async () => {
  const stays = await walker("paused=stays");
  const walks = await walker("paused=walks");
  await agent.goto(`${stack.origin}/console/visitors?page=paused`);
  await agent.mouse.move(0, 0);
  const rows = agent.locator(".visitor");
  await until("both rows", async () => (await rows.count()) === 2);
  await agent.getByRole("button", { name: "Pause", exact: true }).click();
  await agent.getByText(/^Paused, \d+ s old$/).waitFor();
  const pages = () => agent.locator(".visitor-page").allInnerTexts();
  const before = await pages();
  const counts = await agent.locator(".counts").innerText();
  const missed = agent.locator(".missed");
  await walk(walks, "/demo/about/?paused=walked");
  await until("one who walked", async () => /^[12] changed$/.test(await missed.innerText()));
  const comes = await walker("paused=comes");
  await until("one who came", async () => /^1 came, [12] changed$/.test(await missed.innerText()));
  assert.deepEqual(await pages(), before);
  assert.equal(await agent.locator(".counts").innerText(), counts);
  // Scrolling and pointing at it change nothing either, and neither does a row that is looked at.
  await rows.filter({ hasText: "paused=stays" }).hover();
  await rows.filter({ hasText: "paused=stays" }).click();
  await agent.getByRole("complementary", { name: /^Visitor / }).waitFor();
  assert.deepEqual(await pages(), before);

  await agent.mouse.move(0, 0);
  await agent.keyboard.press("p");
  for (const word of ["comes", "stays", "walked"]) await rows.filter({ hasText: `paused=${word}` }).waitFor();
  await rows.filter({ hasText: "paused=walks" }).waitFor({ state: "detached" });
  await agent.getByText("Live", { exact: true }).waitFor();
  assert.equal(await missed.count(), 0);
  assert.equal(await rows.count(), 3);
  assert.deepEqual(stack.complaints, []);
  for (const page of [stays, walks, comes]) await page.context().close();
});
