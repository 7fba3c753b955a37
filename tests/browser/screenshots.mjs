// The pictures of the documentation: every page of a believable workspace, in the light and dark theme and on a
// telephone, and the main pages on a telephone at night. Writes docs/screenshots/<page>-<look>.png.
//
//   node tests/browser/screenshots.mjs [look…]
//
// All looks, or those that are named, each of a shop of its own.

import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { startSeeded } from "./seed.mjs";
import { Stack, findPanel, launcherName, openPanel, openRow, owner, say, sees, until } from "./stack.mjs";

const folder = fileURLToPath(new URL("../../docs/screenshots/", import.meta.url));

const somewhere = { timezoneId: "Europe/Ljubljana", reducedMotion: "reduce" };
const wide = { ...somewhere, viewport: { width: 1440, height: 900 } };
const phone = { ...somewhere, viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const looks = {
  light: { ...wide, colorScheme: "light" },
  dark: { ...wide, colorScheme: "dark" },
  phone: { ...phone, colorScheme: "light" },
  "phone-dark": { ...phone, colorScheme: "dark" },
};
const isPhone = (look) => look === "phone";
const isNight = (look) => look === "phone-dark";

/** The pages of the settings, and what is there when one has its records. */
const settings = {
  workspace: "General",
  sites: "Kettle & Leaf",
  team: "Jon Arden",
  canned: "\\gift",
  keys: "Order desk",
  audit: "joined the team",
  activity: "Chrome on Linux",
  system: "Ready",
  security: "wrong password",
  notifications: "A sound",
  profile: "How others see you",
};

/** What the rail counts where there is something of each. */
const counted = ["Inbox", "To do", "Visitors", "Team"];

async function shoot(page, name, { counts = counted } = {}) {
  // So is what the connection tells, one after the other: the rail's counts, and the face at its foot.
  if (counts.length > 0 && (await page.locator(".rail").count())) {
    for (const place of counts) await page.locator(".rail-place", { hasText: place }).locator(".rail-count").waitFor({ state: "attached" });
    await page.locator(".rail-own .face-picture").waitFor({ state: "attached" });
  }
  // Fonts and pictures are there, and nothing moves.
  await page.evaluate(() => document.fonts.ready);
  await until("all pictures", () => page.evaluate(() => [...document.images].every((image) => image.complete)));
  await page.screenshot({ path: `${folder}${name}.png`, animations: "disabled" });
}

/** Brings a heading to the top of what scrolls around it. */
const scrollTo = (page, name) => page.getByRole("heading", { name, exact: true }).evaluate((heading) => heading.scrollIntoView());

async function shootInbox(stack, look, page) {
  await page.locator("a.row").nth(3).waitFor();
  if (isPhone(look)) await shoot(page, `inbox-${look}`);
  await openRow(page, "gift");
  await page.getByText("Third order this year").first().waitFor();
  await shoot(page, `console-${look}`);
  const side = page.getByRole("complementary", { name: "Contact" });
  if (!(await side.isVisible())) await page.getByRole("button", { name: "Show the side panel" }).click();
  await side.getByRole("button", { name: "Edit the contact" }).click();
  await side.getByLabel("Company").fill("Kovač & Sons");
  await shoot(page, `contact-${look}`);
  // A page with unsaved work asks before it goes.
  await side.getByRole("button", { name: "Cancel" }).click();
  await page.goto(`${stack.origin}/console/inbox/todo`);
  await page.locator("a.row-todo").nth(1).waitFor();
  await shoot(page, `todo-${look}`);
  await page.goto(`${stack.origin}/console/inbox/all?q=gift`);
  await page.getByText("1 found in all conversations").waitFor();
  await shoot(page, `search-${look}`);
  await page.goto(`${stack.origin}/console/inbox/all`);
  await page.getByRole("button", { name: "Filter" }).click();
  await page.getByRole("group", { name: "Filters of the list" }).waitFor();
  // A finger picks nothing.
  if (!isPhone(look)) {
    for (const row of [1, 3]) await page.locator("a.row").nth(row).click({ modifiers: ["Control"] });
    await page.getByText("2 picked").waitFor();
  }
  await shoot(page, `filters-${look}`);
  await page.goto(`${stack.origin}/console/inbox/snoozed`);
  await page.locator("a.row").nth(1).waitFor();
  if (!isPhone(look)) await openRow(page, "We do, Marek");
  await shoot(page, `snoozed-${look}`);
  await shootFiles(look, page);
  // Large pictures and what the composer offers are looked at where there is room for them.
  if (!isPhone(look)) await shootOffers(stack, look, page);
  await shootSizes(stack, look, page);
}

/** A thread with a picture and a file, and the picture large. */
async function shootFiles(look, page) {
  await page.locator("a.row", { hasText: "Please keep it, Sofia" }).click();
  // Over the thread, since the contact was looked at.
  if (isPhone(look)) await page.getByRole("button", { name: "Close the side panel" }).click();
  const picture = page.getByRole("button", { name: "Look at bent-lid.png" });
  await until("the picture", () => picture.locator("img").evaluate((image) => image.complete && image.naturalWidth > 0));
  await page.getByText("order-2214.pdf").waitFor();
  // Nothing is pointed at.
  await page.mouse.move(0, 0);
  await shoot(page, `files-${look}`);
  if (isPhone(look)) return;
  await picture.click();
  await page.getByRole("dialog", { name: "bent-lid.png" }).waitFor();
  await shoot(page, `lightbox-${look}`);
  await page.keyboard.press("Escape");
}

/** What the composer offers. */
async function shootOffers(stack, look, page) {
  await page.goto(`${stack.origin}/console/inbox/all`);
  await openRow(page, "gift");
  const reply = page.getByRole("textbox", { name: /^Reply to / });
  await reply.fill("\\");
  await page.getByRole("listbox", { name: "Canned responses" }).getByRole("option").first().waitFor();
  await shoot(page, `offer-canned-${look}`);
  await reply.fill("");
  await page.getByRole("button", { name: "Note", exact: true }).click();
  const note = page.getByRole("textbox", { name: "Note to the team" });
  await note.fill("@");
  await page.getByRole("option", { name: /Jon Arden/ }).waitFor();
  await shoot(page, `offer-mention-${look}`);
  await note.fill("");
  await page.getByRole("button", { name: "Reply", exact: true }).click();
}

/** The smallest telephone, and the widest screen. */
async function shootSizes(stack, look, page) {
  const [name, size] = isPhone(look) ? ["small", { width: 320, height: 640 }] : ["widest", { width: 2560, height: 1440 }];
  const before = page.viewportSize();
  await page.setViewportSize(size);
  await shoot(page, `${name}-${look}`);
  if (isPhone(look)) {
    await page.goto(`${stack.origin}/console/inbox/all`);
    await page.locator("a.row").nth(3).waitFor();
    await shoot(page, `${name}-inbox-${look}`);
  }
  await page.setViewportSize(before);
}

/** The server as it would be called where it is at home. */
async function nameServer(page) {
  await page.route("**/api/v1/nodes*", async (route) => {
    const answered = await route.fetch();
    const { items, ...rest } = await answered.json();
    const named = items.map((node) => ({ ...node, name: "process 812 on kettle-1 with the data directory /var/lib/switchboard" }));
    await route.fulfill({ response: answered, json: { ...rest, items: named } });
  });
}

async function shootSettings(stack, look, page) {
  for (const [place, mark] of Object.entries(settings)) {
    await page.goto(`${stack.origin}/console/settings/${place}`);
    await page.getByText(mark).first().waitFor();
    await shoot(page, `settings-${place}-${look}`);
  }
  await page.goto(`${stack.origin}/console/settings/security`);
  await page.getByText("wrong password").waitFor();
  await scrollTo(page, "Blocked addresses");
  await shoot(page, `settings-kept-out-${look}`);
  await page.goto(`${stack.origin}/console/settings/sites?site=${stack.siteKey}`);
  await page.getByLabel("Allowed origins").waitFor();
  await shoot(page, `site-${look}`);
  await scrollTo(page, "Look");
  await shoot(page, `site-look-${look}`);
}

async function shootConsole(stack, look, options) {
  const page = await stack.console({ ...options, extraHTTPHeaders: { "x-forwarded-for": "203.0.113.24" } });
  await nameServer(page);
  await shootInbox(stack, look, page);
  await page.goto(`${stack.origin}/console/visitors`);
  await page.getByText("basket_filled").first().waitFor();
  await shoot(page, `visitors-${look}`);
  await page.getByText("basket_filled").first().click();
  await page.getByRole("button", { name: "Open the conversation" }).waitFor();
  await shoot(page, `visitor-${look}`);
  await shootSettings(stack, look, page);
  // Who has no keys finds things in the lists.
  if (!isPhone(look)) {
    await page.getByRole("link", { name: /^Inbox/ }).click();
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Find anything" }).fill("an");
    await page.getByRole("option").nth(2).waitFor();
    await shoot(page, `palette-${look}`);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
    await shoot(page, `shortcuts-${look}`);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
  }
  await page.goto(`${stack.origin}/console/inbox/all`);
  await page.locator("a.row").nth(3).waitFor();
  await page.getByRole("button", { name: /^Team/ }).click();
  await page.getByRole("menuitem", { name: /Jon Arden.*Settings: Canned responses/ }).waitFor();
  await shoot(page, `colleagues-${look}`);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.context().setOffline(true);
  await page.reload();
  await page.getByRole("heading", { name: "The server cannot be reached" }).waitFor();
  await shoot(page, `offline-${look}`);
  await page.context().close();
}

/** The three pages of the day, at night. */
async function shootNight(stack, look, options) {
  const page = await stack.console({ ...options, extraHTTPHeaders: { "x-forwarded-for": "203.0.113.24" } });
  await page.locator("a.row").nth(3).waitFor();
  await shoot(page, `inbox-${look}`);
  await openRow(page, "gift");
  await page.getByText("Third order this year").first().waitFor();
  await shoot(page, `console-${look}`);
  await page.goto(`${stack.origin}/console/visitors`);
  await page.getByText("basket_filled").first().waitFor();
  await shoot(page, `visitors-${look}`);
  await page.context().close();
}

/** What is asked before the first message: of this picture's visitor alone. */
async function shootBegin(stack, look, options) {
  const { api, headers } = await stack.api();
  const asks = async (theme) => {
    const site = await api.ask("GET", `sites/${stack.siteKey}`, undefined, headers);
    await api.ask("PATCH", `sites/${stack.siteKey}`, { theme: { ...site.theme, ...theme } }, { ...headers, "if-match": `"${site.version}"` });
  };
  await asks({
    asks: { name: "optional", email: "needed", phone: "never" },
    questions: [{ name: "order_id", label: "", kind: "text", needed: false }],
    consent: "I have read the [privacy policy](https://kettle.example/privacy).",
  });
  const page = await stack.person(options);
  await page.goto(`${stack.origin}/demo/`);
  await page.locator("[data-chat]").first().click();
  const panel = await findPanel(page);
  await panel.getByLabel("Name (optional)").fill("Ana Kovač");
  await panel.getByLabel("E-mail").fill("ana at kettle");
  await panel.getByRole("button", { name: "Begin the chat" }).click();
  await panel.getByText("This is no e-mail address").waitFor();
  await shoot(page, `widget-begin-${look}`);
  await asks({ asks: { name: "never", email: "never", phone: "never" }, questions: [], consent: "" });
  await page.context().close();
}

/** The shop as it would be in Arabic. */
const arabic = [
  ['lang="en"', 'lang="ar" dir="rtl"'],
  ["Tea, weighed by hand</h1>", "شاي موزون باليد</h1>"],
  ["Six teas from people we know, packed on Tuesdays and Fridays, with you two days later.", "ستة أنواع من الشاي من أناس نعرفهم، نعبئها يومي الثلاثاء والجمعة وتصلك بعد يومين."],
  ["See this week’s tea", "شاي هذا الأسبوع"],
  ["Ask us which one", "اسألنا أيها تختار"],
  ["On the shelf", "على الرف"],
  [">Shop<", ">المتجر<"],
  [">Smoky black</a>", ">الأسود المدخن</a>"],
  [">Orders<", ">الطلبات<"],
  [">About<", ">من نحن<"],
  [">Strict page<", ">صفحة صارمة<"],
];

/** A visitor who reads from the right, on a page that runs so. */
async function shootArabic(stack, look, options, agent) {
  const page = await stack.person({ ...options, locale: "ar" });
  await page.route("**/demo/", async (route) => {
    const answered = await route.fetch();
    const body = arabic.reduce((html, [english, translated]) => html.replace(english, translated), await answered.text());
    await route.fulfill({ response: answered, body });
  });
  await page.goto(`${stack.origin}/demo/`);
  await page.locator("[data-chat]").first().click();
  const panel = await findPanel(page);
  const question = "هل لديكم شاي أبيض؟";
  await panel.getByLabel("رسالة", { exact: true }).fill(question);
  await panel.getByRole("button", { name: "إرسال", exact: true }).click();
  await openRow(agent, question);
  await agent.getByRole("textbox", { name: /^Reply to / }).fill("نعم، White peony بسعر 21 €. هل نضع لك علبة جانبًا؟");
  await agent.getByRole("textbox", { name: /^Reply to / }).press("Enter");
  await panel.locator("article.team", { hasText: "White peony" }).waitFor();
  await shoot(page, `widget-arabic-${look}`);
  const team = await stack.console(options);
  await openRow(team, "White peony");
  await shoot(team, `console-arabic-${look}`);
  await team.context().close();
  await page.context().close();
}

/** The pages of the shop, and what each is called. */
const shop = { "": "Tea, weighed by hand", "tea/": "Smoky black", "app/": "Your orders", "about/": "Two people and a scale", "strict/": "A page that allows little" };

/** A visitor and an agent speak; the panel is the picture. */
async function shootWidget(stack, look, options, agent) {
  const page = await stack.person(options);
  // The shop's pages have one brightness.
  if (look !== "dark") {
    for (const [path, mark] of Object.entries(shop)) {
      await page.goto(`${stack.origin}/demo/${path}`);
      await page.getByRole("heading", { level: 1, name: mark }).waitFor();
      await until("the launcher", async () => (await launcherName(page)) !== "");
      await shoot(page, `${["demo", ...path.split("/")].filter(Boolean).join("-")}-${look}`);
    }
  }
  await page.goto(`${stack.origin}/demo/`);
  const panel = await openPanel(page);
  const question = "Hello. Which tea goes with rye bread?";
  await say(panel, question);
  await openRow(agent, question);
  const box = agent.getByRole("textbox", { name: /^Reply to / });
  await box.fill("The smoky black. A slice of butter, and you will not want anything else.");
  await box.press("Enter");
  await sees(panel, "The smoky black.");
  await shoot(page, `widget-${look}`);
  // Who has put it away is told on his page.
  await panel.getByRole("button", { name: "Close chat" }).click();
  await box.fill("Shall I put a tin aside for you?");
  await box.press("Enter");
  await until("the word on the launcher", async () => /1/.test(await launcherName(page)));
  await shoot(page, `preview-${look}`);
  await page.context().close();
}

/** The team reads along: what it sees, and what the visitor is told. */
async function shootTyping(stack, look, options) {
  const { api, headers } = await stack.api();
  const { settings: now, version } = await api.ask("GET", "workspace", undefined, headers);
  await api.ask("PATCH", "workspace", { settings: { ...now, typing_preview: true } }, { ...headers, "if-match": `"${version}"` });
  const page = await stack.person(options);
  await page.goto(`${stack.origin}/demo/tea/`);
  const panel = await openPanel(page);
  const question = "Do you still have the oolong in the blue tin?";
  await say(panel, question);
  const team = await stack.console(options);
  await openRow(team, question);
  await panel.getByText("The team can see what you write").waitFor();
  const words = "And how many grams are";
  await Promise.all([
    team.locator(".typing q", { hasText: words }).waitFor(),
    panel.getByLabel("Message", { exact: true }).pressSequentially(words, { delay: 100 }),
  ]);
  await shoot(team, `typing-${look}`);
  await shoot(page, `widget-typing-${look}`);
  await team.context().close();
  await page.context().close();
}

/** A visitor looks at his own picture, and writes while his line is down; then he is blocked. The team's page says that its line is, too. */
async function shootTrouble(stack, look, options) {
  const team = await stack.console(options);
  const page = await stack.person(options);
  await page.goto(`${stack.origin}/demo/`);
  const panel = await openPanel(page);
  const { name, type: mimeType, bytes: buffer } = stack.drawn.tin;
  await panel.locator("input[type=file]").setInputFiles({ name, mimeType, buffer });
  await until("the picture to be up", async () => (await panel.locator(".upload .quiet").count()) === 1);
  const words = "This is how my tin came. Is that the new lid?";
  await say(panel, words);
  await panel.getByText("Sent", { exact: true }).waitFor();
  await panel.getByRole("button", { name: `Look at ${name}` }).click();
  await panel.getByRole("dialog", { name }).waitFor();
  await shoot(page, `widget-lightbox-${look}`);
  await page.keyboard.press("Escape");
  await openRow(team, words);
  stack.cable.cut();
  await say(panel, "It closes well, only it looks odd.");
  await panel.getByText("Waiting to be sent").waitFor();
  await panel.getByText(/^(Reconnecting|No connection)/).first().waitFor();
  await shoot(page, `widget-offline-${look}`);
  await team.locator(".slip").getByText("Not connected since").waitFor();
  if (!isPhone(look)) await shoot(team, `slip-${look}`, { counts: [] });
  stack.cable.mend();
  await panel.getByText("Waiting to be sent").waitFor({ state: "detached" });
  const { api, headers } = await stack.api();
  const { items } = await api.ask("GET", "conversations?filter=all", undefined, headers);
  const { id } = items.find(({ preview }) => preview?.text.startsWith("It closes well"));
  await api.ask("POST", "commands", { do: "block_visitor", conversation_id: id, blocked: true }, { ...headers, "idempotency-key": api.nextId() });
  await panel.getByText("This conversation cannot be continued.").waitFor();
  await shoot(page, `widget-blocked-${look}`);
  await team.context().close();
  await page.context().close();
}

/** What programs read, and an address that leads nowhere. */
async function shootBeside(stack, look, page) {
  await page.goto(`${stack.origin}/api/docs/`);
  await page.getByRole("heading", { name: "Switchboard HTTP API" }).waitFor();
  await shoot(page, `api-${look}`);
  await page.goto(`${stack.origin}/console/nowhere`);
  await page.getByRole("heading", { name: "Nothing is here" }).waitFor();
  await shoot(page, `nothing-${look}`);
}

/** Nobody is signed in. */
async function shootDoors(stack, look, options) {
  const page = await stack.person(options);
  await page.goto(`${stack.origin}/console/sign-in`);
  await page.getByLabel("E-mail").waitFor();
  await shoot(page, `sign-in-${look}`);
  const { api, headers } = await stack.api();
  const { link } = await api.ask("POST", "invitations", { email: "kim.sato@example.com", role: "agent" }, headers);
  await page.goto(stack.origin + new URL(link).pathname + new URL(link).hash);
  await page.getByLabel("Your name").fill("Kim Sato");
  await shoot(page, `join-${look}`);
  await shootBeside(stack, look, page);
  await page.goto(`${stack.origin}/console/design`);
  await page.getByRole("heading", { name: "Colors" }).waitFor();
  await shoot(page, `design-${look}`);
  for (const part of ["Controls", "The panel"]) {
    await scrollTo(page, part);
    await shoot(page, `design-${part === "Controls" ? "controls" : "panel"}-${look}`);
  }
  await page.context().close();
}

/** A team begins: the set-up, and the inbox after it. */
async function shootBeginning(look, options) {
  const fresh = await Stack.start({ isSetUp: false });
  try {
    const page = await fresh.person(options);
    const link = new URL(fresh.setupLink);
    await page.goto(fresh.origin + link.pathname + link.search + link.hash);
    await page.getByLabel("Your name").fill(owner.name);
    await shoot(page, `setup-${look}`);
    await page.getByLabel("E-mail").fill(owner.email);
    await page.getByLabel("Password").fill(owner.password);
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByLabel("Name of the business").fill("Kettle & Leaf");
    await page.getByRole("button", { name: "Set up" }).click();
    await page.getByText("Waiting for the first visitor.").waitFor();
    await shoot(page, `setup-widget-${look}`);
    await page.getByRole("button", { name: "Go to the inbox" }).click();
    await page.getByRole("region", { name: "Set-up" }).waitFor();
    await shoot(page, `empty-${look}`, { counts: [] });
    await page.context().close();
  } finally {
    await fresh.stop();
  }
}

async function shootAll(look, options) {
  const stack = await startSeeded();
  try {
    if (isNight(look)) return await shootNight(stack, look, options);
    await shootDoors(stack, look, options);
    // Taken whole before a visitor of the panel's picture writes.
    await shootConsole(stack, look, options);
    await shootBegin(stack, look, options);
    const agent = await stack.console();
    await shootWidget(stack, look, options, agent);
    await shootArabic(stack, look, options, agent);
    await agent.context().close();
    await shootTyping(stack, look, options);
    await shootTrouble(stack, look, options);
  } finally {
    await stack.stop();
  }
  await shootBeginning(look, options);
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((look) => !(look in looks));
if (unknown.length > 0) throw new Error(`no look is called ${unknown}; there are ${Object.keys(looks)}`);
await mkdir(folder, { recursive: true });
for (const look of wanted.length > 0 ? wanted : Object.keys(looks)) await shootAll(look, looks[look]);
