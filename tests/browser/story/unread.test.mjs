// A server that answers, but not with what was asked for: a page says so, and is there once the server has it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { violations } from "../axe.mjs";
import { Stack } from "../stack.mjs";

let stack;
before(async () => (stack = await Stack.start()));
after(() => stack.stop());

const problem = { code: "internal", title: "something is wrong on our side", status: 500, retry: "later", request_id: "req_1" };

test("a page of the settings whose read is answered with an error says so, and reads it again when it is asked to", async () => {
  const first = await stack.console({ reducedMotion: "reduce" });
  const context = first.context();
  // As our server says it, and as a proxy in front of it does.
  const answers = { workspace: problem, agents: problem, sites: "<h1>Bad gateway</h1>", audit: "<h1>Bad gateway</h1>" };
  for (const [path, body] of Object.entries(answers)) {
    const isOurs = body === problem;
    await context.route(new RegExp(`/api/v1/${path}(\\?|$)`), (route) =>
      route.fulfill({ status: isOurs ? 500 : 502, contentType: isOurs ? "application/json" : "text/html", body: isOurs ? JSON.stringify(body) : body }));
  }
  // Each is tried some times before it is said to have failed: all at once take no longer than one.
  const pages = {};
  await Promise.all(["workspace", "team", "sites", "audit"].map(async (place) => {
    const page = await context.newPage();
    await page.goto(`${stack.origin}/console/settings/${place}`);
    const main = page.locator(".settings-body");
    await main.getByRole("heading", { name: "This could not be read" }).waitFor();
    // In words, whatever came.
    const said = await main.locator(".empty p").innerText();
    assert.ok(said.length > 20 && !/[<{]|undefined|50\d/.test(said), said);
    assert.deepEqual(await violations(page), [], place);
    pages[place] = page;
  }));
  await context.unrouteAll();
  await Promise.all(Object.entries(pages).map(async ([place, page]) => {
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator(".settings-body .page-head h1").waitFor();
    assert.equal(await page.getByText("This could not be read").count(), 0, place);
  }));
  assert.deepEqual(stack.complaints, []);
  await context.close();
});
