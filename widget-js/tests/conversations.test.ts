import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { createVisitorClient } from "../src/client/client.ts";
import { Conversations } from "../src/panel/conversations.ts";
import type { VisitorEntry } from "../src/protocol.ts";
import { speak } from "../src/panel/words.ts";
import { batch, CONVERSATION, entry, FakeEnvironment, VISITOR } from "./fake.ts";

await speak("en");

/** What was asked over HTTP, in order, with the way to answer it. */
let asked: { path: string; answer(value: unknown): void; fail(): void }[] = [];
let failures: string[] = [];
let environment: FakeEnvironment;
let conversations: Conversations;

const settled = (): Promise<void> => new Promise((done) => setTimeout(done));
const record = (version: number, more = {}) => ({ id: CONVERSATION, version, closed: false, number: 0, read_number: 0, created_at_ms: 0, ...more });
const entries = (from: number, to: number): VisitorEntry[] => Array.from({ length: to - from + 1 }, (_, index) => entry(from + index));
const numbers = (): number[] => conversations.present()?.entries.map(({ number }) => number) ?? [];

beforeEach(async () => {
  asked = [];
  failures = [];
  vi.stubGlobal("fetch", (path: string) => {
    return new Promise<Response>((resolve, reject) => {
      asked.push({ path, answer: (value) => resolve(Response.json(value)), fail: () => reject(new TypeError("network")) });
    });
  });
  environment = new FakeEnvironment();
  const credentials = async () => ({ token: "token", principal: VISITOR });
  const client = createVisitorClient({ base: "", principal: VISITOR, credentials, storage: null, environment });
  conversations = new Conversations({ base: "", token: () => "token", answered: () => undefined, changed: () => undefined, failed: (text) => failures.push(text) });
  conversations.begin(client);
  client.start();
  await settled();
});
afterEach(() => vi.unstubAllGlobals());

/** The first page of the history: the conversation's entries from one number to another. */
async function hasHistory(from: number, to: number): Promise<void> {
  void conversations.loadFirst();
  await settled();
  asked.pop()?.answer({ conversations: [{ conversation: record(1), entries: entries(from, to), team_marks: { delivered: 0, read: 0 } }], cursor: null });
  await settled();
}

describe("what was said before", () => {
  it("is asked for again where the answer was lost with a line that is up again", async () => {
    void conversations.loadFirst();
    await settled();
    // The line is up, and the answer still awaited.
    void conversations.loadFirst();
    await settled();
    expect(asked).toHaveLength(1);
    expect(conversations.isTried).toBe(false);
    asked[0]?.fail();
    await settled();
    expect(conversations.isTried).toBe(true);
    expect(asked).toHaveLength(2);
    asked[1]?.answer({ conversations: [{ conversation: record(1), entries: entries(1, 2), team_marks: { delivered: 0, read: 0 } }], cursor: null });
    await settled();
    expect(numbers()).toEqual([1, 2]);
    expect(asked).toHaveLength(2);
  });

  it("stays as it was told of while an older page was on its way", async () => {
    await hasHistory(3, 4);
    void conversations.loadOlder(CONVERSATION);
    await settled();
    conversations.set(record(2, { closed: true }));
    asked.pop()?.answer({ entries: entries(1, 2), older: false });
    await settled();
    expect(conversations.present()?.conversation).toMatchObject({ version: 2, closed: true });
    expect(numbers()).toEqual([1, 2, 3, 4]);
  });

  it("keeps an older page that was read before its conversation was followed", async () => {
    await hasHistory(3, 4);
    void conversations.loadOlder(CONVERSATION);
    await settled();
    asked.pop()?.answer({ entries: entries(1, 2), older: false });
    await settled();
    environment.transport.welcomes({ conversation: record(1) });
    environment.transport.says({ ...batch("afresh", entries(3, 5)), older: true });
    expect(numbers()).toEqual([1, 2, 3, 4, 5]);
    expect(conversations.present()?.older).toBe(false);
  });

  it("is whole once every page came, also one that somebody else waits for", async () => {
    await hasHistory(5, 6);
    void conversations.loadOlder(CONVERSATION);
    await settled();
    const whole = conversations.loadWhole();
    await settled();
    expect(asked).toHaveLength(1);
    asked[0]?.answer({ entries: entries(3, 4), older: true });
    await settled();
    asked[1]?.answer({ entries: entries(1, 2), older: false });
    expect((await whole)?.entries.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(failures).toEqual([]);
  });

  it("is not given as if it were whole where a page does not come, and that is said", async () => {
    await hasHistory(5, 6);
    const whole = conversations.loadWhole();
    await settled();
    asked[0]?.fail();
    expect(await whole).toBeNull();
    expect(failures).toHaveLength(1);
  });
});
