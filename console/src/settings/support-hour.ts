/** Support hours as they are edited: spans of each day, in order and apart. Pure. */
import { limit, type HoursSpan, type SupportHours } from "@switchboard/protocol";

import { minutesOf, timeOf } from "../part/day-time.ts";

/** A day of the week. */
export type Day = keyof SupportHours;

/** The days of the week, and what they are called. */
export const DAYS: readonly [Day, string][] = [
  ["monday", "Monday"],
  ["tuesday", "Tuesday"],
  ["wednesday", "Wednesday"],
  ["thursday", "Thursday"],
  ["friday", "Friday"],
  ["saturday", "Saturday"],
  ["sunday", "Sunday"],
];

const DAY_MINUTES = 24 * 60;
const FIRST: HoursSpan = { from: "09:00", to: "17:00" };
const PAUSE_MINUTES = 60;
const NEXT_MINUTES = 4 * 60;

/** What is wrong with the spans of a day; nothing where they may be kept. */
export function problemOf(spans: readonly HoursSpan[]): string | null {
  for (const [index, { from, to }] of spans.entries()) {
    const before = spans[index - 1];
    // Times of this form compare as texts do.
    if (from >= to) return "Hours end after they begin. What goes past midnight belongs to the next day.";
    if (before && before.to > from) return "Hours stand in their order and do not overlap.";
  }
  return null;
}

/** The span that is offered after those of a day; nothing where none has room. */
export function nextSpan(spans: readonly HoursSpan[]): HoursSpan | null {
  const last = spans.at(-1);
  if (!last) return FIRST;
  // What is wrong is mended first.
  if (spans.length >= limit.hours_spans_max || problemOf(spans) !== null) return null;
  const from = minutesOf(last.to) + PAUSE_MINUTES;
  if (from >= DAY_MINUTES) return null;
  return { from: timeOf(from), to: timeOf(Math.min(from + NEXT_MINUTES, DAY_MINUTES)) };
}

/** The week with Monday's hours on the other days that most people work. */
export function asOnMonday(week: SupportHours): SupportHours {
  const { monday } = week;
  return { ...week, tuesday: monday, wednesday: monday, thursday: monday, friday: monday };
}
