// Forms say what they lack: no button is dead, each leads to what is still to be written.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Stack, openRow, say, until } from "../stack.mjs";

let stack;
let owner;
before(async () => {
  stack = await Stack.start();
  owner = await stack.console({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
});
after(() => stack.stop());

const isFocused = (locator) => locator.evaluate((element) => element === document.activeElement);

/** Presses the button of a form that lacks something: it says so at the field, and leads there. */
async function lacks(scope, button, field, words) {
  await scope.getByRole("button", { name: button, exact: true }).click();
  await scope.getByText(words, { exact: true }).waitFor();
  await until(`${field} to be the next thing to write`, () => isFocused(scope.getByLabel(field, { exact: true })));
  assert.deepEqual(await violations(owner), []);
}

async function settings(place, opener) {
  await owner.goto(`${stack.origin}/console/settings/${place}`);
  if (opener === null) return owner;
  await owner.getByRole("button", { name: opener, exact: true }).click();
  const dialog = owner.getByRole("dialog");
  await dialog.waitFor();
  return dialog;
}

test("an invitation says that it wants a whole address", async () => {
  const dialog = await settings("team", "Invite somebody");
  assert.equal(await dialog.getByRole("alert").count(), 0);
  await lacks(dialog, "Make a link", "E-mail", "Write the address of who is to come.");
  await dialog.getByLabel("E-mail").fill("ana");
  await dialog.getByText("Write a whole e-mail address, like name@example.com.").waitFor();
  await dialog.getByLabel("E-mail").fill("ana@example.com");
  await until("nothing to say", async () => (await dialog.getByRole("alert").count()) === 0);
  // Put away and opened again it has been asked for nothing yet.
  await dialog.getByLabel("E-mail").fill("");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await dialog.waitFor({ state: "detached" });
  await owner.getByRole("button", { name: "Invite somebody" }).click();
  await dialog.getByLabel("E-mail").waitFor();
  assert.equal(await dialog.getByRole("alert").count(), 0);
  await dialog.getByLabel("E-mail").fill("ana@example.com");
  await dialog.getByRole("button", { name: "Make a link" }).click();
  await dialog.getByRole("button", { name: "I have copied it" }).click();
  await dialog.waitFor({ state: "detached" });
  assert.deepEqual(stack.complaints, []);
});

test("a site says that it wants a name, and where its pages are", async () => {
  const dialog = await settings("sites", "Add a site");
  await lacks(dialog, "Add", "Name", "Write what the site is called.");
  await dialog.getByText("Write where its pages are, like https://www.example.com.").waitFor();
  await dialog.getByLabel("Name", { exact: true }).fill("Tea blog");
  await dialog.getByLabel("Allowed origins").fill("ftp://shop.example");
  await dialog.getByText("Not the address of a website: ftp://shop.example").waitFor();
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await until("the origins to be the next thing to mend", () => isFocused(dialog.getByLabel("Allowed origins")));
  await dialog.getByLabel("Allowed origins").fill("https://blog.example");
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await owner.getByRole("heading", { name: "Tea blog" }).first().waitFor();
  assert.deepEqual(stack.complaints, []);
});

test("a key says that it wants a purpose, and something that it may do", async () => {
  const dialog = await settings("keys", "Make a key");
  for (const box of await dialog.getByRole("checkbox", { checked: true }).all()) await box.uncheck();
  await lacks(dialog, "Make it", "What it is for", "Write what it is for.");
  await dialog.getByText("Mark at least one thing that it may do.").waitFor();
  await dialog.getByLabel("What it is for").fill("Import");
  await dialog.getByRole("button", { name: "Make it" }).click();
  await until("the first box to be next", () => isFocused(dialog.getByRole("checkbox").first()));
  assert.deepEqual(await violations(owner), []);
  await dialog.getByRole("checkbox").first().check();
  await dialog.getByRole("button", { name: "Make it" }).click();
  await dialog.getByRole("button", { name: "I have stored it" }).click();
  await dialog.waitFor({ state: "detached" });
  assert.deepEqual(stack.complaints, []);
});

test("a canned response, a blocked address and a public key say that there is nothing yet", async () => {
  const canned = await settings("canned", "Write one");
  await lacks(canned, "Add it", "Text", "Write what is to be said.");
  const blocked = await settings("security", "Block an address");
  await lacks(blocked, "Block", "Address or network", "Write an address, or a network.");
  const key = await settings(`sites?site=${stack.siteKey}`, "Add a public key");
  await lacks(key, "Add the key", "Public key", "Paste the public key.");
  await key.getByLabel("Public key").fill("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----");
  await key.getByText(/This is a private key/).waitFor();
  await key.getByRole("button", { name: "Add the key" }).click();
  await until("the key to be the next thing to mend", () => isFocused(key.getByLabel("Public key")));
  assert.deepEqual(stack.complaints, []);
});

test("pressed twice while the line is slow, a button does it once", async () => {
  // None of its requests goes through a worker of its own: they can be held back.
  const page = await stack.console({ serviceWorkers: "block" });
  let release;
  const released = new Promise((done) => (release = done));
  let asked_count = 0;
  await page.route("**/api/v1/invitations", async (route) => {
    if (route.request().method() !== "POST") return route.fallback();
    asked_count += 1;
    await released;
    return route.continue();
  });
  await page.goto(`${stack.origin}/console/settings/team`);
  await page.getByRole("button", { name: "Invite somebody" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("E-mail").fill("bo@example.com");
  await dialog.getByRole("button", { name: "Make a link" }).click();
  await until("it to be on its way", () => asked_count === 1);
  await dialog.getByRole("button", { name: "Make a link" }).click();
  release();
  await dialog.getByRole("button", { name: "I have copied it" }).click();
  await dialog.waitFor({ state: "detached" });
  assert.equal(asked_count, 1);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("an answer that comes when its window was closed closes no other one, and a refusal is said all the same", async () => {
  const page = await stack.console({ serviceWorkers: "block" });
  const held = [];
  await page.route("**/api/v1/canned-responses", (route) => (route.request().method() === "POST" ? held.push(route) : route.fallback()));
  await page.goto(`${stack.origin}/console/settings/canned`);
  const dialog = page.getByRole("dialog");
  const writes = async (text) => {
    await page.getByRole("button", { name: /^(Write|Add)/ }).first().click();
    await dialog.getByLabel("Text").fill(text);
  };
  const givesUp = async (count) => {
    await dialog.getByRole("button", { name: "Add it" }).click();
    await until("it to be on its way", () => held.length === count);
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.waitFor({ state: "detached" });
  };
  await writes("Good morning");
  await givesUp(1);
  await writes("Good evening");
  await held[0].continue();
  await page.locator("li", { hasText: "Good morning" }).waitFor();
  assert.equal(await dialog.getByLabel("Text").inputValue(), "Good evening");
  await givesUp(2);
  await writes("Good night");
  await held[1].abort();
  await page.getByText(/^The server cannot be reached/).waitFor();
  assert.equal(await dialog.getByLabel("Text").inputValue(), "Good night");
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a new password says how much is missing, and that the present one is wanted", async () => {
  const page = await settings("security", null);
  await lacks(page, "Change the password", "Present password", "Write your present password.");
  await page.getByText("Choose a password of 12 characters or more.").waitFor();
  await page.getByLabel("Present password").fill("correct-horse-battery");
  await page.getByLabel("New password").fill("too-short");
  await page.getByText("3 more characters are needed.").waitFor();
  await page.getByLabel("New password").fill("correct-horse-battery-staple");
  await page.getByRole("button", { name: "Change the password" }).click();
  await page.getByText("Your password was changed").waitFor();
  await until("nothing to say", async () => (await page.getByText("Write your present password.").count()) === 0);
  assert.deepEqual(stack.complaints, []);
});

test("a time to rest until, a day to go to, and a list to be kept say what they want", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "Until when?");
  await owner.goto(`${stack.origin}/console/inbox/all?order=oldest`);
  await openRow(owner, "Until when?");
  await owner.getByRole("button", { name: "Snooze", exact: true }).click();
  await owner.getByRole("menuitem", { name: "Pick date and time" }).click();
  const snooze = owner.getByRole("dialog", { name: "Snooze until" });
  await lacks(snooze, "Snooze", "Day", "Pick a day.");
  await snooze.getByRole("button", { name: "Cancel" }).click();
  await snooze.waitFor({ state: "detached" });
  await owner.locator(".thread-head").getByRole("button", { name: "More", exact: true }).click();
  await owner.getByRole("menuitem", { name: "Go to a day" }).click();
  const day = owner.getByRole("dialog", { name: "Go to a day" });
  await lacks(day, "Go there", "Day", "Pick a day.");
  await day.getByRole("button", { name: "Cancel" }).click();
  await day.waitFor({ state: "detached" });
  await owner.getByRole("button", { name: "Save view" }).click();
  const view = owner.getByRole("dialog", { name: "Save this list as a view" });
  await lacks(view, "Save", "Name", "Write what the view is called.");
  await view.getByLabel("Name").fill("The oldest first");
  await view.getByRole("button", { name: "Save", exact: true }).click();
  await owner.getByRole("link", { name: "The oldest first" }).waitFor();
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});
