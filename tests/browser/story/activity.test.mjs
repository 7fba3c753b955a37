// Who of the team was signed in, within the period that one chooses.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Hands } from "../keys.mjs";
import { Stack, until } from "../stack.mjs";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

let stack;
let ada;
before(async () => {
  stack = await Stack.start({ behind_ms: DAY_MS });
  // The day before: she joined, and was not here since.
  ada = await stack.joins("Ada Lind");
  // Mira was, for a while an hour ago.
  for (const minutes of [60, 50]) {
    await stack.setClock(minutes * MINUTE_MS);
    await stack.api();
  }
  await stack.setClock(0);
});
after(() => stack.stop());

test("the period that one chooses by keys changes the figures, and stays chosen after a reload", async () => {
  const hands = await Hands.signIn(stack);
  const { page } = hands;
  await page.waitForURL(/\/console\/inbox\//);
  await page.goto(`${stack.origin}/console/settings/activity`);
  const when = page.getByLabel("When");
  const row = page.getByRole("table", { name: "Time of each member" }).getByRole("row", { name: /Ada Lind/ });
  const sign_ins = page.getByRole("table", { name: "Sign-ins" });
  const ofAda = sign_ins.getByRole("row", { name: /Ada Lind/ });
  await row.waitFor();
  assert.equal(await when.inputValue(), "7");
  assert.equal(await ofAda.count(), 1);
  assert.equal(await row.getByText("Not signed in").count(), 0);
  await row.getByText("0 min").waitFor();
  await page.getByRole("table", { name: "Time of each member" }).getByRole("row", { name: /mira/i }).getByText("10 min", { exact: true }).waitFor();
  // A lamp is lit for who is here, and not for who has not signed out since yesterday.
  for (const hers of [row, ofAda]) await hers.getByRole("img", { name: "Signed in, not here now" }).waitFor();
  await page.getByRole("table", { name: "Time of each member" }).getByRole("row", { name: /mira/ }).getByRole("img", { name: "Here now" }).waitFor();

  await hands.reach("When");
  await hands.press("ArrowUp");
  await row.getByText("Not signed in").waitFor();
  assert.equal(await ofAda.count(), 0);
  // Who looks is there.
  await sign_ins.getByRole("row", { name: /mira/ }).first().waitFor();
  await hands.at("When");
  await page.reload();
  await row.getByText("Not signed in").waitFor();
  assert.equal(await when.inputValue(), "1");

  // Her alone, by her name; where nothing is, it says so.
  await hands.reach("Ada Lind");
  await hands.press("Enter");
  await hands.at("Whose");
  const told = page.locator(".settings-body [role=status]");
  await told.getByText("Ada Lind was not signed in during the last 24 hours.").waitFor();
  assert.equal(await sign_ins.count(), 0);
  assert.deepEqual(await violations(page), []);
  await page.reload();
  await told.getByText("Ada Lind was not signed in during the last 24 hours.").waitFor();

  // A month, as the server is asked for it.
  await hands.reach("When");
  await hands.press("ArrowDown");
  await hands.press("ArrowDown");
  await told.getByText(/ in 1 sign-in$/).waitFor();
  assert.equal(await when.inputValue(), "30");
  const asks = await page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name));
  const since = asks.map((url) => Number(new URL(url).searchParams.get("since_ms"))).filter(Boolean);
  assert.ok(since.some((at_ms) => Math.abs(Date.now() - at_ms - 30 * DAY_MS) < DAY_MS / 24), `${since}`);
  // The usual one needs no word in the address.
  await hands.press("ArrowUp");
  await until("a plain address", () => !page.url().includes("days"));
  assert.equal(await when.inputValue(), "7");
  // An address that means nobody and no period is the page as it is first.
  await page.goto(`${stack.origin}/console/settings/activity?agent=nobody&days=400`);
  await row.waitFor();
  assert.equal(await when.inputValue(), "7");
  await hands.usedNoPointer();
  await page.context().close();
  assert.deepEqual(stack.complaints, []);
});
