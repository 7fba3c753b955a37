// What goes in the middle of something: a member of the team, an invitation, and the browser's own room.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Stack, answer, openPanel, openRow, say, sees, showSide, until } from "../stack.mjs";

let stack;
before(async () => {
  stack = await Stack.start();
});
after(() => stack.stop());

/** Changes a member, as the page of the team does. */
async function change(name, body) {
  const { api, headers } = await stack.api();
  const { id, version } = (await api.ask("GET", "agents", undefined, headers)).items.find((each) => each.name === name);
  await api.ask("PATCH", `agents/${id}`, body, { ...headers, "if-match": `"${version}"` });
}

/** Asks the API as a page does that is signed in, and gives the status. */
const asks = (page, path, method = "GET", body) =>
  page.evaluate(async ([path, method, body, workspace]) => {
    const headers = { "switchboard-csrf": "1", "content-type": "application/json", "idempotency-key": "0198e3a0-0000-7000-8000-000000000001" };
    if (workspace) headers["switchboard-workspace"] = workspace;
    const answered = await fetch(`/api/v1/${path}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
    return answered.status;
  }, [path, method, body, page.workspace]);

test("a member who is deactivated in mid-sentence is told, does nothing more, and finds his words once he is taken back", async () => {
  const who = await stack.joins("Jon Arden");
  const jon = await stack.console({}, who);
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "Is Jon there?");
  await openRow(jon, "Is Jon there?");
  await answer(jon, "He is");
  await sees(panel, "He is");
  const conversation_id = jon.url().split("/").at(-1);
  const box = jon.getByRole("textbox", { name: /^Reply to / });
  await box.fill("and he was about to say");
  jon.workspace = await jon.evaluate(() => fetch("/api/v1/me").then((answer) => answer.json()).then((me) => me.memberships[0].workspace_id));
  assert.equal(await asks(jon, `conversations/${conversation_id}`), 200);

  await change("Jon Arden", { deactivated: true });
  await jon.getByText("Your sign-in was ended").waitFor();
  await jon.getByText("What you wrote is kept in this browser.").waitFor();
  assert.deepEqual(await violations(jon), []);
  // Neither reading nor writing is left to him, by whatever way.
  for (const path of ["me", `conversations/${conversation_id}`, "agents"]) assert.ok([401, 403].includes(await asks(jon, path)), path);
  assert.ok([401, 403].includes(await asks(jon, "commands", "POST", { do: "send_message", conversation_id, body: "from beyond" })));
  await jon.getByLabel("E-mail").fill(who.email);
  await jon.getByLabel("Password").fill(who.password);
  await jon.getByRole("button", { name: "Sign in" }).click();
  await jon.getByRole("alert").first().waitFor();
  assert.equal(await panel.getByText("from beyond").count(), 0);

  await change("Jon Arden", { deactivated: false });
  await jon.getByRole("button", { name: "Sign in" }).click();
  // He is where he was, with what he was about to say.
  await until("the draft", async () => (await box.inputValue().catch(() => "")) === "and he was about to say");
  await box.press("Enter");
  await sees(panel, "and he was about to say");
  assert.deepEqual(stack.complaints, []);
  for (const each of [jon, page]) await each.context().close();
});

test("an invitation that was withdrawn elsewhere is gone, and nobody is told of an error", async () => {
  const { api, headers } = await stack.api();
  const page = await stack.console({ serviceWorkers: "block" });
  for (const email of ["kim@example.com", "lee@example.com"]) await api.ask("POST", "invitations", { email, role: "agent" }, headers);
  await page.goto(`${stack.origin}/console/settings/team`);
  const row = (email) => page.getByRole("listitem").filter({ hasText: email });
  await row("lee@example.com").waitFor();
  const { id } = (await api.ask("GET", "invitations", undefined, headers)).items.find((each) => each.email === "kim@example.com");
  await page.route(`**/api/v1/invitations/${id}`, async (route) => {
    await api.ask("DELETE", `invitations/${id}`, undefined, headers);
    await route.continue();
  });
  const answered = page.waitForResponse((response) => response.url().endsWith(`/invitations/${id}`));
  await row("kim@example.com").getByRole("button", { name: "Withdraw" }).click();
  assert.equal((await answered).status(), 404);
  await row("kim@example.com").waitFor({ state: "detached" });
  await row("lee@example.com").waitFor();
  assert.equal(await page.getByRole("status", { name: "Messages" }).innerText(), "");
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("what is written while a change is on its way is not lost with it", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "where is my order?");
  const agent = await stack.console({ serviceWorkers: "block", viewport: { width: 1440, height: 900 } });
  await openRow(agent, "where is my order?");

  const side = await showSide(agent);
  let comes;
  const held = new Promise((done) => (comes = done));
  await agent.route("**/api/v1/contacts/*", (route) => (route.request().method() === "PATCH" ? held.then(() => route.continue()) : route.fallback()));
  await side.getByRole("button", { name: "Edit the contact" }).click();
  await side.getByRole("textbox", { name: "Company" }).fill("Tea and Sons");
  await side.getByRole("button", { name: "Save" }).click();
  await side.getByRole("textbox", { name: "Phone" }).fill("+385 1 234");
  comes();
  const { api, headers } = await stack.api();
  const id = agent.url().split("/").at(-1);
  const { contact_id } = await api.ask("GET", `conversations/${id}`, undefined, headers);
  await until("it is stored", async () => (await api.ask("GET", `contacts/${contact_id}`, undefined, headers)).company === "Tea and Sons");
  await side.getByRole("button", { name: "Save" }).click();
  await side.getByText("Tea and Sons").waitFor();
  await side.getByText("+385 1 234").waitFor();

  await answer(agent, "it comes tomorow");
  const line = agent.getByRole("log").locator(".said", { hasText: /it comes tomor/ });
  await line.locator("[data-mark=sending]").waitFor({ state: "detached" });
  await line.hover();
  await line.getByRole("button", { name: "Change this" }).click();
  await agent.getByRole("menuitem", { name: "Edit" }).click();
  const edited = agent.getByRole("textbox", { name: "Edit the text" });
  stack.cable.cut();
  await edited.fill("it comes tomorrow");
  for (const _ of ["once", "and again"]) await edited.press("Enter");
  await edited.pressSequentially(" at ten");
  stack.cable.mend();
  await sees(panel, "it comes tomorrow");
  await until("one change", async () => (await edited.inputValue()) === "it comes tomorrow at ten");
  await edited.press("Enter");
  await sees(panel, "it comes tomorrow at ten");
  await edited.waitFor({ state: "detached" });
  const { entries } = await api.ask("GET", `conversations/${id}/entries?limit=50`, undefined, headers);
  assert.equal(entries.filter(({ content }) => content.kind === "edited").length, 2);
  assert.deepEqual(stack.complaints, []);
  for (const each of [agent, page]) await each.context().close();
});

/** Leaves a frame's origin not a byte to keep anything in. */
const fill = (frame) => frame.evaluate(() => {
  for (let size = 1 << 22, count = 0; size >= 1; ) {
    try {
      localStorage.setItem(`full ${(count += 1)}`, "x".repeat(size));
    } catch {
      size = Math.floor(size / 2);
    }
  }
});
const empty = (frame) => frame.evaluate(() => {
  for (const name of Object.keys(localStorage)) if (name.startsWith("full ")) localStorage.removeItem(name);
});

test("where the browser has no room left the chat goes on, and what was kept before is there after a reload", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "My disk fills up");
  await panel.getByText("Sent", { exact: true }).waitFor();
  await panel.getByLabel("Message", { exact: true }).fill("a draft of before");
  await until("the draft", () => panel.evaluate(() => Object.values(localStorage).includes("a draft of before")));
  await fill(panel);
  await page.reload();
  const again = await openPanel(page);
  await sees(again, "My disk fills up");
  const box = again.getByLabel("Message", { exact: true });
  await until("the draft", async () => (await box.inputValue()) === "a draft of before");
  stack.cable.cut();
  await say(again, "And my line is down");
  await sees(again, "And my line is down");
  stack.cable.mend();
  const agent = await stack.console();
  await openRow(agent, "And my line is down");
  await answer(agent, "It is up again");
  await sees(again, "It is up again");
  assert.equal(await again.locator("article.message").count(), 3);
  assert.deepEqual(stack.complaints, []);
  for (const each of [agent, page]) await each.context().close();
});

test("where the browser has no room left an agent is asked before words are lost", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "Have you room for me?");
  const agent = await stack.console();
  await openRow(agent, "Have you room for me?");
  await fill(agent);
  const box = agent.getByRole("textbox", { name: /^Reply to / });
  await box.fill("hardly");
  const isAsked = async () => {
    const before = stack.held.length;
    await agent.evaluate(() => location.reload());
    return until("the browser to ask", () => stack.held.length > before);
  };
  await isAsked();
  // What waits for a line is as little kept.
  stack.cable.cut();
  await box.press("Enter");
  await agent.locator(".said[data-mark=sending]", { hasText: "hardly" }).waitFor();
  await isAsked();
  stack.cable.mend();
  await sees(panel, "hardly");
  await agent.locator(".said[data-mark=sending]").waitFor({ state: "detached" });
  // There is room again, and nobody asks.
  await box.fill("plenty of it");
  await empty(agent);
  await box.fill("plenty of it now");
  const before = stack.held.length;
  await agent.reload();
  await until("the draft", async () => (await box.inputValue().catch(() => "")) === "plenty of it now");
  assert.equal(stack.held.length, before);
  assert.deepEqual(stack.complaints, []);
  for (const each of [agent, page]) await each.context().close();
});
