// How the two long lists of the console scroll: ten thousand conversations, and a conversation of five thousand
// messages. Seeds a server of its own and writes how long frames took. `node frames.mjs [conversations] [messages]`

import { Stack } from "./stack.mjs";

const [conversations, messages] = [process.argv[2] ?? 10_000, process.argv[3] ?? 5_000].map(Number);
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

/** What the page's own thread did since it was opened, in milliseconds. */
async function busy(session) {
  const { metrics } = await session.send("Performance.getMetrics");
  const of = (name) => 1_000 * (metrics.find((each) => each.name === name)?.value ?? 0);
  return { script: of("ScriptDuration"), layout: of("LayoutDuration") + of("RecalcStyleDuration"), all: of("TaskDuration") };
}

/** Scrolls by the wheel's way, a step a frame, and tells how long frames took, and how much of that was work. */
async function scroll(page, what, selector, step, frames) {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const before = await busy(session);
  const spans = await frameSpans(page, selector, step, frames);
  const after = await busy(session);
  await session.detach();
  tell(what, spans);
  const each = (name) => ((after[name] - before[name]) / spans.length).toFixed(1);
  console.log(`  work a frame: ${each("all")} ms, of it script ${each("script")}, style and layout ${each("layout")}`);
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

function tell(what, spans) {
  const sorted = spans.toSorted((a, b) => a - b);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))].toFixed(1);
  const late = spans.filter((span) => span > 25).length;
  console.log(`${what}: ${spans.length} frames, median ${at(0.5)} ms, p95 ${at(0.95)}, p99 ${at(0.99)}, longest ${at(1)}, over 25 ms: ${late}`);
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
  const id = await seedMessages(api, headers);
  await page.goto(`${stack.origin}/console/inbox/all/${id}`);
  await page.getByText(`Line ${messages - 1}.`).first().waitFor();
  await scroll(page, "the conversation, upwards while it is read", ".thread", -300, 1_200);
  await page.evaluate(() => document.querySelector(".thread")?.focus());
  await scroll(page, "the conversation, downwards", ".thread", 300, 600);
} finally {
  await stack.stop();
}
