// A believable workspace: a tea shop, its team, and six people who write to it.

import { Api } from "./api.mjs";
import { owner } from "./stack.mjs";

/** Who writes what; `answers` come from the team, in turn with the words. */
const people = [
  { name: "Ana Kovač", email: "ana.kovac@example.com", page: "/demo/tea/", words: ["Is the smoky black the same harvest as last winter?", "Then two tins, please. Can you pack them as a gift?"], answers: ["It is: the same garden, picked in November."] },
  { name: "Li Wei", email: "li.wei@example.com", page: "/demo/", words: ["Do you ship to Singapore?"], answers: [] },
  { name: "Jonas Berg", email: "jonas@example.com", page: "/demo/about/", words: ["My parcel 2207 says delivered, but nothing is here."], answers: ["I am sorry, Jonas. I am asking the carrier right now.", "They left it with your neighbour at number 12."], after: "Found it. Thank you for being so quick" },
  { name: "Priya Raman", email: "priya@example.com", page: "/demo/app/", words: ["Could I move my Friday order to next week?"], answers: ["Of course. It leaves next Friday instead."] },
  { name: "", email: "", page: "/demo/tea/", words: ["which one has the least caffeine?"], answers: [] },
  { name: "Tomás Rey", email: "tomas@example.com", page: "/demo/", words: ["¿Tienen té blanco a granel?"], answers: [] },
];

/** A visitor who stays on his page while the pictures are taken. */
async function enter(api, stack, person) {
  const session = await api.ask("POST", "visitor/session", { site_key: stack.siteKey, language: "en" });
  const headers = { authorization: `Bearer ${session.token}` };
  const titles = { "/demo/": "Tea, weighed by hand", "/demo/tea/": "Smoky black", "/demo/about/": "About us", "/demo/app/": "Open orders" };
  const page = { url: `${stack.origin}${person.page}`, title: titles[person.page] };
  const hello = { token: session.token, purpose: "full", page };
  void fetch(`${api.origin}/api/v1/stream`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: api.origin },
    body: JSON.stringify({ hello }),
  }).then((stream) => stream.body?.pipeTo(new WritableStream()).catch(() => undefined), () => undefined);
  const send = async (command) => {
    const frame = { type: "command", client_id: api.nextId(), command };
    const [answer] = await api.ask("POST", "frames", frame, headers);
    if (answer?.type !== "ack") throw new Error(JSON.stringify(answer));
    return answer;
  };
  if (person.name !== "") await send({ do: "identify", claim: { name: person.name, email: person.email } });
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
    if (person.name === "Priya Raman") {
      const close = { do: "close", conversation_id: conversationId };
      await api.ask("POST", "commands", close, { ...jon, "idempotency-key": api.nextId() });
    }
  }
}
