// The fixtures are the wire: what the server says must go through the client without harm.

import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { createVisitorClient } from "../src/client/client.ts";
import { rowsOf } from "../src/panel/thread.ts";
import type { VisitorHistory, VisitorNews } from "../src/protocol.ts";
import { FakeEnvironment, settle, VISITOR } from "./fake.ts";

const folder = new URL("../../protocol/fixtures/", import.meta.url);
const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, folder), "utf8"));
const files = readdirSync(new URL("visitor/", folder));

it("has fixtures to go by", () => expect(files.length).toBeGreaterThan(15));

it.each(files)("takes visitor/%s", async (file) => {
  const world = new FakeEnvironment();
  const client = createVisitorClient({
    base: "",
    storage: null,
    environment: world,
    credentials: () => Promise.resolve({ token: "t", principal: VISITOR }),
  });
  const heard: string[] = [];
  client.onNews((news) => heard.push(news.type));
  client.start();
  await settle();
  world.transport.welcomes();
  const news = read(`visitor/${file}`) as VisitorNews;
  world.transport.says(news);
  // A beat is answered by the client itself.
  if (news.type === "beat") expect(world.transport.sent.at(-1)?.type).toBe("beat");
  else expect(heard.at(-1)).toBe(news.type);
});

it("shows a history as rows", () => {
  const history = read("http/visitor_history.json") as VisitorHistory;
  const threads = history.conversations.map((thread) => ({
    conversation: thread.conversation,
    entries: thread.entries,
    older: false,
    marks: thread.team_marks,
  }));
  const rows = rowsOf(threads, [], () => null);
  expect(rows.map(({ type }) => type)).toEqual(["day", "message", "line", "message"]);
  expect(rows[1]).toMatchObject({ from: "you", mark: "seen" });
});
