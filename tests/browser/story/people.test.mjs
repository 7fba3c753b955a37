// People: one name wherever they are shown, and nothing of those who were erased.

import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Crowd } from "../crowd.mjs";
import { Stack, openRow, showSide, sidePanel, until } from "../stack.mjs";

let stack;
before(async () => (stack = await Stack.start()));
after(() => stack.stop());

test("somebody without a name has one name everywhere, and a new one shows at once everywhere", async () => {
  const agent = await stack.console();
  const colleague = await stack.console();
  const visitor = await Crowd.writer(stack, "Nobody knows my name", { page: "/demo/tea/" });
  const row = agent.locator("a.row", { hasText: "Nobody knows my name" });
  const handle = await row.locator(".row-name bdi").innerText();
  assert.match(handle, /^Visitor [0-9A-Z]{4}$/);
  await openRow(agent, "Nobody knows my name");
  await showSide(agent);
  await agent.getByRole("heading", { level: 2, name: handle }).waitFor();
  await sidePanel(agent).getByRole("heading", { name: handle }).waitFor();
  await agent.getByRole("textbox", { name: `Reply to ${handle}` }).waitFor();
  await colleague.getByRole("link", { name: /^Visitors/ }).click();
  await colleague.locator(".visitor", { hasText: handle }).waitFor();

  await sidePanel(agent).getByRole("button", { name: "Edit the contact" }).click();
  await sidePanel(agent).getByLabel("Name").fill("Ana Kovač");
  await sidePanel(agent).getByRole("button", { name: "Save" }).click();
  await row.locator(".row-name", { hasText: "Ana Kovač" }).waitFor();
  await agent.getByRole("heading", { level: 2, name: "Ana Kovač" }).waitFor();
  await sidePanel(agent).getByRole("heading", { name: "Ana Kovač" }).waitFor();
  await agent.getByRole("textbox", { name: "Reply to Ana Kovač" }).waitFor();
  await colleague.locator(".visitor", { hasText: "Ana Kovač" }).waitFor();
  await until("nothing of the old name", async () => (await agent.getByText(handle).count()) === 0);

  // Visitors are sought by the page in sight, and by where they came from.
  const holds = (what) => colleague.getByRole("combobox", { name: `${what} holds` });
  await holds("Page").fill("/demo/coffee");
  await colleague.getByText("Nobody fits").waitFor();
  await holds("Page").fill("/DEMO/tea");
  await colleague.locator(".visitor", { hasText: "Ana Kovač" }).waitFor();
  await holds("Source").fill(".*");
  await colleague.getByText("Nobody fits").waitFor();
  assert.deepEqual(await violations(colleague), []);
  await colleague.getByRole("button", { name: "Clear", exact: true }).click();
  await colleague.locator(".visitor", { hasText: "Ana Kovač" }).waitFor();
  await until("an empty field", async () => (await holds("Page").inputValue()) === "");

  // Two edit one field: who saves last is told what he puts his own in the place of.
  await colleague.getByRole("link", { name: /^Inbox/ }).click();
  await openRow(colleague, "Nobody knows my name");
  await showSide(colleague);
  for (const page of [agent, colleague]) await sidePanel(page).getByRole("button", { name: "Edit the contact" }).click();
  await sidePanel(agent).getByLabel("Company").fill("Kovač & Co");
  await sidePanel(colleague).getByLabel("Company").fill("Kovac");
  await sidePanel(colleague).getByLabel("Phone").fill("+385 1 234");
  await sidePanel(agent).getByRole("button", { name: "Save" }).click();
  await sidePanel(colleague).getByText("A colleague changed this to Kovač & Co meanwhile.").waitFor();
  await sidePanel(colleague).getByRole("button", { name: "Take theirs" }).click();
  await sidePanel(colleague).getByRole("button", { name: "Save" }).click();
  for (const page of [agent, colleague]) {
    await sidePanel(page).getByText("+385 1 234").waitFor();
    await sidePanel(page).getByText("Kovač & Co").waitFor();
  }
  // A fact with a name of its own: one adds it, both see it, both change it, and emptied it is gone.
  const edit = (page) => sidePanel(page).getByRole("button", { name: "Edit the contact" }).click();
  const save = (page) => sidePanel(page).getByRole("button", { name: "Save" }).click();
  const plan = (page) => sidePanel(page).locator(".facts dt", { hasText: "Plan" });
  await edit(agent);
  // Pressed too early, the button says what is lacking and leads there.
  const add = sidePanel(agent).getByRole("button", { name: "Add", exact: true });
  await add.click();
  await sidePanel(agent).getByText("Write what it is.").waitFor();
  await until("the focus on what is lacking", () => sidePanel(agent).getByLabel("Another fact").evaluate((field) => field === document.activeElement));
  await sidePanel(agent).getByLabel("Another fact").fill("tier");
  await sidePanel(agent).getByText("Write its value.").waitFor();
  assert.deepEqual(await violations(agent), []);
  await sidePanel(agent).getByLabel("Its value").fill("gold");
  await add.click();
  await sidePanel(agent).getByLabel("Tier", { exact: true }).fill("");
  await sidePanel(agent).getByLabel("Another fact").fill("plan");
  await sidePanel(agent).getByLabel("Its value").fill("team");
  assert.deepEqual(await violations(agent), []);
  await save(agent);
  for (const page of [agent, colleague]) await plan(page).waitFor();
  for (const page of [agent, colleague]) await edit(page);
  await sidePanel(colleague).getByRole("button", { name: "Take Plan away" }).click();
  await sidePanel(agent).getByLabel("Plan", { exact: true }).fill("solo");
  await save(agent);
  await sidePanel(colleague).getByText("A colleague changed this to solo meanwhile.").waitFor();
  await save(colleague);
  for (const page of [agent, colleague]) await plan(page).waitFor({ state: "detached" });

  await sidePanel(agent).getByText("Who changed it").click();
  await sidePanel(agent).getByText("Company: Kovač & Co").waitFor();
  // The log tells the same of this person alone, and of the rest to who asks.
  await sidePanel(agent).getByRole("link", { name: "In the audit log" }).click();
  await agent.getByText("Only what was done to Ana Kovač").waitFor();
  await agent.locator(".audit-line", { hasText: "changed the contact Ana Kovač" }).first().waitFor();
  assert.equal(await agent.locator(".audit-line", { hasNotText: "the contact" }).count(), 0);
  assert.deepEqual(await violations(agent), []);
  await agent.getByRole("link", { name: "Show all" }).click();
  await agent.locator(".audit-line", { hasText: "set up the workspace" }).waitFor();
  await agent.getByText("Only what was done to").waitFor({ state: "detached" });
  assert.deepEqual(stack.complaints, []);
  for (const each of [agent, colleague]) await each.context().close();
  visitor.leave();
});

test("who is erased leaves lists, counters and open threads at once", async () => {
  const agent = await stack.console();
  const colleague = await stack.console();
  const openCount = async () => Number.parseInt(await agent.locator(".list-foot").innerText(), 10);
  // By a list that is there, a count is not of before.
  await agent.locator("a.row").first().waitFor();
  const before = await openCount();
  const visitor = await Crowd.writer(stack, "Forget me tomorrow");
  await openRow(agent, "Forget me tomorrow");
  await openRow(colleague, "Forget me tomorrow");
  await colleague.getByRole("textbox", { name: /^Reply to / }).fill("a draft about a person");
  await until("a counter that knows of it", async () => (await openCount()) === before + 1);
  await showSide(agent);
  await sidePanel(agent).getByRole("button", { name: "Erase this contact" }).click();
  await agent.getByLabel("Type “erase” to confirm").fill("erase");
  await agent.getByRole("button", { name: "Erase for good" }).click();
  for (const page of [agent, colleague]) {
    await page.getByText("This person was erased.").waitFor();
    await page.locator("a.row", { hasText: "Forget me tomorrow" }).waitFor({ state: "detached" });
    await until("no word of it", async () => (await page.getByText("Forget me tomorrow").count()) === 0);
    await page.getByRole("textbox", { name: /^Reply to / }).waitFor({ state: "detached" });
  }
  await until("a counter that follows", async () => (await openCount()) === before);
  await until("no draft", () => colleague.evaluate(() => !JSON.stringify(localStorage).includes("a draft about a person")));
  assert.deepEqual(stack.complaints, []);
  for (const each of [agent, colleague]) await each.context().close();
  visitor.leave();
});

test("a secret that is shown once is not lost by Escape, a click beside it, or going elsewhere", async () => {
  const owner = await stack.console();
  await owner.getByRole("link", { name: "Settings" }).click();
  await owner.getByRole("link", { name: "API keys" }).click();
  await owner.getByRole("button", { name: "Make a key" }).click();
  await owner.getByLabel("What it is for").fill("Reports");
  await owner.getByRole("button", { name: "Make it" }).click();
  const key = owner.getByRole("textbox", { name: "The key" });
  await key.waitFor();
  await owner.keyboard.press("Escape");
  await owner.mouse.click(5, 5);
  await owner.evaluate(() => history.back());
  assert.match(await key.innerText(), /\S{20,}/);
  await owner.getByRole("button", { name: "Copy" }).click();
  await owner.getByText("Copied").waitFor();
  await owner.getByRole("button", { name: "I have stored it" }).click();
  await key.waitFor({ state: "detached" });
  await owner.getByText("Reports").waitFor();
  assert.deepEqual(stack.complaints, []);
  await owner.context().close();
});

/** The console of somebody who was invited just now. */
async function joins(email, name) {
  const { api, headers } = await stack.api();
  const password = "correct-horse-battery";
  const invited = await api.ask("POST", "invitations", { email, role: "agent" }, headers);
  await api.ask("POST", "invitations/accept", { token: invited.link.split("token=")[1], name, password });
  const page = await stack.person();
  await page.goto(`${stack.origin}/console/sign-in`);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(/\/console\/inbox\//);
  return page;
}

test("other rights are at once what the console of a member offers, and taken back likewise", async () => {
  const { api, headers } = await stack.api();
  const jon = await joins("jon@example.com", "Jon Arden");
  await jon.getByRole("link", { name: "Settings" }).click();
  const pages = jon.getByRole("navigation", { name: "Settings" });
  await pages.getByRole("link", { name: "Profile" }).waitFor();
  assert.equal(await pages.getByRole("link", { name: "API keys" }).count(), 0);

  const member = async () => (await api.ask("GET", "agents", undefined, headers)).items.find((each) => each.name === "Jon Arden");
  const grant = async (grants) => {
    const { id, version } = await member();
    await api.ask("PATCH", `agents/${id}`, { grants }, { ...headers, "if-match": `"${version}"` });
  };
  await grant(["keys.write"]);
  await pages.getByRole("link", { name: "API keys" }).click();
  await jon.getByRole("button", { name: "Make a key" }).waitFor();
  await grant([]);
  await pages.getByRole("link", { name: "API keys" }).waitFor({ state: "detached" });
  await jon.getByRole("button", { name: "Make a key" }).waitFor({ state: "detached" });
  assert.deepEqual(stack.complaints, []);
  await jon.context().close();
});

test("the rail shows who of the team is here, and what each has in sight", async () => {
  const mira = await stack.console();
  const kim = await joins("kim@example.com", "Kim Sato");
  await mira.getByRole("button", { name: /^Team ?, [1-9][0-9]* here/ }).click();
  const row = (words) => mira.getByRole("menuitem", { name: new RegExp(`Kim Sato.*${words}`) });
  await row("Inbox").waitFor();
  await kim.getByRole("link", { name: /^Visitors/ }).click();
  await row("Visitors").waitFor();
  await kim.getByRole("link", { name: /^To do/ }).click();
  await row("To do").waitFor();
  await kim.getByRole("link", { name: "Settings" }).click();
  await kim.getByRole("link", { name: "Canned responses" }).click();
  await row("Settings: Canned responses").waitFor();
  await kim.getByRole("link", { name: /^Visitors/ }).click();
  await row("Visitors").waitFor();
  await kim.getByRole("button", { name: /menu of Kim Sato$/ }).click();
  await kim.getByRole("menuitem", { name: "Away" }).click();
  await row("Away · Visitors").waitFor();
  assert.equal(await mira.getByRole("menuitem", { name: /Mira Novak/ }).count(), 0, "she knows where she is");
  // Whoever is chosen is followed to the same place.
  await row("Visitors").click();
  await mira.waitForURL(/\/console\/visitors/);
  await mira.getByRole("button", { name: /^Team/ }).click();
  await row("Visitors").waitFor();
  // Of a conversation it is said with whom, and one is led there.
  const visitor = await Crowd.writer(stack, "who is with me?");
  await kim.getByRole("link", { name: /^Inbox/ }).click();
  await openRow(kim, "who is with me?");
  // Who may not read the log is told nothing of it.
  await showSide(kim);
  await sidePanel(kim).getByText("First seen").waitFor();
  assert.equal(await sidePanel(kim).getByText("Who changed it").count(), 0);
  await row("With Visitor [0-9A-Z]{4}").click();
  await mira.getByRole("log").getByText("who is with me?").waitFor();
  await mira.getByRole("button", { name: /^Team/ }).click();
  visitor.leave();
  await kim.context().close();
  await mira.getByRole("menuitem", { name: /Kim Sato/ }).waitFor({ state: "detached" });
  assert.deepEqual(stack.complaints, []);
  await mira.context().close();
});

test("an admin is told that backups fail, why, and no more once one is written", async () => {
  const page = await stack.console();
  const line = page.getByText("Backups have failed since");
  // Somebody comes back to the window.
  const comesBack = () => page.evaluate(() => window.dispatchEvent(new Event("visibilitychange")));
  const folder = join(stack.data, "backups");
  await writeFile(folder, "in the way");
  assert.equal(await stack.command("backup"), false);
  await comesBack();
  await line.waitFor();
  assert.match(await line.innerText(), /the backup .+ failed: .+tried again/su);
  await rm(folder);
  assert.equal(await stack.command("backup"), true);
  await comesBack();
  await line.waitFor({ state: "detached" });
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("who looks after security sees who failed, keeps addresses out, and signs out the other browsers", async () => {
  const mira = await stack.console();
  const elsewhere = await stack.console();
  // Nothing is configured that says where somebody is: the clocks of the browsers do.
  const ada = await stack.console({ timezoneId: "Europe/Vienna" }, await stack.joins("Ada Lind", "admin"));
  const stranger = await stack.person({ timezoneId: "Asia/Kolkata" });
  await stranger.goto(`${stack.origin}/console/sign-in`);
  await stranger.getByLabel("E-mail").fill("mira@example.com");
  await stranger.getByLabel("Password").fill("a guess at it");
  await stranger.getByRole("button", { name: "Sign in" }).click();
  await stranger.getByRole("alert").first().waitFor();
  await stranger.context().close();
  for (const page of [mira, ada]) {
    await page.getByRole("link", { name: "Settings" }).click();
    await page.getByRole("link", { name: "Security" }).click();
    await page.getByText("Nothing is blocked.").waitFor();
  }
  await ada.getByText(/^127\.0\.0\.1, Austria · signed in/).waitFor();
  await mira.getByRole("button", { name: "Sign out everywhere else" }).click();
  await elsewhere.waitForURL(/\/console\/sign-in/);
  await mira.getByRole("button", { name: "Sign out everywhere else" }).waitFor({ state: "detached" });

  // When, whose, why, with what and from where.
  await mira.getByRole("row", { name: /\d\d:\d\d.* mira@example\.com wrong password Chrome on Linux 127\.0\.0\.1 India/ }).waitFor();
  assert.deepEqual(await violations(mira), []);
  // The page scrolls within its frame, whatever is only heard of it.
  assert.equal(await mira.evaluate(() => document.documentElement.scrollHeight - innerHeight), 0);

  // What failed is a click away from being blocked, and nobody locks himself out by it.
  await mira.getByRole("row", { name: /wrong password/ }).getByRole("button", { name: "Block 127.0.0.1" }).click();
  const dialog = mira.getByRole("dialog", { name: "Block an address" });
  await dialog.getByRole("button", { name: "Block" }).click();
  await dialog.getByText(/you would be locked out/).waitFor();
  const network = dialog.getByLabel("Address or network");
  await network.fill("203.0.113.300");
  await dialog.getByRole("button", { name: "Block" }).click();
  await dialog.getByText("This is no address and no network.").waitFor();
  await network.fill("203.0.113.7/24");
  await dialog.getByLabel("Reason").fill("Spam since Monday");
  await dialog.getByRole("button", { name: "Block" }).click();
  await dialog.waitFor({ state: "detached" });
  // Whoever looks at the page sees it at once, and can take it back.
  for (const page of [mira, ada]) await page.getByText("203.0.113.0/24", { exact: true }).waitFor();
  await ada.getByText("Spam since Monday").waitFor();
  assert.deepEqual(await violations(ada), []);
  await mira.getByRole("link", { name: "Activity" }).click();
  // The whole team, and by a name one member of it.
  const times = mira.getByRole("table", { name: "Time of each member" });
  await times.getByRole("row", { name: /^mira/i }).waitFor();
  const each = mira.getByRole("table", { name: "Sign-ins" });
  await each.getByRole("row", { name: /Ada Lind.*Chrome on Linux.*127\.0\.0\.1 Austria/ }).first().waitFor();
  assert.deepEqual(await violations(mira), []);
  await times.getByRole("button", { name: "Ada Lind" }).click();
  await times.waitFor({ state: "detached" });
  await each.getByRole("row", { name: /^mira/i }).first().waitFor({ state: "detached" });
  await each.getByRole("row", { name: /Chrome on Linux.*127\.0\.0\.1/ }).first().waitFor();
  await until("whose they are", () => mira.getByLabel("Whose").evaluate((field) => field.selectedOptions[0].text === "Ada Lind"));
  await mira.getByRole("link", { name: "Security" }).click();
  await ada.getByRole("button", { name: "Let in again: 203.0.113.0/24" }).click();
  for (const page of [mira, ada]) await page.getByText("Nothing is blocked.").waitFor();
  assert.deepEqual(stack.complaints, []);
});
