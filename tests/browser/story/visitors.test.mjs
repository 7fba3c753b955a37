// The live list of visitors: what is drawn when somebody walks on, and how it stands still.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Crowd } from "../crowd.mjs";
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
  // More than a part of the list of visitors holds, and all of them came after him.
  const crowd = await Crowd.of(stack, 103);
  const page = await stack.console();
  await page.goto(`${stack.origin}/console/visitors`);
  await page.locator(".counts", { hasText: /10\d active/ }).waitFor();
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
  crowd.leave();
  await page.context().close();
});

const browsers = {
  phone: "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
  tablet: "Mozilla/5.0 (iPad; CPU OS 15_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.6 Mobile/15E148 Safari/604.1",
  desktop: "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
};

/** Somebody is away after the shortest time that may be set. */
async function awaySoon() {
  const { api, headers } = await stack.api();
  const { settings, version } = await api.ask("GET", "workspace", undefined, headers);
  await api.ask("PATCH", "workspace", { settings: { ...settings, active_threshold_ms: 10_000 } }, { ...headers, "if-match": `"${version}"` });
}

test("each filter of the list finds those of whom it is true, and two find those of whom both are", async () => {
  await awaySoon();
  const crowd = await Crowd.of(stack, 3, (index) => [
    { page: "/demo/?few=ana", referrer: "https://search.example/?q=tea", headers: { "user-agent": browsers.desktop } },
    { page: "/demo/tea/?few=ben", headers: { "user-agent": browsers.phone } },
    { page: "/demo/tea/?few=cleo&utm_source=letter", headers: { "user-agent": browsers.tablet } },
  ][index]);
  await crowd.does(1, { type: "activity", visible: false });
  await agent.goto(`${stack.origin}/console/visitors?find=few`);
  await agent.mouse.move(0, 0);
  const rows = agent.locator(".visitor");
  const shows = async (what, ...names) => {
    const expected = names.sort().join(" ");
    await until(what, async () => {
      const found = (await rows.allInnerTexts()).map((text) => /few=(\w+)/.exec(text)?.[1]);
      return found.sort().join(" ") === expected;
    });
  };
  const choose = (label, value) => agent.getByRole("combobox", { name: label, exact: true }).selectOption(value);
  await shows("all", "ana", "ben", "cleo");
  await agent.locator(".counts", { hasText: /^3 listed/ }).waitFor();

  await choose("Device", "mobile");
  await shows("who has a phone", "ben");
  await choose("Device", "tablet");
  await shows("who has a tablet", "cleo");
  await choose("Device", "desktop");
  await shows("who sits at a desk", "ana");
  await choose("Device", "");

  const source = agent.getByRole("combobox", { name: "Source holds" });
  await source.fill("search.EXAMPLE");
  await shows("whom another site led here", "ana");
  await source.fill("letter");
  await shows("who came by a letter", "cleo");
  await source.fill("direct");
  await shows("who came by himself", "ben");
  await source.fill("");

  const path = agent.getByRole("combobox", { name: "Page holds" });
  await path.fill("/demo/tea");
  await shows("who looks at tea", "ben", "cleo");
  await choose("Device", "mobile");
  await shows("who looks at tea by phone", "ben");
  await choose("Device", "");
  await path.fill("");

  // He looked away, and is idle once that has lasted.
  await choose("State", "idle");
  await shows("who is idle", "ben");
  await choose("State", "active");
  await shows("who is active", "ana", "cleo");
  // He leaves one list for the other while it is looked at.
  await crowd.does(1, { type: "activity", visible: true });
  await shows("who is active by now", "ana", "ben", "cleo");
  await path.fill("nowhere");
  await agent.getByRole("heading", { name: "Nobody fits" }).waitFor();
  await agent.locator(".counts", { hasText: /^0 listed/ }).waitFor();
  await agent.getByRole("button", { name: "Clear", exact: true }).click();
  await rows.filter({ hasText: "few=ana" }).waitFor();
  assert.deepEqual(stack.complaints, []);
  crowd.leave();
});

/** Writes down whose rows light up from now on. */
function noteBreaths() {
  window.breaths = [];
  const look = (records) => records.forEach(({ target }) => target.dataset.breath && window.breaths.push(/lit=(\w+)/.exec(target.innerText)?.[1]));
  new MutationObserver(look).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["data-breath"] });
}

test("a row lights up when its visitor walks on, is away, is back, or begins to chat, and no other row does", async () => {
  await awaySoon();
  const crowd = await Crowd.of(stack, 2, (index) => ({ page: `/demo/?lit=${["ana", "ben"][index]}` }));
  await agent.goto(`${stack.origin}/console/visitors?page=lit`);
  await agent.mouse.move(0, 0);
  await until("both", async () => (await agent.locator(".visitor").count()) === 2);
  await agent.evaluate(noteBreaths);
  const lights = async (what) => {
    await until(what, () => agent.evaluate(() => window.breaths.length > 0));
    await agent.locator(".visitor[data-breath]").waitFor({ state: "detached" });
    assert.deepEqual(await agent.evaluate(() => window.breaths.splice(0)), ["ana"], what);
  };
  await crowd.does(0, { type: "page", url: `${stack.origin}/demo/tea/?lit=ana`, title: "Tea" });
  await lights("who walks on");
  await crowd.does(0, { type: "activity", visible: false });
  await lights("who is away");
  await agent.getByRole("img", { name: "Idle" }).waitFor();
  await crowd.does(0, { type: "activity", visible: true });
  await lights("who is back");
  await crowd.does(0, { type: "command", client_id: "first", command: { do: "send_message", body: "Is it in stock?" } });
  await lights("who begins to chat");
  await agent.getByText("In a conversation").waitFor({ state: "attached" });
  assert.deepEqual(stack.complaints, []);
  crowd.leave();
});

test("who went on to another conversation while a chat was being begun is not fetched away from it", async () => {
  const { page: other, panel } = await stack.visitor("/demo/tea/");
  await say(panel, "I am the one you write to");
  const page = await stack.console();
  await page.addInitScript(() => {
    const { send } = WebSocket.prototype;
    const held = [];
    WebSocket.prototype.send = function (frame) {
      if (frame.includes("start_conversation")) held.push([frame, () => send.call(this, frame)]);
      else send.call(this, frame);
    };
    // What is not answered for long is sent again, and is the same.
    window.letGo = () => new Set(held.splice(0).map(([frame, go]) => (go(), frame))).size;
  });
  await page.reload();
  await openRow(page, "I am the one you write to");
  const walks = await walker("elsewhere");
  await page.getByRole("link", { name: /^Visitors/ }).click();
  await page.locator(".visitor", { hasText: "/demo/about/?elsewhere" }).click();
  await page.getByLabel("Start a chat").fill("Good day");
  await page.getByRole("button", { name: "Start chat" }).click();
  await page.getByRole("button", { name: "Starting" }).waitFor();
  await page.goBack();
  const box = page.getByRole("textbox", { name: /^Reply to / });
  await box.pressSequentially("I am writing to");
  const at = page.url();
  assert.equal(await page.evaluate(() => window.letGo()), 1);
  // It stays while it is pointed at.
  await page.getByText(/^The chat with .* has begun$/).hover();
  await page.keyboard.type(" you");
  assert.equal(page.url(), at);
  assert.equal(await box.inputValue(), "I am writing to you");
  await page.getByRole("status", { name: "Messages" }).getByRole("link", { name: "Open" }).click();
  await page.getByRole("log").getByText("Good day").waitFor();
  assert.deepEqual(stack.complaints, []);
  for (const each of [other, walks, page]) await each.context().close();
});

test("beside an open visitor nothing moves down: the filters, and the order and the columns over them, stand on one line each", async () => {
  const here = await walker("beside");
  const page = await stack.console({ viewport: { width: 1280, height: 800 } });
  await page.goto(`${stack.origin}/console/visitors`);
  const top = async () => (await page.locator(".visitor").first().boundingBox()).y;
  const before = await top();
  await page.locator(".visitor", { hasText: "beside" }).click();
  await page.getByRole("button", { name: "Start chat" }).waitFor();
  assert.equal(await top(), before);
  const order = await page.getByRole("combobox", { name: "Order of the list" }).boundingBox();
  const columns = await page.getByRole("button", { name: "Columns" }).boundingBox();
  const search = await page.getByRole("searchbox", { name: "Page, source or name" }).boundingBox();
  const middle = ({ y, height }) => y + height / 2;
  assert.ok(Math.abs(middle(order) - middle(columns)) < 2, JSON.stringify({ order, columns }));
  assert.ok(columns.x > order.x && order.x > search.x, JSON.stringify({ search, order, columns }));
  for (const each of [here, page]) await each.context().close();
});
