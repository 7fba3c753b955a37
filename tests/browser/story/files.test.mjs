// Files of a message: in the order in which they were added, and in sight while the message waits.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Stack, openRow, say, sees, until } from "../stack.mjs";

let stack;
before(async () => (stack = await Stack.start()));
after(() => stack.stop());

/** A visitor who said something, and a console in which that is open. */
async function conversation(text) {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, text);
  const agent = await stack.console();
  await openRow(agent, text);
  await agent.getByRole("textbox", { name: /^Reply to / }).waitFor();
  return { agent, page, panel };
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

/** A picture of one color. */
async function pictureOf(page, name, color) {
  const url = await page.evaluate((color) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 160, height: 90 });
    const context = canvas.getContext("2d");
    context.fillStyle = color;
    context.fillRect(0, 0, 160, 90);
    return canvas.toDataURL("image/png");
  }, color);
  return { name, mimeType: "image/png", buffer: Buffer.from(url.split(",")[1], "base64") };
}

/** Whether a picture is in sight, with its bytes. */
const isSeen = (image) => image.evaluate((element) => element.complete && element.naturalWidth === 160);

test("files stand in the order in which they were added, whichever was up first", async () => {
  const { agent, page, panel } = await conversation("Which forms do I need?");
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
  assert.deepEqual(await names(panel.locator("article.message", { hasText: "These three" }).locator(".file")), order);
  assert.deepEqual(await names(agent.locator(".said", { hasText: "These three" }).locator(".file")), order);

  const releaseTheirs = await holdFirst(page, "first.txt");
  await panel.locator(".composer input[type=file]").setInputFiles(order.map(text));
  await until("two of three to be up", async () => (await panel.locator(".upload > .quiet").count()) === 2);
  assert.deepEqual(await names(panel.locator(".upload")), order);
  releaseTheirs();
  await until("all of them to be up", async () => (await panel.locator(".upload > .quiet").count()) === 3);
  await say(panel, "Filled in");
  const filled = agent.locator(".said", { hasText: "Filled in" });
  await filled.waitFor();
  assert.deepEqual(await names(filled.locator(".file")), order);
  assert.deepEqual(stack.complaints, []);
  for (const each of [agent, page]) await each.context().close();
});

test("what waits to be sent shows its files, to the agent and to the visitor", async () => {
  const { agent, page, panel } = await conversation("What does the tin look like?");
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
  await until("the message to be sent", async () => /sent|delivered|seen/.test((await sent.getAttribute("data-mark")) ?? ""));
  assert.equal(await isSeen(sent.getByRole("img", { name: "tin.png" })), true);
  const arrived = agent.locator(".said[data-side=theirs]").last().getByRole("img", { name: "tin.png" });
  await until("the picture of the visitor", () => isSeen(arrived));
  await until("the picture of the agent", () => isSeen(panel.locator("article.message.team").last().getByRole("img", { name: "tin.png" })));
  assert.deepEqual(stack.complaints, []);
  for (const each of [agent, page]) await each.context().close();
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
