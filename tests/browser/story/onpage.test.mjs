// What a page sets for itself, by its tag or while it runs, over what its site says; and what it cannot set.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Shop } from "../shop.mjs";
import { Stack, findPanel, launcherName, sees, until } from "../stack.mjs";

let stack;
let shop;
before(async () => {
  stack = await Stack.start();
  shop = await Shop.open();
});
after(async () => {
  await shop.close();
  await stack.stop();
});

/** A page whose tag carries attributes; `head` stands before it. Gives what its console warns of, too. */
async function onPage(path, { attributes = {}, head = "", page }) {
  const visited = page ?? (await stack.person({ reducedMotion: "reduce", colorScheme: "light" }));
  const warnings = [];
  visited.on("console", (message) => message.type() === "warning" && warnings.push(message.text()));
  // As a script may set them: an attribute takes any text.
  const script = `<script>
    const script = Object.assign(document.createElement("script"), { src: "${stack.origin}/widget.js" });
    Object.assign(script.dataset, { siteKey: "${stack.siteKey}", ...${JSON.stringify(attributes).replaceAll("<", "\\u003c")} });
    document.head.append(script);
  </script>`;
  await visited.goto(shop.page(path, { head: head + script }));
  await until("the widget", () => visited.evaluate(() => window.Switchboard?.of !== undefined));
  await visited.evaluate(() => new Promise((done) => window.Switchboard.on("ready", done)));
  return { page: visited, warnings };
}

/** How the launcher stands: what a page can see of its host, and the words in its closed shadow root. */
async function launcher(page) {
  const session = await page.context().newCDPSession(page);
  const { root } = await session.send("DOM.getDocument", { depth: -1, pierce: true });
  await session.detach();
  const find = (node, isWanted) => (isWanted(node) ? node : [...(node.children ?? []), ...(node.shadowRoots ?? [])].map((child) => find(child, isWanted)).find(Boolean));
  const host = find(root, (node) => node.shadowRoots?.[0]?.shadowRootType === "closed");
  if (host === undefined) return null;
  const label = find(host, (node) => node.nodeName === "B")?.children?.[0]?.nodeValue ?? "";
  const attributes = Object.fromEntries((host.attributes ?? []).flatMap((name, index, all) => (index % 2 === 0 ? [[name, all[index + 1]]] : [])));
  return { label, side: attributes.side, isHidden: "hidden" in attributes, isOpen: "open" in attributes, scheme: /color-scheme: ([^;]+)/.exec(attributes.style)?.[1] };
}

/** Waits until the launcher stands so. */
async function stands(page, wanted) {
  let seen;
  await until("the launcher", async () => {
    seen = await launcher(page);
    return seen !== null && Object.entries(wanted).every(([name, value]) => seen[name] === value);
  }).catch(() => assert.fail(JSON.stringify({ seen, wanted })));
}

const update = (page, settings) => page.evaluate((settings) => window.Switchboard.update(settings), settings);
const field = (panel) => panel.locator("textarea");
const isDark = (panel) => panel.evaluate(() => document.documentElement.hasAttribute("data-dark"));

test("a tag says where the launcher stands, what is on it, how bright it is and what is said first", async () => {
  const { page, warnings } = await onPage("/pricing", {
    attributes: { side: "start", label: "Ask about prices", theme: "dark", greeting: "Which plan is yours?", message: "I would like a quote for " },
  });
  await stands(page, { side: "start", label: "Ask about prices", scheme: "dark", isHidden: false, isOpen: false });
  await page.evaluate(() => window.Switchboard.open());
  const panel = await findPanel(page);
  await panel.getByText("Which plan is yours?").waitFor();
  await until("dark", () => isDark(panel));
  // It goes on where the page began, and goes out like any other.
  await until("the page's words", async () => (await field(panel).inputValue()) === "I would like a quote for ");
  await field(panel).press("End");
  await field(panel).pressSequentially("12 seats");
  await panel.getByRole("button", { name: "Send" }).click();
  await sees(panel, "I would like a quote for 12 seats");
  await until("an empty field", async () => (await field(panel).inputValue()) === "");
  assert.deepEqual(await violations(panel), []);
  assert.deepEqual(warnings, []);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("another page of the same site is as its site says", async () => {
  const { page } = await onPage("/first", { attributes: { side: "start", label: "Here", theme: "dark" } });
  await stands(page, { side: "start", label: "Here" });
  await onPage("/second", { page });
  await stands(page, { side: "end", label: "", scheme: "light dark" });
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a tag opens the panel by itself, and the page hears of it", async () => {
  const head = `<script>window.heard = []; window.Switchboard = [["on", "open", () => heard.push("open")]];</script>`;
  const { page } = await onPage("/help", { attributes: { panel: "open" }, head });
  await findPanel(page);
  await stands(page, { isOpen: true });
  // Also where the session of the page before is known already.
  await onPage("/more-help", { attributes: { panel: "open" }, head, page });
  await stands(page, { isOpen: true });
  await page.waitForFunction(() => window.heard.join() === "open");
  // A page that closes it before it is there keeps it closed.
  await onPage("/no-help", { attributes: { panel: "open" }, head: `<script>window.Switchboard = [["close"]];</script>`, page });
  await stands(page, { isHidden: false, isOpen: false });
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a tag hides the launcher until the page asks for it", async () => {
  const { page } = await onPage("/checkout", { attributes: { launcher: "hidden" } });
  await stands(page, { isHidden: true, side: "end" });
  await update(page, { side: "start" });
  await stands(page, { isHidden: true, side: "start" });
  await update(page, { launcher: "shown" });
  await stands(page, { isHidden: false });
  await update(page, { launcher: "hidden" });
  await stands(page, { isHidden: true });
  await update(page, { panel: "open" });
  await stands(page, { isHidden: false, isOpen: true });
  await update(page, { panel: "closed" });
  await stands(page, { isHidden: false, isOpen: false });
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("an app sets all of it anew on its way, and takes it back", async () => {
  const { page, warnings } = await onPage("/app", {});
  await page.evaluate(() => window.Switchboard.open());
  const panel = await findPanel(page);
  await panel.getByText("Hello. How can we help?").waitFor();
  await page.evaluate(() => history.pushState(null, "", "/app/orders"));
  await page.evaluate(() => window.Switchboard.push(["update", { side: "start", label: "Orders", theme: "dark", greeting: "Which order is it?", message: "My order " }]));
  await stands(page, { side: "start", label: "Orders", scheme: "dark", isOpen: true });
  await panel.getByText("Which order is it?").waitFor();
  await until("dark", () => isDark(panel));
  await until("the page's words", async () => (await field(panel).inputValue()) === "My order ");
  // What the visitor wrote himself is his: the page does not write over it.
  await field(panel).fill("My order 17 is late");
  await update(page, { message: "Something else", greeting: null, side: null, label: null, theme: "auto" });
  await panel.getByText("Hello. How can we help?").waitFor();
  await stands(page, { side: "end", label: "", scheme: "light dark" });
  await until("light", async () => !(await isDark(panel)));
  assert.equal(await field(panel).inputValue(), "My order 17 is late");
  await page.emulateMedia({ colorScheme: "dark" });
  await until("dark as the system is", () => isDark(panel));
  await update(page, { theme: "light" });
  await until("light for all that", async () => !(await isDark(panel)));
  assert.deepEqual(warnings, []);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("an app changes its language, and the chat with it: launcher, panel and direction", async () => {
  const { page } = await onPage("/language", {});
  await until("English", async () => /^Open chat, /.test(await launcherName(page)));
  const buttons = async () => {
    const session = await page.context().newCDPSession(page);
    const { nodes } = await session.send("Accessibility.getFullAXTree");
    await session.detach();
    return nodes.filter((node) => node.role?.value === "button").map((node) => node.name?.value ?? "");
  };
  await update(page, { locale: "de" });
  await until("German on the launcher", async () => (await buttons()).some((name) => name.startsWith("Chat öffnen")));
  await page.evaluate(() => window.Switchboard.open());
  const panel = await findPanel(page);
  await panel.getByText("Hallo. Wie können wir helfen?").waitFor();
  // While it is open and connected, and with what is being written.
  await field(panel).fill("noch nicht gesendet");
  await update(page, { locale: "ar" });
  await panel.getByText("مرحبًا. كيف يمكننا المساعدة؟").waitFor();
  const runs = (lang, dir) => until(`${lang}, ${dir}`, () => panel.evaluate((wanted) => `${document.documentElement.lang} ${document.documentElement.dir}` === wanted, `${lang} ${dir}`));
  await runs("ar", "rtl");
  await update(page, { locale: null });
  await panel.getByText("Hello. How can we help?").waitFor();
  await runs("en", "ltr");
  await until("English again", async () => (await buttons()).some((name) => name === "Close chat"));
  assert.equal(await field(panel).inputValue(), "noch nicht gesendet");
  await panel.getByRole("button", { name: "Send" }).click();
  await sees(panel, "noch nicht gesendet");
  await panel.getByText("Sent", { exact: true }).first().waitFor();
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("what is no setting, or no value of it, is ignored and named once", async () => {
  const { page, warnings } = await onPage("/hostile", {
    attributes: { side: "left", theme: "DARK", locale: "../../../etc/passwd", label: "x".repeat(61), panel: "", greeting: "g".repeat(2_001), supportBase: "https://elsewhere.example" },
  });
  await stands(page, { side: "end", label: "", scheme: "light dark", isHidden: false, isOpen: false });
  await until("a warning", () => warnings.length > 0);
  assert.deepEqual(warnings, ["Switchboard: ignored panel,side,theme,locale,label,greeting"]);
  // Each call for itself; what is well formed beside it counts.
  const asked = [
    [{ side: ["start"], theme: { toString: "dark" }, label: 7 }, "side,theme,label"],
    [JSON.parse('{"__proto__": {"side": "start"}, "constructor": "x", "toString": null}'), "__proto__,constructor,toString"],
    [{ panel: true, launcher: false, colour: "red", label: "Fine" }, "panel,launcher,colour"],
    ["dark", "0,1,2,3"],
  ];
  for (const [index, [settings, names]] of asked.entries()) {
    // As a text: the driver's own way takes `__proto__` for what it is.
    await page.evaluate((text) => window.Switchboard.update(JSON.parse(text)), JSON.stringify(settings));
    await until(`warning ${index}`, () => warnings.length === index + 2);
    assert.equal(warnings.at(-1), `Switchboard: ignored ${names}`);
  }
  await page.evaluate(() => {
    window.Switchboard.update(null);
    window.Switchboard.update(undefined);
    window.Switchboard.update(7);
    window.Switchboard.update({ label: Symbol("x"), side: { toString: () => { throw new Error("never asked"); } } });
  });
  await until("one warning more", () => warnings.length === asked.length + 2);
  assert.equal(warnings.at(-1), "Switchboard: ignored label,side");
  await stands(page, { side: "end", label: "Fine", scheme: "light dark", isHidden: false, isOpen: false });
  assert.equal(await page.evaluate(() => ({}).side), undefined);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("words that look like a page of their own are words, on the launcher and in the panel", async () => {
  const trick = `"><img src=x onerror=alert(1)><script>alert(2)</script>`;
  const { page } = await onPage("/words", { attributes: { label: trick.slice(0, 60), greeting: trick, message: trick } });
  await stands(page, { label: trick.slice(0, 60) });
  await page.evaluate(() => window.Switchboard.open());
  const panel = await findPanel(page);
  await panel.getByText(trick).waitFor();
  await until("the page's words", async () => (await field(panel).inputValue()) === trick);
  assert.equal(await panel.locator("img, main script").count(), 0);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});
