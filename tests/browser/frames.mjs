// How the long lists of the console scroll: ten thousand conversations, the live list while nineteen thousand visitors
// walk, and a conversation of five thousand messages. Seeds a server of its own. `node frames.mjs [conversations]
// [messages] [visitors]`; the visitors are the load test's, built beside the server.
//
// What a frame costs is told in processor time of the page's own thread, which other programs do not lengthen.

import { spawn } from "node:child_process";
import { dirname, join } from "node:path";

import { Stack, binary, owner, until } from "./stack.mjs";

const [conversations, messages, walkers] = [process.argv[2] ?? 10_000, process.argv[3] ?? 5_000, process.argv[4] ?? 19_000].map(Number);
const AT_ONCE = 16;

/** Does something so many times, a few at once. */
async function times(count, act) {
  let next = 0;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (next < count) await act(next++);
  }));
}

async function seedConversations(stack, api) {
  await times(conversations, async (index) => {
    const session = await api.ask("POST", "visitor/session", { site_key: stack.siteKey });
    const headers = { authorization: `Bearer ${session.token}` };
    const command = { do: "send_message", body: `Question ${index}: is the smoky black in stock again?` };
    await api.ask("POST", "frames", { type: "command", client_id: "first", command }, headers);
  });
}

async function seedMessages(api, headers) {
  const { items: [row] } = await api.ask("GET", "conversations?limit=1", undefined, headers);
  // One after the other: each waits for its number.
  for (let index = 0; index < messages; index += 1) {
    const body = `Line ${index}. ${"The kettle sings, and the tea waits for nobody. ".repeat(1 + (index % 3))}`;
    await api.ask("POST", "commands", { do: "add_note", conversation_id: row.id, body }, { ...headers, "idempotency-key": `line-${index}` });
  }
  return row.id;
}

/** What a frame of a 60 Hz screen may cost. */
const FRAME_MS = 16;

/** The processor time of each frame of a page in a trace: all tasks of its own thread from one frame's begin to the next's. */
function frameCosts(buffer) {
  const { traceEvents: events } = JSON.parse(buffer.toString());
  const drawn = events.filter(({ name }) => name === "FireAnimationFrame");
  const { pid, tid } = drawn[0];
  const tasks = events.filter((event) => event.name === "RunTask" && event.pid === pid && event.tid === tid && event.tdur > 0);
  const begins = drawn.filter((event) => event.pid === pid && event.tid === tid).map(({ ts }) => ts).sort((a, b) => a - b);
  const costs = begins.map(() => 0);
  for (const { ts, dur, tdur } of tasks) {
    const after = begins.findIndex((begin) => begin > ts + dur);
    if (after > 0) costs[after - 1] += tdur / 1_000;
  }
  return costs.slice(1, -1);
}

/** Scrolls by the wheel's way, a step a frame, and tells what frames cost, and how long they took by the clock. */
async function scroll(page, what, selector, step, frames) {
  const browser = page.context().browser();
  await browser.startTracing(page, { categories: ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"] });
  const spans = await frameSpans(page, selector, step, frames);
  const costs = frameCosts(await browser.stopTracing());
  const over = costs.filter((cost) => cost > FRAME_MS).length;
  console.log(`${what}: ${spread(costs)} ms of work a frame, over ${FRAME_MS} ms: ${over} of ${costs.length}; by the clock ${spread(spans)}`);
}

function frameSpans(page, selector, step, frames) {
  return page.locator(selector).evaluate(
    (node, { step, frames }) =>
      new Promise((done) => {
        const spans = [];
        let before = performance.now();
        const next = (now) => {
          spans.push(now - before);
          before = now;
          node.scrollTop += step;
          if (spans.length < frames) requestAnimationFrame(next);
          else done(spans.slice(1));
        };
        requestAnimationFrame(next);
      }),
    { step, frames },
  );
}

function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))].toFixed(1);
  return `p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}, longest ${at(1)}`;
}

/** The live list while visitors walk: once all of them are there, and while it is scrolled. */
async function liveList(stack, page) {
  const seconds = Math.ceil(walkers / 100) + 120;
  const words = ["feed", "--target", stack.directOrigin, "--visitors", walkers, "--page-every-ms", 20_000, "--watchers", 1];
  const tool = spawn(join(dirname(binary), "switchboard-loadtest"), [...words, "--seconds", seconds, "--email", owner.email, "--password", owner.password].map(String), { stdio: "ignore" });
  try {
    await page.goto(`${stack.origin}/console/visitors`);
    await until("the visitors", async () => {
      const counts = await page.locator(".counts b").allInnerTexts();
      return counts.map(Number).reduce((sum, each) => sum + each, 0) >= walkers;
    }, 600_000);
    console.log(`visitors: ${(await page.locator(".counts").innerText()).trim()}`);
    await scroll(page, "the live list, not touched", ".list-scroll", 0, 600);
    await scroll(page, "the live list, downwards", ".list-scroll", 8, 600);
  } finally {
    tool.kill("SIGINT");
    await new Promise((done) => (tool.exitCode === null ? tool.once("exit", done) : done()));
  }
}

const stack = await Stack.start();
try {
  const { api, headers } = await stack.api({ direct: true });
  await seedConversations(stack, api);
  const page = await stack.console({ viewport: { width: 1440, height: 900 } });
  await page.locator("a.row").first().waitFor();
  await scroll(page, "the list while it is read", ".list-scroll", 400, 600);
  // To the end, so that all pages are there, then over all of it.
  await page.locator(".list-scroll").evaluate(async (node) => {
    for (let still = 0, height = 0; still < 40; still += 1) {
      node.scrollTop = node.scrollHeight;
      await new Promise((done) => setTimeout(done, 50));
      if (node.scrollHeight !== height) still = 0;
      height = node.scrollHeight;
    }
  });
  console.log(`rows: ${Math.round((await page.locator(".list-rows").evaluate((node) => node.clientHeight)) / 68)}`);
  await scroll(page, "the whole list, upwards", ".list-scroll", -1_000, 600);
  await liveList(stack, page);
  await page.goto(`${stack.origin}/console/inbox/all`);
  const id = await seedMessages(api, headers);
  await page.goto(`${stack.origin}/console/inbox/all/${id}`);
  await page.getByText(`Line ${messages - 1}.`).first().waitFor();
  await scroll(page, "the conversation, upwards while it is read", ".thread", -300, 1_200);
  await page.evaluate(() => document.querySelector(".thread")?.focus());
  await scroll(page, "the conversation, downwards", ".thread", 300, 600);
} finally {
  await stack.stop();
}
