// What an installation runs on, as its admins see it in the settings.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Stack, until } from "../stack.mjs";

let stack;
before(async () => {
  stack = await Stack.start();
});
after(() => stack.stop());

test("an admin sees the server, who is connected to it, and that as it changes", async () => {
  const agent = await stack.console();
  // A page that is left while its line is still coming up is kept by the browser, line and all, and counts for a minute.
  await agent.getByRole("button", { name: /Online/ }).waitFor();
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

test("what is out of order behind the servers is said on its page and over every other, until it works again", async () => {
  const agent = await stack.console();
  const since_at_ms = Date.now() - 60_000;
  let items = [
    { kind: "bus_unreachable", since_at_ms, reason: "connection refused" },
    { kind: "settings_differ", since_at_ms, reason: "retention.visit_days" },
  ];
  let is_away = false;
  const problem = { type: "about:blank", code: "unavailable", title: "Try again", status: 503, retry: "later" };
  await agent.route(/\/api\/v1\/troubles/, (route) => (is_away ? route.fulfill({ status: 503, contentType: "application/problem+json", json: problem }) : route.fulfill({ json: { items } })));
  await agent.goto(`${stack.origin}/console/settings/system`);
  const parts = agent.getByRole("table", { name: "Parts that they share" });
  const part = (name) => parts.getByRole("row", { name });
  await part(/^News between servers Late since .*: connection refused/).waitFor();
  await part(/^Settings of the servers Different since .*: retention\.visit_days/).waitFor();
  await part(/^Store Answers/).waitFor();
  await part(/^Backups None failed/).waitFor();
  await agent.getByText("Servers have not heard each other since").waitFor();
  await agent.getByText("Servers have had different settings since").waitFor();
  assert.deepEqual(await violations(agent), []);

  is_away = true;
  await agent.reload();
  await part(/^Store Does not answer/).waitFor();
  await part(/^News between servers Not known just now/).waitFor();
  await agent.getByText("The server's store does not answer.").waitFor();

  is_away = false;
  items = [];
  await agent.reload();
  await part(/^News between servers Come at once/).waitFor();
  await until("no slip", async () => (await agent.getByText("Servers have not heard each other since").count()) === 0);
  stack.complaints.length = 0; // The browser's own line of the 503.
  await agent.context().close();
});
