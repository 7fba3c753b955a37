// The widget on pages of all kinds: where its tag may stand, what it needs, what a page can ask of it.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { Shop, tag } from "../shop.mjs";
import { Stack, answer, findPanel, openRow, say, sees, until } from "../stack.mjs";

let stack;
let shop;
let agent;
/** Two visitors who look away while the other stories are told: one's tab is hidden, one's laptop sleeps. */
let hidden;
let asleep;
before(async () => {
  stack = await Stack.start();
  shop = await Shop.open();
  agent = await stack.console();
  await awaySoon();
  hidden = await lookAway("hidden");
  await hidden.page.evaluate(() => {
    window.isAway = true;
    window.awayAtMs = performance.now();
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await hidden.panel.evaluate(() => {
    window.isAway = true;
    document.dispatchEvent(new Event("visibilitychange"));
  });
  asleep = await lookAway("asleep");
  // Nothing of the page runs any more.
  const slept = new Promise((done) => asleep.session.once("Debugger.paused", done));
  await asleep.session.send("Debugger.enable");
  await asleep.session.send("Debugger.pause");
  await slept;
});
after(async () => {
  await shop.close();
  await stack.stop();
});

/** Somebody is idle after the shortest time that may be set. */
async function awaySoon() {
  const { api, headers } = await stack.api();
  const { settings, version } = await api.ask("GET", "workspace", undefined, headers);
  await api.ask("PATCH", "workspace", { settings: { ...settings, active_threshold_ms: 10_000 } }, { ...headers, "if-match": `"${version}"` });
}

/** A visitor with a chat of his own, and an agent who watches him. */
async function lookAway(name) {
  const page = await stack.person();
  await page.addInitScript(() => {
    const { get } = Object.getOwnPropertyDescriptor(Document.prototype, "visibilityState");
    Object.defineProperty(document, "visibilityState", { get: () => (window.isAway ? "hidden" : get.call(document)) });
  });
  await page.goto(shop.page(`/${name}`, { head: tag(stack), body: opening }));
  const panel = await findPanel(page);
  await say(panel, `I am soon ${name}`);
  await panel.getByText("Sent", { exact: true }).first().waitFor();
  const watcher = await stack.console();
  await openRow(watcher, `I am soon ${name}`);
  await watcher.getByText(/^On the site/).waitFor();
  return { page, panel, watcher, session: await page.context().newCDPSession(page) };
}

const opening = `<script>window.Switchboard = window.Switchboard || []; Switchboard.push(["open"]);</script>`;

for (const [where, head, body] of [
  ["in the head", tag, () => opening],
  ["in the head, before anything else, without async", (s) => tag(s, ""), () => opening],
  ["at the end of the body", () => opening, tag],
  ["twice", tag, (s) => opening + tag(s)],
  ["in the body, late", () => opening, (s) => `<script>addEventListener("load", () => setTimeout(() => {
    const script = document.createElement("script");
    script.src = "${s.origin}/widget.js";
    script.dataset.siteKey = "${s.siteKey}";
    document.body.append(script);
  }, 50));</script>`],
]) {
  test(`the tag may stand ${where}`, async () => {
    const page = await stack.person();
    await page.goto(shop.page("/tag", { head: head(stack), body: body(stack) }));
    const panel = await findPanel(page);
    await say(panel, `the tag stands ${where}`);
    await sees(panel, `the tag stands ${where}`);
    assert.equal(page.frames().filter((frame) => frame.url().includes("/widget/panel")).length, 1);
    assert.deepEqual(stack.complaints, []);
    await page.context().close();
  });
}

for (const [kind, script, attribute] of [
  ["that names its sources", (origin) => origin, ""],
  ["that names its scripts by a nonce", () => "'nonce-c2VlZA'", ` nonce="c2VlZA"`],
  ["that trusts what trusted scripts load", () => "'nonce-c2VlZA' 'strict-dynamic'", ` nonce="c2VlZA"`],
]) {
  test(`a page with a strict policy ${kind} needs three more words`, async () => {
    const { origin } = stack;
    const policy = [
      "default-src 'none'",
      "img-src data:",
      "base-uri 'none'",
      "require-trusted-types-for 'script'",
      `script-src ${script(origin)}`,
      `connect-src ${origin} ${origin.replace("http", "ws")}`,
      `frame-src ${origin}`,
    ].join("; ");
    const page = await stack.person();
    const head = tag(stack, `async${attribute}`);
    await page.goto(shop.page("/strict", { head, headers: { "content-security-policy": policy } }));
    await until("the widget", () => page.evaluate(() => !Array.isArray(window.Switchboard ?? [])));
    await page.evaluate(() => window.Switchboard.open());
    const panel = await findPanel(page);
    await say(panel, `strict, ${kind}`);
    await sees(panel, `strict, ${kind}`);
    assert.deepEqual(stack.complaints, []);
    await page.context().close();
  });
}

test("a page that is isolated from other origins chats like any other", async () => {
  const page = await stack.person();
  const headers = { "cross-origin-embedder-policy": "require-corp", "cross-origin-opener-policy": "same-origin" };
  await page.goto(shop.page("/isolated", { head: tag(stack), body: opening, headers, host: "localhost" }));
  assert.equal(await page.evaluate(() => crossOriginIsolated), true);
  const panel = await findPanel(page);
  await say(panel, "nobody shares my process");
  await sees(panel, "nobody shares my process");
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("on paper and on a screen that cannot move there is the page, and a chat that stands still", async () => {
  const page = await stack.person({ reducedMotion: "reduce" });
  await page.goto(shop.page("/print", { head: tag(stack), body: opening }));
  const panel = await findPanel(page);
  await panel.getByLabel("Message", { exact: true }).waitFor();
  const host = () => page.evaluate(() => getComputedStyle([...document.body.children].find((child) => child.tagName === "DIV")).display);
  assert.notEqual(await host(), "none");
  await page.emulateMedia({ media: "print" });
  assert.equal(await host(), "none");
  assert.deepEqual(await panel.evaluate(() => document.getAnimations().length), 0);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("apps made with React and Vue carry it, say who is there, and take it off again", async () => {
  const hosts = fileURLToPath(new URL("../../hosts/", import.meta.url));
  await promisify(execFile)("npm", ["run", "build"], { cwd: hosts });
  for (const kind of ["react", "vue"]) {
    const page = await stack.person();
    const address = shop.app(kind, `${hosts}${kind}/dist`);
    await page.goto(`${address}?${new URLSearchParams({ server: stack.origin, site: stack.siteKey })}`);
    await until("the widget", () => page.evaluate(() => window.Switchboard?.of !== undefined));
    await page.getByRole("button", { name: "Ask us" }).click();
    const panel = await findPanel(page);
    await say(panel, `said to ${kind}`);
    await openRow(agent, `said to ${kind}`);
    const side = agent.getByRole("complementary", { name: "Contact" });
    await side.getByRole("heading", { name: `Ana, with ${kind === "vue" ? "Vue" : "React"}` }).waitFor();
    await page.getByRole("button", { name: "Orders" }).click();
    await side.getByText(`/${kind}/orders`).first().waitFor();
    await page.getByRole("button", { name: "Without the chat" }).click();
    await until("no frame", () => page.frames().length === 1);
    await page.getByRole("button", { name: "With the chat" }).click();
    await until("the widget again", () => page.evaluate((key) => window.Switchboard.of(key) !== undefined, stack.siteKey));
    await page.getByRole("button", { name: "Ask us" }).click();
    await sees(await findPanel(page), `said to ${kind}`);
    assert.deepEqual(stack.complaints, []);
    await page.context().close();
  }
});

test("a browser that keeps nothing still chats, for as long as the page lives", async () => {
  const page = await stack.person();
  await page.addInitScript(() => {
    const denied = { get: () => { throw new DOMException("denied", "SecurityError"); } };
    for (const name of ["localStorage", "sessionStorage", "indexedDB"]) Object.defineProperty(window, name, denied);
    Object.defineProperty(Document.prototype, "cookie", denied);
    Object.defineProperty(Navigator.prototype, "locks", { get: () => undefined });
  });
  await page.goto(shop.page("/blocked", { head: tag(stack), body: opening }));
  const panel = await findPanel(page);
  await say(panel, "I keep no cookies");
  await openRow(agent, "I keep no cookies");
  await answer(agent, "No cake either?");
  await sees(panel, "No cake either?");
  await page.evaluate(() => history.pushState(null, "", "/blocked/further"));
  await say(panel, "none at all");
  await sees(panel, "none at all");
  await until("three messages", async () => (await panel.locator("article.message").count()) === 3);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("each address of a single-page app counts once, and a fragment only where it is a route", async () => {
  const { api, headers } = await stack.api();
  const page = await stack.person();
  await page.goto(shop.page("/app", { head: tag(stack) }));
  const visitorId = await until("the session", () =>
    page.evaluate((key) => JSON.parse(localStorage.getItem(`switchboard.${key}`))?.visitor_id, stack.siteKey));
  const pages = async () => {
    const visitor = await api.ask("GET", `visitors/${visitorId}`, undefined, headers);
    return visitor.visits.flatMap((visit) => visit.trail ?? visit.pages ?? []).map(({ url }) => url.replace(/^http:..[^/]+/, ""));
  };
  const walks = [
    ["/app/one", () => history.pushState(null, "", "/app/one")],
    ["/app/two", () => history.replaceState({}, "", "/app/two")],
    ["/app/two?tab=1", () => history.pushState(null, "", "?tab=1")],
    [null, () => history.replaceState({ scroll: 1 }, "")],
    [null, () => { location.hash = "section"; }],
    ["/app/two?tab=1#/orders", () => { location.hash = "#/orders"; }],
    ["/app", () => history.go(-4)],
  ];
  const expected = ["/app"];
  // Whoever walks on before the first connection was never here.
  await until("the first page", async () => (await pages()).length === 1);
  for (const [path, walk] of walks) {
    await page.evaluate(walk);
    if (path === null) continue;
    expected.push(path);
    await until(`${path} among ${expected.length} pages`, async () => (await pages()).length === expected.length);
  }
  assert.deepEqual((await pages()).sort(), [...expected].sort());
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a page opens, closes, hides and shows the chat, and hears of it", async () => {
  const page = await stack.person();
  const listening = `<script>
    window.heard = [];
    window.Switchboard = window.Switchboard || [];
    for (const name of ["ready", "open", "close", "unread", "message", "refused"])
      Switchboard.push(["on", name, (detail) => heard.push([name, detail])]);
  </script>`;
  await page.goto(shop.page("/events", { head: listening + tag(stack) }));
  const heard = async (...wanted) => {
    await until(`${wanted.length} events`, async () => (await page.evaluate(() => window.heard.length)) >= wanted.length);
    assert.deepEqual(await page.evaluate(() => window.heard), wanted);
  };
  const host = () => page.evaluate(() => {
    const element = [...document.body.children].find((child) => child.matches("div") && child.shadowRoot === null && child.style.length > 0);
    return element === undefined ? "gone" : element.hidden ? "hidden" : element.hasAttribute("open") ? "open" : "shut";
  });
  const is = (wanted) => until(`the chat to be ${wanted}`, async () => (await host()) === wanted);
  await heard(["ready", null]);
  await is("shut");
  await page.evaluate(() => window.Switchboard.push(["open"]));
  await is("open");
  const panel = await findPanel(page);
  await say(panel, "can the page hear this?");
  await heard(["ready", null], ["open", null], ["message", "you"]);
  await page.evaluate(() => window.Switchboard.close());
  await is("shut");
  await openRow(agent, "can the page hear this?");
  await answer(agent, "It can.");
  const all = [["ready", null], ["open", null], ["message", "you"], ["close", null]];
  const isThere = async (wanted) => (await page.evaluate(() => window.heard)).some((one) => JSON.stringify(one) === JSON.stringify(wanted));
  await until("the answer", async () => (await isThere(["message", "team"])) && (await isThere(["unread", 1])));
  assert.deepEqual((await page.evaluate(() => window.heard)).slice(0, 4), all);
  await page.evaluate(() => window.Switchboard.hide());
  await is("hidden");
  await page.evaluate(() => window.Switchboard.show());
  await is("shut");
  await page.evaluate(() => window.Switchboard.open());
  await until("nothing unread", () => isThere(["unread", 0]));
  // A listener that throws harms nobody, and one that left hears no more.
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a widget that was destroyed leaves nothing, and can be put up again", async () => {
  const page = await stack.person();
  await page.goto(shop.page("/again", { head: tag(stack), body: opening }));
  const before = await findPanel(page);
  await say(before, "before the end");
  await sees(before, "before the end");
  const patched = await page.evaluate(() => /\[native code\]/.test(Function.prototype.toString.call(history.pushState)));
  assert.equal(patched, false);
  await page.evaluate(() => window.Switchboard.destroy());
  await until("no frame", () => page.frames().length === 1);
  const left = await page.evaluate(() => ({
    elements: [...document.body.children].filter((child) => child.tagName === "DIV").length,
    native: /\[native code\]/.test(Function.prototype.toString.call(history.pushState)),
  }));
  assert.deepEqual(left, { elements: 0, native: true });
  await page.evaluate(({ origin, siteKey }) => {
    const script = document.createElement("script");
    script.src = `${origin}/widget.js`;
    script.dataset.siteKey = siteKey;
    document.body.append(script);
    window.Switchboard.push(["open"]);
  }, { origin: stack.origin, siteKey: stack.siteKey });
  const again = await findPanel(page);
  await sees(again, "before the end");
  await say(again, "and after it");
  await sees(again, "and after it");
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a tab that was hidden for more than a minute is still connected, and reads when it is looked at", async () => {
  const { page, panel, watcher } = hidden;
  await until("more than a minute", () => page.evaluate(() => performance.now() - window.awayAtMs > 65_000), 150_000);
  // Out of sight for longer than a visitor counts as active, and connected all the same.
  await watcher.getByText("On the site, idle").first().waitFor();
  await answer(watcher, "still there?");
  await sees(panel, "still there?");
  await watcher.getByText("Delivered").waitFor();
  assert.equal(await watcher.getByText("Seen", { exact: true }).count(), 0);
  for (const one of [page, panel]) {
    await one.evaluate(() => {
      window.isAway = false;
      document.dispatchEvent(new Event("visibilitychange"));
    });
  }
  await watcher.getByText("Seen", { exact: true }).first().waitFor();
  await say(panel, "I was only hidden");
  await watcher.getByText("I was only hidden").first().waitFor();
  assert.deepEqual(stack.complaints, []);
});

test("a laptop that slept until the server gave it up catches up by itself", async () => {
  const { panel, watcher, session } = asleep;
  await watcher.getByText(/^On the site/).waitFor({ state: "detached", timeout: 120_000 });
  await answer(watcher, "sleep well");
  await session.send("Debugger.resume");
  await sees(panel, "sleep well");
  await say(panel, "good morning");
  await watcher.getByText("good morning").first().waitFor();
  await until("three messages", async () => (await panel.locator("article.message").count()) === 3);
  assert.deepEqual(stack.complaints, []);
});
