// Lighthouse's performance of the demo page, with the widget and without it in turn, and of the console: its doors, and
// the inbox of somebody who is signed in; each on a telephone and on a desktop. Writes a table for docs/performance.md,
// and beneath it what Lighthouse blames of accessibility and of good practice.
//
//   npm ci --prefix tests/browser && npm ci --prefix tests/lighthouse && node tests/lighthouse/figures.mjs [rounds]
//
// Tasks are told by the processor time of the page's own thread, so that they say something on a machine that has
// other things to do, too; Lighthouse's own numbers are by the clock. Its telephone is four times slower than this machine.

import { launch } from "chrome-launcher";
import lighthouse, { desktopConfig } from "lighthouse";

import { startSeeded } from "../browser/seed.mjs";

const rounds = Number(process.argv[2] ?? 5);
const BESIDES = ["accessibility", "best-practices"];

const flags = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const one = (value) => Number(value.toFixed(1));

/** The longest task of the page's own thread in a trace, and the longest in which the widget's script began, in processor time. */
function tasks({ traceEvents: events }, url) {
  const parsed = events.findLast(({ name, args }) => name === "ParseHTML" && args.beginData?.url?.startsWith(url));
  const own = events.filter(({ pid, tid }) => pid === parsed.pid && tid === parsed.tid);
  const runs = own.filter(({ name, ph }) => name === "RunTask" && ph === "X");
  const begun = own.filter(({ name, args }) => name === "EvaluateScript" && args.data?.url?.endsWith("/widget.js"));
  const longest = (some) => Math.max(0, ...some.map(({ tdur }) => tdur / 1_000));
  return {
    longest: longest(runs),
    ours: longest(runs.filter((task) => begun.some(({ ts }) => ts >= task.ts && ts <= task.ts + task.dur))),
  };
}

/** Lighthouse misses the beginning of a page now and then, and asks to be run again. */
const MISSED = "NO_NAVSTART";
const TRIES_MAX = 4;

async function measure(url, options) {
  for (let tries = 1; ; tries += 1) {
    const figures = await look(url, options).catch((error) => (error.cause === MISSED && tries < TRIES_MAX ? null : Promise.reject(error)));
    if (figures !== null) return figures;
  }
}

async function look(url, { config, blocked = [], headers = {} } = {}) {
  const chrome = await launch({ chromePath: process.env.SWITCHBOARD_TEST_CHROMIUM ?? "/usr/bin/chromium", chromeFlags: flags, logLevel: "silent" });
  try {
    const options = { port: chrome.port, onlyCategories: ["performance", ...BESIDES], blockedUrlPatterns: blocked, extraHeaders: headers, logLevel: "silent" };
    const { lhr, artifacts } = await lighthouse(url, options, config);
    if (lhr.runtimeError !== undefined) throw new Error(`${url}: ${lhr.runtimeError.message}`, { cause: lhr.runtimeError.code });
    const number = (name) => lhr.audits[name].numericValue;
    return {
      score: 100 * lhr.categories.performance.score,
      paint: number("first-contentful-paint"),
      largest: number("largest-contentful-paint"),
      blocking: number("total-blocking-time"),
      shift: number("cumulative-layout-shift"),
      ...tasks(artifacts.Trace, url),
      blamed: BESIDES.flatMap((name) => blamed(lhr, name)),
    };
  } finally {
    await chrome.kill();
  }
}

/** What counts in a category and is not as it should be. */
function blamed({ audits, categories }, name) {
  const counts = categories[name].auditRefs.filter(({ weight }) => weight > 0).map(({ id }) => audits[id]);
  return counts.filter(({ score }) => score !== null && score < 1).map(({ id, title }) => `${name}: ${id}, ${title}`);
}

function tell(what, runs) {
  const of = (name) => runs.map((run) => run[name]);
  const shown = [
    of("score").map((score) => Math.round(score)).join(", "),
    ...["paint", "largest", "blocking"].map((name) => `${Math.round(median(of(name)))} ms`),
    Math.max(...of("shift")).toFixed(3),
    `${one(median(of("longest")))} ms`,
    `${one(median(of("ours")))} ms`,
  ];
  console.log(`| ${what} | ${shown.join(" | ")} |`);
}

const stack = await startSeeded();
try {
  const page = await stack.console();
  const cookies = await page.context().cookies();
  await page.context().close();
  const headers = { cookie: cookies.map(({ name, value }) => `${name}=${value}`).join("; ") };
  const looked = new Map();
  const take = async (what, url, options) => looked.set(what, [...(looked.get(what) ?? []), await measure(url, options)]);
  for (let round = 0; round < rounds; round += 1) {
    const blocked = ["*/widget.js"];
    await take("demo page with the widget, telephone", `${stack.origin}/demo/`);
    await take("demo page without it, telephone", `${stack.origin}/demo/`, { blocked });
    await take("demo page with the widget, desktop", `${stack.origin}/demo/`, { config: desktopConfig });
    await take("demo page without it, desktop", `${stack.origin}/demo/`, { config: desktopConfig, blocked });
    await take("console, sign-in, telephone", `${stack.origin}/console/sign-in`);
    await take("console, inbox, telephone", `${stack.origin}/console/inbox/all`, { headers });
    await take("console, sign-in, desktop", `${stack.origin}/console/sign-in`, { config: desktopConfig });
    await take("console, inbox, desktop", `${stack.origin}/console/inbox/all`, { config: desktopConfig, headers });
  }
  console.log("| page | score | first paint | largest paint | blocking | shift | longest task | of it with `widget.js` |\n|---|---|---|---|---|---|---|---|");
  for (const [what, runs] of looked) tell(what, runs);
  for (const [what, runs] of looked) {
    const all = new Set(runs.flatMap((run) => run.blamed));
    console.log(`${what}: ${[...all].join("; ") || "nothing is blamed"}`);
  }
} finally {
  await stack.stop();
}
