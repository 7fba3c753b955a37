import { describe, expect, it } from "vitest";
import type { OutboxItem } from "../src/client/outbox.ts";
import { OutboxStore } from "../src/client/outbox-store.ts";
import { FakeStorage, settle } from "./fake.ts";

const item = (clientId: string, madeAtMs = 1): OutboxItem => ({
  client_id: clientId,
  principal: "vis_1",
  command: { do: "send_message", body: clientId },
  made_at_ms: madeAtMs,
  state: "waiting",
  problem: null,
  ack: null,
  epoch: null,
  in_doubt: false,
  changed_at_ms: madeAtMs,
  not_before_ms: 0,
  keep: true,
});

/** Web Locks of one browser, as far as the store uses them. */
class FakeLocks {
  /** The name of each lock, and who holds or awaits it, in turn. */
  readonly #queues = new Map<string, (() => void)[]>();
  /** What is to come between a question and its answer. */
  onQuery: () => Promise<void> = () => Promise.resolve();
  readonly manager = {
    request: async (name: string, { signal }: LockOptions, run: () => Promise<unknown>): Promise<unknown> => {
      const queue = this.#queues.get(name) ?? [];
      this.#queues.set(name, queue);
      await new Promise<void>((given, refused) => {
        signal?.addEventListener("abort", () => {
          if (queue.indexOf(given) > 0) queue.splice(queue.indexOf(given), 1);
          refused(new DOMException("aborted", "AbortError"));
        });
        queue.push(given);
        if (queue.length === 1) given();
      });
      try {
        return await run();
      } finally {
        queue.shift();
        queue[0]?.();
      }
    },
    query: async () => {
      await this.onQuery();
      return { held: this.held.map((name) => ({ name })), pending: [] };
    },
  } as unknown as LockManager;

  get held(): string[] {
    return [...this.#queues].flatMap(([name, queue]) => (queue.length > 0 ? [name] : []));
  }
}

const nobody = (): void => undefined;

describe.each(["locks", "times"])("the store of the outbox, by %s", (way) => {
  const make = () => {
    const storage = new FakeStorage();
    const locks = way === "locks" ? new FakeLocks().manager : null;
    const open = (tab: string, page = new EventTarget(), returned: (taken: ReadonlySet<string>) => void = nobody): OutboxStore => {
      const store = new OutboxStore(storage, tab, locks, page);
      store.open(returned);
      return store;
    };
    return { storage, open };
  };
  const ids = (items: readonly OutboxItem[]): string[] => items.map(({ client_id }) => client_id);

  it("leaves a living tab its items, and takes those of one that is gone, oldest first", async () => {
    const { open } = make();
    const first = open("a");
    first.save(item("late", 2));
    first.save(item("early", 1));
    const second = open("b");
    expect(await second.adopt("vis_1")).toEqual([]);
    first.close();
    await settle();
    expect(ids(await second.adopt("vis_1"))).toEqual(["early", "late"]);
    const third = open("c");
    expect(await third.adopt("vis_1")).toEqual([]);
  });

  it("keeps principals apart, and forgets one", async () => {
    const { open, storage } = make();
    const first = open("a");
    first.save(item("one"));
    first.close();
    await settle();
    const second = open("b");
    expect(await second.adopt("vis_2")).toEqual([]);
    second.forget("vis_1");
    expect(await second.adopt("vis_1")).toEqual([]);
    expect(storage.length).toBe(way === "locks" ? 0 : 1);
  });

  it("throws away what it cannot read", async () => {
    const { open, storage } = make();
    storage.setItem("switchboard.outbox.vis_1.x", "{broken");
    storage.setItem("switchboard.outbox.vis_1.y", '{"owner":"a","item":{}}');
    expect(await open("b").adopt("vis_1")).toEqual([]);
    expect(storage.getItem("switchboard.outbox.vis_1.x")).toBeNull();
    expect(storage.getItem("switchboard.outbox.vis_1.y")).toBeNull();
  });

  it("leaves to the next page what one that was put away had waiting, and tells that one when it is back", async () => {
    const { open } = make();
    const page = new EventTarget();
    const told: string[][] = [];
    const first = open("a", page, (taken) => told.push([...taken]));
    page.dispatchEvent(new Event("pageshow")); // As every page that has loaded.
    first.save(item("one", 1));
    first.save(item("two", 2));
    first.save(item("three", 3));
    page.dispatchEvent(new Event("pagehide"));
    await settle();
    expect(await first.adopt("vis_1")).toEqual([]);
    const second = open("b");
    expect(ids(await second.adopt("vis_1"))).toEqual(["one", "two", "three"]);
    second.remove(item("three"));
    page.dispatchEvent(new Event("pageshow"));
    await settle();
    expect(told).toEqual([["one", "two", "three"]]);
    expect(await first.adopt("vis_1")).toEqual([]);
    second.save({ ...item("one"), state: "stored" });
    second.close();
    await settle();
    expect((await first.adopt("vis_1")).map(({ client_id, state }) => [client_id, state])).toEqual([["one", "stored"], ["two", "waiting"]]);

    // It lives again, and nobody takes from it; nor did anybody the second time it was away.
    expect(await open("c").adopt("vis_1")).toEqual([]);
    page.dispatchEvent(new Event("pagehide"));
    page.dispatchEvent(new Event("pageshow"));
    await settle();
    expect(told.at(-1)).toEqual([]);
    first.close();
    page.dispatchEvent(new Event("pageshow"));
    expect(told).toHaveLength(2);
  });
});

it("lets go of every lock when its page is put away, and takes nothing from there", async () => {
  const storage = new FakeStorage();
  const locks = new FakeLocks();
  let answer = nobody;
  locks.onQuery = () => new Promise((done) => (answer = done));
  const pages = [new EventTarget(), new EventTarget()];
  const [first, second] = pages.map((page, index) => {
    const store = new OutboxStore(storage, `tab ${index}`, locks.manager, page);
    store.open(nobody);
    return store;
  });
  new OutboxStore(storage, "gone", null, null).save(item("left"));
  // The first holds the lock and asks, the second waits for it.
  const adopted = Promise.all([first?.adopt("vis_1"), second?.adopt("vis_1")]);
  await settle();
  expect(locks.held).toContain("switchboard.adopt");
  for (const page of [...pages].reverse()) page.dispatchEvent(new Event("pagehide"));
  expect(await adopted).toEqual([[], []]);
  await settle();
  expect(locks.held).toEqual([]);
  answer();
  await settle();
  expect(storage.getItem("switchboard.outbox.vis_1.left")).toContain('"owner":"gone"');
});

it("keeps of one who left only what never went out", async () => {
  const storage = new FakeStorage();
  const store = new OutboxStore(storage, "a", null, null);
  store.open(nobody);
  store.save(item("waiting"));
  store.save({ ...item("sent"), state: "sent" });
  store.save({ ...item("stored"), state: "stored" });
  store.save({ ...item("refused"), state: "refused" });
  store.save({ ...item("foreign"), principal: "vis_2", state: "stored" });
  expect(store.has(item("waiting"))).toBe(true);
  store.leave("vis_1");
  expect((await store.adopt("vis_1")).map(({ client_id }) => client_id)).toEqual(["waiting", "sent"]);
  expect(await store.adopt("vis_2")).toHaveLength(1);
  store.close();
});

it("does without a storage", async () => {
  const store = new OutboxStore(null, "a", null, null);
  store.open(nobody);
  store.save(item("one"));
  expect(await store.adopt("vis_1")).toEqual([]);
  store.close();
});

it("survives a storage that is full", () => {
  const storage = new FakeStorage();
  storage.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  const store = new OutboxStore(storage, "a", null, null);
  store.open(nobody);
  expect(() => store.save(item("one"))).not.toThrow();
  expect(store.has(item("one"))).toBe(false);
  store.close();
});
