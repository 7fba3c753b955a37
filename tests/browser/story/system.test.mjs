// What an installation runs on, as its admins see it in the settings.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Stack } from "../stack.mjs";

let stack;
before(async () => {
  stack = await Stack.start();
});
after(() => stack.stop());

test("an admin sees the server, who is connected to it, and that as it changes", async () => {
  const agent = await stack.console();
  await agent.goto(`${stack.origin}/console/settings/system`);
  const row = agent.getByRole("table", { name: "Servers" }).locator("tbody tr");
  await row.getByText("Ready").waitFor();
  assert.equal(await row.count(), 1);
  assert.match(await row.locator("td").first().innerText(), /^process \d+ on .* with the data directory \//);
  const connected = row.locator("[data-word=Connections]");
  await connected.getByText("1", { exact: true }).waitFor();
  const { page } = await stack.visitor("/demo/");
  await connected.getByText("2", { exact: true }).waitFor();
  await page.context().close();
  await connected.getByText("1", { exact: true }).waitFor();
  assert.deepEqual(await violations(agent), []);
  assert.deepEqual(stack.complaints, []);
  await agent.context().close();
});
