// Pictures out of the clipboard: seen before they are sent, and by the other side.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Stack, answer, openRow, say, sees, until } from "../stack.mjs";

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

/** Copies a picture of one color, as a drawing program would, and pastes it where one writes. */
async function paste(page, field, color) {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"], { origin: stack.origin });
  await page.bringToFront();
  await page.evaluate(async (color) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 160, height: 90 });
    const context = canvas.getContext("2d");
    context.fillStyle = color;
    context.fillRect(0, 0, 160, 90);
    const picture = await new Promise((done) => canvas.toBlob(done, "image/png"));
    await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]);
  }, color);
  await field.focus();
  await page.keyboard.press("Control+V");
}

/** The color in the middle of a picture that is seen. */
async function colorOf(image) {
  await image.waitFor();
  await until("the whole picture", () => image.evaluate((element) => element.complete && element.naturalWidth > 0));
  return image.evaluate((element) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
    const context = canvas.getContext("2d");
    context.drawImage(element, 0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  });
}

test("a picture that is pasted is seen before it is sent, and by the other side after", async () => {
  const { agent, page, panel } = await conversation("I paste you a picture");
  const field = panel.getByLabel("Message", { exact: true });
  await paste(page, field, "rgb(200, 40, 40)");
  assert.deepEqual(await colorOf(panel.locator(".upload img")), [200, 40, 40]);
  await panel.locator(".upload .quiet").waitFor();
  await say(panel, "This is the tin");
  const theirs = agent.getByRole("log").locator(".said", { hasText: "This is the tin" }).getByRole("img");
  assert.deepEqual(await colorOf(theirs), [200, 40, 40]);

  await paste(agent, agent.getByRole("textbox", { name: /^Reply to / }), "rgb(40, 90, 200)");
  const chip = agent.locator(".composer .chip");
  await chip.getByText(/^PNG \d+ k?B$/).waitFor();
  assert.deepEqual(await colorOf(chip.locator("img")), [40, 90, 200]);
  assert.deepEqual(await violations(agent), []);
  await answer(agent, "And this is the other one");
  await chip.waitFor({ state: "detached" });
  await sees(panel, "And this is the other one");
  const ours = panel.locator("article.message", { hasText: "And this is the other one" }).getByRole("img");
  assert.deepEqual(await colorOf(ours), [40, 90, 200]);
  assert.deepEqual(stack.complaints, []);
  for (const each of [agent, page]) await each.context().close();
});
