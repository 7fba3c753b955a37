// Lost network, killed server: nothing is lost or doubled, and nobody presses refresh.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Stack, answer, openRow, say, sees } from "../stack.mjs";

let stack;
before(async () => (stack = await Stack.start()));
after(() => stack.stop());

test("what is written offline goes out once when the network is back", async () => {
  const agent = await stack.console();
  const { page, panel } = await stack.visitor("/demo/");
  await say(panel, "before the tunnel");
  await openRow(agent, "before the tunnel");
  stack.cable.cut();
  await page.context().setOffline(true);
  await panel.getByText(/offline|No connection/).first().waitFor();
  await say(panel, "in the tunnel, one");
  await say(panel, "in the tunnel, two");
  await panel.getByText("Waiting to be sent").first().waitFor();
  stack.cable.mend();
  await page.context().setOffline(false);
  await agent.getByText("in the tunnel, two").first().waitFor();
  await answer(agent, "welcome back");
  await sees(panel, "welcome back");
  const said = await panel.locator("article.message .bubble").allInnerTexts();
  assert.deepEqual(
    said.map((text) => text.trim()),
    ["before the tunnel", "in the tunnel, one", "in the tunnel, two", "welcome back"],
  );
  assert.deepEqual(stack.complaints, []);
});

test("a killed and restarted server is only a pause", async () => {
  const agent = await stack.console();
  const { panel } = await stack.visitor("/demo/");
  await say(panel, "before the crash");
  await openRow(agent, "before the crash");
  await answer(agent, "answered before the crash");
  await sees(panel, "answered before the crash");
  await stack.killServer();
  await say(panel, "said to nobody");
  await stack.startServer();
  await agent.getByText("said to nobody").first().waitFor();
  await answer(agent, "heard after all");
  await sees(panel, "heard after all");
  assert.equal(await panel.locator("article.message", { hasText: "said to nobody" }).count(), 1);
  assert.deepEqual(stack.complaints, []);
});
