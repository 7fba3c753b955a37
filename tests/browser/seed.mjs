// A believable workspace: a tea shop, its team, and six people who write to it.

import { Api } from "./api.mjs";
import { owner } from "./stack.mjs";

const chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";
const safari = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15";
const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0";
const iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Mobile/15E148 Safari/604.1";

/** Who writes what; `answers` come from the team, in turn with the words. `pages` are walked, the last one is in sight. */
const people = [
  { name: "Ana Kovač", email: "ana.kovac@example.com", browser: safari, language: "sl", zone: "Europe/Ljubljana", referrer: "https://search.example.org/?q=smoky+black+tea", pages: ["/demo/", "/demo/about/", "/demo/tea/"], events: [["basket_filled", { tins: 2 }]], words: ["Is the smoky black the same harvest as last winter?", "Then two tins, please. Can you pack them as a gift?"], answers: ["It is: the same garden, picked in November."] },
  { name: "Li Wei", email: "li.wei@example.com", browser: iphone, language: "zh", zone: "Asia/Singapore", pages: ["/demo/"], words: ["Do you ship to Singapore?"], answers: [] },
  { name: "Jonas Berg", email: "jonas@example.com", browser: chrome, language: "de", zone: "Europe/Berlin", pages: ["/demo/app/", "/demo/about/"], words: ["My parcel 2207 says delivered, but nothing is here."], answers: ["I am sorry, Jonas. I am asking the carrier right now.", "They left it with your neighbor at number 12."], after: "Found it. Thank you for being so quick" },
  { name: "Priya Raman", email: "priya@example.com", browser: chrome, language: "en", zone: "Asia/Kolkata", pages: ["/demo/", "/demo/app/"], words: ["Could I move my Friday order to next week?"], answers: ["Of course. It leaves next Friday instead."] },
  { name: "", email: "", browser: iphone, language: "en", zone: "America/New_York", referrer: "https://news.example.net/teas-to-try", query: "?utm_source=letter&utm_campaign=autumn", pages: ["/demo/", "/demo/tea/"], words: ["which one has the least caffeine?"], answers: [] },
  { name: "Tomás Rey", email: "tomas@example.com", browser: firefox, language: "es", zone: "America/Bogota", pages: ["/demo/tea/", "/demo/"], words: ["¿Tienen té blanco a granel?"], answers: [] },
];

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

/** A visitor who stays on his page while the pictures are taken. */
async function enter(api, stack, person) {
  const browser = { "user-agent": person.browser };
  const session = await api.ask("POST", "visitor/session", { site_key: stack.siteKey, language: person.language, time_zone: person.zone }, browser);
  const headers = { ...browser, authorization: `Bearer ${session.token}` };
  const [first, ...further] = person.pages.map((path, index) => ({
    url: `${stack.origin}${path}${index === 0 ? (person.query ?? "") : ""}`,
    title: titles[path],
    ...(index === 0 && person.referrer !== undefined ? { referrer: person.referrer } : {}),
  }));
  const hello = { token: session.token, purpose: "full", page: first };
  headers["switchboard-connection"] = await connect(api, hello, browser);
  const send = async (command) => {
    const frame = { type: "command", client_id: api.nextId(), command };
    const [answer] = await api.ask("POST", "frames", frame, headers);
    if (answer?.type !== "ack") throw new Error(JSON.stringify(answer));
    return answer;
  };
  if (person.name !== "") await send({ do: "identify", claim: { name: person.name, email: person.email } });
  for (const page of further) await api.ask("POST", "frames", { type: "page", ...page }, headers);
  for (const [name, properties] of person.events ?? []) await api.ask("POST", "frames", { type: "track", name, properties }, headers);
  return send;
}

/** Fills a fresh workspace. */
export async function seed(stack) {
  const api = new Api(stack.origin);
  const mira = await api.signIn(owner.email, owner.password);
  const [site] = (await api.ask("GET", "sites", undefined, mira)).items;
  const version = (record) => ({ ...mira, "if-match": `"${record.version}"` });
  await api.ask("PATCH", `sites/${site.id}`, { name: "Kettle & Leaf", theme: { ...site.theme, color: "#2f5d43", title: "Kettle & Leaf" } }, version(site));
  const [me] = (await api.ask("GET", "agents", undefined, mira)).items;
  await api.ask("PATCH", `agents/${me.id}`, { name: owner.name }, version(me));
  const workspace = await api.ask("GET", "workspace", undefined, mira);
  await api.ask("PATCH", "workspace", { name: "Kettle & Leaf", time_zone: "Europe/Ljubljana", industry: "Tea, weighed by hand", currency: "EUR", support_hours, settings: { ...workspace.settings, language: "en" } }, version(workspace));
  for (const response of canned) await api.ask("POST", "canned-responses", response, mira);
  await api.ask("POST", "keys", { name: "Order desk", scopes: ["conversations.read", "conversations.write"] }, mira);
  const invited = await api.ask("POST", "invitations", { email: "jon@example.com", role: "agent" }, mira);
  const token = invited.link.split("token=")[1];
  await api.ask("POST", "invitations/accept", { token, name: "Jon Arden", password: owner.password });
  const jon = await api.signIn("jon@example.com", owner.password);
  for (const [index, person] of people.entries()) {
    const send = await enter(api, stack, person);
    const team = index % 2 === 0 ? mira : jon;
    let conversationId = "";
    for (const [round, body] of person.words.entries()) {
      conversationId = (await send({ do: "send_message", body })).conversation_id;
      const answers = round === 0 ? person.answers : [];
      for (const words of answers) {
        const command = { do: "send_message", conversation_id: conversationId, body: words };
        await api.ask("POST", "commands", command, { ...team, "idempotency-key": api.nextId() });
      }
    }
    if (person.after !== undefined) await send({ do: "send_message", body: person.after });
    if (person.name === "Ana Kovač") {
      const note = { do: "add_note", conversation_id: conversationId, body: "Third order this year. Add a sample of the oolong." };
      await api.ask("POST", "commands", note, { ...mira, "idempotency-key": api.nextId() });
    }
    if (person.name === "Jonas Berg") {
      const note = { do: "add_note", conversation_id: conversationId, body: `@${owner.name}, the third one this month. Shall we ask another carrier?`, mentions: [me.id] };
      await api.ask("POST", "commands", note, { ...jon, "idempotency-key": api.nextId() });
    }
    if (person.name === "Tomás Rey") {
      const give = { do: "assign", conversation_id: conversationId, agent_id: me.id };
      await api.ask("POST", "commands", give, { ...jon, "idempotency-key": api.nextId() });
    }
    if (person.name === "Priya Raman") {
      const close = { do: "close", conversation_id: conversationId };
      await api.ask("POST", "commands", close, { ...jon, "idempotency-key": api.nextId() });
    }
  }
}
