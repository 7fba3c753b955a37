/** Times as people say them, with the exact time on hover. */
import { useTimeText } from "./clock.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const exact_format = new Intl.DateTimeFormat("en-US", { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });
const clock_format = new Intl.DateTimeFormat("en-US", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const date_format = new Intl.DateTimeFormat("en-US", { month: "short", day: "numeric" });
const year_format = new Intl.DateTimeFormat("en-US", { month: "short", day: "numeric", year: "numeric" });
const week_format = new Intl.DateTimeFormat("en-US", { weekday: "long", month: "long", day: "numeric" });
const soon_format = new Intl.DateTimeFormat("en-US", { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** `12 s`, `4 min`, `3 h`, `2 d`: how long something lasts. */
export function spanText(span_ms: number): string {
  const span = Math.max(0, span_ms);
  if (span < MINUTE) return `${Math.floor(span / SECOND)} s`;
  if (span < HOUR) return `${Math.floor(span / MINUTE)} min`;
  if (span < DAY) return `${Math.floor(span / HOUR)} h`;
  return `${Math.floor(span / DAY)} d`;
}

/** `now`, `4 min`, `3 h`, `Nov 3`: how long ago something was, for lists. */
export function agoText(at_ms: number, now_ms: number): string {
  const span = now_ms - at_ms;
  if (span < 10 * SECOND) return "now";
  if (span < 7 * DAY) return spanText(span);
  return dateText(at_ms, now_ms);
}

/** `Nov 3`, with the year where it is another one. */
export function dateText(at_ms: number, now_ms: number): string {
  const same = new Date(at_ms).getFullYear() === new Date(now_ms).getFullYear();
  return (same ? date_format : year_format).format(at_ms);
}

/** `14:05`. */
export function clockText(at_ms: number): string {
  return clock_format.format(at_ms);
}

/** The whole of it, for hover. */
export function exactText(at_ms: number): string {
  return exact_format.format(at_ms);
}

/** `17:30`, `tomorrow 09:00`, `Mon 09:00`, or with the date where it is further off. */
export function soonText(at_ms: number, now_ms: number): string {
  const days = Math.round((startOfDay(at_ms) - startOfDay(now_ms)) / DAY);
  if (days === 0) return clockText(at_ms);
  if (days === 1) return `tomorrow ${clockText(at_ms)}`;
  if (at_ms - now_ms < 6 * DAY) return soon_format.format(at_ms);
  return `${dateText(at_ms, now_ms)}, ${clockText(at_ms)}`;
}

/** `14:05`, or with the date where that was another day: when something began. */
export function beginText(at_ms: number, now_ms: number): string {
  const is_today = startOfDay(at_ms) === startOfDay(now_ms);
  return is_today ? clockText(at_ms) : `${dateText(at_ms, now_ms)}, ${clockText(at_ms)}`;
}

/** `Today`, `Yesterday`, `Monday, November 3`: a day's heading. */
export function dayText(at_ms: number, now_ms: number): string {
  const days = Math.round((startOfDay(now_ms) - startOfDay(at_ms)) / DAY);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return days < 300 ? week_format.format(at_ms) : year_format.format(at_ms);
}

let day = { begins_at_ms: 0, ends_at_ms: 0 };

/** Midnight before a time, in the browser's zone. The last day is remembered: the lines of a thread ask for it by the thousand. */
export function startOfDay(at_ms: number): number {
  if (at_ms < day.begins_at_ms || at_ms >= day.ends_at_ms) {
    const midnight = new Date(at_ms);
    const begins_at_ms = midnight.setHours(0, 0, 0, 0);
    day = { begins_at_ms, ends_at_ms: midnight.setDate(midnight.getDate() + 1) };
  }
  return day.begins_at_ms;
}

/** How long ago, live. */
export function Ago({ at_ms, words = "" }: { at_ms: number; words?: string }) {
  const text = useTimeText((now_ms) => agoText(at_ms, now_ms));
  return (
    <time dateTime={new Date(at_ms).toISOString()} title={exactText(at_ms)}>
      {words && text !== "now" && !/[A-Z]/.test(text) ? `${text} ${words}` : text}
    </time>
  );
}

/** How long it lasts already, live. */
export function Since({ at_ms }: { at_ms: number }) {
  const text = useTimeText((now_ms) => spanText(now_ms - at_ms));
  return (
    <time dateTime={new Date(at_ms).toISOString()} title={`since ${exactText(at_ms)}`}>
      {text}
    </time>
  );
}

/** A time of day. */
export function Clock({ at_ms }: { at_ms: number }) {
  return (
    <time dateTime={new Date(at_ms).toISOString()} title={exactText(at_ms)}>
      {clockText(at_ms)}
    </time>
  );
}

/** When something began that still lasts. It stays the same words all day, so that nobody is read them again. */
export function Began({ at_ms }: { at_ms: number }) {
  const text = useTimeText((now_ms) => beginText(at_ms, now_ms));
  return (
    <time dateTime={new Date(at_ms).toISOString()} title={exactText(at_ms)}>
      {text}
    </time>
  );
}
