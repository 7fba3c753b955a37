// What helps an agent to write: quotes, drafts that stay, a guard of notes, and a call from elsewhere.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Crowd } from "../crowd.mjs";
import { Stack, answer, openList, openRow, owner, say, sees, until } from "../stack.mjs";

let stack;
let agent;
before(async () => {
  stack = await Stack.start();
  agent = await stack.console({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
});
after(() => stack.stop());

const reply = () => agent.getByRole("textbox", { name: /^Reply to / });

test("one message among many is answered, on both sides it is seen which", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "Is the oolong back?");
  await say(panel, "And do you ship on Fridays?");
  await openRow(agent, "ship on Fridays");
  const asked = agent.getByRole("article").filter({ hasText: "Is the oolong back?" });
  await asked.hover();
  await asked.getByRole("button", { name: "Quote this in an answer" }).click();
  await agent.locator(".quoting", { hasText: "Is the oolong back?" }).waitFor();
  // It stays over a reload, like the words.
  await reply().fill("It is, since");
  await agent.reload();
  await agent.locator(".quoting", { hasText: "Is the oolong back?" }).waitFor();
  await until("the words", async () => (await reply().inputValue()) === "It is, since");
  assert.deepEqual(await violations(agent), []);
  await answer(agent, "It is, since Monday.");
  await agent.locator(".quoting").waitFor({ state: "detached" });
  await agent.getByRole("article").filter({ hasText: "since Monday" }).getByRole("button", { name: /Is the oolong back\?/ }).waitFor();
  await panel.locator("article.team", { hasText: "since Monday" }).locator(".quoted", { hasText: "Is the oolong back?" }).waitFor();
  assert.deepEqual(await violations(panel), []);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a note cannot be answered to the customer, and words that read like a note are not sent unasked", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "where is my parcel?");
  await openRow(agent, "where is my parcel?");
  await agent.keyboard.press("n");
  const note = agent.getByRole("textbox", { name: "Note to the team" });
  await note.fill("the carrier lost it");
  await note.press("Enter");
  const written = agent.getByRole("article").filter({ hasText: "the carrier lost it" });
  await written.hover();
  await written.getByRole("button", { name: "Answer this note" }).click();
  // Only the team reads an answer to it: as a reply it quotes nothing.
  await agent.locator(".quoting").waitFor();
  await agent.getByRole("button", { name: "Reply", exact: true }).click();
  await agent.locator(".quoting").waitFor({ state: "detached" });

  await reply().fill("note: send her a voucher");
  await reply().press("Enter");
  await agent.getByText("This reads like a note for the team.").waitFor();
  assert.deepEqual(await violations(agent), []);
  await agent.getByRole("button", { name: "Make it a note" }).click();
  await agent.getByRole("textbox", { name: "Note to the team" }).press("Enter");
  await agent.getByRole("article", { name: /^Note by/ }).filter({ hasText: "voucher" }).waitFor();
  await agent.getByRole("button", { name: "Reply", exact: true }).click();
  await answer(agent, "It is on its way again.");
  await sees(panel, "on its way again");
  assert.equal(await panel.getByText("voucher").count(), 0);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("what is typed right after the key of a note stands in it, however late a browser draws", async () => {
  const visitor = await Crowd.writer(stack, "who has seen the plan?");
  const slow = await stack.console({ viewport: { width: 1440, height: 900 } });
  await openRow(slow, "who has seen the plan?");
  await slow.getByRole("textbox", { name: /^Reply to / }).waitFor();
  await slow.evaluate(() => {
    const { requestAnimationFrame } = window;
    window.requestAnimationFrame = (turn) => setTimeout(() => requestAnimationFrame(turn), 2_000);
  });
  // Each of these letters is a key of the page as well.
  await slow.keyboard.type("nseen it");
  const note = slow.getByRole("textbox", { name: "Note to the team" });
  await until("the words", async () => (await note.inputValue()) === "seen it");
  assert.equal(await slow.getByRole("menu").count(), 0);
  assert.deepEqual(stack.complaints, []);
  await slow.context().close();
  visitor.leave();
});

test("what was begun is said in the list until it is sent", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "the first of two");
  await openRow(agent, "the first of two");
  await reply().fill("begun, and not");
  await openRow(agent, "on its way again");
  await agent.locator("a.row", { hasText: "Draft: begun, and not" }).waitFor();
  await agent.locator("a.row", { hasText: "Draft: begun, and not" }).click();
  await until("its draft", async () => (await reply().inputValue()) === "begun, and not");
  await answer(agent, "begun, and done");
  await sees(panel, "begun, and done");
  await agent.locator("a.row", { hasText: "Draft:" }).waitFor({ state: "detached" });
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

/** Runs in a page before anything of it: writes down what calls its agent, who looks at it until he is away. */
function noteCalls() {
  window.called = [];
  window.tones = 0;
  window.Notification = class {
    static permission = "granted";
    static requestPermission = async () => "granted";
    constructor(name, { body, tag }) {
      window.called.push({ name, body, tag });
      window.lastCall = this;
    }
    close() {}
  };
  window.AudioContext = class {
    createOscillator() {
      window.tones += 1;
      return { frequency: {}, connect: (next) => next, start() {}, stop() {} };
    }
    createGain() {
      return { gain: { setValueAtTime() {}, exponentialRampToValueAtTime() {} }, connect: (next) => next };
    }
  };
  Document.prototype.hasFocus = () => !window.isAway;
}

/** Runs in a page before anything of it: as on telephones no page shows a notice, only its worker does. */
function onlyByWorker() {
  window.Notification = class {
    static permission = "granted";
    constructor() {
      throw new TypeError("Illegal constructor");
    }
  };
  Document.prototype.hasFocus = () => !window.isAway;
}

/** The console of somebody who can be called back to it: by the page itself, or by its worker where there is one. */
async function called(who = owner, { init = noteCalls, serviceWorkers = "block" } = {}) {
  const away = await stack.person({ permissions: ["notifications"], serviceWorkers });
  await away.addInitScript(init);
  await away.goto(`${stack.origin}/console/sign-in`);
  await away.getByLabel("E-mail").fill(who.email);
  await away.getByLabel("Password").fill(who.password);
  await away.getByRole("button", { name: "Sign in" }).click();
  await away.waitForURL(/\/console\/inbox\//);
  await away.locator("a.row").first().waitFor();
  return away;
}

test("a customer's words call an agent who looks elsewhere, and only one who asked for it", async () => {
  const away = await called();
  await away.evaluate(() => (window.isAway = true));
  const visitor = await Crowd.writer(stack, "said to nobody in particular");
  await away.locator("a.row", { hasText: "said to nobody in particular" }).waitFor();
  assert.deepEqual(await away.evaluate(() => window.called), []);

  await away.evaluate(() => (window.isAway = false));
  await away.getByRole("link", { name: /^Settings/ }).click();
  await away.getByRole("link", { name: "Notifications" }).click();
  await away.getByRole("switch", { name: "Notices of the desktop" }).click();
  assert.deepEqual(await violations(away), []);
  await away.getByRole("link", { name: /^Inbox/ }).click();
  await away.locator("a.row", { hasText: "said to nobody in particular" }).waitFor();
  await away.evaluate(() => (window.isAway = true));
  await visitor.writes(0, "and now to you");
  await until("the call", () => away.evaluate(() => window.called.some(({ body }) => body === "and now to you")));
  await away.evaluate(() => window.lastCall.onclick());
  await away.getByRole("log").getByText("and now to you").waitFor();
  // Whichever list is open: this conversation stands in none of them.
  const calls = (text) => away.evaluate((said) => window.called.filter(({ body }) => body === said).length, text);
  for (const list of ["Mine", "Closed"]) {
    await away.evaluate(() => (window.isAway = false));
    await openList(away, list);
    await away.waitForURL(new RegExp(`/inbox/${list.toLowerCase()}$`));
    await away.locator("a.row", { hasText: /and now to you|is open/ }).waitFor({ state: "detached" });
    await away.evaluate(() => (window.isAway = true));
    await visitor.writes(0, `while ${list} is open`);
    await until("the call", async () => (await calls(`while ${list} is open`)) === 1);
  }
  // And where there is none: of nobody's conversations, he who asked for his own alone hears nothing.
  await away.evaluate(() => (window.isAway = false));
  await away.getByRole("link", { name: /^Settings/ }).click();
  await away.getByRole("link", { name: "Notifications" }).click();
  await away.evaluate(() => (window.isAway = true));
  await visitor.writes(0, "while the settings are open");
  await until("the call", async () => (await calls("while the settings are open")) === 1);
  await away.getByLabel("What customers write in").selectOption("mine");
  await visitor.writes(0, "to nobody again");
  const conversation_id = await away.evaluate(() => window.called.at(-1).tag);
  const { api, headers } = await stack.api();
  await until("it is stored", async () => (await api.ask("GET", `conversations/${conversation_id}`, undefined, headers)).preview?.text === "to nobody again");
  const me = await api.ask("GET", "me", undefined, headers);
  const assign = { do: "assign", conversation_id, agent_id: me.memberships[0].agent_id };
  await api.ask("POST", "commands", assign, { ...headers, "idempotency-key": api.nextId() });
  await visitor.writes(0, "and to me alone");
  await until("the call", async () => (await calls("and to me alone")) === 1);
  assert.equal(await calls("to nobody again"), 0);
  assert.deepEqual(stack.complaints, []);
  await away.context().close();
  visitor.leave();
});

test("who is named or given a conversation is told of it however few customers call him, and not once he switched it off", async () => {
  const who = await stack.joins("Jon Arden");
  const visitor = await Crowd.writer(stack, "who weighs the tea?");
  const jon = await called(who);
  await jon.getByRole("link", { name: /^Settings/ }).click();
  await jon.getByRole("link", { name: "Notifications" }).click();
  for (const name of ["Notices of the desktop", "A sound"]) await jon.getByRole("switch", { name }).click();
  await jon.getByLabel("What customers write in").selectOption("mine");
  const { api, headers } = await stack.api();
  const agent_id = (await api.ask("GET", "agents", undefined, headers)).items.find(({ name }) => name === who.name).id;
  const conversation = await until("the conversation", async () => {
    const { items } = await api.ask("GET", "conversations?filter=all", undefined, headers);
    return items.find(({ preview }) => preview?.text === "who weighs the tea?");
  });
  const does = (command) => api.ask("POST", "commands", { ...command, conversation_id: conversation.id }, { ...headers, "idempotency-key": `told-${api.nextId()}` });
  const names = (body) => does({ do: "add_note", body: `@Jon Arden ${body}`, mentions: [agent_id] });
  const gives = async () => {
    await does({ do: "assign", agent_id: null });
    await does({ do: "assign", agent_id });
  };
  const told = (text) => jon.locator(".toast", { hasText: text });
  const calls = () => jon.evaluate(() => window.called.map(({ name, body }) => `${name}: ${body}`));
  const tones = () => jon.evaluate(() => window.tones);
  // He looks at the page: a line there is enough.
  await names("while you look");
  await told("while you look").waitFor();
  assert.deepEqual(await calls(), []);
  assert.equal(await tones(), 0);

  await jon.evaluate(() => (window.isAway = true));
  await visitor.writes(0, "said to nobody");
  await until("it is stored", async () => (await api.ask("GET", `conversations/${conversation.id}`, undefined, headers)).preview?.text === "said to nobody");
  await names("you do");
  await told("named you at").filter({ hasText: "you do" }).waitFor();
  await until("one call", async () => (await calls()).length === 1);
  await gives();
  await told("gave you").first().waitFor();
  await until("the other call", async () => (await calls()).length === 2);
  const [mention, assignment] = await calls();
  assert.match(mention, / named you at .*: @Jon Arden you do$/);
  assert.match(assignment, / gave you .*: said to nobody$/);
  assert.equal(await tones(), 4);

  // What is switched off calls nobody, and shows no line; the other does still. It stays so over a reload.
  await jon.getByRole("switch", { name: "Notes that name me" }).click();
  assert.deepEqual(await violations(jon), []);
  await jon.reload();
  await jon.getByRole("switch", { name: "Notes that name me", checked: false }).waitFor();
  await jon.evaluate(() => (window.isAway = true));
  await names("not told");
  await gives();
  await until("the call", async () => (await calls()).length === 1);
  assert.match((await calls())[0], / gave you /);
  assert.equal(await told("not told").count(), 0);
  await jon.getByRole("switch", { name: "Notes that name me" }).click();
  await jon.getByRole("switch", { name: "Conversations given to me" }).click();
  await gives();
  await names("told again");
  await told("told again").waitFor();
  await until("the call", async () => (await calls()).length === 2);
  assert.match((await calls())[1], /told again$/);
  assert.equal(await tones(), 4);
  // All of it is asked of him, told or not.
  const place = jon.getByRole("navigation", { name: "Places" }).getByRole("link", { name: /^To do/ });
  await place.click();
  for (const text of ["not told", "told again"]) await jon.locator("a.row-todo", { hasText: text }).waitFor();
  assert.deepEqual(stack.complaints, []);
  await jon.context().close();
  visitor.leave();
});

/** Runs in the worker: a finger presses a notice. Only where one did may a page be brought forward or opened. */
async function press(body) {
  const notification = (await self.registration.getNotifications()).find((each) => each.body === body);
  const event = new NotificationEvent("notificationclick", { notification });
  let work;
  event.waitUntil = (begun) => (work = begun);
  WindowClient.prototype.focus = async () => (self.led = "the console");
  self.clients.openWindow = async (path) => (self.led = path);
  self.dispatchEvent(event);
  await work;
  return self.led;
}

test("where a worker shows the notices, one that is pressed leads to its conversation, in the console or in a new one", async () => {
  const away = await called(owner, { init: onlyByWorker, serviceWorkers: "allow" });
  await away.evaluate(() => navigator.serviceWorker.ready);
  const [worker] = away.context().serviceWorkers();
  const shown = (body) => until(body, () => worker.evaluate(async (body) => {
    const found = (await self.registration.getNotifications()).find((each) => each.body === body);
    return found && { title: found.title, icon: new URL(found.icon).pathname, tag: found.tag };
  }, body));
  const { page, panel } = await stack.visitor("/demo/");
  await away.getByRole("link", { name: /^Settings/ }).click();
  await away.getByRole("link", { name: "Notifications" }).click();
  await away.getByRole("switch", { name: "Notices of the desktop" }).click();
  await away.getByRole("button", { name: "Try it" }).click();
  assert.deepEqual(await shown("Is there a yearly plan?"), { title: "Ana Kovač", icon: "/console/icon-192.png", tag: "try" });
  await away.evaluate(() => (window.isAway = true));
  await say(panel, "told by the worker");
  await shown("told by the worker");
  assert.equal(await worker.evaluate(press, "told by the worker"), "the console");
  await away.getByRole("log").getByText("told by the worker").waitFor();
  await until("it to be put away", async () => (await worker.evaluate(async () => (await self.registration.getNotifications()).map(({ tag }) => tag))).join() === "try");

  const other = await stack.visitor("/demo/");
  await say(other.panel, "told of another");
  const { tag } = await shown("told of another");
  await away.goto(`${stack.origin}/demo/about/`);
  assert.equal(await worker.evaluate(press, "told of another"), `/console/inbox/all/${tag}`);
  assert.deepEqual(stack.complaints, []);
  for (const each of [away, page, other.page]) await each.context().close();
});

test("where no notice can be shown it is said so, and why", async () => {
  const away = await called(owner, { init: onlyByWorker });
  const notices = async () => {
    await away.getByRole("link", { name: "Profile" }).click();
    await away.getByRole("heading", { name: "Profile", level: 1 }).waitFor();
    await away.getByRole("link", { name: "Notifications" }).click();
    await away.getByRole("heading", { name: "Notifications", level: 1 }).waitFor();
  };
  const desktop = away.getByRole("switch", { name: "Notices of the desktop" });
  await away.getByRole("link", { name: /^Settings/ }).click();
  await notices();
  await desktop.click();
  await away.getByRole("button", { name: "Try it" }).click();
  const fails = "This browser could not show the last one.";
  await away.locator(".toast", { hasText: fails }).waitFor();
  await away.locator(".settings-body").getByText(fails).waitFor();
  for (const [why, change] of [
    ["An iPhone or iPad shows them only for a console that was added to the home screen", () => {
      delete window.Notification;
      Object.defineProperty(navigator, "userAgent", { value: "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X)" });
    }],
    ["Browsers show them over HTTPS alone", () => Object.defineProperty(window, "isSecureContext", { value: false })],
  ]) {
    await away.evaluate(change);
    await notices();
    await away.getByText(why).waitFor();
    assert.ok(await desktop.isDisabled());
  }
  assert.deepEqual(stack.complaints, []);
  await away.context().close();
});
