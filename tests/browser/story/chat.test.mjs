// A visitor and an agent side by side.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Stack, answer, findPanel, launcherName, openPanel, openRow, say, sees, until } from "../stack.mjs";

let stack;
let agent;
before(async () => {
  stack = await Stack.start();
  agent = await stack.console();
});
after(() => stack.stop());

/** The team sees what visitors write before it is sent, or no longer. */
async function readsAlong(typing_preview) {
  const { api, headers } = await stack.api();
  const { settings, version } = await api.ask("GET", "workspace", undefined, headers);
  await api.ask("PATCH", "workspace", { settings: { ...settings, typing_preview } }, { ...headers, "if-match": `"${version}"` });
}

test("what one side does shows on the other, and a reload changes nothing", async () => {
  const page = await stack.person();
  const sent = [];
  page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => sent.push(`${payload}`)));
  page.on("request", (request) => sent.push(request.postData() ?? ""));
  await page.goto(`${stack.origin}/demo/tea/`);
  const panel = await openPanel(page);
  await say(panel, "Is the smoky black in stock?");
  await openRow(agent, "Is the smoky black in stock?");
  // The greeting stands just above the first day, however much room is above both.
  const room = await panel.evaluate(() => document.querySelector(".day").getBoundingClientRect().top - document.querySelector(".greeting").getBoundingClientRect().bottom);
  assert.ok(room >= 0 && room < 30, `${room} px`);
  const thread = agent.getByRole("main").or(agent.locator("body")).first();
  await thread.getByText("Is the smoky black in stock?").first().waitFor();

  // That somebody types is told, what he types is nobody's: no word of it leaves the browser.
  await Promise.all([
    agent.locator(".typing").waitFor(),
    panel.getByLabel("Message", { exact: true }).pressSequentially("Unsaid things", { delay: 150 }),
  ]);
  await panel.getByLabel("Message", { exact: true }).fill("");
  await agent.locator(".typing").waitFor({ state: "detached" });
  assert.ok(sent.some((frame) => frame.includes('"typing"')));
  assert.ok(!sent.some((frame) => frame.includes("Unsai")));
  assert.equal(await agent.getByText("Unsai").count(), 0);

  // The team reads along only where the site wants it, and then the visitor is told.
  const told = panel.getByText("The team can see what you write before you send it.");
  await readsAlong(true);
  await told.waitFor();
  assert.deepEqual(await violations(panel), []);
  // Typing is told every two seconds at most, and for a while only.
  await Promise.all([
    agent.getByText("And the").first().waitFor(),
    panel.getByLabel("Message", { exact: true }).pressSequentially("And the oolong?", { delay: 250 }),
  ]);
  await panel.getByLabel("Message", { exact: true }).fill("");
  await readsAlong(false);
  await told.waitFor({ state: "detached" });

  await answer(agent, "It is, **fresh** from Tuesday.");
  await sees(panel, "from Tuesday.");

  // A note stays inside.
  await agent.getByRole("button", { name: /^Note/ }).click();
  const note = agent.getByRole("textbox", { name: "Note to the team" });
  await note.fill("Asks a lot, buys little");
  await note.press("Enter");
  await agent.getByText("Asks a lot, buys little").first().waitFor();
  await agent.getByRole("button", { name: /^Reply/ }).first().click();
  await answer(agent, "Shall I put one aside?");
  await sees(panel, "Shall I put one aside?");
  assert.equal(await panel.getByText("Asks a lot").count(), 0);

  await page.reload();
  // Who is here is told with the welcome, though what the browser kept knows of nobody.
  await until("somebody is here", async () => /somebody is here/.test(await launcherName(page)));
  const again = await openPanel(page);
  for (const text of ["Is the smoky black in stock?", "from Tuesday.", "Shall I put one aside?"]) {
    await sees(again, text);
  }
  assert.equal(await again.locator("article.message").count(), 3);
  // The widget sets no cookie, neither the page's nor one of the server.
  assert.deepEqual(await page.context().cookies(), []);
  await say(again, "Yes, please.");
  await agent.getByText("Yes, please.").first().waitFor();
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a visitor who walks on stays in the conversation, and the agent sees the pages", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "Which one is without caffeine?");
  await openRow(agent, "Which one is without caffeine?");
  await answer(agent, "Evening mint.");
  await sees(panel, "Evening mint.");
  await page.getByRole("link", { name: "About" }).click();
  await page.waitForURL(/\/demo\/about\//);
  await agent.getByText(/about/i).first().waitFor();
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("hostile words stay words on both sides", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  const words = `<img src=x onerror="alert(1)"><script>alert(2)</script> [x](javascript:alert(3))`;
  await say(panel, words);
  await openRow(agent, "<img src=x");
  await agent.getByText("onerror=").first().waitFor();
  await answer(agent, `<b onmouseover="alert(4)">hover</b> [click](javascript:alert(5))`);
  await sees(panel, "hover");
  for (const frame of [agent, panel]) {
    assert.equal(await frame.locator("a[href^='javascript']").count(), 0);
    assert.equal(await frame.locator("img[src='x'], [onerror], [onmouseover]").count(), 0);
  }
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("an unread answer shows while the panel is closed", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "I will look around meanwhile");
  await openRow(agent, "I will look around meanwhile");
  await panel.getByRole("button", { name: "Close chat" }).click();
  await page.reload();
  await answer(agent, "Take your time.");
  await until("one unread", async () => (await launcherName(page)).endsWith(", 1 unread"));
  await answer(agent, "The shop is open until six.");
  await until("two unread", async () => (await launcherName(page)).endsWith(", 2 unread"));
  // Also on the next page, and until they are in sight.
  await page.getByRole("link", { name: "About" }).click();
  await page.waitForURL(/\/demo\/about\//);
  await until("two unread", async () => (await launcherName(page)).endsWith(", 2 unread"));
  await page.evaluate(() => {
    window.counts = [];
    window.Switchboard.on("unread", (count) => window.counts.push(count));
    window.Switchboard.open();
  });
  const opened = await findPanel(page);
  await sees(opened, "Take your time.");
  await page.waitForFunction(() => window.counts.at(-1) === 0);
  await opened.getByRole("button", { name: "Close chat" }).click();
  await until("nothing unread", async () => /^Open chat, [^,]+$/.test(await launcherName(page)));
  assert.equal(await findPanel(page), opened);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});
