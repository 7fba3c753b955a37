// A server of its own and a browser, for one story. The server is the real binary; a small proxy in
// front of it is the cable that a story may cut.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { Api } from "./api.mjs";
import { PATIENCE, slowLine, slowPages, slowProcessor } from "./hostile.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
export const binary = resolve(root, process.env.SWITCHBOARD_BIN ?? "target/release/switchboard");
const chromiumPath = process.env.SWITCHBOARD_TEST_CHROMIUM ?? "/usr/bin/chromium";

export const owner = { name: "Mira Novak", email: "mira@example.com", password: "correct-horse-battery" };

// The driver has a list of its own of what is turned off, and a browser takes only the last one: it is repeated here.
const driverOff = [
  "AvoidUnnecessaryBeforeUnloadCheckSync",
  "DestroyProfileOnBrowserClose",
  "HttpsUpgrades",
  "HttpsFirstBalancedModeAutoEnable",
  "LensOverlay",
  "MediaRouter",
  "PaintHolding",
  "ThirdPartyStoragePartitioning",
  "AvoidCorsURLLoaderRestartOnRedirect",
  "TcpPortRandomizationWin",
  "OptimizationHints",
  "NetworkTimeServiceQuerying",
  "AimEnabled",
  "PreconnectToSearch",
];

/** Pages of the browser's own that wait below its address bar: they cost more than half of what each window costs. */
const popupsOff = ["WebUIOmniboxPopup", "WebUIOmniboxAimPopup"];

const flags = [
  `--disable-features=${[...driverOff, ...popupsOff].join()}`,
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Other origins than the server's, without asking anybody for them.
  "--host-resolver-rules=MAP *.example 127.0.0.1",
];

/** How long to wait for what must come. It ends what hangs, and measures nothing: machines are busy. */
const PATIENCE_MS = 90_000 * PATIENCE;

/** Waits until `look`, which answers at once, gives something, and gives that. */
export async function until(what, look, limitMs = PATIENCE_MS) {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((done) => setTimeout(done, 25));
  }
}

/** The cable between browsers and server: it can be cut and mended, clog, and refuse WebSockets. */
class Cable {
  #sockets = new Set();
  #isCut = false;
  blocksSockets = false;
  /** What has sent more up than this sends nothing further, until the cable is cut. */
  upBytesMax = Infinity;
  #listener;
  port = 0;

  constructor(targetPort) {
    this.#listener = createServer((near) => {
      if (this.#isCut) {
        near.destroy();
        return;
      }
      const far = connect(targetPort(), "127.0.0.1");
      let upBytes = 0;
      near.on("data", (bytes) => {
        // As proxies do that know nothing of them.
        if (this.blocksSockets && bytes.includes("GET /api/v1/socket")) near.destroy();
        upBytes += bytes.length;
        if (upBytes > this.upBytesMax) near.unpipe().pause();
      });
      for (const [one, other] of [
        [near, far],
        [far, near],
      ]) {
        this.#sockets.add(one);
        one.on("error", () => other.destroy());
        one.on("close", () => {
          this.#sockets.delete(one);
          other.destroy();
        });
        [one, ...slowLine(), other].reduce((from, to) => from.pipe(to));
      }
    });
  }

  open() {
    return new Promise((done) => {
      this.#listener.listen(0, "127.0.0.1", () => {
        this.port = this.#listener.address().port;
        done();
      });
    });
  }

  cut() {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend() {
    this.#isCut = false;
  }

  close() {
    this.cut();
    return new Promise((done) => this.#listener.close(done));
  }
}

/** The variables of a server whose clock is so far behind. */
const clock = (behind_ms) => (behind_ms === 0 ? { SWITCHBOARD_DEBUG_CLOCK_SKEW_MS: "0" } : { SWITCHBOARD_ALLOW_FAULTS: "1", SWITCHBOARD_DEBUG_CLOCK_SKEW_MS: String(-behind_ms) });

/** A running server, its data, and a browser. */
export class Stack {
  #directory = "";
  #process = null;
  #port = 0;
  #isSetUp;
  #settings;
  #cable = new Cable(() => this.#port);
  #browser = null;
  /** The owner's session of `api`. */
  #headers = null;
  setupLink = "";
  siteKey = "";
  /** What pages complained about, with their address. */
  complaints = [];
  /** Pages whose browser asked whether they may be left; nobody is let go. */
  held = [];

  constructor(isSetUp, settings) {
    this.#isSetUp = isSetUp;
    this.#settings = settings;
  }

  /**
   * Starts everything; with `isSetUp` an owner, a workspace and a site are there already. `settings` are further variables of the
   * server's, and `behind_ms` is how far its clock is behind.
   */
  static async start({ isSetUp = true, settings = {}, behind_ms = 0 } = {}) {
    const stack = new Stack(isSetUp, { ...settings, ...clock(behind_ms) });
    stack.#directory = await mkdtemp(join(tmpdir(), "switchboard-story-"));
    await stack.startServer();
    await stack.#cable.open();
    stack.#browser = await chromium.launch({
      executablePath: chromiumPath,
      headless: true,
      args: flags,
      // People go back, and find the page as they left it.
      ignoreDefaultArgs: ["--disable-back-forward-cache"],
    });
    return stack;
  }

  get origin() {
    return `http://127.0.0.1:${this.#cable.port}`;
  }

  /** The server itself, past the cable. */
  get directOrigin() {
    return `http://127.0.0.1:${this.#port}`;
  }

  get cable() {
    return this.#cable;
  }

  async startServer() {
    const setUp = this.#isSetUp
      ? { SWITCHBOARD_SETUP_EMAIL: owner.email, SWITCHBOARD_SETUP_PASSWORD: owner.password }
      : {};
    this.#process = spawn(binary, ["serve"], {
      cwd: this.#directory,
      env: {
        // Another port after each start: the one before may be somebody else's by then. The cable finds it.
        SWITCHBOARD_LISTEN: "127.0.0.1:0",
        SWITCHBOARD_DATA_DIR: this.data,
        SWITCHBOARD_LIMITS_TRUSTED_ADDRESSES: "127.0.0.0/8",
        ...setUp,
        ...this.#settings,
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const wanted = this.#isSetUp ? "site key: " : this.setupLink === "" ? "set up: " : "listening on ";
    for await (const line of createInterface({ input: this.#process.stdout })) {
      const [, port] = /^listening on http:\/\/[^:]+:(\d+)/.exec(line) ?? [];
      if (port !== undefined) this.#port = Number(port);
      if (line.startsWith("set up: ")) this.setupLink = line.slice("set up: ".length);
      if (line.startsWith("site key: ")) this.siteKey = line.slice("site key: ".length);
      if (line.startsWith(wanted)) break;
    }
    this.#process.stdout.resume();
    await until("readiness", async () => {
      const answer = await fetch(`http://127.0.0.1:${this.#port}/readyz`).catch(() => null);
      return answer?.ok;
    });
  }

  /** The server's data directory. */
  get data() {
    return join(this.#directory, "data");
  }

  /** Runs one of the binary's other commands beside the server, and gives whether it did what it should. */
  async command(...words) {
    const process = spawn(binary, words, { cwd: this.#directory, env: { SWITCHBOARD_DATA_DIR: this.data }, stdio: "ignore" });
    const { promise, resolve } = withResolvers();
    process.once("exit", (code) => resolve(code === 0));
    return promise;
  }

  /** The server's disk is full: nothing can be made larger. Or there is room again. */
  async fillsDisk(isFull) {
    const limit = isFull ? "0:unlimited" : "unlimited:unlimited";
    const limiter = spawn("prlimit", ["--pid", String(this.#process.pid), `--fsize=${limit}`], { stdio: "inherit" });
    const { promise, resolve } = withResolvers();
    limiter.once("exit", resolve);
    const code = await promise;
    if (code !== 0) throw new Error(`prlimit ended with ${code}`);
  }

  /** Ends the server by SIGKILL. */
  async killServer() {
    const { promise, resolve } = withResolvers();
    this.#process.once("exit", resolve);
    this.#process.kill("SIGKILL");
    await promise;
  }

  /** Starts the server anew, with a clock that is so far behind, or ahead where that is negative: at most a day, and never further back than before. */
  async setClock(behind_ms) {
    await this.killServer();
    this.#settings = { ...this.#settings, ...clock(behind_ms) };
    await this.startServer();
  }

  /** A browser of somebody of his own: no cookies, no storage. */
  async person(options = {}) {
    return this.#pageOf(await this.#browser.newContext({ viewport: { width: 1280, height: 800 }, ...options }));
  }

  async #pageOf(context) {
    context.setDefaultTimeout(PATIENCE_MS);
    await slowPages(context);
    const page = await context.newPage();
    await slowProcessor(page);
    this.#listen(page);
    context.on("page", (other) => this.#listen(other));
    return page;
  }

  #listen(page) {
    page.on("pageerror", (error) => this.complaints.push(`${page.url()}: ${error.stack ?? error}`));
    page.on("console", (message) => {
      // A line that is down is said by the browser itself; that is not the page's fault.
      const isOurs = message.type() === "error" && !/ERR_|Failed to load resource|WebSocket connection|blocked by CORS/.test(message.text());
      if (isOurs) this.complaints.push(`${page.url()}: ${message.text()}`);
    });
    page.on("dialog", (dialog) => {
      if (dialog.type() === "beforeunload") this.held.push(page);
      else this.complaints.push(`${page.url()}: a script ran: ${dialog.message()}`);
      void dialog.dismiss();
    });
  }

  /** The owner's console, signed in; or somebody else's of the team. */
  async console(options = {}, who = owner) {
    return this.#signIn(await this.person(options), who);
  }

  /** The owner's console in a browser that is no private window: only such a one installs programs. */
  async installer() {
    const context = await chromium.launchPersistentContext(join(this.#directory, "profile"), { executablePath: chromiumPath, headless: true, args: flags });
    return this.#signIn(await this.#pageOf(context), owner);
  }

  async #signIn(page, who) {
    await page.goto(`${this.origin}/console/sign-in`);
    await page.getByLabel("E-mail").fill(who.email);
    await page.getByLabel("Password").fill(who.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(/\/console\/inbox\//);
    return page;
  }

  /** The API as its owner may use it: `ask` and the headers for it. `direct` goes past the cable. */
  async api({ direct = false } = {}) {
    const api = new Api(direct ? this.directOrigin : this.origin);
    // A password is slow to check, and meant to be. A session may have been ended by what a story does.
    const isSignedIn = this.#headers !== null && (await api.ask("GET", "me", undefined, this.#headers).then(() => true, () => false));
    if (!isSignedIn) this.#headers = await api.signIn(owner.email, owner.password);
    return { api, headers: this.#headers };
  }

  /** Her session, where a story has one already. */
  isSignedIn(headers) {
    this.#headers = headers;
  }

  /** Takes somebody into the team, and gives what he signs in with. */
  async joins(name, role = "agent") {
    const { api, headers } = await this.api();
    const who = { name, email: `${name.toLowerCase().replaceAll(" ", ".")}@example.com`, password: owner.password };
    const invited = await api.ask("POST", "invitations", { email: who.email, role }, headers);
    await api.ask("POST", "invitations/accept", { token: invited.link.split("token=")[1], name, password: who.password });
    return who;
  }

  /** A visitor on a page of the demo site, with the panel open. */
  async visitor(path = "/demo/", options = {}) {
    const page = await this.person(options);
    await page.goto(this.origin + path);
    return { page, panel: await openPanel(page) };
  }

  async stop() {
    await this.#browser?.close();
    await this.#cable.close();
    if (this.#process !== null && this.#process.exitCode === null) await this.killServer();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

function withResolvers() {
  let resolve;
  const promise = new Promise((done) => (resolve = done));
  return { promise, resolve };
}

/** Opens the chat by the page's own button and gives the panel's frame, once that knows where and who it is. */
export async function openPanel(page) {
  await page.locator("[data-chat]").first().click();
  const panel = await findPanel(page);
  await panel.locator("h1", { hasText: /\S/ }).waitFor();
  await panel.getByLabel("Message", { exact: true }).waitFor();
  return panel;
}

/** The panel's frame; the launcher's shadow root is closed, so it is found by its address. */
export function findPanel(page) {
  return until("the panel", () => page.frames().find((frame) => frame.url().includes("/widget/panel")));
}

/** What the launcher says; nothing where it is not drawn. */
export function launcherName(page) {
  return ofLauncher(page, (_, node) => node?.name.value ?? "");
}

/** Where a finger meets the launcher. */
export function launcherMiddle(page) {
  return ofLauncher(page, async (session, { backendDOMNodeId: backendNodeId }) => {
    const { model } = await session.send("DOM.getBoxModel", { backendNodeId });
    const [left, top, right, , , bottom] = model.border;
    return [(left + right) / 2, (top + bottom) / 2];
  });
}

/** The launcher's shadow root is closed; its button is in the tree that screen readers get. */
async function ofLauncher(page, look) {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  const found = await look(session, nodes.find(({ role, name }) => role?.value === "button" && /^(Open|Close) chat/.test(name?.value ?? "")));
  await session.detach();
  return found;
}

/** The visitor says something. */
export async function say(panel, text) {
  await panel.getByLabel("Message", { exact: true }).fill(text);
  await panel.getByRole("button", { name: "Send" }).click();
}

/** Chooses a large file. It is made in the browser, because the line to its driver is slow. */
export function chooseLarge(picker, name, size) {
  return picker.evaluate((input, { name, size }) => {
    const chosen = new DataTransfer();
    chosen.items.add(new File(["tea ".repeat(size / 4)], name, { type: "text/plain" }));
    input.files = chosen.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }, { name, size });
}

/** Waits for a message in the panel. */
export function sees(panel, text) {
  return panel.locator("article.message", { hasText: text }).waitFor();
}

/** Waits until a line of the open conversation stands in sight. */
export async function inSight(agent, text) {
  const line = agent.locator("article.said", { hasText: text });
  await line.first().waitFor();
  await until(`${text} in sight`, () => line.evaluateAll((nodes) => nodes.some((node) => {
    const { top, bottom } = node.getBoundingClientRect();
    return top > 0 && bottom < innerHeight;
  })));
}

/** Opens the conversation in the console's list whose row says what was said in it last. */
export async function openRow(page, text) {
  // New rows wait while the pointer is on the list, so that none moves away from under it.
  await page.mouse.move(0, 0);
  await page.locator("a.row", { hasText: text }).first().click();
  await page.mouse.move(0, 0);
  // Until it is there, the one that was open before stands beside the list, with its own field to write in.
  await page.getByRole("log").getByText(text).first().waitFor();
}

/** Opens a list of the inbox by its name; those that are put away stand in a menu. */
export async function openList(page, name) {
  const lists = page.getByRole("navigation", { name: "Lists" });
  if (!["Snoozed", "Closed", "Spam"].includes(name)) return lists.getByRole("link", { name }).click();
  await lists.getByRole("button", { name: /more lists$/i }).click();
  return page.getByRole("menuitem", { name }).click();
}

/** What a console tells of the person beside the open conversation. */
export const sidePanel = (page) => page.getByRole("complementary", { name: "Contact" });

/** Opens the side panel where it is not open already, and gives it. */
export async function showSide(page) {
  const side = sidePanel(page);
  const show = page.getByRole("button", { name: "Show the side panel" });
  // The one or the other, as soon as the conversation is there.
  await side.or(show).first().waitFor();
  if (await show.isVisible()) await show.click();
  await side.waitFor();
  return side;
}

/** The agent answers in the open conversation. */
export async function answer(page, text) {
  const box = page.getByRole("textbox", { name: /^Reply to / });
  await box.fill(text);
  await box.press("Enter");
}
