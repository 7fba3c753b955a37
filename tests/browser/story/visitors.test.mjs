// The live list of visitors: what is drawn when somebody walks on, and how it stands still.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Stack, openRow, say, until } from "../stack.mjs";

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

/** As many people as wanted on a page, each by a connection without a browser; gives how they leave. */
async function crowd(count) {
  const { api } = await stack.api();
  const stays = new AbortController();
  for (let index = 0; index < count; index += 1) {
    const { token } = await api.ask("POST", "visitor/session", { site_key: stack.siteKey });
    const hello = { token, purpose: "launcher", page: { url: `${stack.origin}/demo/?crowd=${index}`, title: "In the crowd" } };
    const options = { method: "POST", headers: { "content-type": "application/json", origin: stack.origin }, body: JSON.stringify({ hello }), signal: stays.signal };
    const stream = await fetch(`${stack.origin}/api/v1/stream`, options);
    // It goes on until they leave, unread.
    await stream.body.getReader().read();
  }
  return () => stays.abort();
}

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

test("whoever writes is here for the conversation, however many others are on the site", async () => {
  const { page: shop, panel } = await stack.visitor("/demo/tea/");
  await say(panel, "Am I one of many?");
  // More than the list of visitors shows, and all of them active after him.
  const leave = await crowd(103);
  const page = await stack.console();
  await page.goto(`${stack.origin}/console/visitors`);
  await page.getByText(/^The 100 most recently active of 10\d\./).waitFor();
  await page.getByRole("link", { name: /^Inbox/ }).click();
  await openRow(page, "Am I one of many?");
  const side = page.getByRole("complementary", { name: "Contact" });
  await page.getByText("is here and reads this now").waitFor();
  await side.getByText("On the site now", { exact: true }).waitFor();
  await side.getByText("This visit").waitFor();
  await page.locator(".thread-who").getByText(/ on Smoky black/).waitFor();
  // He walks on, and is followed.
  await walk(shop, "/demo/tea/?walked=on");
  await side.locator(".pages").getByText("/demo/tea/?walked=on").waitFor();
  // Answered, the lamp of the row is his.
  const box = page.getByRole("textbox", { name: /^Reply to / });
  await box.fill("You are the one.");
  await box.press("Enter");
  const row = page.locator("a.row", { hasText: "You are the one." });
  await row.getByRole("img", { name: "Answered, customer is here" }).waitFor();
  // He leaves, and nothing is said of him that is not so.
  await shop.context().close();
  await page.getByText("reads this on the next visit").waitFor();
  await side.getByText(/^Last seen/).waitFor();
  await side.getByText("Last visit").waitFor();
  await row.getByRole("img", { name: "Waits for the customer" }).waitFor();
  assert.deepEqual(stack.complaints, []);
  leave();
  await page.context().close();
});
