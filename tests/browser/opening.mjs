// How soon one may write in the widget, in a browser that was never there: from the click on a page's own button to the
// cursor in the field, and to the letter that is typed at once, painted in it. On the server's demo page, and on one of
// another site, whose frames browsers run apart. By the clock. `node opening.mjs [count]`.

import { Shop, tag } from "./shop.mjs";
import { Stack } from "./stack.mjs";

const count = Number(process.argv[2] ?? 11);

/** Runs in each frame: tells when one clicks, when a field gets the cursor, and when the browser has painted what was typed. */
function noteMoments() {
  const tell = (what, ms) => void window.tellMoment(what, performance.timeOrigin + ms);
  addEventListener("click", ({ timeStamp }) => tell("click", timeStamp), { capture: true, once: true });
  addEventListener("focusin", ({ target }) => target.matches("textarea") && tell("cursor", performance.now()));
  addEventListener("input", ({ target }) => requestAnimationFrame(() => {
    // What is posted within a frame comes after it was painted.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => target.value === "k" && tell("letter", performance.now());
    port2.postMessage(null);
  }), { once: true });
}

/** Opens a page, clicks once its widget is there, types at once, and gives the milliseconds from the click to each. */
async function opens(stack, address) {
  const page = await stack.person();
  const waiting = {};
  const moment = (what) => new Promise((done) => (waiting[what] = done));
  const [click, cursor, letter] = ["click", "cursor", "letter"].map(moment);
  await page.context().exposeFunction("tellMoment", (what, ms) => waiting[what](ms));
  await page.addInitScript(noteMoments);
  await page.goto(address);
  await page.waitForFunction(() => window.Switchboard?.of !== undefined);
  await page.evaluate(() => new Promise((done) => window.Switchboard.push(["on", "ready", done])));
  await page.locator("[data-chat]").first().click();
  await cursor;
  await page.keyboard.press("k");
  const spans = { cursor: (await cursor) - (await click), letter: (await letter) - (await click) };
  await page.context().close();
  return spans;
}

/** The middle one and the longest. */
function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return `p50 ${sorted[Math.floor(sorted.length / 2)].toFixed(0)}, longest ${sorted.at(-1).toFixed(0)} ms`;
}

const stack = await Stack.start();
const shop = await Shop.open();
try {
  const button = '<button type="button" data-chat onclick="Switchboard.push([\'open\'])">Ask us</button>';
  const pages = { "the demo page": `${stack.origin}/demo/`, "a page of another site": shop.page("/tea", { head: tag(stack), body: button, host: "localhost" }) };
  for (const [name, address] of Object.entries(pages)) {
    const rounds = [];
    for (let round = 0; round < count; round += 1) rounds.push(await opens(stack, address));
    for (const what of ["cursor", "letter"]) console.log(`${name}, from the click to the ${what}: ${spread(rounds.map((each) => each[what]))}, of ${count}`);
  }
} finally {
  await shop.close();
  await stack.stop();
}
