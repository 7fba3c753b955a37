import { describe, expect, it } from "vitest";
import type { OutboxItem } from "../src/client/outbox.ts";
import { isOver, rowsOf, type Thread } from "../src/panel/thread.ts";
import { connectionNotice, refusal, speak, staffLine } from "../src/panel/words.ts";
import { errorMessage, type ErrorCode, type VisitorEntry } from "../src/protocol.ts";
import { CONVERSATION, entry } from "./fake.ts";

await speak("en");

const you = (number: number): Partial<VisitorEntry> => ({ author: { kind: "you" }, client_id: `c${number}` });

function thread(entries: VisitorEntry[], change: Partial<Thread> = {}): Thread {
  return {
    conversation: { id: CONVERSATION, version: 1, closed: false, number: 9, read_number: 0, created_at_ms: 0 },
    entries,
    older: false,
    marks: null,
    ...change,
  };
}

const pending = (change: Partial<OutboxItem>): OutboxItem => ({
  client_id: "p1",
  principal: "vis_1",
  command: { do: "send_message", body: "later" },
  made_at_ms: 9_000,
  state: "waiting",
  problem: null,
  ack: null,
  epoch: null,
  in_doubt: false,
  changed_at_ms: 0,
  not_before_ms: 0,
  keep: true,
  ...change,
});

const rows = (threads: Thread[], outbox: OutboxItem[] = []): readonly Record<string, unknown>[] =>
  rowsOf(threads, outbox, () => null) as unknown as readonly Record<string, unknown>[];

describe("the rows of a thread", () => {
  it("show the files of what waits, and the ids of those of which no more is known", () => {
    const tin = { id: "att_1", name: "tin.png", media_type: "image/png", size_bytes: 900 };
    const command = { do: "send_message" as const, attachment_ids: ["att_1"] };
    const files = (change: Partial<OutboxItem>): unknown => (rows([], [pending({ command, ...change })]).at(-1)?.["message"] as { attachments?: unknown }).attachments;
    expect(files({ attachments: [tin] })).toEqual([tin]);
    expect(files({})).toEqual([{ id: "att_1", name: "", media_type: "", size_bytes: 0 }]);
    expect(files({ command: { do: "send_message", body: "words" } })).toBeUndefined();
  });

  it("quotes what a message answers, where that is known", () => {
    const answer = (number: number, reply_to_id: string): VisitorEntry =>
      entry(number, { content: { kind: "message", message: { format: "plain", body: "that one", reply_to_id } } });
    const asked = entry(1, you(1));
    const shown = rows([thread([asked, answer(2, asked.id), answer(3, "ent_elsewhere")])]).filter(({ type }) => type === "message");
    expect(shown.map(({ quote }) => (quote as { name: string } | null)?.name ?? null)).toEqual([null, "You:", null]);
  });

  it("shows what waits at the server's time, on the day of what is stored", () => {
    const aheadMs = 2 * 86_400_000;
    const shown = rowsOf([thread([entry(1, { ...you(1), sent_at_ms: aheadMs })])], [pending({ made_at_ms: 9_000 })], () => null, aheadMs);
    expect(shown.filter(({ type }) => type === "day")).toHaveLength(1);
    expect(shown.at(-1)).toMatchObject({ type: "message", key: "p1", atMs: aheadMs + 9_000 });
  });

  it("groups messages of one author that stand close", () => {
    const shown = rows([thread([entry(1), entry(2), entry(3, you(3)), entry(4, { sent_at_ms: 3_000_000 })])]);
    expect(shown.filter(({ type }) => type === "message").map(({ isFirst, isLast }) => [isFirst, isLast])).toEqual([
      [true, false],
      [false, true],
      [true, true],
      [true, true],
    ]);
  });

  it("says sent for what is stored, and seen for what the team has read", () => {
    const shown = rows([thread([entry(1, you(1)), entry(2, you(2))], { marks: { delivered: 2, read: 1 } })]);
    expect(shown.filter(({ type }) => type === "message").map(({ mark }) => mark)).toEqual(["seen", "stored"]);
  });

  it("never calls sent what was not acknowledged", () => {
    for (const state of ["waiting", "sent", "refused"] as const) {
      expect(rows([thread([])], [pending({ state })]).at(-1)).toMatchObject({ mark: state });
    }
  });

  it("shows a message once when its entry is here and its answer is not", () => {
    const shown = rows([thread([entry(1, you(1))])], [pending({ client_id: "c1", state: "sent" })]);
    expect(shown.filter(({ type }) => type === "message")).toHaveLength(1);
  });

  it("keeps the key of a message from waiting to stored, so that nothing flickers", () => {
    const before = rows([thread([])], [pending({ client_id: "c1" })]).at(-1);
    const after = rows([thread([entry(1, you(1))])]).at(-1);
    expect(after?.["key"]).toBe(before?.["key"]);
  });

  it("separates days, and puts conversations one above the other", () => {
    const day = 86_400_000;
    const shown = rows([thread([entry(1, { sent_at_ms: day })]), thread([entry(1, { id: "x", sent_at_ms: 3 * day })])]);
    expect(shown.map(({ type }) => type)).toEqual(["day", "message", "day", "message"]);
  });
});

describe("the end of a conversation", () => {
  const closed = entry(2, { content: { kind: "closed" } });
  const reopened = entry(3, { content: { kind: "reopened" } });
  const open = thread([entry(1)]);
  const over = { ...open.conversation, closed: true };

  it("is what its log said last", () => {
    expect(isOver(open)).toBe(false);
    expect(isOver(thread([entry(1), closed]))).toBe(true);
    expect(isOver(thread([entry(1), closed, reopened], { conversation: over }))).toBe(false);
  });

  it("is what its record says where the log does not reach", () => {
    expect(isOver(thread([entry(9)], { conversation: over }))).toBe(true);
  });
});

describe("words", () => {
  it("names who is here without promising", () => {
    expect(staffLine({ online: false, people: [] })).toBe("Nobody is here right now");
    expect(staffLine({ online: true, people: [{ name: "Mira" }, { name: "Jon" }] })).toBe("Here now: Mira, Jon");
    expect(staffLine({ online: true, people: [] })).toBe("The team is here now");
  });

  it("says what waits while there is no connection", () => {
    const live = { name: "live", transport: "socket", connection_id: "c" } as const;
    const notice = connectionNotice({ name: "waiting", until_ms: 0, reason: "lost" }, 2, true);
    expect(notice?.text).toContain("2 messages wait");
    expect(connectionNotice(live, 0, true)).toBeNull();
    expect(connectionNotice(live, 1, false)?.text).toContain("You are offline");
  });

  it("has a sentence for every refusal", () => {
    for (const code of Object.keys(errorMessage) as ErrorCode[]) {
      const text = refusal({ code, title: "", status: 422, retry: "never" });
      expect(text).toMatch(/^Not .+\.$/);
    }
  });
});
