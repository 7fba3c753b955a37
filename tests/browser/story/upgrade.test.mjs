// A page of a customer's stays open while the server is upgraded: its loader is of before, its panel perhaps of today.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Shop, tag } from "../shop.mjs";
import { Stack, answer, findPanel, openPanel, openRow, say, sees, until } from "../stack.mjs";

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

/** From here on the parts of the panel have other names for a browser, as those of another build have. */
async function renameParts(page) {
  await page.context().route((url) => url.pathname === "/widget/panel", async (route) => {
    const served = await route.fetch();
    await route.fulfill({ response: served, body: (await served.text()).replaceAll("/widget/assets/", "/widget/assets/newer/") });
  });
  await page.context().route("**/widget/assets/**", async (route) => {
    const url = route.request().url();
    if (url.includes("/newer/")) await route.fulfill({ response: await route.fetch({ url: url.replace("/newer/", "/") }) });
    else await route.fulfill({ status: 404 });
  });
}

async function talks(panel, text) {
  await say(panel, text);
  await openRow(agent, text);
  await answer(agent, `${text}: heard`);
  await sees(panel, `${text}: heard`);
}

test("a page that is open over an upgrade opens the chat of today, and one whose chat is open goes on with that of before", async () => {
  const early = await stack.visitor("/demo/");
  await talks(early.panel, "opened before");
  const late = await stack.person();
  await late.goto(`${stack.origin}/demo/`);
  await until("the widget", () => late.evaluate(() => window.Switchboard?.of !== undefined));
  await late.evaluate(() => new Promise((done) => window.Switchboard.push(["on", "ready", done])));
  for (const page of [early.page, late]) await renameParts(page);
  await stack.killServer();
  await stack.startServer();

  await talks(await openPanel(late), "opened after");
  // Of the language that the page changes to the words are gone: it goes on in its own, and says so.
  await early.page.evaluate(() => window.Switchboard.update({ locale: "de" }));
  await talks(early.panel, "still open");
  assert.equal(await early.panel.evaluate(() => document.documentElement.lang), "en");
  await late.evaluate(() => window.Switchboard.update({ locale: "de" }));
  await (await findPanel(late)).getByRole("textbox", { name: "Nachricht" }).waitFor();
  assert.deepEqual(stack.complaints, []);
  for (const page of [early.page, late]) await page.context().close();
});

/** What a session had in 0.1.0. It stays so: what came later is not known to a page of then, nor to what its browser keeps. */
const SESSION = {
  visitor_id: true,
  token: true,
  expires_at_ms: true,
  unread: true,
  identified: true,
  words: true,
  config: {
    version: true,
    site_name: true,
    identity_required: true,
    attachment_bytes_max: true,
    respect_do_not_track: true,
    typing_preview: true,
    staff: { online: true, people: true },
    theme: {
      color: true,
      title: true,
      logo: true,
      avatar: true,
      greeting: true,
      launcher_side: true,
      launcher_gap_px: true,
      launcher_text: true,
      brightness: true,
      asks: { name: true, email: true, phone: true },
      questions: true,
      consent: true,
      asks_email_later: true,
      show_brand: true,
    },
  },
};

/** A page with all that the loader of 0.1.0 said to its panel, and nothing else. It stays so, too. */
const former = ({ origin, siteKey }) => `<iframe id="chat" width="400" height="600"></iframe><script>
  const cut = (value, shape) => (shape === true ? value : Object.fromEntries(Object.entries(shape).map(([name, part]) => [name, cut(value[name], part)])));
  const frame = document.getElementById("chat");
  window.heard = [];
  window.tell = (message) => frame.contentWindow.postMessage({ switchboard: "former", message }, "${origin}");
  let session = null;
  const begin = async () => {
    const body = JSON.stringify({ site_key: "${siteKey}", token: session?.token ?? null, identity: null, fresh: false, time_zone: "Europe/Ljubljana", language: "en", locale: "en" });
    const answered = await fetch("${origin}/api/v1/visitor/session", { method: "POST", headers: { "content-type": "application/json" }, body });
    session = cut(await answered.json(), ${JSON.stringify(SESSION)});
  };
  const tellSession = () => tell({ type: "session", session, page: { url: location.href, title: document.title }, isOpen: true, sinceMs: null });
  addEventListener("message", async ({ data }) => {
    if (data?.switchboard !== "former") return;
    heard.push(data.message);
    if (data.message.type === "renew") await begin();
    if (data.message.type === "ready") tell({ type: "set", settings: { locale: "en" } });
    if (data.message.type === "ready" || data.message.type === "renew") tellSession();
  });
  begin().then(() => (frame.src = "${origin}/widget/panel?site=${siteKey}&origin=" + location.origin + "&instance=former&dir=ltr&lang=en"));
</script>`;

test("a panel of today understands the loader of 0.1.0, and says to it what that knows", async () => {
  const page = await stack.person();
  await page.goto(shop.page("/former", { body: former(stack) }));
  const panel = await findPanel(page);
  const heard = (type) => page.evaluate((type) => window.heard.filter((message) => message.type === type), type);
  const tell = (message) => page.evaluate((message) => window.tell(message), message);
  await talks(panel, "from a page of then");
  for (const type of ["ready", "live", "staff"]) assert.ok((await heard(type)).length > 0, type);
  await until("both sides", async () => [...new Set((await heard("message")).map(({ from }) => from))].sort().join() === "team,you");
  const { online, people } = (await heard("staff")).at(-1);
  assert.deepEqual([online, people.map(({ name }) => name)], [true, ["mira"]]);

  await tell({ type: "track", name: "looked", properties: { at: "tins" } });
  await tell({ type: "page", page: { url: page.url(), title: "Tins of then" } });
  await agent.getByRole("complementary", { name: "Contact" }).getByText("Tins of then").first().waitFor();
  await tell({ type: "command", command: { do: "identify", claim: { name: "Ana of then" } } });
  await agent.getByRole("complementary", { name: "Contact" }).getByText("Ana of then").first().waitFor();
  await tell({ type: "close" });
  await answer(agent, "while it is shut");
  await until("the number on the launcher", async () => (await heard("unread")).some(({ count, preview }) => count === 1 && preview?.text === "while it is shut" && preview.name === "mira"));
  await tell({ type: "open" });
  await until("it to be read", async () => (await heard("unread")).at(-1).count === 0);
  // What a loader of tomorrow may say, and with what.
  await tell({ type: "of_tomorrow", much: { more: 1 } });
  await tell({ type: "open", gently: true });
  await talks(panel, "and of tomorrow");
  await panel.getByRole("button", { name: "Close chat" }).click();
  await until("the wish to close", async () => (await heard("close")).length === 1);
  await tell({ type: "forget" });
  await panel.getByText("and of tomorrow").first().waitFor({ state: "detached" });
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a loader of today minds nothing that a panel of tomorrow says", async () => {
  const page = await stack.person();
  await page.goto(shop.page("/today", { head: tag(stack), body: `<button data-chat onclick="Switchboard.open()">Chat</button>` }));
  await until("the widget", () => page.evaluate(() => window.Switchboard?.of !== undefined));
  const panel = await openPanel(page);
  await panel.evaluate(() => {
    const parameters = new URLSearchParams(location.search);
    const say = (message) => parent.postMessage({ switchboard: parameters.get("instance"), message }, parameters.get("origin"));
    say({ type: "of_tomorrow", much: { more: 1 } });
    say({ type: "unread", count: 1, preview: { name: "Mira", text: "psst", of_tomorrow: true } });
  });
  await talks(panel, "with a panel of tomorrow");
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});
