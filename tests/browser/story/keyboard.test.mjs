// The chat without a mouse, and for those who hear it instead of seeing it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { misfits } from "../layout.mjs";
import { Stack, answer, chooseLarge, findPanel, launcherName, openRow, say, sees, until } from "../stack.mjs";

let stack;
let agent;
before(async () => {
  stack = await Stack.start();
  agent = await stack.console();
});
after(() => stack.stop());

/** What has the focus in a frame, as a screen reader names it. */
const focused = (frame) => frame.evaluate(() => {
  const element = document.activeElement;
  return element?.getAttribute("aria-label") ?? element?.textContent ?? "";
});

const hasFocus = (frame, name) => until(`the focus on "${name}"`, async () => (await focused(frame)).startsWith(name));

test("open, write, attach, send, change and close, all by keyboard", async () => {
  const page = await stack.person();
  // Choosers are caught from the start: beside the press of a key it would be a race which is first.
  page.on("filechooser", () => {});
  await page.goto(`${stack.origin}/demo/tea/`);
  await until("the launcher", async () => (await launcherName(page)).startsWith("Open chat, somebody is here now"));
  // It is the last thing on the page.
  await page.locator("footer").click();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  const panel = await findPanel(page);
  await hasFocus(panel, "Message");
  await page.keyboard.type("by keyboard, first");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("second line");
  await page.keyboard.press("Enter");
  await sees(panel, "second line");
  await hasFocus(panel, "Message");

  await page.keyboard.press("Shift+Tab");
  await hasFocus(panel, "Attach files");
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.keyboard.press("Enter")]);
  await chooser.setFiles({ name: "list.txt", mimeType: "text/plain", buffer: Buffer.from("milk") });
  await panel.getByText("4 B").waitFor();
  await hasFocus(panel, "Message");
  await page.keyboard.press("Enter");
  await panel.getByRole("button", { name: "Save list.txt, 4 B" }).waitFor();

  // The menu of the first message: back over the file's, and out of the composer.
  const options = "Options for your message: by keyboard, first";
  await panel.getByRole("button", { name: options }).focus();
  await page.keyboard.press("Enter");
  await hasFocus(panel, "Edit");
  await page.keyboard.press("ArrowDown");
  await hasFocus(panel, "Copy");
  await page.keyboard.press("End");
  await hasFocus(panel, "Delete");
  await page.keyboard.press("ArrowDown");
  await hasFocus(panel, "Edit");
  await page.keyboard.press("Escape");
  await hasFocus(panel, options);
  await panel.getByRole("menu").waitFor({ state: "detached" });

  await page.keyboard.press("ArrowDown");
  await hasFocus(panel, "Edit");
  await page.keyboard.press("Enter");
  await hasFocus(panel, "Message");
  await page.keyboard.press("Control+a");
  await page.keyboard.type("changed");
  await page.keyboard.press("Enter");
  await panel.getByText("Edited").waitFor();
  await sees(panel, "changed");

  const changed = panel.getByRole("button", { name: "Options for your message: changed" });
  await changed.focus();
  await page.keyboard.press("Enter");
  await hasFocus(panel, "Edit");
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await panel.getByText("You deleted this message").waitFor();
  await hasFocus(panel, "Conversation");

  // Escape closes, and the focus is where it came from.
  await page.keyboard.press("Escape");
  await until("the launcher", async () => (await launcherName(page)).startsWith("Open chat"));
  await until("the focus on the launcher", () => page.evaluate(() => document.activeElement?.tagName === "DIV"));
  await page.keyboard.press("Space");
  await hasFocus(panel, "Message");
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("what the team says is read aloud once, one's own words never", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  const told = await panel.evaluateHandle(() => {
    const told = [];
    const region = document.querySelector("[role=status].unseen");
    new MutationObserver(() => told.push(region.textContent)).observe(region, { childList: true, subtree: true, characterData: true });
    return told;
  });
  const heard = (...wanted) => until(`${wanted}`, async () => JSON.stringify((await told.jsonValue()).filter(Boolean)) === JSON.stringify(wanted));
  await say(panel, "Do you read to me?");
  await openRow(agent, "Do you read to me?");
  await answer(agent, "I **do**.");
  await heard("mira: I do.");
  await answer(agent, "Again:");
  await heard("mira: I do.", "mira: Again:");
  await answer(agent, "Again:");
  await heard("mira: I do.", "mira: Again:", "mira: Again:");
  // What was missed is told in one sentence.
  stack.cable.cut();
  await panel.getByText(/No connection/).waitFor();
  const { api, headers } = await stack.api({ direct: true });
  const { items } = await api.ask("GET", "conversations?filter=all", undefined, headers);
  const id = items.find((one) => one.preview?.text === "Again:").id;
  for (const body of ["missed one", "missed two"]) {
    const command = { do: "send_message", conversation_id: id, body };
    await api.ask("POST", "commands", command, { ...headers, "idempotency-key": api.nextId() });
  }
  stack.cable.mend();
  await sees(panel, "missed two");
  await heard("mira: I do.", "mira: Again:", "mira: Again:", "2 new messages. mira: missed two");
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a checker finds nothing to blame and all fits, light on the widest screen and dark on the smallest, empty, full and at odds with the world", async () => {
  const faults = async (frame, width) => [...(await misfits(frame, width)), ...(await violations(frame))];
  for (const [colorScheme, viewport, width] of [
    ["light", { width: 2560, height: 1440 }, 380],
    ["dark", { width: 320, height: 568 }, 320],
  ]) {
    const { page, panel } = await stack.visitor("/demo/", { colorScheme, viewport, reducedMotion: "reduce" });
    await until(`${width} px`, async () => (await panel.evaluate(() => innerWidth)) === width);
    assert.deepEqual(await faults(panel, width), [], `empty, ${colorScheme}`);
    const words = `what does a checker say, ${colorScheme}?`;
    await say(panel, words);
    await agent.mouse.move(700, 300);
    await openRow(agent, words);
    await answer(agent, "See [this](https://a.example/b):\n\n- `one`\n- two\n\n```\ncode\n```\n\n> so");
    await panel.locator("article.team pre").waitFor();
    const picker = panel.locator("input[type=file]");
    await picker.setInputFiles({ name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("a") });
    await chooseLarge(picker, "b.txt", 21 * 1024 * 1024);
    await panel.getByText(/Larger than/).waitFor();
    await panel.getByRole("button", { name: /^Options for your message/ }).click();
    assert.deepEqual(await faults(panel, width), [], `full, ${colorScheme}`);
    await page.keyboard.press("Escape");
    await page.context().setOffline(true);
    await panel.getByText(/offline/).waitFor();
    assert.deepEqual(await faults(panel, width), [], `offline, ${colorScheme}`);
    await page.context().setOffline(false);
    assert.deepEqual(await faults(page, viewport.width), [], `the page, ${colorScheme}`);
    await page.context().close();
  }
  for (const path of ["/demo/tea/", "/demo/app/", "/demo/about/", "/demo/strict/"]) {
    const page = await stack.person();
    await page.goto(stack.origin + path);
    assert.deepEqual(await violations(page), [], path);
    await page.context().close();
  }
});

test("whatever colour a customer chose, its words can be read", async () => {
  const { api, headers } = await stack.api();
  const path = `sites/${stack.siteKey}`;
  const { page, panel } = await stack.visitor("/demo/", { reducedMotion: "reduce" });
  await say(panel, "see https://a.example/colour");
  await panel.getByText("Sent", { exact: true }).first().waitFor();
  for (const color of ["#ffffff", "#000000", "#ffe14d", "#777777", "#c8372d", "#14191b"]) {
    const site = await api.ask("GET", path, undefined, headers);
    await api.ask("PATCH", path, { theme: { ...site.theme, color } }, { ...headers, "if-match": `"${site.version}"` });
    // It is told to whoever is there.
    await panel.waitForFunction((color) => document.documentElement.style.getPropertyValue("--brand") === color, color);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await violations(panel), [], `${color}, ${colorScheme}`);
    }
  }
  assert.deepEqual(stack.complaints, []);
});
