// Words of all scripts and all tricks: nothing overflows, nothing turns what stands beside it, nothing is lost.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Shop, tag } from "../shop.mjs";
import { Stack, answer, findPanel, openRow, say, sees, until } from "../stack.mjs";

let stack;
let shop;
let agent;
before(async () => {
  stack = await Stack.start();
  shop = await Shop.open();
  agent = await stack.console({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
});
after(async () => {
  await shop.close();
  await stack.stop();
});

const log = () => agent.getByRole("log");
const bubble = (words) => log().locator(".bubble", { hasText: words });

/** Nothing is wider than what it stands in. */
async function overflowsNowhere(frame, selector) {
  const over = () => frame.evaluate((selector) => [...document.querySelectorAll(selector)].map((element) => element.scrollWidth - element.clientWidth), selector);
  let widths;
  await until("its width", async () => (widths = await over()).every((width) => width <= 0)).catch(() => assert.fail(`${selector}: ${widths}`));
  assert.equal(await frame.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
}

/** Where words stand on the page, by their own letters. */
const placeOf = (locator, words) => locator.evaluateAll(([element], words) => {
  if (element === undefined) return null;
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const at = node.data.indexOf(words);
    if (at < 0) continue;
    const range = document.createRange();
    range.setStart(node, at);
    range.setEnd(node, at + words.length);
    const { left, right } = range.getBoundingClientRect();
    return { left, right };
  }
  return null;
}, words);

test("a message of a thousand lines is read whole on both sides, and the end of the thread stays in reach", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  const lines = Array.from({ length: 1_000 }, (_, index) => `line ${index + 1}`);
  await say(panel, lines.join("\n"));
  await panel.getByText("Sent", { exact: true }).first().waitFor();
  await openRow(agent, "line 1");
  await until("the end", () => bubble("line 1000").evaluate((element) => element.getBoundingClientRect().bottom <= innerHeight));
  assert.deepEqual((await bubble("line 1000").innerText()).split("\n").filter((line) => line !== "").slice(-2), ["line 999", "line 1000"]);
  await answer(agent, "That is a long one");
  await sees(panel, "That is a long one");
  const atEnd = () => panel.locator(".thread").evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight < 2);
  await until("the end in sight", atEnd);
  // The list tells of it in its two lines.
  const row = agent.locator("a.row").first();
  assert.ok((await row.boundingBox()).height < 120);
  await overflowsNowhere(agent, ".bubble, [role=log]");
  await overflowsNowhere(panel, ".bubble, .thread");
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("words without a place to break, and signs that are seen as nothing, burst no bubble", async () => {
  const { page, panel } = await stack.visitor("/demo/", { viewport: { width: 390, height: 844 } });
  const tricks = [
    `w${"m".repeat(3_000)}`,
    `https://example.com/${"a".repeat(1_500)}`,
    `\`${"c".repeat(900)}\``,
    `> ${"q".repeat(900)}`,
    // Marks upon marks, and letters that are seen as nothing between those that are.
    `Z${"\u0301\u0316".repeat(200)}algo`,
    `zero${"\u200b".repeat(500)}width${"\u200d".repeat(500)}joined`,
  ];
  for (const trick of tricks) {
    await say(panel, trick);
    await panel.locator("article.you").nth(tricks.indexOf(trick)).waitFor();
  }
  await openRow(agent, "zero");
  await until("all of them", async () => (await log().getByRole("article").count()) >= tricks.length);
  await overflowsNowhere(agent, ".bubble, [role=log]");
  await overflowsNowhere(panel, ".bubble, .thread");
  // What hides between letters takes no room, and nothing is lost of it.
  const words = await bubble("width").locator("p").evaluate((element) => element.textContent);
  assert.equal(words, tricks.at(-1));
  assert.ok((await bubble("width").boundingBox()).width < 260);
  const narrow = await stack.console({ viewport: { width: 390, height: 844 } });
  await openRow(narrow, "zero");
  await overflowsNowhere(narrow, ".bubble, [role=log]");
  await narrow.context().close();
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("signs that turn what follows are refused in words and in names, and the words stay to be mended", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "send it to \u202emoc.live@em");
  const refused = panel.locator("article.refused, .bad").filter({ hasText: "moc.live@em" }).first();
  await refused.waitFor();
  await page.evaluate(() => window.Switchboard.identify({ name: "Ana \u202egnp.exe", email: "ana@example.com" }));
  await say(panel, "and under my own name");
  await openRow(agent, "and under my own name");
  assert.equal(await log().getByText("moc.live@em").count(), 0);
  const shown = await agent.evaluate(() => document.body.innerText);
  assert.doesNotMatch(shown, /[\u202d\u202e]/);
  // Isolates, which texts from the right need, are taken, and end with their message.
  await say(panel, "an open \u2067שלום isolate");
  await bubble("isolate").waitFor();
  const said = await placeOf(bubble("isolate"), "isolate");
  const before = await placeOf(bubble("isolate"), "an open");
  assert.ok(said !== null && before !== null);
  const clock = await log().locator(".said-head time").last().boundingBox();
  const name = await log().locator(".said-head .said-name").last().boundingBox();
  assert.ok(name.x + name.width <= clock.x + 1, JSON.stringify({ name, clock }));
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("what is drawn of several signs is one sign, alone and in a name, and is cut nowhere in between", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  const family = "👩‍👩‍👧‍👦";
  const flag = "🏴󠁧󠁢󠁳󠁣󠁴󠁿";
  await page.evaluate((name) => window.Switchboard.identify({ name }), `Ana ${family}`);
  await say(panel, `${family}${flag}👍🏽 done`);
  await openRow(agent, "done");
  await agent.getByRole("heading", { level: 2, name: `Ana ${family}` }).waitFor();
  assert.equal(await bubble("done").locator("p").textContent(), `${family}${flag}👍🏽 done`);
  // One sign is as wide as one sign, where the machine can draw it.
  const widths = await bubble("done").locator("p").evaluate((element, [family, one]) => {
    const measure = document.createElement("span");
    element.append(measure);
    const width = (text) => {
      measure.textContent = text;
      return measure.getBoundingClientRect().width;
    };
    const found = { family: width(family), one: width(one), four: width(one.repeat(4)) };
    measure.remove();
    return found;
  }, [family, "👩"]);
  assert.ok(widths.family <= widths.four, JSON.stringify(widths));
  // Where it is cut it ends with a whole sign: no half of one is ever shown.
  await answer(agent, `${"x".repeat(199)}${family}`);
  await panel.locator("article.team", { hasText: family }).waitFor();
  for (const frame of [agent, panel]) assert.doesNotMatch(await frame.evaluate(() => document.body.innerText), /\ufffd|[\ud800-\udbff](?![\udc00-\udfff])/);
  await answer(agent, `${family} from us, too`);
  await panel.locator("article.team", { hasText: "from us, too" }).waitFor();
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a name that runs from the right turns nothing beside it, in the console and in the panel", async () => {
  const dana = await stack.joins("Dana");
  const { page, panel } = await stack.visitor("/demo/");
  await page.evaluate(() => window.Switchboard.identify({ name: "ليلى حسن" }));
  await say(panel, "מתי אתם פותחים? the shop, I mean");
  const hers = await stack.console({ viewport: { width: 1440, height: 900 } }, dana);
  await hers.goto(`${stack.origin}/console/settings/profile`);
  await hers.getByLabel("Name", { exact: true }).fill("דנה כהן");
  await hers.getByLabel("Name", { exact: true }).blur();
  await hers.getByText("Saved", { exact: true }).first().waitFor();
  await hers.goto(`${stack.origin}/console/inbox/all`);
  await openRow(hers, "the shop, I mean");
  await answer(hers, "We open at nine");
  await sees(panel, "We open at nine");

  // In the console: name, then time; who did what, in that order.
  await openRow(agent, "We open at nine");
  await agent.keyboard.press("Escape");
  const event = log().locator(".event", { hasText: "took this" }).first();
  await event.waitFor();
  const who = await placeOf(event, "דנה כהן");
  const did = await placeOf(event, "took this");
  assert.ok(who.right <= did.left, JSON.stringify({ who, did }));
  for (const head of await log().locator(".said-head").all()) {
    const name = await head.locator(".said-name").boundingBox();
    const time = await head.locator("time").boundingBox();
    assert.ok(name.x + name.width <= time.x + 1);
  }
  // The customer's words run from the right by themselves, ours beside them do not.
  const direction = (words) => bubble(words).locator("p").evaluate((element) => getComputedStyle(element).direction);
  assert.equal(await direction("the shop, I mean"), "rtl");
  assert.equal(await direction("We open at nine"), "ltr");

  // In the panel: who is typing, and who is here. The one is told as long as it is so, and is looked at meanwhile.
  const typing = panel.locator(".typing");
  let typist;
  let types;
  await Promise.all([
    until("who types", async () => (typist = await placeOf(typing, "דנה")) !== null && (types = await placeOf(typing, "is typing")) !== null),
    hers.getByRole("textbox", { name: /^Reply to / }).pressSequentially("and close at six", { delay: 250 }),
  ]);
  assert.ok(typist.right <= types.left, JSON.stringify({ typist, types }));
  const head = panel.locator(".who p");
  await head.filter({ hasText: "דנה" }).waitFor();
  const here = await placeOf(head, "Here now");
  assert.ok(here === null || here.left < (await placeOf(head, "דנה")).left);
  await overflowsNowhere(agent, ".bubble, [role=log]");
  await overflowsNowhere(panel, ".bubble, .thread");
  assert.deepEqual(stack.complaints, []);
  await hers.context().close();
  await page.context().close();
});

test("a conversation in Arabic runs from the right in both, and what is ours to say stays in its place", async () => {
  const page = await stack.person();
  const head = `<script>document.documentElement.lang = "ar"; document.documentElement.dir = "rtl"; window.Switchboard = [["open"]];</script>`;
  await page.goto(shop.page("/arabic", { head: head + tag(stack) }));
  const panel = await findPanel(page);
  const field = panel.getByLabel("رسالة", { exact: true });
  for (const words of ["هل الشاي الأبيض متوفر؟", "أخضر\nأسود", "السعر 12.50 EUR أم 14 USD؟"]) {
    await field.fill(words);
    await panel.getByRole("button", { name: "إرسال", exact: true }).click();
  }
  await openRow(agent, "السعر");
  await answer(agent, "نعم، السعر 12.50 EUR (مع التوصيل)");
  await panel.locator("article.team", { hasText: "مع التوصيل" }).waitFor();
  const prices = await placeOf(bubble("مع التوصيل"), "12.50 EUR");
  const yes = await placeOf(bubble("مع التوصيل"), "نعم");
  assert.ok(prices.right <= yes.left, JSON.stringify({ prices, yes }));
  // Ours stand on our side and theirs on theirs all the same.
  const whole = await log().boundingBox();
  const ours = await bubble("مع التوصيل").boundingBox();
  const theirs = await bubble("هل الشاي").boundingBox();
  assert.ok(ours.x + ours.width > whole.x + whole.width / 2 && theirs.x < whole.x + whole.width / 2);
  // What is being written runs from the right, too.
  const reply = agent.getByRole("textbox", { name: /^Reply to / });
  await reply.fill("مرحبا");
  assert.equal(await reply.evaluate((element) => getComputedStyle(element).direction), "rtl");
  await reply.fill("");
  await overflowsNowhere(agent, ".bubble, [role=log]");
  await overflowsNowhere(panel, ".bubble, .thread");
  for (const frame of [agent, panel]) assert.deepEqual(await violations(frame), []);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});
