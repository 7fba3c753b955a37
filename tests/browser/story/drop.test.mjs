// Files that are dropped, on the panel and on the console, by the browser's own dragging; and uploads that are called off.

import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Stack, chooseLarge, openRow, say, sees, until } from "../stack.mjs";

let stack;
let agent;
let folder;
before(async () => {
  stack = await Stack.start();
  agent = await stack.console({ viewport: { width: 1440, height: 900 } });
  folder = await mkdtemp(join(tmpdir(), "switchboard-drop-"));
});
after(async () => {
  await stack.stop();
  await rm(folder, { recursive: true, force: true });
});

async function conversation(text) {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, text);
  await openRow(agent, text);
  await agent.getByRole("textbox", { name: /^Reply to / }).waitFor();
  return { page, panel };
}

async function file(name, text) {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

/** Drags something over the middle of an element, as a browser does that gets it from the desktop. */
async function drag(page, locator) {
  const box = await locator.boundingBox();
  const at = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const session = await page.context().newCDPSession(page);
  const send = (type, data) => session.send("Input.dispatchDragEvent", { type, ...at, data: { items: [], dragOperationsMask: 1, ...data } });
  return {
    async over(data) {
      await send("dragEnter", data);
      await send("dragOver", data);
    },
    cancel: (data) => send("dragCancel", data),
    async drop(data) {
      await send("dragOver", data);
      await send("drop", data);
      await session.detach();
    },
  };
}

test("files that are dropped anywhere on the panel go with the next message", async () => {
  const { page, panel } = await conversation("I have two papers for you");
  const files = [await file("receipt.txt", "one tin"), await file("letter.txt", "dear shop")];
  const dragged = await drag(page, panel.locator(".thread"));
  await dragged.over({ files });
  const mark = panel.locator(".drop");
  await mark.waitFor();
  // Who takes them away again has dropped nothing.
  await dragged.cancel({ files });
  await mark.waitFor({ state: "detached" });
  assert.equal(await panel.locator(".upload").count(), 0);
  await dragged.over({ files });
  await dragged.drop({ files });
  await mark.waitFor({ state: "detached" });
  await until("both to be up", async () => (await panel.locator(".upload > .quiet").count()) === 2);
  await say(panel, "these two");
  const said = agent.locator(".said", { hasText: "these two" });
  await said.getByText("receipt.txt").waitFor();
  await said.getByText("letter.txt").waitFor();
  assert.equal(page.url(), `${stack.origin}/demo/`);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("files that are dropped anywhere on a conversation go to its composer, elsewhere nowhere", async () => {
  const { page, panel } = await conversation("Please send me the form");
  const files = [await file("form.txt", "name, address")];
  const composer = agent.locator(".composer");
  const dragged = await drag(agent, agent.getByRole("log"));
  await dragged.over({ files });
  await agent.locator(".composer[data-over]").waitFor();
  await dragged.cancel({ files });
  await agent.locator(".composer:not([data-over])").waitFor();
  await dragged.over({ files });
  await dragged.drop({ files });
  await agent.locator(".composer:not([data-over])").waitFor();
  await composer.locator(".chip", { hasText: "form.txt" }).locator(".faint").waitFor();
  const address = agent.url();
  for (const elsewhere of [agent.getByRole("complementary", { name: "Contact" }), agent.getByRole("navigation", { name: "Lists" })]) {
    const stray = await drag(agent, elsewhere);
    await stray.over({ files });
    assert.equal(await agent.locator(".composer[data-over]").count(), 0);
    await stray.drop({ files });
  }
  // The browser has shown no file in the console's place, and taken none.
  assert.equal(agent.url(), address);
  assert.equal(await composer.locator(".chip").count(), 1);
  // Words that are dragged go where they are dropped.
  const words = await drag(agent, agent.getByRole("textbox", { name: /^Reply to / }));
  const data = { items: [{ mimeType: "text/plain", data: "Here is the form" }] };
  await words.over(data);
  await words.drop(data);
  await until("the words", async () => (await agent.getByRole("textbox", { name: /^Reply to / }).inputValue()) === "Here is the form");
  await agent.getByRole("button", { name: "Send", exact: true }).click();
  await sees(panel, "Here is the form");
  await panel.locator("article.team .file", { hasText: "form.txt" }).waitFor();
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

/** Drops a thousand small files. They are made in the page, for the line to its driver is slow. */
function dropThousand(zone) {
  return zone.evaluate((element) => {
    const dataTransfer = new DataTransfer();
    for (let index = 0; index < 1_000; index += 1) dataTransfer.items.add(new File([`this is page ${index}`], `page-${index}.txt`, { type: "text/plain" }));
    for (const type of ["dragenter", "dragover", "drop"]) element.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer }));
  });
}

test("of a thousand files that are dropped at once ten go, and it is said that the others do not", async () => {
  const { page, panel } = await conversation("All of my papers, at once");
  const told = "A message takes 10 files at most.";
  await dropThousand(panel.locator(".thread"));
  await panel.getByRole("alert").getByText(told).waitFor();
  await until("ten to be up", async () => (await panel.locator(".upload > .quiet").count()) === 10);
  assert.equal(await panel.locator(".upload").count(), 10);
  assert.deepEqual(await violations(panel), []);
  await panel.getByRole("button", { name: "Dismiss" }).click();
  await panel.getByText(told).waitFor({ state: "detached" });
  await say(panel, "The first ten of mine");
  const theirs = agent.locator(".said", { hasText: "The first ten of mine" });
  await until("the ten of the visitor", async () => (await theirs.locator(".file").count()) === 10);

  await dropThousand(agent.getByRole("log"));
  await agent.getByText(told).waitFor();
  await until("ten to be up", async () => (await agent.locator(".composer .chip .faint").count()) === 10);
  assert.equal(await agent.locator(".composer .chip").count(), 10);
  await agent.getByRole("textbox", { name: /^Reply to / }).fill("And ten of ours");
  await agent.getByRole("button", { name: "Send", exact: true }).click();
  const ours = panel.locator("article.message", { hasText: "And ten of ours" });
  await until("the ten of the agent", async () => (await ours.locator(".file").count()) === 10);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

/** What lies in the server's store of files, the unfinished ones among it. */
async function stored() {
  const all = await readdir(stack.data, { recursive: true, withFileTypes: true });
  return all.filter((entry) => entry.isFile() && !/\.db|switchboard\.sqlite|-wal$|-shm$|\.lock$/.test(entry.name)).map((entry) => join(entry.parentPath, entry.name)).sort();
}

for (const [where, choose] of [
  ["a visitor", ({ panel }) => ({ scope: panel, picker: panel.locator(".composer input[type=file]"), bar: panel.getByRole("progressbar", { name: "Uploading plan.txt" }), chips: panel.locator(".upload") })],
  ["an agent", () => ({ scope: agent, picker: agent.locator(".composer input[type=file]"), bar: agent.getByRole("progressbar", { name: "Uploading plan.txt" }), chips: agent.locator(".composer .chip") })],
]) {
  test(`an upload that ${where} calls off ends, and leaves nothing behind`, async () => {
    const { page, panel } = await conversation(`called off by ${where}`);
    const { scope, picker, bar, chips } = choose({ panel });
    const before = await stored();
    const asked = [];
    const sender = scope === agent ? agent : page;
    sender.on("requestfailed", (request) => request.url().endsWith("/attachments") && asked.push(request.failure()?.errorText));
    // Where the cable takes no more, the progress stands still.
    stack.cable.upBytesMax = 1_000_000;
    await chooseLarge(picker, "plan.txt", 16_000_000);
    await until("some progress", () => bar.evaluateAll((bars) => bars.some(({ value }) => value > 0 && value < 1)));
    await scope.getByRole("button", { name: "Remove plan.txt" }).click();
    await chips.waitFor({ state: "detached" });
    await until("the request to end", () => asked.length === 1);
    assert.match(asked[0], /ABORTED/);
    stack.cable.upBytesMax = Infinity;
    await until("what came of it to be gone", async () => JSON.stringify(await stored()) === JSON.stringify(before)).catch(async () => assert.deepEqual(await stored(), before));
    // Nothing is said of it, nothing waits for it, and the next message goes without it.
    assert.equal(await scope.getByRole("alert").count(), 0);
    await scope.getByRole("textbox", { name: /^(Message|Reply to .*)$/ }).fill("Without the plan");
    await scope.getByRole("button", { name: "Send", exact: true }).click();
    await sees(panel, "Without the plan");
    await agent.getByRole("log").getByText("Without the plan").first().waitFor();
    for (const frame of [panel, agent]) assert.equal(await frame.getByText("plan.txt").count(), 0);
    assert.deepEqual(stack.complaints, []);
    await page.context().close();
  });
}
