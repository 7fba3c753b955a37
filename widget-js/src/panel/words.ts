// What the panel says, in the visitor's language: which words when. The words themselves stand in
// `src/words`, one file a language.

import type { Status } from "../client/client.ts";
import { apart } from "../markup/index.ts";
import { closeCode, type ErrorCode, type OpenSpan, type Problem, type Staff } from "../protocol.ts";
import { catalogs, isFromRight, localeOf, type Catalog, type CountKey, type Locale, type TextKey } from "../words/locale.ts";

/** One language at a time, read before anything is shown in it. */
let catalog: Catalog | null = null;
let locale: Locale = "en";
/** For dates and numbers: the page's own tag where it is of that language (`en-GB`). */
let formats: string = "en";

/** What was asked for last: languages may come in another order than they were asked for. */
let wanted = "";

/** Loads the words of a page's language, or of the site's `main` one; of English where they cannot be had. Gives what is spoken then. */
export async function speak(tag: string, main = ""): Promise<Locale> {
  const asked = `${tag} ${main}`;
  if (asked === wanted && catalog !== null) return locale;
  wanted = asked;
  let next = localeOf(tag, main);
  // A server that was renewed meanwhile has them under another name.
  const words = (await catalogs[next]().catch(() => catalogs[(next = "en")]())).default;
  if (asked !== wanted) return locale;
  catalog = words;
  locale = next;
  formats = Intl.getCanonicalLocales(locale)[0] ?? "en";
  try {
    if (localeOf(tag) === locale && tag.toLowerCase().startsWith(locale)) formats = new Intl.Locale(tag).toString();
  } catch {
    // No tag, though it begins like one.
  }
  return locale;
}

/** A text, with its names filled in. */
export function said(key: TextKey, values: Readonly<Record<string, string>> = {}): string {
  return fill(catalog?.texts[key] ?? "", values);
}

/** A text about a number of things. */
export function counted(key: CountKey, count: number): string {
  const forms = catalog?.counts[key];
  const form = forms?.[new Intl.PluralRules(locale).select(count)] ?? forms?.other ?? "";
  return fill(form, { count: new Intl.NumberFormat(formats).format(count) });
}

function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => setApart(values[name] ?? ""));
}

/** So that it turns nothing in the sentences of the language that is spoken. */
function setApart(name: string): string {
  return apart(name, isFromRight(locale) ? "rtl" : "ltr");
}

/** Who answers, without promises. Where several names are cut at the end of the line, it still says so. */
export function staffLine(staff: Staff): string {
  if (!staff.online) return said("nobody_here");
  const names = staff.people.map(({ name }) => name);
  const [first, ...others] = names;
  if (first === undefined) return said("team_here");
  return others.length === 0 ? said("one_here", { name: first }) : said("several_here", { names: names.map(setApart).join(", ") });
}

/** When the team is back, in the visitor's own time zone; nothing while it is there by its hours, or where it states none. */
export function backText(open: readonly OpenSpan[], nowMs: number): string | null {
  const next = open.find(({ to_at_ms }) => to_at_ms > nowMs);
  if (next === undefined || next.from_at_ms <= nowMs) return null;
  const time = together(new Intl.DateTimeFormat(formats, { timeStyle: "short" }).format(next.from_at_ms));
  const day = new Date(next.from_at_ms).toDateString();
  if (day === new Date(nowMs).toDateString()) return said("back_today", { time });
  if (day === dayBeside(nowMs, 1)) return said("back_tomorrow", { time });
  // The same day of the next week needs its date.
  const isNear = next.from_at_ms - nowMs < 6 * 86_400_000;
  const name = new Intl.DateTimeFormat(formats, {
    weekday: "long",
    ...(isNear ? {} : { day: "numeric", month: "long" }),
  });
  return said("back_day", { day: together(name.format(next.from_at_ms)), time });
}

/** No line ends between a number and what it counts: `4 December`, in Arabic above all. */
function together(text: string): string {
  return text.replace(/(\p{Nd}\S*) /gu, "$1\u00a0");
}

/** What to expect of writing here: while somebody is there also how long answers usually take, where that is known. */
export function expectation(staff: Staff, firstAnswerMs: number | null | undefined): string {
  if (!staff.online) return said("expect_away");
  const time = firstAnswerMs == null ? null : waitText(firstAnswerMs);
  return time === null ? said("expect_here") : `${said("expect_here")} ${said("expect_usual", { time })}`;
}

/** Minutes that people say; longer waits are said in hours, and those of more than a day not at all. */
const SAID_MINUTES = [1, 2, 3, 5, 10, 15, 20, 30, 45];

function waitText(ms: number): string | null {
  const minutes = SAID_MINUTES.find((each) => ms <= each * 60_000);
  const hours = Math.ceil(ms / 3_600_000);
  if (hours > 24) return null;
  const [unit, count] = minutes === undefined ? (["hour", hours] as const) : (["minute", minutes] as const);
  return together(new Intl.NumberFormat(formats, { style: "unit", unit, unitDisplay: "long" }).format(count));
}

export interface Notice {
  readonly tone: "calm" | "bad";
  readonly text: string;
  readonly action: "retry" | null;
}

/** What is said about the connection; nothing while all is well. The browser knows of a lost network before the socket does. */
export function connectionNotice(status: Status, waiting: number, isOnline: boolean): Notice | null {
  const calm = (key: TextKey, action: "retry" | null): Notice => ({
    tone: "calm",
    text: waiting === 0 ? said(key) : `${said(key)} ${counted("waiting", waiting)}`,
    action,
  });
  if (!isOnline && status.name !== "stopped") return calm("offline", null);
  switch (status.name) {
    case "off":
    case "live":
      return null;
    case "connecting":
      return status.attempt === 0 ? null : calm("reconnecting", null);
    case "waiting":
      return calm("no_connection", "retry");
    case "stopped": {
      const isBarred = status.code === closeCode.revoked || status.problem?.code === "blocked";
      return { tone: "bad", text: stoppedText(status.code, status.problem), action: isBarred ? null : "retry" };
    }
  }
}

/** Why nothing goes on. */
export function stoppedText(code: number | null, problem: Problem | null): string {
  if (code === closeCode.revoked || problem?.code === "blocked") return said("blocked");
  if (problem?.code === "unknown_site") return said("site_closed");
  if (code === closeCode.origin_refused || problem?.code === "origin_refused") return said("page_refused");
  if (problem?.code === "identity_invalid") return said("identity_refused");
  if (code === closeCode.flooding) return said("too_much");
  return said("stopped");
}

/** What a refused session is, by its code. */
export function refusalOf(code: string): Problem {
  return { code: code as ErrorCode, title: "", status: 403, retry: "never" };
}

/** Why a message could not be sent. */
export function refusal(problem: Problem): string {
  switch (problem.code) {
    case "too_long":
      return said("not_sent_long");
    case "blocked":
    case "conversation_state":
      return said("not_sent_over");
    case "edit_window_over":
      return said("not_changed_late");
    case "not_found":
      return said("not_sent_gone");
    case "rate_limited":
      return said("not_sent_much");
    default:
      return said("not_sent");
  }
}

export function uploadError(code: ErrorCode | null, bytesMax: number): string {
  switch (code) {
    case "too_large":
      return said("file_large", { size: mostText(bytesMax) });
    case "empty":
      return said("file_empty");
    case "file_type":
      return said("file_type");
    case "too_many":
      return said("file_many");
    case "storage_full":
      return said("file_space");
    case null:
      return said("file_connection");
    default:
      return said("file_failed");
  }
}

/** A limit in whole units of 1,024, as operators set it. */
function mostText(bytes: number): string {
  const kibibytes = Math.floor(bytes / 1024);
  return kibibytes < 1024 ? `${kibibytes} KB` : `${Math.floor(kibibytes / 1024)} MB`;
}

export function sizeText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1_000)} KB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

export function timeText(atMs: number): string {
  return new Intl.DateTimeFormat(formats, { hour: "numeric", minute: "2-digit" }).format(atMs);
}

export function exactText(atMs: number): string {
  return new Intl.DateTimeFormat(formats, { dateStyle: "full", timeStyle: "medium" }).format(atMs);
}

/** The day that is so many days from another one: days have 23 to 25 hours. */
function dayBeside(atMs: number, days: number): string {
  const day = new Date(atMs);
  day.setDate(day.getDate() + days);
  return day.toDateString();
}

export function dayText(atMs: number, nowMs: number): string {
  const day = new Date(atMs).toDateString();
  if (day === new Date(nowMs).toDateString()) return said("today");
  if (day === dayBeside(nowMs, -1)) return said("yesterday");
  const isFar = Math.abs(nowMs - atMs) > 300 * 86_400_000;
  return new Intl.DateTimeFormat(formats, {
    weekday: "long",
    day: "numeric",
    month: "long",
    ...(isFar ? { year: "numeric" } : {}),
  }).format(atMs);
}
