// How it looks where somebody measures: nothing lies over something else, is cut off, or is blown up.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { misfits } from "../layout.mjs";
import { Shop, tag } from "../shop.mjs";
import { Stack, answer, findPanel, launcherName, openPanel, openRow, say, sees, until } from "../stack.mjs";

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

const box = (locator) => locator.evaluate((element) => element.getBoundingClientRect().toJSON());

/** Changes the site, as its settings do. */
async function change(site_key, body) {
  const { api, headers } = await stack.api();
  const site = await api.ask("GET", `sites/${site_key}`, undefined, headers);
  return api.ask("PATCH", `sites/${site_key}`, body(site), { ...headers, "if-match": `"${site.version}"` });
}

/** What the launcher's closed shadow root holds, by its classes, as boxes on the page. */
async function launcherBoxes(page) {
  const session = await page.context().newCDPSession(page);
  const { root } = await session.send("DOM.getDocument", { depth: -1, pierce: true });
  const found = {};
  const visit = async (node) => {
    const name = node.attributes?.[node.attributes.indexOf("class") + 1];
    if (["button", "bubble", "preview", "dismiss"].includes(name)) {
      const model = await session.send("DOM.getBoxModel", { nodeId: node.nodeId }).catch(() => null);
      if (model !== null) {
        const [left, top, , , right, bottom] = model.model.border;
        found[name] = { left, top, right, bottom, text: textOf(node) };
      }
    }
    for (const child of [...(node.children ?? []), ...(node.shadowRoots ?? [])]) await visit(child);
  };
  await visit(root);
  await session.detach();
  return found;
}

const textOf = (node) => (node.nodeValue ?? "") + (node.children ?? []).map(textOf).join(" ");

/** Waits until boxes stand as they should: they are measured one after the other, and what is new may still move. */
async function stands(measure, isRight) {
  let boxes;
  await until("its place", async () => isRight((boxes = await measure()))).catch(() => assert.fail(JSON.stringify(boxes)));
  return boxes;
}

const inside = (inner, outer) => inner.left >= outer.left && inner.right <= outer.right && inner.top >= outer.top && inner.bottom <= outer.bottom;

for (const [where, side, dir, words] of [
  ["on the right", "end", "ltr", "First of two: the kettle is back"],
  ["on the left", "start", "ltr", "First of two: the kettle is here"],
  ["on a page from right to left", "end", "rtl", "الغلاية هنا مرة أخرى، هل تريد واحدة منها"],
  ["on the start of a page from right to left", "start", "rtl", "שלום, הקומקום חזר למלאי ואפשר להזמין"],
]) {
  test(`the bubble shows the first unread line, with its cross in its own corner, ${where}`, async () => {
    await change(stack.siteKey, (site) => ({ theme: { ...site.theme, launcher_side: side } }));
    // Boxes are measured one after the other: nothing may move meanwhile.
    const page = await stack.person({ reducedMotion: "reduce" });
    await page.goto(shop.page("/bubble", { head: tag(stack), body: `<script>document.documentElement.dir = "${dir}"</script><button data-chat onclick="Switchboard.open()">Chat</button>` }));
    await until("the widget", () => page.evaluate(() => window.Switchboard !== undefined));
    const panel = await openPanel(page);
    await say(panel, `a question ${where}`);
    await openRow(agent, `a question ${where}`);
    await answer(agent, "Read while the chat is open");
    await sees(panel, "Read while the chat is open");
    await agent.getByText("Seen", { exact: true }).first().waitFor();
    await panel.getByRole("button", { name: "Close chat" }).click();
    await answer(agent, words);
    await answer(agent, "And a second one");
    await sees(panel, "And a second one");
    const view = await page.evaluate(() => ({ left: 0, top: 0, right: innerWidth, bottom: innerHeight }));
    const { preview } = await stands(() => launcherBoxes(page), ({ bubble, preview, dismiss }) =>
      bubble !== undefined && preview !== undefined && dismiss !== undefined
      && preview.text.includes(words)
      && inside(bubble, view) && inside(preview, bubble) && inside(dismiss, bubble)
      && (preview.right <= dismiss.left + 1 || dismiss.right <= preview.left + 1)
      && dismiss.top - bubble.top < 4);
    assert.doesNotMatch(preview.text, /second|Read while/);
    assert.deepEqual(stack.complaints, []);
    await page.context().close();
  });
}

test("the menu of a message is seen whole, wherever the message stands", async () => {
  await change(stack.siteKey, (site) => ({ theme: { ...site.theme, launcher_side: "end" } }));
  for (const viewport of [{ width: 1280, height: 800 }, { width: 320, height: 420 }]) {
    const { page, panel } = await stack.visitor("/demo/", { viewport });
    await say(panel, "short");
    await say(panel, "one that is so long that its line fills all the room that a message may take, and then some more of it");
    await panel.getByText("Sent", { exact: true }).first().waitFor();
    const thread = panel.locator(".thread");
    for (const index of [0, 1]) {
      const message = panel.locator("article.message").nth(index);
      // At the upper edge, where there is the least room.
      await message.evaluate((element) => element.scrollIntoView({ block: "start" }));
      await message.getByRole("button", { name: /^Options/ }).click();
      const boxes = async () => ({ viewport, index, menu: await box(panel.getByRole("menu")), seen: await box(thread) });
      await stands(boxes, ({ menu, seen }) => inside(menu, seen));
      await page.keyboard.press("Escape");
    }
    assert.deepEqual(stack.complaints, []);
    await page.context().close();
  }
});

/** A picture of one color. */
const picture = (page, width, height) => page.evaluate(([width, height]) => {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.fillStyle = "#2f5d43";
  context.fillRect(0, 0, width, height);
  return canvas.toDataURL("image/png").split(",")[1];
}, [width, height]);

test("a small picture stays small, and a large one keeps its shape", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  for (const [name, width, height] of [["dot.png", 20, 12], ["wide.png", 900, 300]]) {
    const buffer = Buffer.from(await picture(page, width, height), "base64");
    await panel.locator("input[type=file]").setInputFiles({ name, mimeType: "image/png", buffer });
    await panel.locator(".upload", { hasText: "KB" }).or(panel.locator(".upload", { hasText: " B" })).waitFor();
    await panel.getByRole("button", { name: "Send" }).click();
    const image = panel.getByRole("img", { name });
    await image.waitFor();
    await until("the whole picture", () => image.evaluate((element) => element.complete && element.naturalWidth > 0));
    await stands(() => box(image), (shown) =>
      shown.width <= width && shown.height <= height && Math.abs(shown.width / shown.height - width / height) < 0.05);
  }
  // Looked at: fitted into the panel, then in full, and Escape leads back to the conversation, not out of it.
  const thumb = panel.getByRole("button", { name: "Look at wide.png" });
  await thumb.click();
  const look = panel.getByRole("dialog", { name: "wide.png" });
  const whole = look.getByRole("img", { name: "wide.png" });
  await stands(() => box(whole), (shown) => shown.width > 300 && shown.width <= 380);
  assert.deepEqual(await violations(panel), []);
  const larger = look.getByRole("button", { name: "Full size" });
  await larger.click();
  await stands(() => box(whole), (shown) => shown.width === 900);
  assert.equal(await larger.getAttribute("aria-pressed"), "true");
  const [saved] = await Promise.all([page.waitForEvent("download"), look.getByRole("link", { name: "Save wide.png" }).click()]);
  assert.equal(saved.suggestedFilename(), "wide.png");
  await page.keyboard.press("Escape");
  await look.waitFor({ state: "detached" });
  await until("the focus to come back", () => thumb.evaluate((element) => element === document.activeElement));
  assert.match(await launcherName(page), /^Close chat/);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("of many pictures those are fetched that are nearly in sight", async () => {
  const { page, panel } = await stack.visitor("/demo/", { viewport: { width: 1280, height: 430 } });
  const files = await Promise.all([...Array(10).keys()].map(async (index) =>
    ({ name: `tin-${index}.png`, mimeType: "image/png", buffer: Buffer.from(await picture(page, 300, 200 + index), "base64") })));
  await panel.locator("input[type=file]").setInputFiles(files);
  await until("all to be up", async () => (await panel.locator(".upload .quiet").count()) === 10);
  await panel.getByRole("button", { name: "Send", exact: true }).click();
  await panel.getByRole("button", { name: "Look at tin-9.png" }).waitFor();
  const fetched = new Set();
  page.on("request", (request) => {
    if (request.method() === "GET" && request.url().includes("/api/v1/attachments/")) fetched.add(request.url());
  });
  await page.reload();
  const again = await openPanel(page);
  await again.getByRole("img", { name: "tin-9.png" }).waitFor();
  assert.ok(fetched.size < 10, `${fetched.size} at once`);
  for (const { name } of [...files].reverse()) {
    const one = again.getByRole("button", { name: `Look at ${name}` });
    await one.evaluate((element) => element.scrollIntoView());
    await one.getByRole("img").waitFor();
  }
  assert.equal(fetched.size, 10);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a message sounds where the visitor wants it to and looks elsewhere, also after a reload", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "tell me when it is there");
  await openRow(agent, "tell me when it is there");
  const listen = (frame) => frame.evaluate(() => {
    window.tones = 0;
    const { start } = OscillatorNode.prototype;
    OscillatorNode.prototype.start = function (...when) {
      window.tones += 1;
      return start.apply(this, when);
    };
  });
  const tones = (frame, wanted) => until(`${wanted} tones`, async () => (await frame.evaluate(() => window.tones)) === wanted);
  await listen(panel);
  await answer(agent, "without a sound");
  await sees(panel, "without a sound");
  await tones(panel, 0);
  await panel.getByRole("button", { name: "More", exact: true }).click();
  await panel.getByRole("menuitem", { name: "Play a sound for new messages" }).click();
  // Once when it is turned on; what is read at once needs none.
  await tones(panel, 2);
  await answer(agent, "in sight");
  await sees(panel, "in sight");
  await tones(panel, 2);
  await panel.getByRole("button", { name: "Close chat" }).click();
  await until("the panel to be shut", async () => (await launcherName(page)).startsWith("Open chat"));
  await answer(agent, "out of sight");
  await tones(panel, 4);

  await page.reload();
  const again = await openPanel(page);
  await again.getByRole("button", { name: "More", exact: true }).click();
  await again.getByRole("menuitem", { name: "Play no sound" }).click();
  await listen(again);
  await again.getByRole("button", { name: "Close chat" }).click();
  await until("the panel to be shut", async () => (await launcherName(page)).startsWith("Open chat"));
  await answer(agent, "and silent again");
  await sees(again, "and silent again");
  await tones(again, 0);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("while a message is changed nothing can be attached to it, and a deleted one says no more than that", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "to be changed");
  await panel.getByText("Sent", { exact: true }).first().waitFor();
  const options = panel.getByRole("button", { name: /^Options/ });
  await options.click();
  await panel.getByRole("menuitem", { name: "Edit" }).click();
  await panel.getByRole("button", { name: "Attach files" }).waitFor({ state: "detached" });
  await panel.getByLabel("Message", { exact: true }).fill("was changed");
  await panel.getByRole("button", { name: "Save" }).click();
  await panel.getByText("Edited").waitFor();
  await panel.getByRole("button", { name: "Attach files" }).waitFor();
  await options.click();
  await panel.getByRole("menuitem", { name: "Delete" }).click();
  await panel.getByText("You deleted this message").waitFor();
  await panel.getByText("Edited").waitFor({ state: "detached" });
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("each block of a message stands apart from the one before, on both sides", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "how do I brew it?");
  await openRow(agent, "how do I brew it?");
  await answer(agent, "Like this:\n\n- rinse\n\n```\nbrew 90 C\n```\n\n> slowly\n\nthen wait");
  await sees(panel, "then wait");
  const gaps = (locator) => locator.evaluate((body) => {
    const boxes = [...body.children].map((child) => child.getBoundingClientRect());
    return boxes.slice(1).map((one, index) => Math.round(one.top - boxes[index].bottom));
  });
  const even = (found) => found.join() === "6,6,6,6";
  await stands(() => gaps(panel.locator("article.team .words").last()), even);
  await stands(() => gaps(agent.locator(".bubble .body", { hasText: "then wait" }).last()), even);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("at 820 px the side panel lies over nothing, and at 400 % there is a thread to read", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "room for three?");
  await sees(panel, "room for three?");
  const middle = await stack.console({ viewport: { width: 820, height: 900 } });
  await openRow(middle, "room for three?");
  await middle.getByRole("button", { name: "Show the side panel" }).click();
  await stands(async () => ({
    side: await box(middle.getByRole("complementary", { name: "Contact" })),
    main: await box(middle.getByRole("region", { name: "Conversation", exact: true })),
  }), ({ side, main }) => main.right <= side.left && main.width > 400);
  await middle.getByRole("button", { name: "Hide the side panel" }).click();
  await middle.locator("a.row", { hasText: "room for three?" }).waitFor();
  await middle.context().close();

  const large = await stack.console({ viewport: { width: 320, height: 256 } });
  await openRow(large, "room for three?");
  await stands(() => box(large.getByRole("log")), ({ height }) => height >= 100);
  await large.getByRole("button", { name: "Send" }).waitFor();
  await stands(() => large.evaluate(() => document.documentElement.scrollWidth), (width) => width === 320);
  assert.deepEqual(stack.complaints, []);
  await large.context().close();
  await page.context().close();
});

test("at 400 % the chat has its last words, a line to write in and a way out in sight, and what is asked first can be reached", async () => {
  const viewport = { width: 320, height: 256 };
  const { page, panel } = await stack.visitor("/demo/", { viewport });
  for (const words of ["is there room", "for all of this", "at four times the size?"]) {
    await say(panel, words);
    await sees(panel, words);
  }
  await openRow(agent, "at four times the size?");
  await answer(agent, "There is.");
  await sees(panel, "There is.");
  const whole = { left: 0, top: 0, right: 320, bottom: 256 };
  const parts = async () => ({
    head: await box(panel.locator("header")),
    close: await box(panel.getByRole("button", { name: "Close chat" })),
    last: await box(panel.locator("article.message .bubble").last()),
    field: await box(panel.getByLabel("Message", { exact: true })),
    send: await box(panel.getByRole("button", { name: "Send" })),
  });
  await stands(parts, ({ head, close, last, field, send }) => [close, field, send].every((part) => inside(part, whole)) && inside(last, { ...whole, top: head.bottom, bottom: field.top }));
  assert.deepEqual(await misfits(panel, 320), []);

  const asking = (asks) => change(stack.siteKey, ({ theme }) => ({ theme: { ...theme, asks } }));
  await asking({ name: "needed", email: "needed", phone: "optional" });
  const asked = await stack.person({ viewport });
  await asked.goto(`${stack.origin}/demo/`);
  await asked.locator("[data-chat]").first().click();
  const form = await findPanel(asked);
  await form.getByLabel("Name").fill("Ana");
  for (const label of ["E-mail", "Phone (optional)"]) {
    await asked.keyboard.press("Tab");
    await stands(() => box(form.getByLabel(label)), (part) => inside(part, whole));
    await until(`the focus on ${label}`, () => form.getByLabel(label).evaluate((field) => field === document.activeElement));
  }
  await asked.keyboard.press("Tab");
  await stands(async () => ({
    begin: await box(form.getByRole("button", { name: "Begin the chat" })),
    close: await box(form.getByRole("button", { name: "Close chat" })),
  }), ({ begin, close }) => inside(begin, whole) && inside(close, whole));
  assert.deepEqual(await misfits(form, 320), []);
  await asking({ name: "never", email: "never", phone: "never" });
  assert.deepEqual(stack.complaints, []);
  await asked.context().close();
  await page.context().close();
});

test("a name of any length is cut, and nothing beside it", async () => {
  const name = "Wolfeschlegelsteinhausenbergerdorff".repeat(5);
  const { page, panel } = await stack.visitor("/demo/");
  await page.evaluate((name) => window.Switchboard.identify({ name }), name);
  await say(panel, "who could read that?");
  await openRow(agent, "who could read that?");
  await agent.getByRole("heading", { level: 2, name }).waitFor();
  const log = agent.getByRole("log");
  const line = log.getByRole("article").first();
  await line.waitFor();
  await stands(() => log.evaluate((element) => element.scrollWidth - element.clientWidth), (over) => over === 0);
  await stands(async () => ({ time: await box(line.locator("time")), log: await box(log) }), ({ time, log }) => inside(time, log));
  await stands(async () => ({
    form: await box(agent.getByRole("form", { name: "Write a reply" })),
    words: await box(agent.getByText("is here and reads this now")),
  }), ({ form, words }) => form.height < 160 && words.width > 100 && inside(words, form));
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("several names of the team stay on one line", async () => {
  const { api, headers } = await stack.api();
  const others = [];
  for (const name of ["Alexandra Konstantinopoulou", "Maximilian von Hohenstein"]) {
    const email = `${name.split(" ")[0].toLowerCase()}@example.com`;
    const invited = await api.ask("POST", "invitations", { email, role: "agent" }, headers);
    await api.ask("POST", "invitations/accept", { token: invited.link.split("token=")[1], name, password: "correct-horse-battery" });
    const other = await stack.person();
    await other.goto(`${stack.origin}/console/sign-in`);
    await other.getByLabel("E-mail").fill(email);
    await other.getByLabel("Password").fill("correct-horse-battery");
    await other.getByRole("button", { name: "Sign in" }).click();
    await other.waitForURL(/\/console\/inbox\//);
    others.push(other);
  }
  const { page, panel } = await stack.visitor("/demo/");
  const line = panel.locator(".who p");
  await line.filter({ hasText: /^Here now: .*Konstantinopoulou.*Hohenstein|^Here now: .*Hohenstein.*Konstantinopoulou/ }).waitFor();
  await stands(() => box(line), ({ height }) => height < 24);
  for (const other of others) await other.context().close();
  await page.context().close();
  assert.deepEqual(stack.complaints, []);
});
