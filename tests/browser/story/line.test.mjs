// Lines as they are: slow, blocked, cut in the middle, with a server that dies; and the tabs on them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Stack, answer, chooseLarge, findPanel, launcherName, openPanel, openRow, say, sees, until } from "../stack.mjs";

let stack;
let agent;
before(async () => {
  stack = await Stack.start();
  agent = await stack.console();
});
after(() => stack.stop());

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };
const writing = (panel) => panel.getByLabel("Message", { exact: true });

/** Waits until these words, and no others, stand in the panel in this order. */
async function reads(panel, ...wanted) {
  let found;
  await until(wanted.join(", "), async () => {
    found = (await panel.locator("article.message .bubble").allInnerTexts()).map((text) => text.trim());
    return found.join("\n") === wanted.join("\n");
  }).catch(() => assert.deepEqual(found, wanted));
}

/** Evaluates in the panel of a page whose frames the driver lost sight of. */
async function insidePanel(page) {
  const session = await page.context().newCDPSession(page);
  const contexts = [];
  session.on("Runtime.executionContextCreated", ({ context }) => contexts.push(context.id));
  await session.send("Runtime.enable");
  return async (expression) => {
    const guarded = `location.pathname === "/widget/panel" && (${expression})`;
    // Some of them have gone since.
    const answers = contexts.map((contextId) => session.send("Runtime.evaluate", { contextId, expression: guarded }).catch(() => null));
    return (await Promise.all(answers)).some((answered) => answered?.result.value === true);
  };
}

test("on a slow telephone the chat answers the finger at once, and nothing jumps", async () => {
  const page = await stack.person(phone);
  const session = await page.context().newCDPSession(page);
  await page.addInitScript(() => {
    window.shifts = 0;
    new PerformanceObserver((list) => {
      for (const shift of list.getEntries()) window.shifts += shift.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", { offline: false, latency: 300, downloadThroughput: 60_000, uploadThroughput: 30_000 });
  await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  await page.goto(`${stack.origin}/demo/`);
  // The session tells how the panel looks; the next frame after the tap shows it.
  const shown = await page.evaluate(() => new Promise((done) => {
    const look = () => {
      const host = [...document.body.children].find((child) => child.hasAttribute("open"));
      done(host !== undefined && document.elementFromPoint(195, 40) === host);
    };
    window.Switchboard.push(["on", "ready", () => requestAnimationFrame(() => {
      window.Switchboard.push(["open"]);
      requestAnimationFrame(look);
    })]);
  }));
  assert.ok(shown, "nothing happened at once");
  const panel = await findPanel(page);
  await writing(panel).waitFor();
  const frame = await panel.frameElement();
  assert.deepEqual(await frame.evaluate((element) => {
    const { width, height } = element.getBoundingClientRect();
    return [Math.round(width), Math.round(height)];
  }), [390, 844]);
  await say(panel, "from the train");
  await sees(panel, "from the train");
  for (const one of [page, panel]) assert.ok((await one.evaluate(() => window.shifts)) < 0.02, `${one.url()} jumps by ${await one.evaluate(() => window.shifts)}`);

  // The keyboard comes up: what was said last, and where one writes, stay in sight.
  for (let line = 0; line < 12; line += 1) await say(panel, `line ${line}`);
  await sees(panel, "line 11");
  await page.setViewportSize({ width: 390, height: 420 });
  await until("the panel above the keyboard", async () => {
    const field = await writing(panel).boundingBox();
    const last = await panel.locator("article.message").last().boundingBox();
    return field.y + field.height <= 420 && last.y + last.height <= field.y && last.y > 60;
  });
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("where sockets are blocked the chat goes over plain HTTP", async () => {
  stack.cable.blocksSockets = true;
  try {
    const page = await stack.person();
    const streams = [];
    page.on("request", (request) => request.url().endsWith("/api/v1/stream") && streams.push(request.url()));
    await page.goto(`${stack.origin}/demo/`);
    const panel = await openPanel(page);
    await say(panel, "through the keyhole");
    await openRow(agent, "through the keyhole");
    await answer(agent, "I hear you");
    await sees(panel, "I hear you");
    await say(panel, "and I you");
    await agent.getByText("and I you").first().waitFor();
    assert.ok(streams.length > 0);
    await reads(panel, "through the keyhole", "I hear you", "and I you");
    assert.deepEqual(stack.complaints, []);
    await page.context().close();
  } finally {
    stack.cable.blocksSockets = false;
  }
});

test("a page hears of what was said before its line came up", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "I go on to the next page");
  await openRow(agent, "I go on to the next page");
  await page.addInitScript(() => {
    window.heard = [];
    window.Switchboard = window.Switchboard || [];
    for (const event of ["ready", "message"]) window.Switchboard.push(["on", event, (detail) => window.heard.push(detail ?? event)]);
  });
  // Sockets do not come up, and the panel, that has another way, is slow to load.
  stack.cable.blocksSockets = true;
  let release;
  const held = new Promise((done) => (release = done));
  try {
    await page.route("**/widget/panel?*", (route) => held.then(() => route.continue()));
    await page.goto(`${stack.origin}/demo/about/`);
    await until("the session", () => page.evaluate(() => window.heard.includes("ready")));
    await answer(agent, "Here you are");
    await until("the answer to be stored", () => agent.getByRole("log").getByText("Here you are").isVisible());
    await until("the badge", async () => (await launcherName(page)).endsWith(", 1 unread"));
    release();
    await until("the page's own news", () => page.evaluate(() => window.heard.includes("team")));
    assert.deepEqual(await page.evaluate(() => window.heard), ["ready", "team"]);
    assert.deepEqual(stack.complaints, []);
    await page.context().close();
  } finally {
    release();
    stack.cable.blocksSockets = false;
  }
});

test("a chat that was lost on its way comes when it is opened again", async () => {
  const page = await stack.person();
  await page.goto(`${stack.origin}/demo/`);
  await until("the launcher", async () => (await launcherName(page)).startsWith("Open chat"));
  const lost = [];
  await page.route("**/widget/assets/**", (route) => {
    lost.push(route.request().url());
    return route.abort("connectionreset");
  });
  await page.locator("[data-chat]").first().click();
  await until("the loss", () => lost.length > 0);
  await page.unrouteAll();
  await page.evaluate(() => window.Switchboard.close());
  const panel = await openPanel(page);
  await say(panel, "There you are");
  await sees(panel, "There you are");
  assert.equal(page.frames().filter((frame) => frame.url().includes("/widget/panel")).length, 1);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a server that dies in mid-sentence costs not a letter", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "I will tell you a story");
  await openRow(agent, "I will tell you a story");
  await writing(panel).pressSequentially("once upon ");
  await stack.killServer();
  await writing(panel).pressSequentially("a time");
  await stack.startServer();
  assert.equal(await writing(panel).inputValue(), "once upon a time");
  await writing(panel).press("Enter");
  await agent.getByText("once upon a time").first().waitFor();
  await panel.getByText("Sent", { exact: true }).or(panel.getByText("Seen", { exact: true })).first().waitFor();
  await reads(panel, "I will tell you a story", "once upon a time");
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("two tabs are one visitor, read on one is read on both", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  const second = await page.context().newPage();
  await second.goto(`${stack.origin}/demo/tea/`);
  await second.evaluate(() => {
    window.counts = [];
    window.Switchboard.push(["on", "unread", (count) => window.counts.push(count)], ["open"]);
  });
  const other = await findPanel(second);
  await say(panel, "said in the first tab");
  await sees(other, "said in the first tab");
  await say(other, "said in the second");
  await sees(panel, "said in the second");
  await openRow(agent, "said in the second");
  for (const one of [page, second]) await one.evaluate(() => window.Switchboard.push(["close"]));
  await answer(agent, "answered once");
  await second.waitForFunction(() => window.counts.at(-1) === 1);
  await page.evaluate(() => window.Switchboard.open());
  await sees(panel, "answered once");
  await second.waitForFunction(() => window.counts.at(-1) === 0);
  await sees(other, "answered once");
  await reads(other, "said in the first tab", "said in the second", "answered once");
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("what a tab left waiting goes out of the next one, once", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "before the lift");
  await panel.getByText("Sent", { exact: true }).first().waitFor();
  stack.cable.cut();
  await say(panel, "written in the lift");
  await panel.getByText("Waiting to be sent").waitFor();
  const next = await page.context().newPage();
  await page.close();
  stack.cable.mend();
  await next.goto(`${stack.origin}/demo/`);
  const again = await openPanel(next);
  await openRow(agent, "written in the lift");
  const late = again.locator("article.message", { hasText: "written in the lift" });
  await late.getByText("Sent", { exact: true }).or(late.getByText("Seen", { exact: true })).first().waitFor();
  await reads(again, "before the lift", "written in the lift");
  await next.reload();
  const reloaded = await openPanel(next);
  await sees(reloaded, "written in the lift");
  await reads(reloaded, "before the lift", "written in the lift");
  assert.deepEqual(stack.complaints, []);
  await next.context().close();
});

/** Why a browser did not keep a page, as it tells the page and each of its frames; `masked` is what is the browser's own affair. */
const whyNotKept = (page) => page.evaluate(() => {
  const reasonsIn = ({ reasons, children }) => [...(reasons ?? []).map(({ reason }) => reason), ...(children ?? []).flatMap(reasonsIn)];
  const [{ type, notRestoredReasons }] = performance.getEntriesByType("navigation");
  return notRestoredReasons ? reasonsIn(notRestoredReasons) : [`not told after ${type}`];
});

/** Goes back, and gives whether the page was kept: such a one does not load again, and its frames are there, though the driver
 * lost sight of them. A browser that is short of memory keeps no page. Nothing of ours may have been the reason. */
async function goesBack(page) {
  await page.goBack({ waitUntil: "commit" });
  if (await page.evaluate(() => window.heard !== undefined)) return true;
  assert.deepEqual((await whyNotKept(page)).filter((reason) => reason !== "masked"), []);
  return false;
}

/** Notes what the page hears; a page that was loaded anew has no such note. */
const listen = (page) => page.evaluate(() => {
  window.heard = [];
  window.Switchboard.push(["on", "message", (from) => window.heard.push(from)]);
});

test("back and forward find the chat as it was, and live", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "I walk back and forth");
  await panel.getByText("Sent", { exact: true }).first().waitFor();
  await openRow(agent, "I walk back and forth");
  await listen(page);
  await page.evaluate(() => window.Switchboard.push(["close"]));
  await page.goto(`${stack.origin}/demo/tea/`);
  await answer(agent, "Where did you go?");
  // The chat of the next page has begun, too.
  await sees(await openPanel(page), "Where did you go?");
  if (await goesBack(page)) {
    await until("the answer", () => page.evaluate(() => window.heard.join() === "team"));
    await page.evaluate(() => window.Switchboard.open());
    const look = await insidePanel(page);
    await until("the focus", () => look("document.activeElement?.tagName === 'TEXTAREA'"));
    await page.keyboard.type("Back here");
    await page.keyboard.press("Enter");
    await until("the words", () => page.evaluate(() => window.heard.includes("you")));
  } else await say(await openPanel(page), "Back here");
  await agent.getByText("Back here").first().waitFor();
  await page.reload();
  const again = await openPanel(page);
  await sees(again, "Back here");
  await reads(again, "I walk back and forth", "Where did you go?", "Back here");
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("what waited on a page goes out of the next one, once, and stands sent on the page before", async () => {
  const words = ["before the tunnel", "written in the tunnel"];
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, words[0]);
  await panel.getByText("Sent", { exact: true }).first().waitFor();
  await listen(page);
  stack.cable.cut();
  await say(panel, words[1]);
  await panel.getByText("Waiting to be sent").waitFor();
  stack.cable.mend();
  await page.goto(`${stack.origin}/demo/tea/`);
  const next = await openPanel(page);
  await openRow(agent, words[1]);
  await next.locator("article.message", { hasText: words[1] }).getByText(/^(Sent|Seen)$/).waitFor();
  await reads(next, ...words);
  if (await goesBack(page)) {
    const look = await insidePanel(page);
    const isThere = (texts) => {
      const read = (selector) => [...document.querySelectorAll(selector)].map((one) => one.innerText.trim());
      return read("article.message .bubble").join() === texts.join() && read("article.message").some((text) => /(Sent|Seen)$/.test(text));
    };
    await until("the words, sent", () => look(`(${isThere})(${JSON.stringify(words)})`));
  } else await reads(await openPanel(page), ...words);
  assert.equal(await agent.getByRole("log").getByText(words[1]).count(), 1);
  await page.reload();
  await reads(await openPanel(page), ...words);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("a file shows how far it has got, says why it stopped, and goes up at the second try", async () => {
  const { page, panel } = await stack.visitor("/demo/");
  // Far more than buffers on the way take in: where the cable takes no more, the progress stands still.
  stack.cable.upBytesMax = 1_000_000;
  await chooseLarge(panel.locator("input[type=file]"), "plan.txt", 16_000_000);
  const progress = panel.getByRole("progressbar", { name: "Uploading plan.txt" });
  await until("some progress", () => progress.evaluateAll((bars) => bars.some(({ value }) => value > 0 && value < 1)));
  assert.ok(await panel.getByRole("button", { name: "Send" }).isDisabled());
  stack.cable.cut();
  await panel.getByText("Not uploaded: no connection").waitFor();
  stack.cable.upBytesMax = Infinity;
  stack.cable.mend();
  await panel.getByRole("button", { name: "Try again" }).click();
  await panel.getByText("16.0 MB").waitFor();
  await say(panel, "the plan");
  await openRow(agent, "the plan");
  await agent.getByText("plan.txt").first().waitFor();
  await panel.getByRole("button", { name: "Save plan.txt, 16.0 MB" }).waitFor();
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});

test("who comes back finds all earlier conversations in one scroll", async () => {
  const { api, headers } = await stack.api();
  const { page, panel } = await stack.visitor("/demo/");
  for (const topic of ["oolong", "sencha", "rooibos"]) {
    await say(panel, `about ${topic}`);
    const found = await until(topic, async () => {
      const { items } = await api.ask("GET", "conversations?filter=all", undefined, headers);
      return items.find((one) => one.preview?.text === `about ${topic}`);
    });
    const close = { do: "close", conversation_id: found.id };
    await api.ask("POST", "commands", close, { ...headers, "idempotency-key": api.nextId() });
    await panel.getByPlaceholder("Write again to begin anew").waitFor();
  }
  await say(panel, "about mint");
  await panel.getByText("Sent", { exact: true }).last().waitFor();
  await page.reload();
  const again = await openPanel(page);
  await sees(again, "about mint");
  await sees(again, "about oolong");
  await reads(again, "about oolong", "about sencha", "about rooibos", "about mint");
  await until("three ends", async () => (await again.getByText("This conversation has ended").count()) === 3);
  assert.deepEqual(stack.complaints, []);
  await page.context().close();
});
