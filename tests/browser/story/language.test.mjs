// The widget speaks the language of its page, or the one that its tag names, and loads no other.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Hands } from "../keys.mjs";
import { misfits } from "../layout.mjs";
import { Shop, tag } from "../shop.mjs";
import { Stack, answer, findPanel, openRow, sees, until } from "../stack.mjs";

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

const greet = `<script>window.Switchboard = window.Switchboard || [];</script>`;

/** What the launcher is called: its shadow root is closed, but the tree of screen readers is not. */
async function buttonNames(page) {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  await session.detach();
  return nodes.filter((node) => node.role?.value === "button").map((node) => node.name?.value ?? "");
}

async function open(path, { head = "", attributes = "async", lang, locale, viewport = { width: 1280, height: 800 } }) {
  const page = await stack.person({ locale, viewport, reducedMotion: "reduce" });
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  const address = shop.page(path, { head: `<script>document.documentElement.lang = "${lang}"</script>${greet}${head}${tag(stack, attributes)}` });
  await page.goto(address);
  await until("the widget", () => page.evaluate(() => typeof window.Switchboard?.open === "function"));
  return { page, asked };
}

const wordsAsked = (asked) => asked.map((url) => /\/assets\/([a-z]{2})-[\w-]+\.js/.exec(url)?.[1]).filter(Boolean);

for (const [name, options, expected] of [
  ["of the page", { lang: "uk", locale: "en-US" }, { code: "uk", launcher: /^Відкрити чат, /, field: "Повідомлення", greeting: "Вітаємо. Чим можемо допомогти?", send: "Надіслати", sent: "Надіслано" }],
  ["that the tag names, whatever the page says", { lang: "en", locale: "en-US", attributes: 'async data-locale="de-AT"' }, { code: "de", launcher: /^Chat öffnen, /, field: "Nachricht", greeting: "Hallo. Wie können wir helfen?", send: "Senden", sent: "Gesendet" }],
  ["of the browser where the page says nothing", { lang: "", locale: "ja-JP" }, { code: "ja", launcher: /^チャットを開く, /, field: "メッセージ", greeting: "こんにちは。どのようなご用件でしょうか。", send: "送信", sent: "送信済み" }],
  ["English where it has no better one", { lang: "nb-NO", locale: "nb-NO" }, { code: "en", launcher: /^Open chat, /, field: "Message", greeting: "Hello. How can we help?", send: "Send", sent: "Sent" }],
]) {
  test(`the chat speaks the language ${name}, and loads no other`, async () => {
    const { page, asked } = await open(`/language-${expected.code}`, options);
    await until("the launcher", async () => (await buttonNames(page)).some((each) => expected.launcher.test(each)));
    // Before somebody means to chat there is nothing but loader, session and socket.
    const paths = asked.filter((url) => url.startsWith(stack.origin)).map((url) => new URL(url).pathname);
    assert.deepEqual([...new Set(paths)].sort(), ["/api/v1/visitor/session", "/widget.js"]);
    await page.evaluate(() => window.Switchboard.open());
    const panel = await findPanel(page);
    await panel.getByText(expected.greeting).waitFor();
    await until(expected.code, () => panel.evaluate((code) => document.documentElement.lang === code, expected.code));
    await panel.getByLabel(expected.field, { exact: true }).fill(`words in ${expected.code}`);
    await panel.getByRole("button", { name: expected.send, exact: true }).click();
    await panel.getByText(expected.sent, { exact: true }).first().waitFor();
    assert.deepEqual(wordsAsked(asked), [expected.code]);
    assert.deepEqual(await violations(panel), []);
    assert.deepEqual(stack.complaints, []);
    await page.context().close();
  });
}

test("who speaks none of its languages reads the main one of the workspace, or of the site", async () => {
  const { api, headers } = await stack.api();
  const at = (version) => ({ ...headers, "if-match": `"${version}"` });
  const reads = async (path, launcher, greeting, code) => {
    const { page, asked } = await open(path, { lang: "nb-NO", locale: "nb-NO" });
    await until("the launcher", async () => (await buttonNames(page)).some((each) => launcher.test(each)));
    await page.evaluate(() => window.Switchboard.open());
    await (await findPanel(page)).getByText(greeting).waitFor();
    assert.deepEqual(wordsAsked(asked), [code]);
    await page.context().close();
  };
  const { version, settings } = await api.ask("GET", "workspace", undefined, headers);
  const changed = await api.ask("PATCH", "workspace", { settings: { ...settings, language: "de" } }, at(version));
  await reads("/main", /^Chat öffnen, /, "Hallo. Wie können wir helfen?", "de");
  const site = await api.ask("GET", `sites/${stack.siteKey}`, undefined, headers);
  const otherwise = await api.ask("PATCH", `sites/${stack.siteKey}`, { overrides: { ...site.overrides, language: "pl" } }, at(site.version));
  await reads("/site", /^Otwórz czat, /, "Dzień dobry. W czym możemy pomóc?", "pl");
  // Whose own it speaks reads that.
  const { page } = await open("/own", { lang: "uk", locale: "nb-NO" });
  await until("the launcher", async () => (await buttonNames(page)).some((each) => /^Відкрити чат, /.test(each)));
  await page.context().close();
  await api.ask("PATCH", `sites/${stack.siteKey}`, { overrides: site.overrides }, at(otherwise.version));
  await api.ask("PATCH", "workspace", { settings }, at(changed.version));
  assert.deepEqual(stack.complaints, []);
});

test("the chat in Arabic runs from the right, on a page that does not", async () => {
  const { page } = await open("/arabic", { lang: "ar", locale: "en-US" });
  await page.evaluate(() => window.Switchboard.open());
  const panel = await findPanel(page);
  await panel.getByText("مرحبًا. كيف يمكننا المساعدة؟").waitFor();
  await until("from the right", () => panel.evaluate(() => document.documentElement.dir === "rtl"));
  await panel.getByLabel("رسالة", { exact: true }).fill("هل لديكم شاي أبيض؟");
  await panel.getByRole("button", { name: "إرسال", exact: true }).click();
  await openRow(agent, "هل لديكم شاي أبيض؟");
  // A preview that is too long loses its end, which is on the left.
  const preview = agent.locator("a.row .row-preview", { hasText: "هل لديكم شاي أبيض؟" });
  assert.equal(await preview.evaluate((element) => getComputedStyle(element).direction), "rtl");
  await answer(agent, "نعم، ثلاثة أنواع.");
  await panel.locator("article.team", { hasText: "ثلاثة أنواع" }).waitFor();
  const at = (locator) => locator.evaluate((element) => {
    const { left, right } = element.getBoundingClientRect();
    return { left, right, middle: (left + right) / 2 };
  });
  const thread = await at(panel.locator(".thread"));
  const mine = await at(panel.locator("article.you .bubble"));
  const theirs = await at(panel.locator("article.team .bubble"));
  assert.ok(mine.middle < thread.middle && theirs.middle > thread.middle, JSON.stringify({ thread, mine, theirs }));
  // A refused file's name stands above the reason, in whichever script it is.
  const empty = (name) => ({ name, mimeType: "application/pdf", buffer: Buffer.alloc(0) });
  await panel.locator("input[type=file]").setInputFiles([empty("receipt.pdf"), empty("إيصال الطلب.pdf")]);
  const begin = (locator) => locator.evaluate((element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    return Math.round(range.getBoundingClientRect().right);
  });
  for (const name of ["receipt.pdf", "إيصال"]) {
    const refused = panel.locator(".upload.bad", { hasText: name });
    assert.equal(await begin(refused.locator("bdi")), await begin(refused.getByRole("alert")), name);
  }
  assert.equal(await panel.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
  assert.deepEqual(await violations(panel), []);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("the chat in Arabic is begun, written in and walked by keys alone, and all of it fits the smallest screen", async () => {
  const { api, headers } = await stack.api();
  const site = await api.ask("GET", `sites/${stack.siteKey}`, undefined, headers);
  const asked = { asks: { name: "optional", email: "needed", phone: "optional" }, consent: "أوافق على شروط الخدمة وعلى معالجة بياناتي." };
  const changed = await api.ask("PATCH", `sites/${stack.siteKey}`, { theme: { ...site.theme, ...asked } }, { ...headers, "if-match": `"${site.version}"` });
  const { page } = await open("/arabic-keys", { lang: "ar", locale: "en-US", viewport: { width: 320, height: 568 } });
  const hands = new Hands(page);
  await until("the focus on the launcher", async () => {
    await hands.press("Tab");
    return page.evaluate(() => document.activeElement?.tagName === "DIV");
  });
  await hands.press("Enter");
  const panel = await findPanel(page);
  await panel.getByRole("button", { name: "بدء المحادثة" }).waitFor();
  await until("the whole screen", () => panel.evaluate(() => innerWidth === 320 && document.documentElement.dir === "rtl"));
  const fits = async (what) => assert.deepEqual([...(await misfits(panel, 320)), ...(await violations(panel))], [], what);
  await hands.at(/^الاسم/, panel);
  await fits("the form");
  await hands.type("نور حداد");
  await hands.reach(/^البريد الإلكتروني/, panel);
  await hands.type("noor at kettle");
  await hands.press("Enter");
  await panel.getByText("هذا ليس عنوان بريد إلكتروني").waitFor();
  await hands.at(/^البريد الإلكتروني/, panel);
  await fits("the form, at fault");
  await hands.press("Control+a");
  await hands.type("noor@kettle.example");
  await hands.reach(/أوافق على شروط/, panel);
  await hands.press("Space");
  await hands.reach("بدء المحادثة", panel);
  await hands.press("Enter");
  await hands.at("رسالة", panel);
  const words = "هل يصل الشاي إلى عمّان هذا الأسبوع؟ https://kettle.example/orders/2207-and-everything-that-belongs-to-it";
  await hands.type(words);
  await hands.press("Enter");
  await sees(panel, "هل يصل الشاي");
  await panel.getByText("أُرسلت", { exact: true }).waitFor();
  await openRow(agent, "هل يصل الشاي");
  await answer(agent, "نعم، يوم الخميس:\n\n- `tin-2207`\n- علبتان\n\n> بلا رسوم");
  await panel.locator("article.team", { hasText: "علبتان" }).waitFor();
  await fits("the thread");

  // The menu of one's words goes down by its keys, and in its own direction.
  await hands.press("Shift+Tab");
  await hands.reach(/^خيارات رسالتك/, panel);
  await hands.press("Enter");
  await hands.at("تعديل", panel);
  await fits("the menu of one's words");
  await hands.press("ArrowDown");
  await hands.at("نسخ", panel);
  await hands.press("ArrowLeft");
  await hands.at("حذف", panel);
  await hands.press("ArrowRight");
  await hands.at("نسخ", panel);
  await hands.press("Escape");
  await hands.at(/^خيارات رسالتك/, panel);
  await hands.reach("إدراج رمز تعبيري", panel);
  await hands.press("Enter");
  const board = panel.getByRole("menu");
  await board.waitFor();
  await fits("the board of emoji");
  const emoji = () => panel.evaluate(() => {
    const { left, top } = document.activeElement.getBoundingClientRect();
    return { role: document.activeElement.getAttribute("role"), left, top };
  });
  await until("the focus on the board", async () => (await emoji()).role === "menuitem");
  const first = await emoji();
  await hands.press("ArrowLeft");
  await until("the one on its left", async () => (await emoji()).left < first.left && (await emoji()).top === first.top);
  await hands.press("Escape");
  await board.waitFor({ state: "detached" });
  await hands.reach("المزيد", panel);
  await hands.press("Enter");
  await board.waitFor();
  await fits("the menu of the chat");
  await hands.press("Escape");
  await hands.at("المزيد", panel);
  // Escape closes.
  await hands.press("Escape");
  await until("the launcher", async () => (await buttonNames(page)).some((name) => /^فتح المحادثة/.test(name)));
  await api.ask("PATCH", `sites/${stack.siteKey}`, { theme: site.theme }, { ...headers, "if-match": `"${changed.version}"` });
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});
