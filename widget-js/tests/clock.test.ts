import { expect, it } from "vitest";
import { Clock } from "../src/panel/clock.ts";
import { FakeStorage } from "./fake.ts";

const DAY_MS = 86_400_000;
const atMs = Date.parse("2026-11-28T12:00:00Z");
/** A visitor's own clock, two days ahead. */
const own = (): number => atMs + 2 * DAY_MS;

it("takes the browser's time for true until something is heard", () => {
  expect(new Clock(null, own).now()).toBe(own());
});

it("has the server's time with the first answer, and to the millisecond with the welcome", () => {
  const clock = new Clock(null, own);
  clock.answered("Sat, 28 Nov 2026 12:00:00 GMT");
  expect(clock.now()).toBe(atMs);
  clock.welcomed(atMs + 250);
  clock.answered("Sat, 28 Nov 2026 12:00:00 GMT");
  expect([clock.now(), clock.aheadMs]).toEqual([atMs + 250, 250 - 2 * DAY_MS]);
});

it("stays as it was where an answer says no time", () => {
  const clock = new Clock(null, own);
  clock.answered(null);
  clock.answered("soon");
  expect(clock.now()).toBe(own());
});

it("knows on the next visit, before anything is heard, by how much this browser's clock is wrong", () => {
  const storage = new FakeStorage();
  new Clock(storage, own).welcomed(atMs);
  expect(new Clock(storage, own).now()).toBe(atMs);
  // Set right by then, as soon as that is known.
  new Clock(storage, () => atMs).welcomed(atMs);
  expect([new Clock(storage, () => atMs).now(), storage.length]).toEqual([atMs, 0]);
});

it("is as good where the browser keeps nothing, or something else", () => {
  const full = new FakeStorage();
  full.setItem("switchboard.clock", "noon");
  full.setItem = () => {
    throw new Error("full");
  };
  const clock = new Clock(full, own);
  expect(clock.now()).toBe(own());
  clock.welcomed(atMs);
  expect(clock.now()).toBe(atMs);
});
