import { limit, type HoursSpan } from "@switchboard/protocol";
import { expect, test } from "vitest";

import { asOnMonday, nextSpan, problemOf } from "./support-hour.ts";

const spans = (...pairs: [string, string][]): HoursSpan[] => pairs.map(([from, to]) => ({ from, to }));

test("hours may be kept that stand in their order and apart", () => {
  for (const good of [spans(), spans(["00:00", "24:00"]), spans(["08:00", "12:00"], ["12:00", "17:30"])]) expect(problemOf(good)).toBeNull();
  expect(problemOf(spans(["09:00", "09:00"]))).toMatch(/end after they begin/);
  expect(problemOf(spans(["22:00", "02:00"]))).toMatch(/belongs to the next day/);
  expect(problemOf(spans(["08:00", "12:00"], ["11:00", "13:00"]))).toMatch(/overlap/);
  expect(problemOf(spans(["13:00", "17:00"], ["08:00", "12:00"]))).toMatch(/order/);
});

test("what is offered next may be kept, as long as the day has room", () => {
  let day: HoursSpan[] = [];
  for (let next = nextSpan(day); next; next = nextSpan(day)) {
    day = [...day, next];
    expect(problemOf(day)).toBeNull();
  }
  expect(day).toEqual(spans(["09:00", "17:00"], ["18:00", "22:00"], ["23:00", "24:00"]));
  const many = Array.from({ length: limit.hours_spans_max }, (_, hour): [string, string] => [`0${hour}:00`, `0${hour}:30`]);
  expect(nextSpan(spans(...many))).toBeNull();
  expect(nextSpan(spans(["09:00", "08:00"]))).toBeNull();
});

test("Monday's hours are taken over for the days that most people work", () => {
  const monday = spans(["09:00", "17:00"]);
  const off = { tuesday: [], wednesday: [], thursday: [], friday: spans(["09:00", "12:00"]), saturday: [], sunday: [] };
  expect(asOnMonday({ monday, ...off })).toEqual({ monday, tuesday: monday, wednesday: monday, thursday: monday, friday: monday, saturday: [], sunday: [] });
});
