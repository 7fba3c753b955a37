// What opens over a page of the console, each menu and each window: a checker blames nothing in it, light and dark, and it fits.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { badColors, violations } from "../axe.mjs";
import { misfits } from "../layout.mjs";
import { startSeeded } from "../seed.mjs";
import { answer } from "../stack.mjs";

let stack;
before(async () => {
  stack = await startSeeded();
});
after(() => stack.stop());

const goes = (page, place) => page.goto(`${stack.origin}/console/${place}`);
const press = (page, name, within = page) => within.getByRole("button", { name, exact: typeof name === "string" }).first().click();
const choose = (page, name) => page.getByRole("menuitem", { name }).click();

async function opens(page) {
  await goes(page, "inbox/all");
  await page.locator("a.row", { hasText: "Ana Kovač" }).click();
  await page.getByText("Third order this year").first().waitFor();
}

/** What an agent said, pointed at. */
async function said(page) {
  await opens(page);
  await answer(page, "A line to be changed");
  const line = page.getByRole("log").locator(".said", { hasText: "A line to be changed" }).last();
  await line.locator("[data-mark=sending]").waitFor({ state: "detached" });
  await line.hover();
  return line;
}

async function picks(page) {
  await goes(page, "inbox/all");
  for (const row of [1, 3]) await page.locator("a.row").nth(row).click({ modifiers: ["Control"] });
  await page.getByText("2 picked").waitFor();
}

async function savesView(page) {
  await goes(page, "inbox/all?order=oldest");
  await press(page, "Save view");
}

async function makesKey(page) {
  await goes(page, "settings/keys");
  await press(page, "Make a key");
}

/** Each with the way to it. */
const WINDOWS = {
  "menu of one's own": async (page) => {
    await goes(page, "inbox/all");
    await press(page, /menu of Mira Novak$/);
  },
  "menu of the team": async (page) => {
    await goes(page, "inbox/all");
    await press(page, /^Team ?,/);
  },
  "menu to assign": async (page) => {
    await opens(page);
    await page.locator("[data-menu=assign]").click();
  },
  "window to snooze": async (page) => {
    await opens(page);
    await press(page, "Snooze");
    await choose(page, "Pick date and time");
  },
  "menu of a message": async (page) => press(page, "Change this", await said(page)),
  "window to delete": async (page) => {
    await press(page, "Change this", await said(page));
    await choose(page, "Delete");
  },
  "menu to assign the picked": async (page) => {
    await picks(page);
    await press(page, "Assign", page.getByRole("toolbar", { name: "With the picked conversations" }));
  },
  "menu to snooze the picked": async (page) => {
    await picks(page);
    await press(page, "Snooze the picked ones");
  },
  "window to save a view": savesView,
  "menu of a view": async (page) => {
    await savesView(page);
    const name = "The oldest first";
    await page.getByRole("dialog").getByLabel("Name").fill(name);
    await press(page, "Save", page.getByRole("dialog"));
    await page.getByRole("link", { name }).first().click();
    await press(page, `The view ${name}`);
  },
  "window of rights": async (page) => {
    await goes(page, "settings/team");
    await press(page, /^Rights (\+\d+ )?of/);
  },
  "window to hand over": async (page) => {
    await goes(page, "settings/workspace");
    const only = page.getByRole("switch", { name: "One owner only" });
    await only.waitFor();
    if (!(await only.isChecked())) {
      await only.click();
      await page.getByText("Saved", { exact: true }).waitFor();
    }
    await goes(page, "settings/team");
    await page.getByLabel("Role of Jon Arden").selectOption("owner");
  },
  "window of a link": async (page) => {
    await goes(page, "settings/team");
    await press(page, "Invite somebody");
    await page.getByLabel("E-mail").fill(`kim${Date.now()}@example.com`);
    await press(page, "Make a link");
    await page.getByRole("textbox", { name: "The link" }).waitFor();
  },
  "window to add a site": async (page) => {
    await goes(page, "settings/sites");
    await press(page, "Add a site");
  },
  "window of a secret": async (page) => {
    await goes(page, `settings/sites?site=${stack.siteKey}`);
    await press(page, /^(Rotate|Make)/, page.locator(".section", { has: page.getByRole("heading", { name: "Secrets" }) }));
  },
  "window to add a public key": async (page) => {
    await goes(page, `settings/sites?site=${stack.siteKey}`);
    await press(page, "Add a public key");
  },
  "window of a canned response": async (page) => {
    await goes(page, "settings/canned");
    await press(page, /^(Write|Add)/);
  },
  "window to make a key": makesKey,
  "window of a key": async (page) => {
    await makesKey(page);
    await page.getByLabel("What it is for").fill("Reports");
    await press(page, "Make it");
    await page.getByRole("textbox", { name: "The key" }).waitFor();
  },
  "window to revoke a key": async (page) => {
    await goes(page, "settings/keys");
    await press(page, /^Revoke/);
  },
  "window to block an address": async (page) => {
    await goes(page, "settings/security");
    await press(page, "Block an address");
  },
  "window of a picture": async (page) => {
    await goes(page, "settings/profile");
    const drawn = await page.evaluate(() => Object.assign(document.createElement("canvas"), { width: 300, height: 200 }).toDataURL("image/png").split(",")[1]);
    await page.getByLabel("Your picture").setInputFiles({ name: "me.png", mimeType: "image/png", buffer: Buffer.from(drawn, "base64") });
    await page.getByRole("slider", { name: "Nearer" }).waitFor();
  },
  "window of the design": async (page) => {
    await goes(page, "design");
    await press(page, /window/);
  },
  "menu of the design": async (page) => {
    await goes(page, "design");
    await press(page, "A menu");
  },
  "window before signing out": async (page) => {
    await goes(page, "settings/security");
    await page.getByLabel("Present password").fill("something begun");
    await press(page, /menu of Mira Novak$/);
    await choose(page, "Sign out");
  },
};

/** Places without a window of their own that no other story opens. */
const PAGES = {
  "an address that leads nowhere": async (page) => {
    await goes(page, "no/such/place");
    await page.getByText("Nothing is here").waitFor();
  },
  "a conversation that is not there": (page) => goes(page, "inbox/all/cnv_01m7q5ctdrjmrnv7e9z0c1ht0h").then(() => page.getByRole("heading", { name: /not|gone|nothing/i }).first().waitFor()),
};

const opened = "[role=menu], [role=dialog]";

for (const [name, options, places] of [
  ["on a wide screen", { viewport: { width: 1440, height: 900 } }, { ...WINDOWS, ...PAGES }],
  ["on the smallest telephone, where nothing is", { viewport: { width: 320, height: 568 }, isMobile: true, hasTouch: true }, PAGES],
]) {
  test(`a checker finds nothing to blame in what opens over the console, light and dark, ${name}`, async () => {
    const found = {};
    const first = await stack.console({ reducedMotion: "reduce", colorScheme: "light", ...options });
    const width = options.viewport.width;
    for (const [place, open] of Object.entries(places)) {
      // What keeps a window open keeps its page as well: each has one of its own.
      const page = await first.context().newPage();
      try {
        await open(page);
        if (place in WINDOWS) await page.locator(opened).first().waitFor();
      } catch (error) {
        found[place] = [`not opened: ${error}`];
        continue;
      }
      // What is behind a window is looked at where nothing is over it.
      const within = place in WINDOWS ? opened : undefined;
      const blamed = [...(await misfits(page, width)), ...(await violations(page, within))];
      await page.emulateMedia({ colorScheme: "dark" });
      await page.waitForFunction(() => document.documentElement.hasAttribute("data-dark"));
      blamed.push(...(await badColors(page, within)).map((fault) => `dark: ${fault}`));
      await page.close();
      if (blamed.length > 0) found[place] = blamed;
    }
    await first.context().close();
    assert.deepEqual(found, {});
    assert.deepEqual(stack.complaints, []);
  });
}
