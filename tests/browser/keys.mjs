// Somebody who has no mouse. What is pressed with a pointer all the same is counted.

import assert from "node:assert/strict";

import { owner, until } from "./stack.mjs";

/** How often a key is pressed before it is taken for certain that it never leads there. */
const STEPS_MAX = 150;

/** Runs in every page and frame before anything of it. */
function countPresses() {
  window.pressed = 0;
  document.addEventListener("pointerdown", () => (window.pressed += 1), true);
}

/** What has the focus, as a screen reader names it; the page itself has no name. */
const focusedName = (frame) => frame.evaluate(() => {
  const element = document.activeElement;
  if (element === null || element === document.body) return "";
  const by = (element.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
  const label = [...(element.labels ?? [])].map((each) => each.textContent).join(" ");
  return (element.getAttribute("aria-label") || by || label || element.textContent).trim();
});

const fits = (name, text) => (typeof name === "string" ? text === name : name.test(text));

/** Two hands on a keyboard, in front of a page. */
export class Hands {
  constructor(page) {
    this.page = page;
  }

  /** In front of a new page of somebody's. */
  static async of(page) {
    await page.addInitScript(countPresses);
    return new Hands(page);
  }

  /** Signs in to the console of a stack. */
  static async signIn(stack, who = owner) {
    const hands = await Hands.of(await stack.person({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" }));
    await hands.page.goto(`${stack.origin}/console/sign-in`);
    await hands.focus("the address", "input[type=email]");
    await hands.type(who.email);
    await hands.press("Tab");
    await hands.type(who.password);
    await hands.press("Enter");
    return hands;
  }

  /** Presses keys in a row, as fast as hands do. */
  press(...keys) {
    return Promise.all(keys.map((key) => this.page.keyboard.press(key)));
  }

  type(text) {
    return this.page.keyboard.type(text);
  }

  /** Waits until what fits a selector has the focus. */
  focus(what, selector) {
    return until(`the focus on ${what}`, () => this.page.evaluate((wanted) => document.activeElement?.matches(wanted) === true, selector));
  }

  /** Waits until what is called so has the focus. */
  at(name, frame = this.page) {
    return until(`the focus on ${name}`, async () => (await frame.evaluate(() => document.hasFocus())) && fits(name, await focusedName(frame)));
  }

  /** Goes on by the Tab key until what has the focus is called so. */
  async reach(name, frame = this.page) {
    const passed = [];
    for (;;) {
      const at = await focusedName(frame);
      if (fits(name, at)) return;
      passed.push(at);
      assert.ok(passed.length < STEPS_MAX, `${name} is not reached: ${passed.join(", ")}`);
      await this.press("Tab");
    }
  }

  /** Chooses in the menu that is open, by its arrows. */
  async choose(name) {
    const { page } = this;
    await page.getByRole("menuitem", { name }).waitFor();
    const at = () => page.evaluate(() => document.activeElement?.getAttribute("role") === "menuitem" ? document.activeElement.textContent : "");
    for (let step = 0; !name.test(await at()); step += 1) {
      assert.ok(step < 30, `${name} is not in the menu`);
      const before = await at();
      await this.press("ArrowDown");
      await until("the next item", async () => (await at()) !== before);
    }
    await this.press("Enter");
    await page.getByRole("menu").waitFor({ state: "detached" });
  }

  /** Finds something of the console by its name, and goes there or does it. */
  async find(text, name) {
    const { page } = this;
    await this.press("Control+k");
    await this.focus("what is sought", "[role=combobox]");
    await this.type(text);
    await page.getByRole("option", { selected: true }).filter({ hasText: name }).waitFor();
    await this.press("Enter");
    await page.getByRole("combobox", { name: "Find anything" }).waitFor({ state: "detached" });
  }

  /** Fails where anything was pressed with a pointer, in the page or in a frame of it. */
  async usedNoPointer() {
    for (const frame of this.page.frames()) assert.equal(await frame.evaluate(() => window.pressed), 0, frame.url());
  }
}
