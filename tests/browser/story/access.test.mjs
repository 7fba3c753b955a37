// Every page of the console, its menus and its windows, as a checker of accessibility finds them, and how they fit
// windows from 320 to 2,560 px.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { badColors, badForRoom, violations } from "../axe.mjs";
import { misfits } from "../layout.mjs";
import { startSeeded } from "../seed.mjs";
import { Stack, openRow, owner, showSide } from "../stack.mjs";

let stack;
before(async () => {
  stack = await startSeeded();
});
after(() => stack.stop());

const wide = { viewport: { width: 1440, height: 900 } };
const widest = { viewport: { width: 2560, height: 1440 } };
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const tablet = { viewport: { width: 820, height: 1180 }, isMobile: true, hasTouch: true };
const smallest = { viewport: { width: 320, height: 568 }, isMobile: true, hasTouch: true };

/** What of a page does not fit its window, and what a checker blames; where there is another look that is the same but for the room, only what depends on that. */
async function faults(page, check = violations) {
  return [...(await misfits(page, page.viewportSize().width)), ...(await check(page))];
}

/** What cannot be read on a page once the system is dark: all else of it is as it was. */
async function faultsInDark(page) {
  const becomes = async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    await page.waitForFunction((isDark) => document.documentElement.hasAttribute("data-dark") === isDark, colorScheme === "dark");
  };
  await becomes("dark");
  const found = await badColors(page);
  await becomes("light");
  return found.map((fault) => `dark: ${fault}`);
}

/** The open conversation, its menus and windows, and who it is with. */
async function lookAtConversation(page, look) {
  await openRow(page, "gift");
  await page.getByText("Third order this year").first().waitFor();
  await look(page, "conversation");
  for (const menu of ["More", "Snooze"]) {
    await page.getByRole("button", { name: menu, exact: true }).click();
    await page.getByRole("menu").waitFor();
    await look(page, `menu ${menu}`);
    await page.keyboard.press("Escape");
    await page.getByRole("menu").waitFor({ state: "detached" });
  }
  const more = async (name) => {
    await page.locator(".thread-head").getByRole("button", { name: "More", exact: true }).click();
    await page.getByRole("menuitem", { name }).click();
  };
  await more("Find in it");
  await page.getByRole("searchbox", { name: "Find in this conversation" }).fill("tins");
  await page.getByText("1 of 1").waitFor();
  await look(page, "find bar");
  await page.keyboard.press("Escape");
  await more("Go to a day");
  const day = page.getByRole("dialog", { name: "Go to a day" });
  await day.getByLabel("Day").fill("2199-01-01");
  await day.getByText("Pick a day that has begun.").waitFor();
  await look(page, "window of a day");
  await page.keyboard.press("Escape");
  await day.waitFor({ state: "detached" });
  const side = await showSide(page);
  await side.getByText("E-mail").waitFor();
  await look(page, "side panel");
  await side.getByRole("button", { name: "Erase this contact" }).click();
  await page.getByRole("dialog").waitFor();
  await look(page, "window to erase");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await side.getByRole("button", { name: "Edit the contact" }).click();
  await side.getByLabel("Another fact").waitFor();
  await look(page, "contact that is edited");
}

/** The lists: what is to be done, filters, what was found, and who is on the sites. */
async function lookAtLists(page, look) {
  await page.goto(`${stack.origin}/console/inbox/todo`);
  await page.locator("a.row-todo").nth(1).waitFor();
  await look(page, "to do");
  await page.goto(`${stack.origin}/console/inbox/all`);
  await page.getByRole("button", { name: "Filter" }).click();
  await page.getByRole("group", { name: "Filters of the list" }).waitFor();
  await look(page, "filters of the list");
  await page.goto(`${stack.origin}/console/inbox/all?q=gift`);
  await page.getByText("1 found in all conversations").waitFor();
  await look(page, "search");
  await page.goto(`${stack.origin}/console/visitors`);
  await page.locator(".visitor").nth(2).waitFor();
  await look(page, "visitors");
  // A telephone has no room for columns.
  const columns = page.getByRole("button", { name: "Columns" });
  if (await columns.isVisible()) {
    await columns.click();
    await page.getByRole("menu").waitFor();
    await look(page, "menu of columns");
    await page.keyboard.press("Escape");
    await page.getByRole("menu").waitFor({ state: "detached" });
  }
  await page.locator(".visitor").first().click();
  await page.getByRole("complementary", { name: /^Visitor / }).waitFor();
  await look(page, "visitor");
}

/** Goes to a place of the console as its own links do: nothing is loaded anew. */
const goes = (page, place) => page.evaluate((path) => history.pushState(null, "", path), `/console/${place}`);

const settings = {
  workspace: "Workspace",
  sites: "Sites",
  team: "Team",
  canned: "Canned responses",
  keys: "API keys",
  audit: "Audit log",
  activity: "Activity",
  system: "System",
  security: "Security",
  notifications: "Notifications",
  profile: "Profile",
};

/** The settings, the design, and the windows that open anywhere. */
async function lookAtSettings(page, look) {
  for (const [name, title] of Object.entries(settings)) {
    await goes(page, `settings/${name}`);
    await page.locator(".settings-body h1", { hasText: title }).waitFor();
    await look(page, `settings ${name}`);
  }
  await goes(page, "design");
  await page.getByRole("heading", { name: "Icons" }).waitFor();
  await look(page, "design");
  await goes(page, `settings/sites?site=${stack.siteKey}`);
  await page.getByLabel("Allowed origins").waitFor();
  await look(page, "settings of a site");
  await goes(page, "settings/team");
  await page.getByRole("button", { name: "Invite somebody" }).click();
  await page.getByRole("dialog").waitFor();
  await look(page, "window to invite");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Find anything" }).fill("an");
  await page.getByRole("option").nth(2).waitFor();
  await look(page, "palette");
  await page.keyboard.press("Escape");
  await page.getByRole("combobox", { name: "Find anything" }).waitFor({ state: "detached" });
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
  await look(page, "sheet of keys");
}

for (const [name, options, check] of [
  ["wide, light and dark", { ...wide, colorScheme: "light" }, async (page) => [...(await faults(page)), ...(await faultsInDark(page))]],
  ["on a telephone", { ...phone, colorScheme: "light" }, (page) => faults(page)],
  ["on the smallest telephone, dark", { ...smallest, colorScheme: "dark" }, (page) => faults(page, badForRoom)],
  // As the wide one, with more room.
  ["on the widest screen", { ...widest, colorScheme: "light" }, (page) => faults(page, () => [])],
  ["on a tablet", { ...tablet, colorScheme: "light" }, (page) => faults(page, () => [])],
]) {
  test(`a checker finds nothing to blame in the console, and all fits, ${name}`, async () => {
    const found = {};
    const person = { reducedMotion: "reduce", ...options };
    const look = async (page, place) => {
      const blamed = await check(page);
      if (blamed.length > 0) found[place] = blamed;
    };
    const door = await stack.person(person);
    await door.goto(`${stack.origin}/console/sign-in`);
    await door.getByLabel("Password").waitFor();
    await look(door, "sign in");
    await door.context().close();
    const page = await stack.console(person);
    await page.locator("a.row").nth(3).waitFor();
    await look(page, "inbox");
    await lookAtConversation(page, look);
    await lookAtLists(page, look);
    await lookAtSettings(page, look);
    await page.context().close();
    assert.deepEqual(found, {});
    assert.deepEqual(stack.complaints, []);
  });
}

test("a checker finds nothing to blame where the server is away, and in the reference of the API, and both fit", async () => {
  const found = {};
  for (const options of [{ ...wide, colorScheme: "light" }, { ...smallest, colorScheme: "dark" }]) {
    const page = await stack.person(options);
    const look = async (place) => {
      const blamed = await faults(page);
      if (blamed.length > 0) found[`${place}, ${options.colorScheme}`] = blamed;
    };
    await page.route("**/readyz", (route) => route.abort());
    await page.goto(`${stack.origin}/console/offline.html`);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("status").getByText("Still no answer.").waitFor();
    await look("away");
    await page.goto(`${stack.origin}/api/docs/`);
    await page.getByRole("heading", { name: "Shapes" }).waitFor();
    await look("reference");
    await page.context().close();
  }
  assert.deepEqual(found, {});
  assert.deepEqual(stack.complaints, []);
});

test("a checker finds nothing to blame where a team begins, and all fits: set-up and joining", async () => {
  const found = {};
  const fresh = await Stack.start({ isSetUp: false });
  try {
    const look = async (page, place) => {
      const blamed = await faults(page);
      if (blamed.length > 0) found[place] = blamed;
    };
    for (const [look_name, options] of [
      ["light", { ...wide, colorScheme: "light" }],
      ["dark, on a telephone", { ...phone, colorScheme: "dark" }],
      ["light, on the smallest telephone", { ...smallest, colorScheme: "light" }],
    ]) {
      const is_last = look_name.endsWith("smallest telephone");
      const page = await fresh.person({ reducedMotion: "reduce", ...options });
      await page.goto(`${fresh.origin}/console/setup`);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await look(page, `set-up without a link, ${look_name}`);
      const link = new URL(fresh.setupLink);
      await page.goto(fresh.origin + link.pathname + link.search + link.hash);
      await page.reload();
      await page.getByLabel("Your name").fill(owner.name);
      await look(page, `account, ${look_name}`);
      await page.getByLabel("E-mail").fill(owner.email);
      await page.getByLabel("Password").fill(owner.password);
      await page.getByRole("button", { name: "Next" }).click();
      await page.getByLabel("Name of the business").fill("Kettle & Leaf");
      await look(page, `workspace, ${look_name}`);
      if (is_last) {
        await page.getByRole("button", { name: "Set up" }).click();
        await page.getByText("Waiting for the first visitor.").waitFor();
        await look(page, `widget, ${look_name}`);
        await page.getByRole("button", { name: "Go to the inbox" }).click();
        await page.getByRole("region", { name: "Set-up" }).waitFor();
        // High enough for the whole of it: where a list scrolls, its edge cuts what it cuts.
        const { width, height } = page.viewportSize();
        await page.setViewportSize({ width, height: 1_600 });
        await look(page, `list of what is to be done, ${look_name}`);
        await page.setViewportSize({ width, height });
        await page.goto(`${fresh.origin}/console/setup`);
        await page.getByText("Set up already").waitFor();
        await look(page, `set up already, ${look_name}`);
      }
      await page.context().close();
    }
    const { api, headers } = await fresh.api();
    const { link } = await api.ask("POST", "invitations", { email: "kim@example.com", role: "agent" }, headers);
    for (const [look_name, options] of [
      ["dark", { ...wide, colorScheme: "dark" }],
      ["light, on a telephone", { ...phone, colorScheme: "light" }],
      ["dark, on the smallest telephone", { ...smallest, colorScheme: "dark" }],
    ]) {
      const page = await fresh.person({ reducedMotion: "reduce", ...options });
      await page.goto(fresh.origin + new URL(link).pathname + new URL(link).hash);
      await page.getByLabel("A new password").fill("short");
      await page.getByLabel("Your name").fill("Kim");
      await look(page, `joining, ${look_name}`);
      await page.getByRole("button", { name: "Join" }).click();
      await page.getByText(/12 characters/).first().waitFor();
      await look(page, `joining, refused, ${look_name}`);
      await page.goto(`${fresh.origin}/console/join#token=none`);
      await page.reload();
      await page.getByText("This invitation cannot be used").waitFor();
      await look(page, `an invitation that is none, ${look_name}`);
      await page.context().close();
    }
    assert.deepEqual(found, {});
    assert.deepEqual(fresh.complaints, []);
  } finally {
    await fresh.stop();
  }
});
