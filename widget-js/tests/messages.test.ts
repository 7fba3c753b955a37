import { expect, it } from "vitest";
import { open } from "../src/messages.ts";

const source = {} as MessageEventSource;
const event = (change: Partial<MessageEvent<unknown>>): MessageEvent<unknown> =>
  ({
    source,
    origin: "https://chat.example",
    data: { switchboard: "one", message: { type: "close" } },
    ...change,
  }) as MessageEvent<unknown>;

const read = (from: MessageEvent<unknown>): unknown => open(from, source, "https://chat.example", "one");

it("believes its own window, origin and instance", () => {
  expect(read(event({}))).toEqual({ type: "close" });
});

it.each([
  ["another origin", { origin: "https://evil.example" }],
  ["an origin that only begins alike", { origin: "https://chat.example.evil.example" }],
  ["another window", { source: {} as MessageEventSource }],
  ["another instance", { data: { switchboard: "two", message: { type: "close" } } }],
  ["a foreign message", { data: "close" }],
  ["nothing", { data: null }],
  ["an empty envelope", { data: { switchboard: "one" } }],
])("does not believe %s", (_, change) => {
  expect(read(event(change))).toBeNull();
});

it("believes nobody before there is a window", () => {
  expect(open(event({ source: null }), null, "https://chat.example", "one")).toBeNull();
});
