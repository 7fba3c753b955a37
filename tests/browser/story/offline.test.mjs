// Lost network, killed server, full disk: nothing is lost or doubled, and nobody presses refresh.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Stack, answer, openRow, say, sees, until } from "../stack.mjs";

let stack;
before(async () => (stack = await Stack.start()));
after(() => stack.stop());

test("what is written offline goes out once when the network is back", async () => {
  const agent = await stack.console();
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "before the tunnel");
  await openRow(agent, "before the tunnel");
  stack.cable.cut();
  await page.context().setOffline(true);
  await panel.getByText(/offline|No connection/).first().waitFor();
  await say(panel, "in the tunnel, one");
  await say(panel, "in the tunnel, two");
  await panel.getByText("Waiting to be sent").first().waitFor();
  stack.cable.mend();
  await page.context().setOffline(false);
  await agent.getByText("in the tunnel, two").first().waitFor();
  await answer(agent, "welcome back");
  await sees(panel, "welcome back");
  const said = await panel.locator("article.message .bubble").allInnerTexts();
  assert.deepEqual(
    said.map((text) => text.trim()),
    ["before the tunnel", "in the tunnel, one", "in the tunnel, two", "welcome back"],
  );
  assert.deepEqual(stack.complaints, []);
  for (const each of [agent, page]) await each.context().close();
});

test("who reads above while his words wait is left there, and is shown them as they come", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, Array.from({ length: 80 }, (_, line) => `line ${line}`).join("\n"));
  await panel.getByText("Sent", { exact: true }).waitFor();
  const thread = panel.getByRole("log");
  const toEnd = panel.getByRole("button", { name: "To the newest message" });
  stack.cable.cut();
  await say(panel, "waits for the line");
  await panel.getByText("Waiting to be sent").waitFor();
  await until("the words are in sight", () => thread.evaluate((node) => node.scrollTop > 0 && node.scrollTop + node.clientHeight > node.scrollHeight - 2));
  await toEnd.waitFor({ state: "detached" });
  await thread.evaluate((node) => (node.scrollTop = 0));
  await toEnd.waitFor();
  // Each try draws anew.
  for (let tries = 0; tries < 3; tries += 1) await panel.getByRole("button", { name: "Try now" }).click();
  await panel.getByText(/^(Reconnecting|No connection)/).first().waitFor();
  assert.equal(await thread.evaluate((node) => node.scrollTop), 0);
  await say(panel, "and so does this");
  await toEnd.waitFor({ state: "detached" });
  stack.cable.mend();
  await panel.getByText("Sent", { exact: true }).last().waitFor();
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a killed and restarted server is only a pause", async () => {
  const agent = await stack.console();
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "before the crash");
  await openRow(agent, "before the crash");
  await answer(agent, "answered before the crash");
  await sees(panel, "answered before the crash");
  const other = await stack.console();
  await other.evaluate(() => navigator.serviceWorker.ready);
  const watcher = await stack.console();
  await watcher.getByRole("link", { name: /^Visitors/ }).click();
  const lamp = (state) => watcher.locator(`.visitor .lamp[data-state="${state}"]`).first();
  await lamp("live").waitFor();
  await stack.killServer();
  // Who is there, nobody knows now.
  await lamp("quiet").waitFor();
  await lamp("live").waitFor({ state: "detached" });
  await say(panel, "said to nobody");
  // Who loads the console now reads why there is nothing to see, and is back by himself.
  await other.reload();
  await other.getByRole("heading", { name: "The server cannot be reached" }).waitFor();
  assert.deepEqual(await violations(other), []);
  await stack.startServer();
  await other.getByText("said to nobody").first().waitFor();
  await agent.getByText("said to nobody").first().waitFor();
  await lamp("live").waitFor();
  await answer(agent, "heard after all");
  await sees(panel, "heard after all");
  assert.equal(await panel.locator("article.message", { hasText: "said to nobody" }).count(), 1);
  assert.deepEqual(stack.complaints, []);
  for (const each of [agent, other, watcher, page]) await each.context().close();
});

/** The server that comes back is of another version: its page names another script. Gives whether this page is still the one of before. */
async function upgrade(agent) {
  await agent.evaluate(() => (window.isOfBefore = true));
  const page = (url) => url.pathname === "/console/";
  await agent.context().route(page, async (route) => {
    const served = await route.fetch();
    await route.fulfill({ response: served, body: (await served.text()).replace(/assets\/index-[^"]+\.js/, "assets/index-newer.js") });
  });
  await stack.killServer();
  await stack.startServer();
  await agent.getByText("Switchboard was updated.").waitFor();
  return () => agent.evaluate(() => window.isOfBefore === true);
}

/** Leaves the field: what looks after that whether the page may go, and a page that goes, come before this ends. */
async function pauses(agent) {
  await agent.evaluate(() => {
    document.activeElement?.blur();
    return new Promise((done) => setTimeout(done, 500));
  });
}

test("a tab from before an upgrade loads itself anew once nobody writes in it, and keeps the draft", async () => {
  const agent = await stack.console();
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "before the upgrade");
  await openRow(agent, "before the upgrade");
  const box = agent.getByRole("textbox", { name: /^Reply to / });
  await box.fill("half an answ");
  const isOfBefore = await upgrade(agent);
  await box.press("End");
  await box.pressSequentially("er");
  assert.ok(await isOfBefore(), "nobody is interrupted");
  await box.evaluate((field) => field.blur());
  await until("the page of today", async () => !(await isOfBefore().catch(() => true)));
  await until("the draft", async () => (await box.inputValue().catch(() => "")) === "half an answer");
  assert.deepEqual(stack.complaints, []);
  for (const each of [agent, page]) await each.context().close();
});

test("a tab from before an upgrade waits for what stands in it alone, and who leaves it then is asked", async () => {
  const agent = await stack.console({ viewport: { width: 1440, height: 900 } });
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "send me the plan");
  await openRow(agent, "send me the plan");
  await answer(agent, "it comes at ones");
  await sees(panel, "it comes at ones");
  const box = agent.getByRole("textbox", { name: /^Reply to / });
  await box.fill("here it is");
  await agent.getByRole("button", { name: "Edit the contact" }).click();
  const company = agent.getByRole("textbox", { name: "Company" });
  await company.fill("Tea and Sons");
  const line = agent.getByRole("log").locator(".said", { hasText: "it comes at ones" });
  await line.hover();
  await line.getByRole("button", { name: "Change this" }).click();
  await agent.getByRole("menuitem", { name: "Edit" }).click();
  const edited = agent.getByRole("textbox", { name: "Edit the text" });
  await edited.fill("it comes at once");
  let release;
  const released = new Promise((done) => (release = done));
  await agent.route("**/api/v1/attachments", async (route) => {
    await released;
    await route.continue();
  });
  await agent.locator(".composer input[type=file]").setInputFiles({ name: "plan.txt", mimeType: "text/plain", buffer: Buffer.from("tea, then more tea") });
  const chip = agent.locator(".composer .chip", { hasText: "plan.txt" });
  await chip.getByRole("progressbar").waitFor();
  const isOfBefore = await upgrade(agent);

  await pauses(agent);
  assert.ok(await isOfBefore(), "a file on its way");
  await agent.evaluate(() => location.reload());
  await until("the browser to ask", () => stack.held.length > 0);
  assert.ok(await isOfBefore(), "who is asked stays");

  release();
  await until("the page of today", async () => !(await isOfBefore().catch(() => true)));
  await chip.getByText("18 B").waitFor();
  await until("the draft", async () => (await box.inputValue().catch(() => "")) === "here it is");
  // What was half changed stands there as it was left, and is saved from there.
  await until("the contact", async () => (await company.inputValue().catch(() => "")) === "Tea and Sons");
  assert.equal(await edited.inputValue(), "it comes at once");
  await agent.locator(".edit").getByRole("button", { name: "Save" }).click();
  await sees(panel, "it comes at once");
  await agent.getByRole("complementary", { name: "Contact" }).getByRole("button", { name: "Save" }).click();
  await agent.getByText("Tea and Sons").waitFor();
  assert.deepEqual(stack.complaints, []);
  for (const each of [agent, page]) await each.context().close();
});

test("a setting that was changed a moment before the page went is stored", async () => {
  const agent = await stack.console();
  await agent.goto(`${stack.origin}/console/settings/workspace`);
  const name = agent.getByRole("textbox", { name: "Name", exact: true });
  await name.click();
  await name.selectText();
  await agent.evaluate(() => {
    document.execCommand("insertText", false, "Tea and Daughters");
    location.assign("/console/inbox/all");
  });
  await agent.waitForURL("**/console/inbox/all");
  assert.ok(!stack.held.includes(agent), "nobody is asked");
  const { api, headers } = await stack.api();
  await until("the new name", async () => (await api.ask("GET", "workspace", undefined, headers)).name === "Tea and Daughters");
  assert.deepEqual(stack.complaints, []);
  await agent.context().close();
});

test("a setting that was changed a moment before one signs out is stored, and what is refused is told before", async () => {
  const agent = await stack.console();
  await agent.goto(`${stack.origin}/console/settings/workspace`);
  const field = await agent.getByRole("textbox", { name: "Name", exact: true }).elementHandle();
  // A hand is never as quick as this: the page itself types and presses, within one turn.
  const typesAndSignsOut = async (text) => {
    await agent.keyboard.press("Control+k");
    await agent.getByRole("combobox", { name: "Find anything" }).fill("sign out");
    await agent.getByRole("option", { name: "Sign out", selected: true }).waitFor();
    await field.evaluate((field, text) => {
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, text);
      field.dispatchEvent(new Event("input", { bubbles: true }));
      document.querySelector("[role=option][aria-selected=true]").click();
    }, text);
  };
  // It may be read again meanwhile, which is none of this.
  let is_away = true;
  await agent.route("**/api/v1/workspace", (route) => {
    if (route.request().method() === "GET" || !is_away) return route.fallback();
    is_away = false;
    return route.fulfill({ status: 503, json: { code: "unavailable", message: "not now" } });
  });
  await typesAndSignsOut("Tea and Nobody");
  const window = agent.getByRole("dialog", { name: "Sign out now?" });
  await window.getByText("A setting that is not stored yet").waitFor();
  await window.getByRole("button", { name: "Stay" }).click();
  await window.waitFor({ state: "detached" });
  await typesAndSignsOut("Tea and Sons");
  await agent.waitForURL("**/console/sign-in");
  const { api, headers } = await stack.api();
  assert.equal((await api.ask("GET", "workspace", undefined, headers)).name, "Tea and Sons");
  assert.deepEqual(stack.complaints, []);
  await agent.context().close();
});

test("where the disk is full each side is told what is kept, and it goes out by itself once there is room", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "Before it is full");
  const agent = await stack.console();
  await openRow(agent, "Before it is full");
  const file = (name) => ({ name, mimeType: "text/plain", buffer: Buffer.from(`the words of ${name}`) });
  await stack.fillsDisk(true);
  await say(panel, "Said while full");
  const ours = panel.locator("article.message", { hasText: "Said while full" });
  await ours.getByText("Not sent yet: it cannot be stored just now. It is kept here and goes out by itself.").waitFor();
  await panel.locator("input[type=file]").setInputFiles(file("order.txt"));
  const upload = panel.locator(".upload", { hasText: "order.txt" });
  await upload.getByText("There is no room for files just now. Try again later, or write without it.").waitFor();
  assert.deepEqual(await violations(panel), []);

  await answer(agent, "Answered while full");
  const line = agent.getByRole("log").locator(".said", { hasText: "Answered while full" });
  await line.getByText(/^Not sent yet, and kept in this browser: it goes out by itself\. The server has no space left\./).waitFor();
  await agent.locator(".composer input[type=file]").setInputFiles(file("invoice.txt"));
  const chip = agent.locator(".composer .chip", { hasText: "invoice.txt" });
  await chip.getByText(/The server has no space left\. .* tell whoever runs the server\./).waitFor();
  assert.deepEqual(await violations(agent), []);

  await stack.fillsDisk(false);
  await sees(panel, "Answered while full");
  await agent.getByRole("log").getByText("Said while full").waitFor();
  for (const told of [ours, line]) await told.getByText(/Not sent/).waitFor({ state: "detached" });
  await upload.getByRole("button", { name: "Try again" }).click();
  await upload.locator(".quiet").waitFor();
  await chip.getByRole("button", { name: "Try again" }).click();
  await chip.getByText("24 B").waitFor();
  await panel.getByRole("button", { name: "Send", exact: true }).click();
  await agent.getByRole("log").getByRole("button", { name: /order\.txt/ }).waitFor();
  assert.equal(await ours.count(), 1);
  assert.equal(await line.count(), 1);
  assert.deepEqual(stack.complaints, []);
  for (const each of [agent, page]) await each.context().close();
});

test("the console can be installed, and keeps one page for when the server is away, and nothing of anybody", async () => {
  const { panel } = await stack.visitor("/demo/");
  await say(panel, "a word for the team alone");
  const agent = await stack.installer();
  await openRow(agent, "a word for the team alone");
  const browser = await agent.context().newCDPSession(agent);
  const { errors, data } = await browser.send("Page.getAppManifest");
  assert.deepEqual(errors, []);
  const { start_url, display, icons } = JSON.parse(data);
  assert.deepEqual([start_url, display], ["/console/", "standalone"]);
  for (const { src, sizes, type } of icons) {
    const icon = await agent.request.get(stack.origin + src);
    assert.deepEqual([icon.status(), icon.headers()["content-type"]], [200, type], src);
    if (sizes === "any") continue;
    const [width, height] = await agent.evaluate(async (src) => {
      const { width, height } = await createImageBitmap(await (await fetch(src)).blob());
      return [width, height];
    }, src);
    assert.equal(`${width}x${height}`, sizes, src);
  }
  await until("nothing that keeps it from being installed", async () => {
    const { installabilityErrors } = await browser.send("Page.getInstallabilityErrors");
    return installabilityErrors.length === 0;
  });
  const worker = () => agent.evaluate(() => navigator.serviceWorker.controller?.scriptURL ?? null);
  await until("the worker to be in charge", async () => (await worker()) === `${stack.origin}/console/worker.js`);
  const kept = await agent.evaluate(async () => {
    const caught = await Promise.all((await caches.keys()).map(async (name) => (await caches.open(name)).keys()));
    return caught.flat().map(({ url }) => new URL(url).pathname).sort();
  });
  assert.deepEqual(kept, ["/console/icon.svg", "/console/offline.css", "/console/offline.html", "/console/offline.js"]);

  await stack.killServer();
  await agent.reload();
  await agent.getByRole("heading", { name: "The server cannot be reached" }).waitFor();
  await agent.getByRole("button", { name: "Try again" }).click();
  await agent.getByRole("status").getByText("Still no answer.").waitFor();
  assert.equal(await agent.getByText("a word for the team alone").count(), 0);
  await stack.startServer();
  await agent.getByRole("button", { name: "Try again" }).click();
  await agent.getByRole("log").getByText("a word for the team alone").waitFor();
  assert.deepEqual(stack.complaints, []);
  await agent.context().close();
});
