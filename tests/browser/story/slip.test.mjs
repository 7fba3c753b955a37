// What is said of a lost line, in the console and in the panel: it lies over the page, and moves nothing.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { misfits } from "../layout.mjs";
import { Stack, answer, openRow, say, sees } from "../stack.mjs";

let stack;
before(async () => {
  stack = await Stack.start();
});
after(() => stack.stop());

/** Where all stands that one may point at or read, but for what lies over it. */
const places = (frame) => frame.evaluate(() => {
  const found = {};
  for (const element of document.querySelectorAll("a, button, input, textarea, h1, h2, h3, article, [role=log], [role=tab], dt, summary")) {
    if (element.closest(".corner, .notices") || !element.checkVisibility()) continue;
    const { x, y, width, height } = element.getBoundingClientRect();
    if (width <= 1 || height <= 1) continue;
    const name = `${element.tagName} ${element.getAttribute("aria-label") ?? element.textContent.slice(0, 40)}`;
    (found[name] ??= []).push([x, y, width, height].map(Math.round).join());
  }
  return found;
});

/** What stood somewhere before and stands elsewhere now. What is no longer there, or new, is said elsewhere. */
function moved(before, now) {
  return Object.keys(before).filter((name) => now[name] && now[name].length === before[name].length && now[name].join() !== before[name].join()).map((name) => `${name}: ${before[name]} to ${now[name]}`);
}

const looks = {
  "a telephone of 320 px in the dark": { viewport: { width: 320, height: 640 }, isMobile: true, hasTouch: true, colorScheme: "dark" },
  "a window of 1280 px": { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  "the widest screen in the dark": { viewport: { width: 2560, height: 1440 }, colorScheme: "dark" },
};

for (const [name, look] of Object.entries(looks)) {
  test(`a line that is lost and comes back moves nothing in the console: ${name}`, async () => {
    const agent = await stack.console(look);
    const { page, panel } = await stack.visitor("/demo/");
    await say(panel, `Are you there, ${name}?`);
    await openRow(agent, `Are you there, ${name}?`);
    await answer(agent, "Yes I am");
    await sees(panel, "Yes I am");
    await agent.getByRole("log").getByText("Yes I am", { exact: true }).waitFor();
    await agent.getByText(/Sent|Seen/).first().waitFor();
    const slip = agent.locator(".slip");
    const at_first = await places(agent);
    stack.cable.cut();
    await slip.getByText("Not connected since").waitFor();
    if (process.env.SHOT) await agent.screenshot({ path: `${process.env.SHOT}/slip-${look.viewport.width}.png` });
    assert.deepEqual(moved(at_first, await places(agent)), []);
    assert.deepEqual(await violations(agent), []);
    assert.deepEqual(await misfits(agent, look.viewport.width), []);
    // Neither what one writes with nor the head is covered.
    const own = await slip.boundingBox();
    for (const one of [agent.getByRole("textbox", { name: /^Reply to / }), agent.getByRole("button", { name: "Send", exact: true }), agent.locator(".thread-head, .thread header").first()]) {
      const box = await one.boundingBox();
      const is_apart = own.x + own.width <= box.x || box.x + box.width <= own.x || own.y + own.height <= box.y || box.y + box.height <= own.y;
      assert.ok(is_apart, `${JSON.stringify(own)} lies over ${JSON.stringify(box)}`);
    }
    stack.cable.mend();
    // It may be connected by itself before anybody could press.
    await slip.getByRole("button", { name: "Try now" }).evaluateAll(([button]) => button?.click());
    await slip.waitFor({ state: "detached" });
    assert.deepEqual(moved(at_first, await places(agent)), []);
    assert.deepEqual(stack.complaints, []);
    for (const each of [agent, page]) await each.context().close();
  });

  test(`nor in the panel: ${name}`, async () => {
    const { page, panel } = await stack.visitor("/demo/", look);
    for (let line = 1; line <= 12; line += 1) await say(panel, `Line ${line}`);
    await sees(panel, "Line 12");
    await panel.getByText("Sent", { exact: true }).last().waitFor();
    const at_first = await places(panel);
    stack.cable.cut();
    const slip = panel.locator(".notice.calm");
    await slip.waitFor();
    if (process.env.SHOT) await page.screenshot({ path: `${process.env.SHOT}/panel-${look.viewport.width}.png` });
    assert.deepEqual(moved(at_first, await places(panel)), []);
    assert.deepEqual(await violations(panel), []);
    stack.cable.mend();
    await slip.waitFor({ state: "detached" });
    assert.deepEqual(moved(at_first, await places(panel)), []);
    assert.deepEqual(stack.complaints, []);
    await page.context().close();
  });
}

test("the slip is read aloud once, however often it tries, and who puts it away is told by the rail", async () => {
  const agent = await stack.console();
  await agent.getByRole("button", { name: /Online/ }).waitFor();
  // What a screen reader is given to say: all of it that is not hidden from it.
  await agent.evaluate(() => {
    window.heard = [];
    const words = (node) => (node.nodeType === Node.TEXT_NODE ? node.data : node.ariaHidden === "true" || node.localName === "button" ? "" : [...node.childNodes].map(words).join(""));
    new MutationObserver(() => {
      const said = [...document.querySelectorAll(".slips [role=status]")].map(words).join("");
      if (said !== "" && window.heard.at(-1) !== said) window.heard.push(said);
    }).observe(document.querySelector(".slips"), { subtree: true, childList: true, characterData: true });
  });
  stack.cable.cut();
  const slip = agent.locator(".slip");
  await slip.getByText("Not connected since").waitFor();
  // It tried, and waits longer.
  for (const words of [/in 1 s\./, /in ([2-9]|\d\d) s\./]) await slip.getByText(words).waitFor();
  const heard = await agent.evaluate(() => window.heard);
  assert.equal(heard.length, 1, heard.join("\n"));
  assert.match(heard[0], /^Not connected since \d\d:\d\d\. It tries again by itself\. What you write is kept and goes out once\.$/);
  await slip.getByRole("button", { name: "Put away" }).click();
  await slip.waitFor({ state: "detached" });
  await agent.getByRole("button", { name: /Offline/ }).waitFor();
  stack.cable.mend();
  await agent.getByRole("button", { name: /Online/ }).waitFor();
  // Another time it is told anew.
  stack.cable.cut();
  await slip.getByText("Not connected since").waitFor();
  stack.cable.mend();
  await slip.waitFor({ state: "detached" });
  assert.deepEqual(stack.complaints, []);
  await agent.context().close();
});
