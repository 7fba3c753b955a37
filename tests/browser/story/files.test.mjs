// Files of a message: in the order in which they were added, and in sight while the message waits.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Stack, answer, openRow, say, sees, until } from "../stack.mjs";

let stack;
let agent;
before(async () => {
  stack = await Stack.start();
  agent = await stack.console();
});
after(() => stack.stop());

/** A visitor who said something, in a conversation that is open in the console. */
async function conversation(text) {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, text);
  await openRow(agent, text);
  await agent.getByRole("textbox", { name: /^Reply to / }).waitFor();
  return { page, panel };
}

/** Lets the first file of this page arrive last: it is held until the others are up. */
async function holdFirst(page, first) {
  let release;
  const released = new Promise((done) => (release = done));
  await page.route("**/api/v1/attachments", async (route) => {
    const name = decodeURIComponent(route.request().headers()["switchboard-file-name"] ?? "");
    if (name === first) await released;
    await route.continue();
  });
  return release;
}

const text = (name) => ({ name, mimeType: "text/plain", buffer: Buffer.from(`this is ${name}\n`) });
const names = (files) => files.evaluateAll((all) => all.map((file) => file.textContent.match(/[a-z]+\.txt/)?.[0]));

/** Waits until files stand in this order. */
const inOrder = (files, order) => until(`${order} in this order`, async () => (await names(files)).join() === order.join());

/** A picture of one color. */
async function pictureOf(page, name, color, width = 160, height = 90) {
  const url = await page.evaluate(([color, width, height]) => {
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const context = canvas.getContext("2d");
    context.fillStyle = color;
    context.fillRect(0, 0, width, height);
    return canvas.toDataURL("image/png");
  }, [color, width, height]);
  return { name, mimeType: "image/png", buffer: Buffer.from(url.split(",")[1], "base64") };
}

/** Whether a picture is in sight, with its bytes. */
const isSeen = (image) => image.evaluate((element) => element.complete && element.naturalWidth === 160);

test("files stand in the order in which they were added, whichever was up first", async () => {
  const { page, panel } = await conversation("Which forms do I need?");
  const order = ["first.txt", "second.txt", "third.txt"];

  const release = await holdFirst(agent, "first.txt");
  await agent.locator(".composer input[type=file]").setInputFiles(order.map(text));
  const chips = agent.locator(".composer .chip");
  await until("two of three to be up", async () => (await agent.locator(".composer .chip .faint").count()) === 2);
  assert.deepEqual(await names(chips), order);
  release();
  await until("all of them to be up", async () => (await agent.locator(".composer .chip .faint").count()) === 3);
  assert.deepEqual(await names(chips), order);
  await agent.getByRole("textbox", { name: /^Reply to / }).fill("These three");
  await agent.getByRole("button", { name: "Send", exact: true }).click();
  await sees(panel, "These three");
  await inOrder(panel.locator("article.message", { hasText: "These three" }).locator(".file"), order);
  await inOrder(agent.locator(".said", { hasText: "These three" }).locator(".file"), order);

  const releaseTheirs = await holdFirst(page, "first.txt");
  await panel.locator(".composer input[type=file]").setInputFiles(order.map(text));
  await until("two of three to be up", async () => (await panel.locator(".upload > .quiet").count()) === 2);
  assert.deepEqual(await names(panel.locator(".upload")), order);
  releaseTheirs();
  await until("all of them to be up", async () => (await panel.locator(".upload > .quiet").count()) === 3);
  await say(panel, "Filled in");
  const filled = agent.locator(".said", { hasText: "Filled in" });
  await filled.waitFor();
  await inOrder(filled.locator(".file"), order);
  assert.deepEqual(stack.complaints, []);
  await agent.unrouteAll();
  await page.context().close();
});

test("files go up while another conversation is open, and wait in the draft of their own", async () => {
  const { page, panel } = await conversation("Where is the form?");
  const other = await stack.visitor("/demo/");
  await say(other.panel, "And where is my parcel?");
  const gates = new Map();
  await agent.route("**/api/v1/attachments", async (route) => {
    const name = decodeURIComponent(route.request().headers()["switchboard-file-name"] ?? "");
    const way = await new Promise((done) => gates.set(name, done));
    gates.delete(name);
    await route[way]();
  });
  const goes = async (name, way) => (await until(`${name} to be on its way`, () => gates.get(name)))(way);
  const chips = agent.locator(".composer .chip");
  const chip = (name) => chips.filter({ hasText: name });
  await agent.locator(".composer input[type=file]").setInputFiles(["form.txt", "lost.txt", "map.txt"].map(text));
  await goes("map.txt", "continue");
  await chip("map.txt").locator(".faint").waitFor();

  await openRow(agent, "And where is my parcel?");
  await chips.first().waitFor({ state: "detached" });
  const row = (name) => agent.locator("a.row", { hasText: `Draft: ${name}` });
  await row("map.txt").click();
  await chip("form.txt").getByRole("progressbar").waitFor();
  await inOrder(chips, ["form.txt", "lost.txt", "map.txt"]);

  await openRow(agent, "And where is my parcel?");
  await goes("form.txt", "continue");
  await goes("lost.txt", "abort");
  await row("form.txt").waitFor();
  await answer(agent, "It is on its way");
  await sees(other.panel, "It is on its way");
  assert.equal(await other.panel.locator("article.team .file").count(), 0);
  await row("form.txt").click();
  await chip("lost.txt").getByRole("alert").waitFor();
  await inOrder(chips, ["form.txt", "lost.txt", "map.txt"]);
  assert.deepEqual(await violations(agent), []);
  await chip("lost.txt").getByRole("button", { name: "Try again" }).click();
  await goes("lost.txt", "continue");
  await chip("lost.txt").locator(".faint").waitFor();
  await agent.getByRole("textbox", { name: /^Reply to / }).fill("Here are all three");
  await agent.getByRole("button", { name: "Send", exact: true }).click();
  await sees(panel, "Here are all three");
  await inOrder(panel.locator("article.message", { hasText: "Here are all three" }).locator(".file"), ["form.txt", "lost.txt", "map.txt"]);
  await row("").waitFor({ state: "detached" });
  assert.deepEqual(stack.complaints, []);
  await agent.unrouteAll();
  for (const each of [page, other.page]) await each.context().close();
});

test("what waits to be sent shows its files, to the agent and to the visitor", async () => {
  const { page, panel } = await conversation("What does the tin look like?");
  const tin = await pictureOf(page, "tin.png", "rgb(40, 90, 200)");

  await agent.locator(".composer input[type=file]").setInputFiles([tin, text("prices.txt")]);
  await until("both to be up", async () => (await agent.locator(".composer .chip .faint").count()) === 2);
  await panel.locator(".composer input[type=file]").setInputFiles(tin);
  await panel.locator(".upload > .quiet").waitFor();
  stack.cable.cut();

  await agent.getByRole("button", { name: "Send", exact: true }).click();
  const ours = agent.locator(".said[data-mark=sending]");
  await ours.locator(".file", { hasText: "prices.txt" }).getByText("TXT · 19 B").waitFor();
  await until("the waiting picture", () => isSeen(ours.getByRole("img", { name: "tin.png" })));
  assert.deepEqual(await violations(agent), []);
  await panel.getByRole("button", { name: "Send", exact: true }).click();
  const theirs = panel.locator("article.message.you").last();
  await until("the waiting picture of the visitor", () => isSeen(theirs.getByRole("img", { name: "tin.png" })));

  stack.cable.mend();
  const sent = agent.locator(".said[data-side=ours]").last();
  // In vain only once, on a busy machine: what stood there then would have told why.
  const isSent = until("the message to be sent", async () => /sent|delivered|seen/.test((await sent.getAttribute("data-mark")) ?? ""));
  await isSent.catch(async ({ message }) => assert.fail(`${message}: ${(await agent.locator(".slip, .said").allInnerTexts()).join(" | ")}`));
  await until("the picture that was sent", () => isSeen(sent.getByRole("img", { name: "tin.png" })));
  const arrived = agent.locator(".said[data-side=theirs]").last().getByRole("img", { name: "tin.png" });
  await until("the picture of the visitor", () => isSeen(arrived));
  await until("the picture of the agent", () => isSeen(panel.locator("article.message.team").last().getByRole("img", { name: "tin.png" })));
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("an agent looks at a picture in the whole window, saves it there, and is back where he was", async () => {
  const { page, panel } = await conversation("Here is the tin");
  const wide = await pictureOf(page, "wide.png", "rgb(200, 90, 40)", 1_900, 400);
  await panel.locator(".composer input[type=file]").setInputFiles(wide);
  await panel.locator(".upload > .quiet").waitFor();
  await panel.getByRole("button", { name: "Send", exact: true }).click();
  const thumb = agent.getByRole("button", { name: "Look at wide.png" });
  await thumb.locator("img").waitFor();
  await thumb.focus();
  await agent.keyboard.press("Enter");
  const look = agent.getByRole("dialog", { name: "wide.png" });
  const whole = look.getByRole("img", { name: "wide.png" });
  await until("the fitted picture", async () => {
    const { width } = await whole.boundingBox();
    return width > 1_000 && width <= 1_280;
  });
  assert.deepEqual(await violations(agent), []);
  // Keys of the list lie under it.
  const address = agent.url();
  await agent.keyboard.press("k");
  await agent.keyboard.press("j");
  assert.equal(agent.url(), address);
  const larger = look.getByRole("button", { name: "Full size" });
  await larger.press("Enter");
  await until("the full size", async () => (await whole.boundingBox()).width === 1_900);
  await until("the button to say so", async () => (await larger.getAttribute("aria-pressed")) === "true");
  const [saved] = await Promise.all([agent.waitForEvent("download"), look.getByRole("link", { name: "Save wide.png" }).press("Enter")]);
  assert.equal(saved.suggestedFilename(), "wide.png");
  await agent.keyboard.press("Escape");
  await look.waitFor({ state: "detached" });
  await until("the focus to come back", () => thumb.evaluate((button) => button === document.activeElement));
  // With the mouse: beside the picture is the way out.
  await thumb.click();
  await look.waitFor();
  await agent.mouse.click(640, 780);
  await look.waitFor({ state: "detached" });
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("of many pictures in a conversation an agent's page fetches those that are nearly in sight", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "All of our tins");
  const files = [];
  for (let index = 0; index < 10; index += 1) files.push(await pictureOf(page, `tin-${index}.png`, `rgb(${index}, 90, 40)`, 300, 240));
  await panel.locator("input[type=file]").setInputFiles(files);
  await until("all to be up", async () => (await panel.locator(".upload .quiet").count()) === 10);
  await panel.getByRole("button", { name: "Send", exact: true }).click();
  await panel.getByRole("button", { name: "Look at tin-9.png" }).waitFor();
  const low = await stack.console({ viewport: { width: 1_280, height: 560 } });
  const fetched = new Set();
  low.on("request", (request) => {
    if (request.method() === "GET" && request.url().includes("/api/v1/attachments/")) fetched.add(request.url());
  });
  await low.locator("a.row").first().click();
  const last = low.getByRole("button", { name: "Look at tin-9.png" });
  await until("the last picture", () => last.locator("img").evaluate((image) => image.complete && image.naturalWidth === 300).catch(() => false));
  const first = low.getByRole("button", { name: "Look at tin-0.png" });
  assert.equal(await first.locator("img").count(), 0);
  assert.ok(fetched.size < 8, `${fetched.size} were fetched`);
  await first.scrollIntoViewIfNeeded();
  await until("the first picture", () => first.locator("img").evaluate((image) => image.complete && image.naturalWidth === 300).catch(() => false));
  assert.deepEqual(stack.complaints, []);
  for (const each of [low, page]) await each.context().close();
});

test("a file that cannot go says why, where it is seen", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  const empty = { name: "empty.txt", mimeType: "text/plain", buffer: Buffer.alloc(0) };
  await panel.locator(".composer input[type=file]").setInputFiles([..."abcde"].map((name) => text(`${name}.txt`)).concat(empty));
  const reason = panel.getByText("The file is empty");
  await reason.waitFor();
  await until("the reason in sight", () =>
    reason.evaluate((element) => {
      const [line, list] = [element, element.closest(".uploads")].map((each) => each.getBoundingClientRect());
      return line.top >= list.top && line.bottom <= list.bottom;
    }));
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("who signs out while a file is on its way is asked, and may stay", async () => {
  const { page } = await conversation("Where is the manual?");
  // A console of its own, as it is left in the end.
  const agent = await stack.console();
  await openRow(agent, "Where is the manual?");
  let asked_count = 0;
  const release = await holdFirst(agent, "manual.txt");
  await agent.route("**/api/v1/logout", (route) => {
    asked_count += 1;
    return route.continue();
  });
  await agent.locator(".composer input[type=file]").setInputFiles(text("manual.txt"));
  const chip = agent.locator(".composer .chip", { hasText: "manual.txt" });
  await chip.getByRole("progressbar").waitFor();
  const signOut = async () => {
    await agent.getByRole("button", { name: /, menu of / }).click();
    await agent.getByRole("menuitem", { name: "Sign out" }).click();
  };
  await signOut();
  const window = agent.getByRole("dialog", { name: "Sign out now?" });
  await window.getByText("The file “manual.txt”, which is not up yet").waitFor();
  assert.deepEqual(await violations(agent), []);
  await window.getByRole("button", { name: "Stay" }).click();
  await window.waitFor({ state: "detached" });
  // By keys it is the same.
  await agent.keyboard.press("Control+k");
  await agent.getByRole("combobox", { name: "Find anything" }).fill("sign out");
  await agent.getByRole("option", { name: "Sign out" }).waitFor();
  await agent.keyboard.press("Enter");
  await window.waitFor();
  await agent.keyboard.press("Escape");
  await window.waitFor({ state: "detached" });
  assert.equal(asked_count, 0);
  await chip.getByRole("progressbar").waitFor();
  await signOut();
  await window.getByRole("button", { name: "Sign out all the same" }).click();
  await agent.getByLabel("Password").waitFor();
  assert.equal(asked_count, 1);
  release();

  // Where nothing would be lost nobody is asked; a draft is none of that.
  const other = await stack.console();
  await openRow(other, "Where is the manual?");
  await other.getByRole("textbox", { name: /^Reply to / }).fill("In the box");
  await other.getByRole("button", { name: /, menu of / }).click();
  await other.getByRole("menuitem", { name: "Sign out" }).click();
  await other.getByLabel("Password").waitFor();
  assert.deepEqual(stack.complaints, []);
  for (const each of [agent, other, page]) await each.context().close();
});
