// Files that this installation does not take: said at once, in one's own language, before a byte has gone up.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Stack, findPanel, openRow, say, until } from "../stack.mjs";

let stack;
before(async () => {
  stack = await Stack.start({ settings: { SWITCHBOARD_ATTACHMENTS_MEDIA_TYPES: "image/png,image/jpeg,text/*", SWITCHBOARD_LIMITS_ATTACHMENT_BYTES_MAX: "2097152" } });
});
after(() => stack.stop());

const file = (name, mimeType, text) => ({ name, mimeType, buffer: Buffer.from(text, "latin1") });
/** As a telephone makes it. */
const photo = file("photo.heic", "image/heic", "\0\0\0\x18ftypheic\0\0\0\0mif1heic");
/** It only says that it is something else. */
const renamed = { ...photo, name: "renamed.png", mimeType: "image/png" };
const film = file("film.mp4", "video/mp4", "not looked at");
const program = file("notes.txt", "text/plain", "MZ\x90\0\x03");
const large = file("large.txt", "text/plain", "x".repeat(2_097_153));
const refused = [photo, renamed, film, program, large];
const taken = file("letter.txt", "text/plain", "dear shop");

/** Counts the files that go up from a page. */
function countUploads(page) {
  const gone = [];
  page.on("request", (request) => request.method() === "POST" && request.url().endsWith("/api/v1/attachments") && gone.push(request.headers()["switchboard-file-name"]));
  return gone;
}

test("a visitor is told in his language which files do not go, before a byte of them has", async () => {
  const page = await stack.person();
  const gone = countUploads(page);
  await page.addInitScript(() => new MutationObserver(() => (document.documentElement.lang = "de")).observe(document, { childList: true }));
  await page.goto(`${stack.origin}/demo/`);
  await page.locator("[data-chat]").first().click();
  const panel = await findPanel(page);
  const picker = panel.locator(".composer input[type=file]");
  // Telephones offer what is taken, and make it of what they have.
  await until("the types", async () => (await picker.getAttribute("accept")) === "image/png,image/jpeg,text/*");
  await picker.setInputFiles([...refused, taken]);
  await until("all to be told", async () => (await panel.locator(".upload.bad").count()) === refused.length);
  const why = (name) => panel.locator(".upload", { hasText: name }).locator(".error");
  for (const { name } of [photo, renamed, film, program]) await why(name).getByText("Dieser Dateityp wird nicht angenommen").waitFor();
  await why("large.txt").getByText("Größer als 2 MB").waitFor();
  assert.equal(await panel.getByRole("button", { name: "Erneut versuchen" }).count(), 0);
  await panel.locator(".upload > .quiet").waitFor();
  assert.deepEqual(gone, ["letter.txt"]);
  assert.deepEqual(await violations(panel), []);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("an agent is told which files do not go, before a byte of them has", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "Can you send me the picture?");
  const agent = await stack.console();
  const gone = countUploads(agent);
  await openRow(agent, "Can you send me the picture?");
  const composer = agent.locator(".composer");
  const picker = composer.locator("input[type=file]");
  await until("the types", async () => (await picker.getAttribute("accept")) === "image/png,image/jpeg,text/*");
  await picker.setInputFiles([...refused, taken]);
  const chip = (name) => composer.locator(".chip", { hasText: name });
  for (const { name } of [photo, renamed, film, program]) await chip(name).getByText("Files of this type are not accepted").waitFor();
  await chip("large.txt").getByText("The file is larger than the server takes.").waitFor();
  // The same would be refused again.
  assert.equal(await composer.getByRole("button", { name: "Try again" }).count(), 0);
  await chip("letter.txt").locator(".faint").waitFor();
  assert.deepEqual(gone, ["letter.txt"]);
  assert.deepEqual(await violations(agent), []);
  for (const each of [agent, page]) await each.context().close();
  assert.deepEqual(stack.complaints, []);
});
