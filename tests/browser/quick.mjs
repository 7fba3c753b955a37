// From the installed binary to the first visitor who is seen, as the quick start of README.md has it and by the clock: an
// empty data directory, the first start, the set-up, the tag copied from it onto a page, and who looks at that page in the
// live list. A browser's fingers are quicker than a person's. `node quick.mjs [count]`.

import { Shop } from "./shop.mjs";
import { Stack, owner } from "./stack.mjs";

const rounds = Number(process.argv[2] ?? 5);

/** One time, from nothing; gives the seconds since the binary was started at each step. */
async function begins() {
  const began = performance.now();
  const steps = [];
  const done = (step) => steps.push([step, (performance.now() - began) / 1_000]);
  const stack = await Stack.start({ isSetUp: false });
  const shop = await Shop.open();
  try {
    done("it listens, and a browser is open");
    const page = await stack.person({ permissions: ["clipboard-read", "clipboard-write"] });
    const { pathname, search, hash } = new URL(stack.setupLink);
    await page.goto(stack.origin + pathname + search + hash);
    await page.getByLabel("Your name").fill(owner.name);
    await page.getByLabel("E-mail").fill(owner.email);
    await page.getByLabel("Password").fill(owner.password);
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByLabel("Name of the business").fill("Kettle & Leaf");
    await page.getByRole("button", { name: "Set up" }).click();
    await page.getByText("Waiting for the first visitor.").waitFor();
    done("it is set up");
    await page.getByRole("button", { name: "Copy" }).first().click();
    const head = await page.evaluate(() => navigator.clipboard.readText());
    const customer = await stack.person();
    await customer.goto(shop.page("/tea", { head }));
    await page.getByText("Visitor seen.").waitFor();
    done("the tag is on a page, and its visitor was seen");
    await page.getByRole("button", { name: "Go to the inbox" }).click();
    await page.getByRole("link", { name: /^Visitors/ }).click();
    await page.locator(".visitor", { hasText: "tea" }).waitFor();
    done("the visitor stands in the live list");
    return steps;
  } finally {
    await shop.close();
    await stack.stop();
  }
}

const all = [];
for (let round = 0; round < rounds; round += 1) all.push(await begins());
for (const [index, [step]] of all[0].entries()) {
  const seconds = all.map((steps) => steps[index][1]).toSorted((a, b) => a - b);
  console.log(`${step}: ${seconds[Math.floor(rounds / 2)].toFixed(1)} s (p50 of ${rounds}), ${seconds.at(-1).toFixed(1)} s at most`);
}
