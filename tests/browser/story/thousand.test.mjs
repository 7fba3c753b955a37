// A conversation with a thousand files: a hundred messages, each with as many as one may have.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { Stack, openRow, say, until } from "../stack.mjs";

const MESSAGES = 100;
const FILES = 10;
/** Of each message the last ones are pictures. */
const PICTURES = 3;
const HEAP_BYTES_MAX = 128 * 1024 * 1024;

const picture = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");

let stack;
let visitor;
let agent;
before(async () => {
  stack = await Stack.start();
  visitor = await stack.visitor("/demo/");
  await say(visitor.panel, "May I have all of your papers?");
  agent = await stack.console();
  await openRow(agent, "May I have all of your papers?");
  await sendsAll(/\/(cnv_[^/?]+)/.exec(agent.url())[1]);
});
after(() => stack.stop());

/** The owner sends them, by the API. */
async function sendsAll(conversation_id) {
  const { api, headers } = await stack.api({ direct: true });
  const up = async (name, isPicture) => {
    const answered = await fetch(`${api.origin}/api/v1/attachments`, {
      method: "POST",
      headers: { ...headers, origin: api.origin, "content-type": isPicture ? "image/png" : "text/plain", "switchboard-file-name": name },
      body: isPicture ? picture : `this is ${name}`,
    });
    assert.equal(answered.status, 201);
    return (await answered.json()).id;
  };
  for (let message = 0; message < MESSAGES; message += 1) {
    const files = Array.from({ length: FILES }, (_, file) => up(file < FILES - PICTURES ? `paper-${message}-${file}.txt` : `tin-${message}-${file}.png`, file >= FILES - PICTURES));
    const attachment_ids = await Promise.all(files);
    await api.ask("POST", "commands", { do: "send_message", conversation_id, body: `Pack ${message}`, attachment_ids }, { ...headers, "idempotency-key": api.nextId() });
  }
}

/** Scrolls up until a file is there, and counts the most files that were drawn at a time. */
async function climbs(frame, scroller, name, files) {
  let most = 0;
  await until(name, async () => {
    most = Math.max(most, await frame.locator(files).count());
    await frame.locator(scroller).evaluate((element) => (element.scrollTop = 0));
    return (await frame.getByText(name, { exact: true }).count()) > 0;
  });
  return most;
}

/** What is saved by pressing a file. */
async function saves(page, file) {
  const [download] = await Promise.all([page.waitForEvent("download"), file.click()]);
  return readFile(await download.path(), "utf8");
}

/** What the page's scripts hold, once what nobody needs is gone. */
async function heapBytes(page) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("HeapProfiler.collectGarbage");
  const { usedSize } = await devtools.send("Runtime.getHeapUsage");
  await devtools.detach();
  return usedSize;
}

const countsPictures = (page) => {
  const asked = new Set();
  page.on("request", (request) => {
    if (request.method() === "GET" && request.url().includes("/api/v1/attachments/")) asked.add(request.url());
  });
  return asked;
};

test("an agent opens it at its end, finds its first file, and saves it", async () => {
  await agent.reload();
  const asked = countsPictures(agent);
  const log = agent.getByRole("log");
  await log.getByText(`paper-${MESSAGES - 1}-0.txt`).waitFor();
  assert.ok(asked.size < 60, `${asked.size} pictures were fetched at once`);
  const most = await climbs(agent, ".thread", "paper-0-0.txt", ".file");
  assert.ok(most < MESSAGES * FILES, `${most} files were drawn`);
  assert.equal(await saves(agent, log.getByRole("button", { name: /paper-0-0\.txt/ })), "this is paper-0-0.txt");
  const bytes = await heapBytes(agent);
  assert.ok(bytes < HEAP_BYTES_MAX, `${bytes} bytes`);
  assert.deepEqual(stack.complaints, []);
});

test("a visitor finds the first and the last one, and saves them", async () => {
  const { page, panel } = visitor;
  const asked = countsPictures(page);
  const file = (name) => panel.getByRole("button", { name: new RegExp(name.replaceAll(".", "\\.")) });
  await file(`paper-${MESSAGES - 1}-0.txt`).waitFor();
  assert.equal(await saves(page, file(`paper-${MESSAGES - 1}-0.txt`)), `this is paper-${MESSAGES - 1}-0.txt`);
  await climbs(panel, ".thread", "paper-0-0.txt", ".file");
  assert.equal(await saves(page, file("paper-0-0.txt")), "this is paper-0-0.txt");
  assert.ok(asked.size < MESSAGES * PICTURES, `${asked.size} pictures were fetched`);
  const bytes = await heapBytes(page);
  assert.ok(bytes < HEAP_BYTES_MAX, `${bytes} bytes`);
  assert.deepEqual(stack.complaints, []);
});
