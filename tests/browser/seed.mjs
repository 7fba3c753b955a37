// A believable workspace: a tea shop, its team, and who came and wrote to it within a day. The server goes by a clock
// that is behind while what is old happens.

import { Api } from "./api.mjs";
import { draw } from "./drawn.mjs";
import { Stack, owner, until } from "./stack.mjs";

const MINUTE_MS = 60_000;

const chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";
const safari = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15";
const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0";
const android = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36";
const iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Mobile/15E148 Safari/604.1";

// What people do, as parts of their stories.
const goes = (...pages) => (somebody) => somebody.goes(pages);
const says = (body, files = []) => async (somebody, team) => {
  // Whoever writes has the conversation before him.
  await somebody.reads();
  await somebody.sends({ do: "send_message", body, attachment_ids: await somebody.uploads(files, team) });
};
const reads = (somebody) => somebody.reads();
const buys = (name, properties) => (somebody) => somebody.tells({ type: "track", name, properties });
const of = (member, make) => (somebody, team) => somebody.isHelped(team, member, make(team));
const answers = (member, body, files = []) => async (somebody, team) =>
  somebody.isHelped(team, member, { do: "send_message", body, attachment_ids: await team[member].uploads(files, team) });
const notes = (member, body, named = []) => of(member, (team) => ({ do: "add_note", body, mentions: named.map((each) => team[each].id) }));
const gives = (member, other) => of(member, (team) => ({ do: "assign", agent_id: team[other].id }));
const closes = (member) => of(member, () => ({ do: "close" }));
const rests = (member, hours) => of(member, () => ({ do: "snooze", until_ms: Date.now() + hours * 60 * MINUTE_MS }));
const ranks = (member, priority) => of(member, () => ({ do: "prioritize", priority }));
const isSpam = (member) => of(member, () => ({ do: "mark_spam", spam: true }));

/** Everybody, with what happened how many minutes ago. Whoever did something `0` minutes ago is still there. */
const people = [
  {
    name: "Ana Kovač", email: "ana.kovac@example.com", browser: safari, language: "sl", zone: "Europe/Ljubljana",
    referrer: "https://search.example.org/?q=smoky+black+tea",
    does: {
      1390: [goes("/demo/", "/demo/tea/"), says("Good morning. When does the new harvest of the smoky black come in?"), answers("Mira", "In the first week of November, Ana. I will keep some for you."), says("Wonderful, thank you"), closes("Mira")],
      300: [goes("/demo/tea/")],
      21: [goes("/demo/"), says("Is the smoky black the same harvest as last winter?")],
      18: [answers("Mira", "It is: the same garden, picked in November.")],
      12: [goes("/demo/about/"), notes("Mira", "Third order this year. Add a sample of the oolong.")],
      4: [goes("/demo/app/"), says("Then two tins, please. Can you pack them as a gift?")],
      0: [goes("/demo/tea/"), buys("basket_filled", { tins: 2 })],
    },
  },
  {
    name: "Li Wei", email: "li.wei@example.com", browser: iphone, language: "zh", zone: "Asia/Singapore",
    does: { 12: [goes("/demo/")], 4: [says("Do you ship to Singapore?")], 0: [goes("/demo/about/")] },
  },
  {
    name: "Jonas Berg", email: "jonas@example.com", browser: chrome, language: "de", zone: "Europe/Berlin",
    does: {
      1390: [goes("/demo/")],
      300: [goes("/demo/app/"), says("My parcel 2207 says delivered, but nothing is here."), answers("Jon", "I am sorry, Jonas. I am asking the carrier right now.")],
      190: [notes("Jon", `@${owner.name}, the third one this month. Shall we ask another carrier?`, ["Mira"]), answers("Jon", "They left it with your neighbor at number 12.")],
      95: [goes("/demo/about/"), says("Found it. Thank you for being so quick"), answers("Jon", "Glad to hear it. Enjoy your tea.")],
    },
  },
  {
    name: "Priya Raman", email: "priya@example.com", browser: chrome, language: "en", zone: "Asia/Kolkata",
    does: {
      300: [goes("/demo/", "/demo/app/"), says("Could I move my Friday order to next week?")],
      190: [answers("Jon", "Of course. It leaves next Friday instead."), closes("Jon")],
    },
  },
  {
    name: "", email: "", browser: iphone, language: "en", zone: "America/New_York",
    referrer: "https://news.example.net/teas-to-try", query: "?utm_source=letter&utm_campaign=autumn",
    does: { 12: [goes("/demo/", "/demo/tea/"), says("which one has the least caffeine?")], 0: [goes("/demo/tea/")] },
  },
  {
    name: "Tomás Rey", email: "tomas@example.com", browser: firefox, language: "es", zone: "America/Bogota",
    does: {
      95: [goes("/demo/tea/", "/demo/"), says("¿Tienen té blanco a granel?"), gives("Jon", "Mira")],
      46: [answers("Mira", "Sí, en bolsas de 250 g y de 1 kg. ¿Cuál le interesa?")],
    },
  },
  {
    name: "Marek Dvořák", email: "marek@kavarna.example", site: "wholesale", browser: chrome, language: "cs", zone: "Europe/Prague",
    does: {
      300: [goes("/demo/about/"), says("We run a small café in Brno. Do you have prices for ten kilos a month?")],
      190: [answers("Mira", "We do, Marek. You have them by tomorrow noon."), notes("Mira", "Ask the garden first: last year ten kilos were all they had."), rests("Mira", 15)],
      95: [reads],
    },
  },
  {
    name: "Sofia Lindqvist", email: "sofia@example.com", browser: safari, language: "sv", zone: "Europe/Stockholm",
    does: {
      1390: [goes("/demo/app/"), says("The lid of my tin is bent. Can I send it back?", ["tin"]), answers("Jon", "Please keep it, Sofia; a new one leaves on Tuesday.", ["order"]), reads, rests("Jon", 60)],
    },
  },
  {
    name: "Hana Suzuki", email: "hana@example.com", browser: chrome, language: "ja", zone: "Asia/Tokyo",
    does: { 46: [goes("/demo/")], 21: [goes("/demo/tea/"), says("The code from your letter is refused when I pay."), ranks("Jon", 4)], 0: [goes("/demo/app/")] },
  },
  {
    name: "Oluwaseun Adeyemi", email: "seun@example.com", browser: chrome, language: "en", zone: "Africa/Lagos",
    does: { 95: [goes("/demo/tea/"), says("Is there caffeine in the rooibos?")], 46: [answers("Jon", "None; nor in any of the herbs."), says("Perfect, thanks"), closes("Jon")] },
  },
  {
    name: "Emma Clarke", email: "emma@example.com", browser: safari, language: "en", zone: "Europe/London",
    does: { 1390: [goes("/demo/app/"), says("Where do I find my invoice for October?")], 300: [answers("Jon", "It is in your mail now, Emma.")] },
  },
  {
    name: "", email: "", browser: chrome, language: "en", zone: "America/Chicago",
    does: { 190: [goes("/demo/"), says("1000 followers for your shop, cheap!!!"), isSpam("Jon")] },
  },
  // Who looks around, and writes to nobody.
  { name: "", email: "", browser: firefox, language: "fr", zone: "Europe/Paris", referrer: "https://search.example.org/?q=oolong", does: { 1390: [goes("/demo/")], 300: [goes("/demo/tea/")], 21: [goes("/demo/")], 0: [goes("/demo/about/")] } },
  { name: "", email: "", browser: iphone, language: "it", zone: "Europe/Rome", does: { 4: [goes("/demo/")], 0: [goes("/demo/tea/")] } },
  { name: "Noor Haddad", email: "noor@example.com", browser: iphone, language: "ar", zone: "Asia/Amman", does: { 300: [goes("/demo/tea/")], 12: [goes("/demo/tea/")], 0: [goes("/demo/app/")] } },
];

/** Where the team works. */
const zone = "Europe/Ljubljana";

// What happens at the team's own door.
const guesses = (email, from, time_zone) => async (api) => {
  const refused = await api.signIn(email, "kettle-and-leaf", { "user-agent": chrome, "x-forwarded-for": from }, time_zone).catch((error) => error);
  if (!/wrong_credentials/.test(refused.message)) throw refused;
};
const blocks = (network, reason) => (api, { Mira }) => api.ask("POST", "blocked-addresses", { network, reason }, Mira.headers);
const signsInByPhone = (api) => api.signIn(owner.email, owner.password, { "user-agent": android, "x-forwarded-for": "203.0.113.140" }, zone);

/** Who knocked there how many minutes ago. */
const knocks = {
  300: [guesses("admin@kettle.example", "198.51.100.23", "America/Sao_Paulo"), guesses(owner.email, "198.51.100.41", "America/Sao_Paulo")],
  190: [blocks("198.51.100.0/24", "Guesses at passwords")],
  95: [signsInByPhone],
};

const titles = { "/demo/": "Tea, weighed by hand", "/demo/tea/": "Smoky black", "/demo/about/": "About us", "/demo/app/": "Open orders" };

/** What is written often; `whose` as the API says it. */
const canned = [
  { whose: "team", nickname: "gift", body: "We wrap it in rice paper and add a card. What should stand on the card?" },
  { whose: "team", nickname: "shipping", body: "Parcels leave on Tuesdays and Fridays and are with you two days later." },
  { whose: "team", nickname: "carrier", body: "I am sorry. I am asking the carrier right now and write here as soon as I know." },
  { whose: "own", nickname: "bye", body: "Enjoy your tea, {{customer_name}}." },
];

/** Somebody packs, and answers, all day; the shop rests on Sundays. */
const day = [{ from: "08:00", to: "12:30" }, { from: "13:30", to: "18:00" }];
const support_hours = { monday: day, tuesday: day, wednesday: day, thursday: day, friday: [day[0]], saturday: [{ from: "09:00", to: "12:00" }] };

/** Opens a stream that lasts as long as the server, and gives its name. */
async function connect(api, hello, browser) {
  const stream = await fetch(`${api.origin}/api/v1/stream`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: api.origin, ...browser },
    body: JSON.stringify({ hello }),
  });
  const reader = stream.body.pipeThrough(new TextDecoderStream()).getReader();
  let heard = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`no welcome: ${heard}`);
    heard += value;
    const [, id] = /"connection_id":"([^"]+)"/.exec(heard) ?? [];
    if (id === undefined) continue;
    const drain = () => reader.read().then(({ done }) => done || drain(), () => undefined);
    void drain();
    return id;
  }
}

/** One of the people, in a browser of his own. */
class Somebody {
  #api;
  #stack;
  #person;
  #session;
  #connection;
  #conversationId;
  #path = "/demo/";
  #seen = 0;

  constructor(api, stack, person) {
    this.#api = api;
    this.#stack = stack;
    this.#person = person;
  }

  /** The server was started anew: who does something comes again. */
  isCut() {
    this.#connection = undefined;
  }

  get #headers() {
    return { "user-agent": this.#person.browser, authorization: `Bearer ${this.#session.token}`, "switchboard-connection": this.#connection };
  }

  #page(path) {
    const { query = "", referrer } = this.#person;
    const isFirst = this.#seen === 0;
    this.#seen += 1;
    this.#path = path;
    return { url: `${this.#stack.origin}${path}${isFirst ? query : ""}`, title: titles[path], ...(isFirst && referrer !== undefined ? { referrer } : {}) };
  }

  /** His site: the shop's, or another one of the business. */
  #siteKey = () => (this.#person.site === undefined ? this.#stack.siteKey : this.#stack.sites[this.#person.site]);

  async goes(pages) {
    const { browser, language, zone: time_zone, name, email } = this.#person;
    let further = pages;
    if (this.#connection === undefined) {
      const isNew = this.#session === undefined;
      const agent = { "user-agent": browser };
      this.#session = await this.#api.ask("POST", "visitor/session", { site_key: this.#siteKey(), token: this.#session?.token, language, time_zone }, agent);
      this.#connection = await connect(this.#api, { token: this.#session.token, purpose: "full", page: this.#page(pages[0]) }, agent);
      if (isNew && name !== "") await this.sends({ do: "identify", claim: { name, email } });
      further = pages.slice(1);
    }
    for (const path of further) await this.tells({ type: "page", ...this.#page(path) });
  }

  tells(frame) {
    return this.#api.ask("POST", "frames", frame, this.#headers);
  }

  async sends(command) {
    // Who wrote before the server was started anew is still on the page that he looked at then.
    if (this.#connection === undefined) await this.goes([this.#path]);
    const [answer] = await this.tells({ type: "command", client_id: this.#api.nextId(), command });
    if (answer?.type !== "ack") throw new Error(JSON.stringify(answer));
    this.#conversationId = answer.conversation_id ?? this.#conversationId;
  }

  /** He has read all of his conversation, where he has one. */
  async reads() {
    if (this.#conversationId === undefined) return;
    if (this.#connection === undefined) await this.goes([this.#path]);
    const { conversations } = await this.#api.ask("GET", "visitor/history", undefined, this.#headers);
    const { id, number } = conversations.find(({ conversation }) => conversation.id === this.#conversationId).conversation;
    await this.tells({ type: "read", conversation_id: id, number });
  }

  async uploads(files, team) {
    if (files.length > 0 && this.#connection === undefined) await this.goes([this.#path]);
    return upload(this.#api, this.#headers, files, team);
  }

  /** Somebody of the team does something in his conversation, and has read it. */
  async isHelped(team, member, command) {
    const headers = { ...team[member].headers, "idempotency-key": this.#api.nextId() };
    await this.#api.ask("POST", "commands", { ...command, conversation_id: this.#conversationId }, headers);
    await team[member].reads(this.#conversationId);
  }

  /** Waits until the server has stored what he looked at: it takes a moment to, and is about to be killed. */
  isStored({ Mira }) {
    if (this.#connection === undefined) return undefined;
    return until(`what ${this.#person.name || "somebody"} saw`, async () => {
      const { visits } = await this.#api.ask("GET", `visitors/${this.#session.visitor_id}`, undefined, Mira.headers);
      return visits.reduce((count, { pages }) => count + pages.length, 0) >= this.#seen;
    });
  }
}

/** One of the team, at a desk. */
class Member {
  #api;
  #token;
  #connection;

  constructor(api, id, headers) {
    this.#api = api;
    this.id = id;
    this.headers = headers;
  }

  isCut() {
    this.#connection = undefined;
  }

  /** Tells something as an open console does. */
  async #tells(frame) {
    if (this.#connection === undefined) {
      this.#token = (await this.#api.ask("POST", "socket-token", undefined, this.headers)).token;
      this.#connection = await connect(this.#api, { token: this.#token, purpose: "full" }, { "user-agent": this.headers["user-agent"] });
    }
    const headers = { authorization: `Bearer ${this.#token}`, "switchboard-connection": this.#connection };
    await this.#api.ask("POST", "frames", frame, headers);
  }

  /** Has read all of a conversation. */
  async reads(conversation_id) {
    const { seq } = await this.#api.ask("GET", `conversations/${conversation_id}`, undefined, this.headers);
    await this.#tells({ type: "read", conversation_id, number: seq });
  }

  /** Has a page of the settings in sight. */
  looksAt(settings_page) {
    return this.#tells({ type: "screen", screen: "settings", settings_page });
  }

  uploads(files, team) {
    return upload(this.#api, this.headers, files, team);
  }
}

/** Uploads what was drawn, by its names, and gives the ids. */
async function upload(api, headers, files, { drawn }) {
  const ids = [];
  for (const each of files) {
    const { name, type, bytes } = drawn[each];
    const { authorization, "user-agent": browser, "switchboard-connection": connection } = headers;
    const answered = await fetch(`${api.origin}/api/v1/attachments`, {
      method: "POST",
      headers: { authorization, origin: api.origin, "content-type": type, "switchboard-file-name": encodeURIComponent(name), ...(browser && { "user-agent": browser }), ...(connection && { "switchboard-connection": connection }) },
      body: bytes,
    });
    if (!answered.ok) throw new Error(`${name}: ${answered.status} ${await answered.text()}`);
    ids.push((await answered.json()).id);
  }
  return ids;
}

/** The shop as its owner set it up, and Jon, whom she invited. */
async function open(api, stack) {
  const drawn = await draw(stack);
  const at = { Mira: { "user-agent": safari, "x-forwarded-for": "203.0.113.24" }, Jon: { "user-agent": firefox, "x-forwarded-for": "203.0.113.87" } };
  const mira = { ...(await api.signIn(owner.email, owner.password, at.Mira, zone)), ...at.Mira };
  // Whoever asks for the pictures' sake is she, in the same browser.
  stack.isSignedIn(mira);
  const [site] = (await api.ask("GET", "sites", undefined, mira)).items;
  const version = (record) => ({ ...mira, "if-match": `"${record.version}"` });
  await api.ask("PATCH", `sites/${site.id}`, { name: "Kettle & Leaf", theme: { ...site.theme, color: "#2f5d43", title: "Kettle & Leaf" } }, version(site));
  const [me] = (await api.ask("GET", "agents", undefined, mira)).items;
  await api.ask("PATCH", `agents/${me.id}`, { name: owner.name, picture: drawn.Mira }, version(me));
  const wholesale = await api.ask("POST", "sites", { name: "Wholesale", allowed_origins: ["loopback"] }, mira);
  stack.sites = { wholesale: wholesale.id };
  const workspace = await api.ask("GET", "workspace", undefined, mira);
  await api.ask("PATCH", "workspace", { name: "Kettle & Leaf", time_zone: zone, industry: "Tea, weighed by hand", currency: "EUR", support_hours, settings: { ...workspace.settings, setup_put_away: true, language: "en" } }, version(workspace));
  for (const response of canned) await api.ask("POST", "canned-responses", response, mira);
  await api.ask("POST", "keys", { name: "Order desk", scopes: ["conversations.read", "conversations.write"] }, mira);
  const invited = await api.ask("POST", "invitations", { email: "jon@example.com", role: "agent" }, mira);
  const token = invited.link.split("token=")[1];
  await api.ask("POST", "invitations/accept", { token, name: "Jon Arden", password: owner.password, time_zone: zone }, at.Jon);
  const jon = { ...(await api.signIn("jon@example.com", owner.password, at.Jon, zone)), ...at.Jon };
  const other = (await api.ask("GET", "agents", undefined, mira)).items.find(({ name }) => name === "Jon Arden");
  await api.ask("PATCH", `agents/${other.id}`, { picture: drawn.Jon }, { ...jon, "if-match": `"${other.version}"` });
  return { drawn, Mira: new Member(api, me.id, mira), Jon: new Member(api, other.id, jon) };
}

/** The moments at which something happened, in minutes before now, the oldest first. */
const moments = [...new Set(people.flatMap(({ does }) => Object.keys(does).map(Number)))].sort((one, other) => other - one);

/** Everything started, as `Stack.start`, with a day of the shop in it. */
export async function startSeeded() {
  // The team sits elsewhere, not on the server.
  const settings = { SWITCHBOARD_LIMITS_TRUSTED_PROXIES: "127.0.0.0/8", SWITCHBOARD_LIMITS_TRUSTED_ADDRESSES: "127.0.0.0/8, 203.0.113.0/24" };
  const stack = await Stack.start({ settings, behind_ms: moments[0] * MINUTE_MS });
  await fill(stack).catch(async (error) => {
    await stack.stop();
    throw error;
  });
  return stack;
}

/** How far somebody has read is stored within a second, and no door of HTTP tells it. */
const areMarksStored = () => new Promise((done) => setTimeout(done, 1_200));

async function fill(stack) {
  const api = new Api(stack.origin);
  const everybody = people.map((person) => ({ does: person.does, somebody: new Somebody(api, stack, person) }));
  const team = await open(api, stack);
  for (const minutes of moments) {
    if (minutes !== moments[0]) await stack.setClock(minutes * MINUTE_MS);
    for (const each of [team.Mira, team.Jon, ...everybody.map(({ somebody }) => somebody)]) each.isCut();
    for (const { does, somebody } of everybody) for (const act of does[minutes] ?? []) await act(somebody, team);
    for (const knock of knocks[minutes] ?? []) await knock(api, team);
    if (minutes > 0) await Promise.all([areMarksStored(), ...everybody.map(({ somebody }) => somebody.isStored(team))]);
  }
  await team.Jon.looksAt("canned");
  stack.drawn = team.drawn;
}
