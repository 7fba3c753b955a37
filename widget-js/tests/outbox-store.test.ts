import { describe, expect, it } from "vitest";
import type { OutboxItem } from "../src/client/outbox.ts";
import { OutboxStore } from "../src/client/outbox-store.ts";
import { FakeStorage } from "./fake.ts";

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
  readonly held = new Set<string>();
  readonly manager = {
    request: async (name: string, a: unknown, b?: unknown): Promise<unknown> => {
      const run = (b ?? a) as () => Promise<unknown>;
      this.held.add(name);
      try {
        return await run();
      } finally {
        this.held.delete(name);
      }
    },
    query: () => Promise.resolve({ held: [...this.held].map((name) => ({ name })), pending: [] }),
  } as unknown as LockManager;
}

describe.each(["locks", "times"])("the store of the outbox, by %s", (way) => {
  const make = (): { open: (tab: string) => OutboxStore; storage: FakeStorage } => {
    const storage = new FakeStorage();
    const locks = way === "locks" ? new FakeLocks().manager : null;
    return {
      storage,
      open: (tab) => {
        const store = new OutboxStore(storage, tab, locks);
        store.open();
        return store;
      },
    };
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
    await Promise.resolve();
    expect(ids(await second.adopt("vis_1"))).toEqual(["early", "late"]);
    const third = open("c");
    expect(await third.adopt("vis_1")).toEqual([]);
  });

  it("keeps principals apart, and forgets one", async () => {
    const { open, storage } = make();
    const first = open("a");
    first.save(item("one"));
    first.close();
    await Promise.resolve();
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
});

it("keeps of one who left only what never went out", async () => {
  const storage = new FakeStorage();
  const store = new OutboxStore(storage, "a", null);
  store.open();
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
  const store = new OutboxStore(null, "a", null);
  store.open();
  store.save(item("one"));
  expect(await store.adopt("vis_1")).toEqual([]);
  store.close();
});

it("survives a storage that is full", () => {
  const storage = new FakeStorage();
  storage.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  const store = new OutboxStore(storage, "a", null);
  store.open();
  expect(() => store.save(item("one"))).not.toThrow();
  expect(store.has(item("one"))).toBe(false);
  store.close();
});
