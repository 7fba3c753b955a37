import { afterEach, describe, expect, it, vi } from "vitest";
import { ProblemError } from "../src/client/api.ts";
import { createVisitorClient, type Client, type Credentials } from "../src/client/client.ts";
import { StopError } from "../src/client/link.ts";
import type { Ack, Problem, VisitorConversation, VisitorEntry, VisitorNews } from "../src/protocol.ts";
import { batch, CONVERSATION, entry, FakeEnvironment, FakeStorage, message, settle, VISITOR } from "./fake.ts";

type VisitorClient = Client<VisitorNews, VisitorEntry>;

interface Stage {
  readonly client: VisitorClient;
  readonly world: FakeEnvironment;
  readonly storage: FakeStorage;
  who: Credentials;
}

function stage(storage = new FakeStorage(), world = new FakeEnvironment()): Stage {
  const made: Stage = {
    world,
    storage,
    who: { token: "token-1", principal: VISITOR },
    client: createVisitorClient({
      base: "",
      storage,
      environment: world,
      credentials: () => Promise.resolve(made.who),
    }),
  };
  return made;
}

/** A client with a welcome, and a conversation of so many entries. */
async function live(count = 0): Promise<Stage> {
  const made = stage();
  made.client.start();
  await settle();
  const { transport } = made.world;
  transport.welcomes(
    count === 0 ? {} : { conversation: open(count) },
  );
  if (count > 0) {
    transport.says(batch("afresh", Array.from({ length: count }, (_, index) => entry(index + 1))));
  }
  await settle();
  return made;
}

async function reconnect({ world }: Stage, code = 4000): Promise<void> {
  const before = world.transports.length;
  world.transport.ends(code);
  // Not longer than needed: an opening that is not answered is given up.
  for (let wait = 0; world.transports.length === before && wait < 200; wait += 1) await world.pass(200);
}

function ack(clientId: string, number: number): VisitorNews {
  const made: Ack = {
    client_id: clientId,
    conversation_id: CONVERSATION,
    entry_id: `ent_${number}`,
    number,
    sent_at_ms: 5,
  };
  return { type: "ack", ...made };
}

/** Something that was said and stored. */
function said({ client, world }: Stage, body: string, number: number): string {
  const { client_id } = client.send({ do: "send_message", body });
  world.transport.says(ack(client_id, number));
  return client_id;
}

const own = (number: number, client_id: string): VisitorEntry => entry(number, { author: { kind: "you" }, client_id });

const open = (number: number): VisitorConversation => ({
  id: CONVERSATION,
  version: 1,
  closed: false,
  number,
  read_number: 0,
  created_at_ms: 0,
});

const problem = (change: Partial<Problem>): Problem => ({
  code: "unavailable",
  title: "",
  status: 503,
  retry: "later",
  ...change,
});

const numbers = (client: VisitorClient): number[] =>
  client.log(CONVERSATION)?.entries.map(({ number }) => number) ?? [];

describe("sending", () => {
  it("says hello first and commands only after the welcome", async () => {
    const { client, world } = stage();
    client.start();
    await settle();
    const sent = client.send({ do: "send_message", body: "hi" });
    expect(world.transport.hello).toMatchObject({ token: "token-1", purpose: "full" });
    expect(world.transport.sent).toEqual([]);
    world.transport.welcomes();
    expect(world.transport.commands).toEqual([
      { client_id: sent.client_id, command: { do: "send_message", body: "hi" } },
    ]);
  });

  it("sends one after another, each once, and is done with the ack", async () => {
    const { client, world } = await live();
    const first = client.send({ do: "send_message", body: "one" });
    client.send({ do: "send_message", body: "two" });
    expect(world.transport.commands).toHaveLength(1);
    world.transport.says(ack(first.client_id, 1));
    await expect(first.done).resolves.toMatchObject({ number: 1 });
    expect(world.transport.commands.map(({ command }) => "body" in command && command.body)).toEqual(["one", "two"]);
  });

  it("sends again under the same id after a reconnect, and takes the entry as the answer", async () => {
    const made = await live();
    const sent = made.client.send({ do: "send_message", body: "hi" });
    await reconnect(made);
    made.world.transport.welcomes();
    expect(made.world.transport.commands.map(({ client_id }) => client_id)).toEqual([sent.client_id]);
    made.world.transport.says({
      type: "entry",
      entry: entry(1, { author: { kind: "you" }, client_id: sent.client_id, content: message("hi") }),
    });
    await expect(sent.done).resolves.toMatchObject({ entry_id: "ent_1" });
    expect(made.client.outbox).toEqual([]);
    await reconnect(made);
    made.world.transport.welcomes();
    expect(made.world.transport.commands).toEqual([]);
  });

  it("sends again when no answer comes in twenty seconds", async () => {
    const { client, world } = await live();
    client.send({ do: "send_message", body: "hi" });
    await world.pass(19_000);
    expect(world.transport.commands).toHaveLength(1);
    await world.pass(2_000);
    expect(world.transport.commands).toHaveLength(2);
    expect(new Set(world.transport.commands.map(({ client_id }) => client_id)).size).toBe(1);
  });

  it("waits as long as a later-rejection says", async () => {
    const { client, world } = await live();
    const { client_id } = client.send({ do: "send_message", body: "hi" });
    world.transport.says({ type: "rejected", client_id, problem: problem({ retry_after_ms: 5_000 }) });
    await world.pass(4_900);
    expect(world.transport.commands).toHaveLength(1);
    await world.pass(200);
    expect(world.transport.commands).toHaveLength(2);
  });

  it("keeps what was refused in sight until it is retried or discarded", async () => {
    const { client, world } = await live();
    const sent = client.send({ do: "send_message", body: "hi" });
    world.transport.says({
      type: "rejected",
      client_id: sent.client_id,
      problem: problem({ code: "too_long", retry: "never" }),
    });
    await expect(sent.done).rejects.toBeInstanceOf(ProblemError);
    expect(client.outbox.map(({ state }) => state)).toEqual(["refused"]);
    client.retry(sent.client_id);
    expect(world.transport.commands).toHaveLength(2);
    client.discard(sent.client_id);
    expect(client.outbox).toEqual([]);
  });

  it("keeps a stored message in sight until its entry is here", async () => {
    const { client, world } = await live();
    const { client_id } = client.send({ do: "send_message", body: "hi" });
    world.transport.says(ack(client_id, 1));
    expect(client.outbox.map(({ state }) => state)).toEqual(["stored"]);
    world.transport.says({
      type: "entry",
      entry: entry(1, { author: { kind: "you" }, client_id, content: message("hi") }),
    });
    expect(client.outbox).toEqual([]);
  });
});

describe("a page that the browser puts away", () => {
  afterEach(() => vi.unstubAllGlobals());

  /** A live client whose page tells when it is put away, and back; its line breaks, and something is written. */
  async function leaves(storage = new FakeStorage()) {
    const page = new EventTarget();
    vi.stubGlobal("window", page);
    const made = stage(storage);
    vi.unstubAllGlobals();
    made.client.start();
    await settle();
    made.world.transport.welcomes({ conversation: open(0) });
    made.world.transport.ends(1006);
    const { client_id, done } = made.client.send({ do: "send_message", body: "as the line broke" });
    page.dispatchEvent(new Event("pagehide"));
    const comesBack = async (): Promise<void> => {
      page.dispatchEvent(new Event("pageshow"));
      await settle();
    };
    return { ...made, client_id, done, comesBack };
  }

  async function nextPage(storage: FakeStorage): Promise<Stage> {
    const made = stage(storage);
    made.client.start();
    await settle();
    made.world.transport.welcomes();
    await settle();
    return made;
  }

  const sent = ({ world }: Stage): string[] => world.transport.commands.map(({ client_id }) => client_id);

  it("leaves what waits to the next, which sends it, and shows it once when it is back", async () => {
    const first = await leaves();
    const second = await nextPage(first.storage);
    expect(sent(second)).toEqual([first.client_id]);
    second.world.transport.says(ack(first.client_id, 1));
    second.client.stop();
    await first.comesBack();
    expect(first.client.outbox.map(({ client_id, state }) => [client_id, state])).toEqual([[first.client_id, "stored"]]);
    expect((await first.done).number).toBe(1);
    first.world.wake();
    await first.world.pass(2_000);
    first.world.transport.welcomes({ conversation: open(1) });
    first.world.transport.says(batch("resumed", [own(1, first.client_id)]));
    await settle();
    expect(sent(first)).toEqual([]);
    expect(first.client.outbox).toEqual([]);
    expect(numbers(first.client)).toEqual([1]);
  });

  it("gives up what another tab has taken, until that one leaves it", async () => {
    const first = await leaves();
    const second = await nextPage(first.storage);
    await first.comesBack();
    expect(first.client.outbox).toEqual([]);
    second.client.stop();
    first.world.wake();
    await first.world.pass(2_000);
    first.world.transport.welcomes();
    await settle();
    expect(sent(first)).toEqual([first.client_id]);
  });

  it("does not bring back what was given up elsewhere", async () => {
    const first = await leaves();
    const second = await nextPage(first.storage);
    second.client.discard(first.client_id);
    second.client.stop();
    await first.comesBack();
    expect(first.client.outbox).toEqual([]);
  });

  it("still has what no store took, and what nobody else did", async () => {
    const full = new FakeStorage();
    full.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
    for (const storage of [full, new FakeStorage()]) {
      const first = await leaves(storage);
      await first.comesBack();
      expect(first.client.outbox.map(({ client_id }) => client_id)).toEqual([first.client_id]);
      first.world.wake();
      await first.world.pass(2_000);
      first.world.transport.welcomes();
      await settle();
      expect(sent(first)).toEqual([first.client_id]);
    }
  });
});

describe("what outlives the page", () => {
  it("goes out from the next page, once, and is shown there with its files", async () => {
    const tin = { id: "att_1", name: "tin.png", media_type: "image/png", size_bytes: 900 };
    const first = stage();
    first.client.start();
    await settle();
    first.world.transport.welcomes();
    const { client_id } = first.client.send({ do: "send_message", body: "before the reload", attachment_ids: [tin.id] }, { attachments: [tin] });
    first.client.stop();

    const second = stage(first.storage, first.world);
    second.client.start();
    await settle();
    second.world.transport.welcomes();
    await settle();
    expect(second.client.outbox.map(({ attachments }) => attachments)).toEqual([[tin]]);
    expect(second.world.transport.commands.map((sent) => sent.client_id)).toEqual([client_id]);
    second.world.transport.says(ack(client_id, 1));
    second.client.stop();

    const third = stage(first.storage, first.world);
    third.client.start();
    await settle();
    third.world.transport.welcomes();
    await settle();
    expect(third.world.transport.commands).toEqual([]);
  });

  it("stays with the tab that wrote it while that one lives", async () => {
    const first = stage();
    first.client.start();
    await settle();
    first.client.send({ do: "send_message", body: "mine" });
    const second = stage(first.storage);
    second.client.start();
    await settle();
    second.world.transport.welcomes();
    await settle();
    expect(second.world.transport.commands).toEqual([]);
  });

  it("never goes under another identity", async () => {
    const made = await live(2);
    made.who = { token: "token-2", principal: "vis_other" };
    const away = reconnect(made, 4101);
    made.client.send({ do: "send_message", body: "as the first" });
    await away;
    made.world.transport.welcomes({ visitor_id: "vis_other" });
    await settle();
    expect(made.world.transport.hello.token).toBe("token-2");
    expect(made.world.transport.hello.resume).toEqual([]);
    expect(made.world.transport.commands).toEqual([]);
    expect(numbers(made.client)).toEqual([]);
    made.who = { token: "token-3", principal: VISITOR };
    await reconnect(made, 4101);
    made.world.transport.welcomes();
    await settle();
    expect(made.world.transport.commands).toHaveLength(1);
  });

  it("is gone after a logout", async () => {
    const first = stage();
    first.client.start();
    await settle();
    first.client.send({ do: "send_message", body: "private" });
    first.client.forget();
    first.client.stop();
    expect([...Array(first.storage.length).keys()].map((index) => first.storage.key(index))).toEqual([]);
  });
});

describe("following", () => {
  it("resumes from its position, and asks again over a gap", async () => {
    const made = await live(3);
    await reconnect(made);
    const { transport } = made.world;
    expect(transport.hello.resume).toEqual([
      { conversation_id: CONVERSATION, position: { epoch: 7, number: 3, entry_id: "ent_3" } },
    ]);
    transport.welcomes();
    transport.says(batch("resumed", [entry(4)]));
    transport.says({ type: "entry", entry: entry(4) });
    transport.says({ type: "entry", entry: entry(6) });
    transport.says({ type: "entry", entry: entry(7) });
    expect(numbers(made.client)).toEqual([1, 2, 3, 4]);
    expect(transport.sent.filter(({ type }) => type === "follow")).toHaveLength(1);
    transport.says(batch("resumed", [entry(5), entry(6), entry(7)]));
    transport.says({ type: "entry", entry: entry(8) });
    expect(numbers(made.client)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("sends again what a store of another life no longer has", async () => {
    const made = await live();
    const { client_id } = made.client.send({ do: "send_message", body: "hi" });
    made.world.transport.says(ack(client_id, 1));
    made.world.transport.says({
      type: "entry",
      entry: entry(1, { author: { kind: "you" }, client_id, content: message("hi") }),
    });
    await reconnect(made);
    made.world.transport.welcomes({ epoch: 8 });
    expect(made.world.transport.commands.map((sent) => sent.client_id)).toEqual([client_id]);
  });

  it("sends what a store of another life lost before what was written since", async () => {
    const made = await live();
    const lost = made.client.send({ do: "send_message", body: "lost" });
    made.world.transport.says(ack(lost.client_id, 1));
    const since = made.client.send({ do: "send_message", body: "since" });
    await reconnect(made);
    made.world.transport.welcomes({ epoch: 8 });
    const sent = () => made.world.transport.commands.map((command) => command.client_id);
    expect(sent()).toEqual([lost.client_id]);
    made.world.transport.says(ack(lost.client_id, 1));
    expect(sent()).toEqual([lost.client_id, since.client_id]);
  });

  it("waits for the page of another life, and sends only what that lacks, before what was written since", async () => {
    const made = await live(1);
    const kept = said(made, "kept", 2);
    const lost = said(made, "lost", 3);
    await reconnect(made);
    made.world.transport.welcomes({ epoch: 8, conversation: open(2) });
    const since = made.client.send({ do: "send_message", body: "since" });
    const sent = (): string[] => made.world.transport.commands.map((command) => command.client_id);
    expect(sent()).toEqual([]);
    made.world.transport.says(batch("afresh", [entry(1), own(2, kept)]));
    expect(sent()).toEqual([lost]);
    made.world.transport.says(ack(lost, 3));
    expect(sent()).toEqual([lost, since.client_id]);
  });

  it("does not send again what stands before the page of another life, where the page goes on from there", async () => {
    const made = await live(1);
    said(made, "older", 2);
    const kept = said(made, "kept", 4);
    await reconnect(made);
    made.world.transport.welcomes({ epoch: 8, conversation: open(4) });
    made.world.transport.says({ ...batch("afresh", [entry(3), own(4, kept)]), older: true });
    await made.world.pass(30_000);
    expect(made.world.transport.commands).toEqual([]);
  });

  it("sends all again where the page of another life has nothing of it, and where no page comes", async () => {
    for (const comes of [true, false]) {
      const made = await live(1);
      const first = said(made, "first", 2);
      const second = said(made, "second", 3);
      await reconnect(made);
      made.world.transport.welcomes({ epoch: 8, conversation: open(9) });
      const strange = { ...batch("afresh", [entry(8, { id: "ent_80" }), entry(9, { id: "ent_90" })]), older: true };
      if (comes) made.world.transport.says(strange);
      else await made.world.pass(20_000);
      made.world.transport.says(ack(first, 10));
      const sent = made.world.transport.commands.map(({ client_id }) => client_id);
      expect(sent).toEqual([first, second]);
    }
  });

  it("sends again what was stored in yet another life, whatever the page says", async () => {
    const first = await live(1);
    const lost = said(first, "lost", 2);
    first.client.stop();
    const { world, storage } = first;
    const second = stage(storage, world);
    second.client.start();
    await settle();
    world.transport.welcomes({ epoch: 8 });
    await settle();
    await reconnect(second);
    world.transport.welcomes({ epoch: 9, conversation: open(3) });
    expect(world.transport.commands.map(({ client_id }) => client_id)).toEqual([lost]);
  });

  it("sends again after an afresh page only what is not in it", async () => {
    const made = await live(1);
    const kept = made.client.send({ do: "send_message", body: "kept" });
    made.world.transport.says(ack(kept.client_id, 2));
    const lost = made.client.send({ do: "send_message", body: "lost" });
    made.world.transport.says(ack(lost.client_id, 3));
    await reconnect(made);
    made.world.transport.welcomes();
    made.world.transport.says(
      batch("afresh", [entry(1), entry(2, { author: { kind: "you" }, client_id: kept.client_id })]),
    );
    expect(made.world.transport.commands.map((sent) => sent.client_id)).toEqual([lost.client_id]);
    await made.world.pass(0);
  });

  it("does not send again what stands before an afresh page", async () => {
    const made = await live(1);
    const older = made.client.send({ do: "send_message", body: "older" });
    made.world.transport.says(ack(older.client_id, 2));
    const lost = made.client.send({ do: "send_message", body: "lost" });
    made.world.transport.says(ack(lost.client_id, 4));
    await reconnect(made);
    made.world.transport.welcomes();
    made.world.transport.says({ ...batch("afresh", [entry(3)]), older: true });
    expect(made.world.transport.commands.map((sent) => sent.client_id)).toEqual([lost.client_id]);
  });

  it("does not send again what was stored more than ten minutes ago", async () => {
    const made = await live(1);
    const { client_id } = made.client.send({ do: "send_message", body: "old" });
    made.world.transport.says(ack(client_id, 2));
    for (let minute = 0; minute < 11; minute += 1) {
      await made.world.pass(55_000);
      made.world.transport.says({ type: "beat" });
    }
    await reconnect(made);
    made.world.transport.welcomes();
    made.world.transport.says(batch("afresh", [entry(1)]));
    expect(made.world.transport.commands).toEqual([]);
  });

  it("answers beats with what has arrived, each number once", async () => {
    const { world } = await live(3);
    world.transport.says({ type: "beat" });
    world.transport.says({ type: "beat" });
    expect(world.transport.sent.filter(({ type }) => type === "beat")).toEqual([
      { type: "beat", delivered: { [CONVERSATION]: 3 } },
      { type: "beat", delivered: {} },
    ]);
  });

  it("says again after a reconnect how far was read", async () => {
    const made = await live(3);
    made.client.signal({ type: "read", conversation_id: CONVERSATION, number: 3 });
    made.client.signal({ type: "read", conversation_id: CONVERSATION, number: 2 });
    expect(made.world.transport.sent.filter(({ type }) => type === "read")).toHaveLength(1);
    await reconnect(made);
    made.world.transport.welcomes();
    expect(made.world.transport.sent).toContainEqual({ type: "read", conversation_id: CONVERSATION, number: 3 });
  });

  it("reopens over plain HTTP instead of following", async () => {
    const made = await live();
    // One that was live, then two that never were.
    for (let attempt = 0; attempt < 3; attempt += 1) await reconnect(made, 1006);
    expect(made.world.transport.request.kind).toBe("stream");
    made.world.transport.welcomes();
    const before = made.world.transports.length;
    made.client.follow(CONVERSATION);
    await settle();
    expect(made.world.transports.length).toBe(before + 1);
    expect(made.world.transport.hello.resume).toEqual([{ conversation_id: CONVERSATION, position: null }]);
  });
});

describe("its status", () => {
  it("is stopped when the server says not to come back, and why", async () => {
    const made = await live();
    made.world.transport.ends(4203);
    expect(made.client.status).toEqual({ name: "stopped", code: 4203, problem: null });
    await made.world.pass(120_000);
    expect(made.world.transports).toHaveLength(1);
  });

  it("asks for a new token where the old one has expired", async () => {
    const world = new FakeEnvironment();
    const asked: boolean[] = [];
    const client = createVisitorClient({
      base: "",
      storage: null,
      environment: world,
      credentials: (fresh) => {
        asked.push(fresh);
        return Promise.resolve({ token: "t", principal: VISITOR });
      },
    });
    client.start();
    await settle();
    world.transport.welcomes();
    world.transport.ends(4100);
    await world.pass(1_000);
    expect(asked).toEqual([false, true]);
  });

  it("stops when the credentials are refused for good", async () => {
    const world = new FakeEnvironment();
    const client = createVisitorClient({
      base: "",
      storage: null,
      environment: world,
      credentials: () => Promise.reject(new StopError(null)),
    });
    client.start();
    await settle();
    expect(client.status.name).toBe("stopped");
  });

  it("says that the network is away", async () => {
    const made = await live();
    made.world.isUp = false;
    made.world.transport.ends(1006);
    expect(made.client.status).toMatchObject({ name: "waiting", reason: "offline" });
    made.world.isUp = true;
    made.world.wake();
    await settle();
    expect(made.client.status.name).toBe("connecting");
  });
});
