// A conversation that goes on over days: to a day of it, wherever that is.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Crowd } from "../crowd.mjs";
import { Stack, inSight, until } from "../stack.mjs";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LINE_COUNT = 130;
const LINES_AT_ONCE = 10;

/** Where it is about noon now: no day ends while the story goes on. */
const ahead = 12 - new Date().getUTCHours();
const zone = `Etc/GMT${ahead > 0 ? "-" : "+"}${Math.abs(ahead)}`;

/** The date so many days from now, there. */
const date = (days) => new Date(Date.now() + ahead * HOUR_MS + days * DAY_MS).toISOString().slice(0, 10);

let stack;
let id;

/** What was said on one day: the first two and the last two lines in their order. */
async function writes(day) {
  const { api, headers } = await stack.api();
  const write = (line) => api.ask("POST", "commands", { do: "add_note", conversation_id: id, body: `${day} ${line}.` }, { ...headers, "idempotency-key": `${day}-${line}` });
  const lines = Array.from({ length: LINE_COUNT }, (_, line) => line);
  for (const line of lines.splice(0, 2)) await write(line);
  const last = lines.splice(-2);
  while (lines.length > 0) await Promise.all(lines.splice(0, LINES_AT_ONCE).map(write));
  for (const line of last) await write(line);
}

before(async () => {
  // The server's clock is a day behind, then right, then a day ahead.
  stack = await Stack.start({ behind_ms: DAY_MS });
  const { api, headers } = await stack.api();
  const crowd = await Crowd.of(stack, 1);
  await crowd.writes(0, "begun long ago");
  crowd.leave();
  id = await until("the conversation", async () => (await api.ask("GET", "conversations?filter=all", undefined, headers)).items[0]?.id);
  await writes("yesterday");
  await stack.setClock(0);
  await writes("today");
  await stack.setClock(-DAY_MS);
  await writes("tomorrow");
});
after(() => stack.stop());

test("one goes to a day in the middle of a long conversation, and from there to any other", async () => {
  const agent = await stack.console({ viewport: { width: 1440, height: 900 }, timezoneId: zone });
  await agent.goto(`${stack.origin}/console/inbox/all/${id}`);
  await inSight(agent, `tomorrow ${LINE_COUNT - 1}.`);
  const line = (text) => agent.locator("article.said", { hasText: text });
  const goes = async (days) => {
    await agent.locator(".thread").focus();
    await agent.keyboard.press("d");
    await agent.getByLabel("Day", { exact: true }).fill(date(days));
    await agent.getByRole("button", { name: "Go there" }).click();
  };
  /** The day's first line is the first of its day that is read, near the top. */
  const begins = async (text) => {
    await inSight(agent, text);
    const { y } = await line(text).first().boundingBox();
    const thread = await agent.locator(".thread").boundingBox();
    assert.ok(y < thread.y + thread.height / 2, `${text} at ${y} of ${JSON.stringify(thread)}`);
  };
  assert.equal(await line("today 0.").count(), 0);
  await goes(0);
  await begins("today 0.");
  assert.equal(await line("yesterday 0.").count(), 0);
  await goes(-1);
  await begins("begun long ago");
  await goes(1);
  await begins("tomorrow 0.");
  // Of a day on which nothing was said, what came next; and to none that is yet to come.
  await goes(-9);
  await begins("begun long ago");
  await goes(9);
  await agent.getByRole("dialog").getByText("Pick a day that has begun.").waitFor();
  assert.deepEqual(stack.complaints, []);
  await agent.context().close();
});
