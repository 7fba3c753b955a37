// Every page of the console, its menus and its windows, as a checker of accessibility finds them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { seed } from "../seed.mjs";
import { Stack, openRow } from "../stack.mjs";

let stack;
before(async () => {
  stack = await Stack.start();
  await seed(stack);
});
after(() => stack.stop());

const wide = { viewport: { width: 1440, height: 900 } };
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

for (const [look, options] of [
  ["wide and light", { ...wide, colorScheme: "light" }],
  ["wide and dark", { ...wide, colorScheme: "dark" }],
  ["on a telephone", { ...phone, colorScheme: "light" }],
]) {
  test(`a checker finds nothing to blame in the console, ${look}`, async () => {
    const found = {};
    const person = { reducedMotion: "reduce", ...options };
    const door = await stack.person(person);
    const look = async (page, place) => {
      const blamed = await violations(page);
      if (blamed.length > 0) found[place] = blamed;
    };
    await door.goto(`${stack.origin}/console/sign-in`);
    await door.getByLabel("Password").waitFor();
    await look(door, "sign in");
    await door.context().close();

    const page = await stack.console(person);
    await page.locator("a.row").nth(3).waitFor();
    await look(page, "inbox");
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
    const side = page.getByRole("complementary", { name: "Contact" });
    if (!(await side.isVisible())) await page.getByRole("button", { name: "Show the side panel" }).click();
    await side.getByText("E-mail").waitFor();
    await look(page, "side panel");
    await side.getByRole("button", { name: "Erase this contact" }).click();
    await page.getByRole("dialog").waitFor();
    await look(page, "window to erase");
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });

    await page.goto(`${stack.origin}/console/inbox/all?q=gift`);
    await page.getByText("1 found").waitFor();
    await look(page, "search");
    await page.goto(`${stack.origin}/console/visitors`);
    await page.locator(".visitor").nth(2).waitFor();
    await look(page, "visitors");
    await page.locator(".visitor").first().click();
    await page.getByRole("complementary", { name: /^Visitor / }).waitFor();
    await look(page, "visitor");

    for (const name of ["workspace", "sites", "team", "keys", "audit", "profile"]) {
      await page.goto(`${stack.origin}/console/settings/${name}`);
      await page.locator(".settings-body h1").waitFor();
      await look(page, `settings ${name}`);
    }
    await page.goto(`${stack.origin}/console/settings/sites?site=${stack.siteKey}`);
    await page.getByLabel("Allowed origins").waitFor();
    await look(page, "settings of a site");
    await page.goto(`${stack.origin}/console/settings/team`);
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
    await page.context().close();
    assert.deepEqual(found, {});
    assert.deepEqual(stack.complaints, []);
  });
}
