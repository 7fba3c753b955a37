// Sites of other kinds: one that wants to know who writes, several on one page, one far from the server.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { identity } from "../api.mjs";
import { Shop, tag } from "../shop.mjs";
import { violations } from "../axe.mjs";
import { PATIENCE } from "../hostile.mjs";
import { Stack, answer, findPanel, openRow, owner as member, say, sees, until } from "../stack.mjs";

let stack;
let shop;
let agent;
before(async () => {
  stack = await Stack.start();
  shop = await Shop.open();
  agent = await stack.console();
});
after(async () => {
  await shop.close();
  await stack.stop();
});

const opening = `<script>window.Switchboard = window.Switchboard || []; Switchboard.push(["open"]);</script>`;

/** Changes a site, as its settings do. */
async function change(site_key, body) {
  const { api, headers } = await stack.api();
  const site = await api.ask("GET", `sites/${site_key}`, undefined, headers);
  return api.ask("PATCH", `sites/${site_key}`, body(site), { ...headers, "if-match": `"${site.version}"` });
}

test("each site says where its widget was seen, by itself, and what helps where it was not", async () => {
  const { api, headers } = await stack.api();
  const fresh = await api.ask("POST", "sites", { name: "Tea blog", allowed_origins: ["loopback"] }, headers);
  const owner = await stack.person();
  await owner.clock.install();
  await owner.goto(`${stack.origin}/console/sign-in`);
  await owner.getByLabel("E-mail").fill(member.email);
  await owner.getByLabel("Password").fill(member.password);
  await owner.getByRole("button", { name: "Sign in" }).click();
  await owner.waitForURL(/\/console\/inbox\//);
  await owner.goto(`${stack.origin}/console/settings/sites?site=${fresh.id}`);
  const line = owner.locator(".site-seen");
  await line.getByText("Not seen on your pages yet.").waitFor();
  assert.equal(await line.getByText("Still nothing?").count(), 0);
  // Neither our own test page nor another site's widget is this one's.
  const visitor = await stack.person();
  await visitor.goto(`${stack.origin}/demo/?site=${fresh.id}`);
  await visitor.goto(shop.page("/other", { head: tag(stack) }));
  await until("the other site to be seen", async () => (await api.ask("GET", `sites/${stack.siteKey}/seen`, undefined, headers)).page);
  await owner.clock.fastForward(46_000);
  await line.getByText("Still nothing?").waitFor();
  await line.getByText("Not seen on your pages yet.").waitFor();
  assert.deepEqual(await violations(owner), []);
  await visitor.goto(shop.page("/blog", { head: tag({ origin: stack.origin, siteKey: fresh.id }) }));
  await line.getByText(/^Seen on 127\.0\.0\.1:\d+, /).waitFor();
  assert.equal(await line.getByText("Still nothing?").count(), 0);
  await api.ask("PATCH", `sites/${fresh.id}`, { archived: true }, { ...headers, "if-match": `"${fresh.version}"` });
  for (const page of [owner, visitor]) await page.context().close();
  assert.deepEqual(stack.complaints, []);
});

/** Within so long of its tag standing on a page a new site's first visitor is in the live list (RT-09). */
const FIRST_SEEN_MS = 15_000 * PATIENCE;

test("who adds a site and puts its tag on a page sees its first visitor in the live list within 15 seconds", async () => {
  const [owner, watcher] = await Promise.all([stack.console(), stack.console()]);
  await watcher.goto(`${stack.origin}/console/visitors`);
  await watcher.getByRole("heading", { name: "Visitors" }).waitFor();
  // He had his page before he had a site for it, and its address is not the server's.
  const address = shop.page("/herbs", { host: "herbs.example" });
  const visitor = await stack.person();
  await visitor.goto(address);
  await owner.goto(`${stack.origin}/console/settings/sites`);
  await owner.getByRole("button", { name: "Add a site" }).click();
  const form = owner.getByRole("dialog", { name: "Add a site" });
  await form.getByRole("textbox", { name: "Name" }).fill("Herb garden");
  await form.getByRole("textbox", { name: /origins/i }).fill(new URL(address).origin);
  await form.getByRole("button", { name: "Add", exact: true }).click();
  const check = owner.locator(".site-seen");
  await check.getByText("Not seen on your pages yet.").waitFor();
  // As it is copied.
  const head = await owner.getByLabel("Snippet").innerText();
  shop.page("/herbs", { host: "herbs.example", head });
  await visitor.goto(address);
  const row = watcher.locator(".visitor", { hasText: "herbs" });
  const told = check.getByText(/^Seen on herbs\.example:\d+, /);
  await until("the visitor in the live list and in the check", async () => (await row.isVisible()) && (await told.isVisible()), FIRST_SEEN_MS);
  await row.click();
  await watcher.getByRole("complementary", { name: /^Visitor / }).getByText("Herb garden").waitFor();
  for (const page of [owner, watcher, visitor]) await page.context().close();
  assert.deepEqual(stack.complaints, []);
});

test("that a site was archived is said once it was, and where it is refused it stays, and one reads why", async () => {
  const { api, headers } = await stack.api();
  const site = await api.ask("POST", "sites", { name: "Old blog", allowed_origins: ["loopback"] }, headers);
  const page = await stack.console();
  await page.goto(`${stack.origin}/console/settings/sites?site=${site.id}`);
  const told = page.getByRole("status", { name: "Messages" });
  const archive = page.getByRole("button", { name: "Archive this site" });
  const problem = { code: "forbidden", title: "You may not do this.", status: 403, retry: "never" };
  let let_go;
  let answered = new Promise((resolve) => (let_go = resolve));
  let isRefused = true;
  await page.route(`**/api/v1/sites/${site.id}`, async (route) => {
    if (route.request().method() !== "PATCH") return route.continue();
    await answered;
    return isRefused ? route.fulfill({ status: problem.status, contentType: "application/problem+json", json: problem }) : route.continue();
  });
  await archive.click();
  await page.getByText("Saving", { exact: true }).waitFor();
  assert.equal(await told.innerText(), "");
  let_go();
  await page.getByRole("status", { name: "Not saved" }).getByText(/^Archived is not saved\./).waitFor();
  assert.equal(await told.innerText(), "");
  await archive.waitFor();
  // Allowed again, it is said when it is so, and can be taken back.
  isRefused = false;
  answered = new Promise((resolve) => (let_go = resolve));
  await archive.click();
  await page.getByText("Saving", { exact: true }).waitFor();
  assert.equal(await told.innerText(), "");
  let_go();
  // Words with a way back stay while they are pointed at.
  await told.getByText("Old blog was archived").hover();
  await page.getByRole("button", { name: "Use it again" }).waitFor();
  await told.getByRole("button", { name: "Undo" }).click();
  await told.getByText("Old blog is in use again").waitFor();
  await archive.waitFor();
  assert.equal(await told.locator(".toast").count(), 1);
  await page.context().close();
  assert.deepEqual(stack.complaints, []);
});

test("who closes the form of a new site while it is being added stays where he is", async () => {
  const page = await stack.console();
  await page.goto(`${stack.origin}/console/settings/sites`);
  let let_go;
  const held = new Promise((resolve) => (let_go = resolve));
  await page.route("**/api/v1/sites", async (route) => {
    if (route.request().method() === "POST") await held;
    await route.continue();
  });
  await page.getByRole("button", { name: "Add a site" }).click();
  const form = page.getByRole("dialog", { name: "Add a site" });
  await form.getByRole("textbox", { name: "Name" }).fill("Slow shop");
  await form.getByRole("textbox", { name: /origins/i }).fill("https://slow.example");
  await form.getByRole("button", { name: "Add", exact: true }).click();
  await form.getByRole("button", { name: "Cancel" }).click();
  const address = page.url();
  let_go();
  await page.getByRole("status", { name: "Messages" }).getByText("Slow shop was added").waitFor();
  assert.equal(page.url(), address);
  await page.getByText("Slow shop", { exact: true }).waitFor();
  await page.context().close();
});

test("a site that wants signed identities lets nobody else write, and says so", async () => {
  const { api, headers } = await stack.api();
  const { secret } = await api.ask("POST", `sites/${stack.siteKey}/secrets`, {}, headers);
  await change(stack.siteKey, () => ({ identity_required: true }));
  const page = await stack.person();
  await page.goto(shop.page("/members", { head: tag(stack), body: opening }));
  const panel = await findPanel(page);
  const box = panel.getByLabel("Message", { exact: true });
  await panel.getByText("Only those who are signed in on this site can write here.", { exact: false }).waitFor();
  assert.ok(await box.isDisabled());
  assert.equal(await box.getAttribute("placeholder"), "Sign in on this site");
  assert.ok(await panel.getByRole("button", { name: "Attach files" }).isDisabled());
  assert.ok(await panel.getByRole("button", { name: "Send" }).isDisabled());
  // Signed in, without loading anew.
  await page.evaluate((token) => window.Switchboard.identify({ token }), identity(secret, stack.siteKey, "member"));
  await until("a way to write", () => panel.getByLabel("Message", { exact: true }).isEnabled());
  await say(panel, "it is me, a member");
  await openRow(agent, "it is me, a member");
  await answer(agent, "Welcome back.");
  await sees(panel, "Welcome back.");
  assert.equal(await panel.getByText("Only those who are signed in").count(), 0);
  // And out again.
  await page.evaluate(() => window.Switchboard.logout());
  await page.evaluate(() => window.Switchboard.open());
  await until("no way to write", () => panel.getByLabel("Message", { exact: true }).isDisabled());
  await change(stack.siteKey, () => ({ identity_required: false }));
  // Told to whoever is there.
  await until("a way to write", () => panel.getByLabel("Message", { exact: true }).isEnabled());
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("two widgets on one page keep their people, words and events apart", async () => {
  const { api, headers } = await stack.api();
  const workshop = await api.ask("POST", "sites", { name: "Workshop", allowed_origins: ["loopback"] }, headers);
  await change(workshop.id, (site) => ({ theme: { ...site.theme, title: "Workshop", launcher_side: "start" } }));
  await change(stack.siteKey, (site) => ({ theme: { ...site.theme, title: "Shop", launcher_side: "end" } }));
  const second = tag(stack).replace(stack.siteKey, workshop.id);
  const page = await stack.person();
  await page.goto(shop.page("/two", { head: tag(stack, "") + second.replace("async", "") }));
  await until("both", () => page.evaluate((keys) => keys.every((key) => window.Switchboard?.of?.(key) !== undefined), [stack.siteKey, workshop.id]));
  await page.evaluate(({ shop, workshop }) => {
    window.heard = [];
    for (const [name, key] of [["shop", shop], ["workshop", workshop]]) {
      const widget = window.Switchboard.of(key);
      for (const event of ["open", "message"]) widget.on(event, (detail) => window.heard.push([name, event, detail]));
      widget.open();
    }
  }, { shop: stack.siteKey, workshop: workshop.id });
  const panelOf = (key) => until(`the panel of ${key}`, () => page.frames().find((frame) => frame.url().includes("/widget/panel") && frame.url().includes(key)));
  const ofShop = await panelOf(stack.siteKey);
  const ofWorkshop = await panelOf(workshop.id);
  await say(ofShop, "a tin, please");
  await say(ofWorkshop, "a repair, please");
  await openRow(agent, "a repair, please");
  await answer(agent, "Bring it on Friday.");
  await sees(ofWorkshop, "Bring it on Friday.");
  await openRow(agent, "a tin, please");
  await answer(agent, "It leaves today.");
  await sees(ofShop, "It leaves today.");
  assert.equal(await ofShop.locator("article.message").count(), 2);
  assert.equal(await ofWorkshop.locator("article.message").count(), 2);
  const heard = await until("all events", async () => {
    const events = await page.evaluate(() => window.heard);
    return events.length >= 6 ? events : null;
  });
  const of = (name) => heard.filter(([from]) => from === name).map(([, event, detail]) => `${event} ${detail}`);
  assert.deepEqual(of("shop"), ["open null", "message you", "message team"]);
  assert.deepEqual(of("workshop"), ["open null", "message you", "message team"]);
  // One goes, the other stays.
  await page.evaluate((key) => window.Switchboard.of(key).destroy(), workshop.id);
  await until("one frame less", () => page.frames().length === 2);
  await say(ofShop, "thank you");
  await sees(ofShop, "thank you");
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a site of another name with a strict policy chats, shows pictures and is told of what is new", async () => {
  const address = shop.page("/far", { host: "shop.example" });
  const far = new URL(address).origin;
  await change(stack.siteKey, (site) => ({ allowed_origins: [...site.allowed_origins, far] }));
  const { origin } = stack;
  const policy = [
    "default-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
    `script-src ${origin}`,
    `connect-src ${origin} ${origin.replace("http", "ws")}`,
    `frame-src ${origin}`,
  ].join("; ");
  const page = await stack.person();
  // A browser gives frames from elsewhere their turns late, where it is busy.
  await page.addInitScript(() => {
    if (!location.pathname.startsWith("/widget/panel")) return;
    const { requestAnimationFrame, setTimeout } = window;
    window.requestAnimationFrame = (turn) => setTimeout(() => requestAnimationFrame(turn), 2_000);
    window.setTimeout = (turn, delay = 0, ...rest) => setTimeout(turn, Math.max(delay, 2_000), ...rest);
  });
  const refused = [];
  page.on("console", (message) => /Content Security Policy|Trusted/.test(message.text()) && refused.push(message.text()));
  shop.page("/far", { head: tag(stack), headers: { "content-security-policy": policy } });
  await page.goto(address);
  await until("the widget", () => page.evaluate(() => !Array.isArray(window.Switchboard ?? [])));
  await page.evaluate(() => window.Switchboard.open());
  const panel = await findPanel(page);
  await say(panel, "strict, from far away");
  await sees(panel, "strict, from far away");
  await openRow(agent, "strict, from far away");
  const png = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
  await panel.locator("input[type=file]").setInputFiles({ name: "tin.png", mimeType: "image/png", buffer: png });
  await panel.locator(".upload .quiet").waitFor();
  await panel.getByRole("button", { name: "Send", exact: true }).click();
  await panel.getByRole("img", { name: "tin.png" }).waitFor();
  await agent.getByRole("log").getByRole("img", { name: "tin.png" }).waitFor();
  await page.evaluate(() => {
    window.counts = [];
    window.Switchboard.close();
    window.Switchboard.on("unread", (count) => window.counts.push(count));
  });
  await answer(agent, "Seen from here, too.");
  await page.waitForFunction(() => window.counts.at(-1) === 1);
  // The page's own icon is refused, for it allows none; nothing of ours is.
  assert.deepEqual(refused.filter((line) => !line.includes("data:,")), []);
  await page.context().close();
});
