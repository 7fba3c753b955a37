// A site's own look: what is chosen in the settings is what the next visitor sees.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Stack, answer, findPanel, launcherName, openPanel, openRow, say, sees, until } from "../stack.mjs";

let stack;
let owner;
before(async () => {
  stack = await Stack.start();
  owner = await stack.console({ viewport: { width: 1440, height: 1000 } });
  await owner.goto(`${stack.origin}/console/settings/sites?site=${stack.siteKey}`);
  await owner.getByLabel("Allowed origins").waitFor();
});
after(() => stack.stop());

/** Changes the look in the settings and waits until the server has it. */
async function choose(change, isStored) {
  await change();
  const { api, headers } = await stack.api();
  await until("the look to be stored", async () => isStored((await api.ask("GET", `sites/${stack.siteKey}`, undefined, headers)).theme));
}

const preview = () => owner.getByRole("figure", { name: "How the widget looks" });

/** Where the launcher's button is; its shadow root is closed, its box is not. */
async function launcherBox(page) {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  const button = nodes.find((node) => node.role?.value === "button" && /^Open chat/.test(node.name?.value ?? ""));
  // It may be drawn anew between the two questions.
  const measured = await session.send("DOM.getBoxModel", { backendNodeId: button?.backendDOMNodeId }).catch(() => null);
  await session.detach();
  if (measured === null) return null;
  const [left, top, right, , , bottom] = measured.model.border;
  return { left, top, right, bottom };
}

/** A large picture, as a file to be chosen. */
async function rainbow() {
  const code = await owner.evaluate(() => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 900, height: 600 });
    const context = canvas.getContext("2d");
    for (let x = 0; x < 900; x += 1) {
      context.fillStyle = `hsl(${x} 60% 50%)`;
      context.fillRect(x, 0, 1, 600);
    }
    return canvas.toDataURL("image/png").split(",")[1];
  });
  return { name: "rainbow.png", mimeType: "image/png", buffer: Buffer.from(code, "base64") };
}

/** The visitor writes what no server takes: the words stay, to be read and mended. */
async function refused(panel) {
  await say(panel, "What does the bell say?\u0007");
  await panel.locator(".bad .bubble", { hasText: "What does the bell say?" }).waitFor();
}

test("each theme that is offered is stored, drawn in the preview, and read well in the panel of somebody who is there", async () => {
  const { page, panel } = await stack.visitor("/demo/", { reducedMotion: "reduce" });
  await refused(panel);
  const offered = await owner.getByRole("group", { name: "Colors to choose from" }).getByRole("button").allInnerTexts();
  assert.deepEqual(offered, ["Blue", "Purple", "Green", "Teal", "Orange", "Red", "Slate"]);
  const seen = new Set();
  for (const name of offered) {
    // What is chosen already is chosen all the same.
    const button = owner.getByRole("button", { name, exact: true });
    await button.click();
    await until(`${name} to be chosen`, async () => (await button.getAttribute("aria-pressed")) === "true");
    const color = await owner.getByLabel("Color", { exact: true }).inputValue();
    await choose(() => undefined, (theme) => theme.color === color);
    await panel.waitForFunction((color) => document.documentElement.style.getPropertyValue("--brand") === color, color);
    const drawn = await preview().evaluate((figure) => getComputedStyle(figure).getPropertyValue("--brand"));
    assert.equal(drawn, color);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await violations(panel), [], `${name}, ${colorScheme}`);
    }
    seen.add(color);
  }
  assert.equal(seen.size, 7);
  assert.deepEqual(await violations(owner), []);
  await page.context().close();
});

test("a color, words and a place chosen for the launcher are seen in the preview at once, and by the next visitor", async () => {
  await choose(() => owner.getByRole("button", { name: "Orange" }).click(), (theme) => theme.color === "#c2570c");
  assert.equal(await owner.getByLabel("Color", { exact: true }).inputValue(), "#c2570c");
  await owner.getByText(/^Text on it is (white|black), the better read of the two \([0-9.]+ to 1\)\.$/).waitFor();
  await choose(() => owner.getByLabel("Words on the launcher").fill("Ask us"), (theme) => theme.launcher_text === "Ask us");
  await preview().getByText("Ask us").waitFor();
  await choose(() => owner.getByLabel("Distance from the edges").fill("48"), (theme) => theme.launcher_gap_px === 48);
  await owner.getByLabel("Distance from the edges").fill("4000");
  await owner.getByText("A whole number from 0 to 200.").waitFor();

  const page = await stack.person({ viewport: { width: 1280, height: 800 } });
  await page.goto(`${stack.origin}/demo/`);
  await until("the launcher", async () => (await launcherName(page)).startsWith("Open chat"));
  const view = await page.evaluate(() => ({ width: document.documentElement.clientWidth, height: innerHeight }));
  await until("its place", async () => {
    const box = await launcherBox(page);
    return box !== null && Math.abs(view.width - box.right - 48) <= 1 && Math.abs(view.height - box.bottom - 48) <= 1
      && box.right - box.left > 80 && box.bottom - box.top >= 55;
  });
  await page.context().close();
});

test("a logo and questions of the site's own are put together in the settings, and stand in the preview and before the visitor", async () => {
  const questions = (theme) => theme.questions.map(({ name, kind, needed }) => `${name} ${kind} ${needed}`).join(", ");
  await choose(() => owner.getByRole("button", { name: "Order number" }).click(), (theme) => questions(theme) === "order_id text false");
  await owner.getByRole("group", { name: "Order number" }).getByRole("switch", { name: "Needed" }).click();
  await owner.getByRole("button", { name: "A question of your own" }).click();
  await owner.getByText("Write what the visitor reads.").waitFor();
  await choose(() => owner.getByLabel("Question", { exact: true }).fill("How many tins?"), (theme) => questions(theme) === "order_id text true, how_many_tins text false");
  await choose(() => owner.getByLabel("Answer").selectOption("number"), (theme) => questions(theme) === "order_id text true, how_many_tins number false");
  await choose(() => owner.getByLabel("What a visitor agrees to").fill("I agree to the [terms](https://kettle.example)."), (theme) => theme.consent !== "");
  await preview().getByText("How many tins? (optional)").waitFor();
  await preview().getByText("I agree to the terms.").waitFor();
  assert.deepEqual(await violations(owner), []);

  // A picture of any size becomes a small one; what is none is said to be none.
  const chosen = owner.getByLabel("Picture: Logo");
  await chosen.setInputFiles({ name: "logo.png", mimeType: "image/png", buffer: Buffer.from("no picture") });
  await owner.getByText("This could not be read as a picture.").waitFor();
  const large = await rainbow();
  await choose(() => chosen.setInputFiles(large), (theme) => /^data:image.(png|webp|jpeg);base64,/.test(theme.logo));
  await preview().locator("img").waitFor();

  const page = await stack.person({ viewport: { width: 360, height: 640 }, reducedMotion: "reduce" });
  await page.goto(`${stack.origin}/demo/`);
  await page.locator("[data-chat]").first().click();
  const panel = await findPanel(page);
  await panel.getByLabel("How many tins? (optional)").waitFor();
  await panel.getByRole("checkbox", { name: "I agree to the terms." }).waitFor();
  await until("the logo", () => panel.locator("header img").evaluate((image) => image.complete && image.naturalWidth > 30));
  assert.deepEqual(await violations(panel), []);
  await page.context().close();
  await choose(() => owner.getByRole("group", { name: "Logo" }).getByRole("button", { name: "Remove" }).click(), (theme) => theme.logo === "");
  await owner.getByRole("button", { name: "Remove How many tins?" }).click();
  await owner.getByRole("button", { name: "Remove Order number" }).click();
  await choose(() => owner.getByLabel("What a visitor agrees to").fill(""), (theme) => theme.questions.length === 0 && theme.consent === "");
});

/** Capitals end at the line they stand on: their own height is what is centred, not that of a line of text. */
async function initialsInTheMiddle(face) {
  const off = await face.evaluate((circle) => {
    const [letters, round] = [circle.firstElementChild, circle].map((element) => element.getBoundingClientRect());
    return { middle: Math.abs((letters.top + letters.bottom - round.top - round.bottom) / 2), height: letters.height / parseFloat(getComputedStyle(circle).fontSize) };
  });
  assert.ok(off.middle <= 0.5 && off.height < 0.8, JSON.stringify(off));
}

test("a member's picture is cut where it is chosen, and stands before the team and before visitors until it is taken away", async () => {
  const { page, panel } = await stack.visitor("/demo/", { reducedMotion: "reduce" });
  const agent = await stack.console();
  /** Pictures of members that are seen, whole. */
  const seen = (where, place) => until("the picture", () => where.locator(`${place} img[src^="/api/v1/pictures/"]`).first().evaluate((image) => image.complete && image.naturalWidth > 90));
  await say(panel, "Who is there?");
  await openRow(agent, "Who is there?");
  await answer(agent, "It is me.");
  await panel.locator(".author .face", { hasText: /^[A-Z]{1,2}$/ }).waitFor();
  for (const place of ["header", ".author"]) await initialsInTheMiddle(panel.locator(`${place} .face`).first());

  await owner.goto(`${stack.origin}/console/settings/profile`);
  const field = owner.getByRole("group", { name: "Picture" });
  await field.getByLabel("Your picture").setInputFiles({ name: "me.png", mimeType: "image/png", buffer: Buffer.from("no picture") });
  await field.getByText("This could not be read as a picture.").waitFor();
  await field.getByLabel("Your picture").setInputFiles(await rainbow());
  const cutter = owner.getByRole("dialog", { name: "Your picture" });
  await cutter.getByRole("img", { name: /^What will be seen/ }).focus();
  await owner.keyboard.press("ArrowRight");
  await cutter.getByRole("slider", { name: "Nearer" }).fill("2");
  assert.deepEqual(await violations(owner), []);
  await cutter.getByRole("button", { name: "Use this" }).click();
  await seen(owner, "main");
  await seen(owner, ".rail-own");
  // Nobody loads anything anew: the colleague's thread, and the visitor's header.
  await seen(agent, ".said > .face");
  await seen(panel, "header");
  await answer(agent, "With a face.");
  await sees(panel, "With a face.");
  await page.reload();
  const again = await openPanel(page);
  await seen(again, ".author");
  assert.deepEqual(await violations(again), []);

  // The site's face stands for who has none.
  await field.getByRole("button", { name: "Remove" }).click();
  await field.getByRole("button", { name: "Remove" }).waitFor({ state: "detached" });
  await agent.locator('.said > .face img[src^="/api/v1/pictures/"]').first().waitFor({ state: "detached" });
  await owner.goto(`${stack.origin}/console/settings/sites?site=${stack.siteKey}`);
  await choose(async () => owner.getByLabel("Picture: Face of the team").setInputFiles(await rainbow()), (theme) => theme.avatar !== "");
  await again.locator('header img[src^="data:image/"]').first().waitFor();
  await choose(() => owner.getByRole("group", { name: "Face of the team" }).getByRole("button", { name: "Remove" }).click(), (theme) => theme.avatar === "");
  assert.deepEqual(stack.complaints, []);
  await agent.context().close();
  await page.context().close();
});

for (const [wanted, system, isDark] of [
  ["dark", "light", true],
  ["light", "dark", false],
  ["system", "dark", true],
  ["system", "light", false],
]) {
  test(`a widget that is to be ${wanted} is ${isDark ? "dark" : "light"} where the system is ${system}`, async () => {
    await choose(() => owner.getByLabel("Brightness").selectOption(wanted), (theme) => theme.brightness === wanted);
    const page = await stack.person({ colorScheme: system, reducedMotion: "reduce" });
    await page.goto(`${stack.origin}/demo/`);
    const panel = await openPanel(page);
    const paper = isDark ? "rgb(18, 24, 27)" : "rgb(247, 244, 238)";
    await until("the look", () => panel.evaluate((paper) => getComputedStyle(document.querySelector(".panel")).backgroundColor === paper, paper));
    await refused(panel);
    assert.deepEqual(await violations(panel), []);
    await page.context().close();
  });
}

test("any color leaves what stands on it readable", async () => {
  for (const color of ["#ffffff", "#ffe45c", "#777777", "#000000", "#b3261e"]) {
    await choose(() => owner.getByLabel("Color", { exact: true }).fill(color), (theme) => theme.color === color);
    const page = await stack.person({ reducedMotion: "reduce" });
    await page.goto(`${stack.origin}/demo/`);
    const panel = await openPanel(page);
    await refused(panel);
    assert.deepEqual(await violations(panel), [], color);
    await page.context().close();
  }
  assert.deepEqual(stack.complaints, []);
});
