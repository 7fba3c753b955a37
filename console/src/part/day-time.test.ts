import { expect, test } from "vitest";

import { dayTimes, minutesOf, timeOf } from "./day-time.ts";

test("a day begins at midnight and ends at 24:00, a quarter of an hour apart", () => {
  const [begins, ends] = [dayTimes("09:00", "begin"), dayTimes("17:00", "end")];
  expect([begins.length, begins[0], begins[1], begins.at(-1)]).toEqual([96, "00:00", "00:15", "23:45"]);
  expect([ends.length, ends[0], ends.at(-1)]).toEqual([96, "00:15", "24:00"]);
});

test("a time that is set between two quarters stands there", () => {
  expect(dayTimes("08:20", "begin").slice(33, 36)).toEqual(["08:15", "08:20", "08:30"]);
});

test("a time of day and its minutes are each other's", () => {
  for (const [time, minutes] of [["00:00", 0], ["09:05", 545], ["24:00", 1440]] as const) expect([minutesOf(time), timeOf(minutes)]).toEqual([minutes, time]);
});
