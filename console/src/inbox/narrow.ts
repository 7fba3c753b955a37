/** What narrows and orders a list, as the address bar says it. Pure. */
import type { AgentId, InboxFilter, InboxList, InboxOrder, SiteId } from "@switchboard/protocol";

import { startOfDay } from "../part/time.tsx";
import { PRIORITIES } from "./word.ts";

/** The part of an address that is about lists; it stays when another list is opened. */
export interface ListSearch {
  site?: SiteId | undefined;
  agent?: AgentId | undefined;
  language?: string | undefined;
  /** From 1, low, to 4, urgent. */
  priority?: number | undefined;
  /** The same, and what is more urgent. */
  priority_min?: number | undefined;
  /** `today`, `7d`, `30d`, or a day, or two of them: `2026-11-01..2026-11-05`. */
  when?: string | undefined;
  order?: InboxOrder | undefined;
}

/** Spans that are reckoned from today. */
export const SPANS = { today: 1, "7d": 7, "30d": 30 } as const;

const DAYS = /^(\d{4}-\d\d-\d\d)?\.\.(\d{4}-\d\d-\d\d)?$/;

/** Reads an address. What is no word of ours is left out. */
export function listSearch(search: Record<string, unknown>): ListSearch {
  const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
  const order = text(search["order"]);
  const language = text(search["language"]);
  const rank = (value: unknown) => (typeof value === "number" && PRIORITIES[value] ? value : undefined);
  const when = text(search["when"]);
  return {
    site: text(search["site"]),
    agent: text(search["agent"]),
    language: language && /^[a-z]{2,3}$/.test(language) ? language : undefined,
    priority: rank(search["priority"]),
    priority_min: rank(search["priority_min"]),
    when: when && (when in SPANS || daysOf(when)) ? when : undefined,
    order: order === "oldest" || order === "waiting" ? order : undefined,
  };
}

/** The two ends of a span of days; either may be open. */
export function daysOf(when: string | undefined): { from: string; to: string } | null {
  const found = when === undefined ? null : DAYS.exec(when);
  if (!found) return null;
  const from = found[1] ?? "";
  const to = found[2] ?? "";
  return from || to ? { from, to } : null;
}

/** Which orders a list has: nobody waits in one of what is over. */
export function ordersOf(filter: InboxFilter): readonly InboxOrder[] {
  return filter === "closed" || filter === "spam" ? ["newest", "oldest"] : ["newest", "oldest", "waiting"];
}

/** The list that an address means. */
export function listOf(filter: InboxFilter, search: ListSearch, now_ms: number): InboxList {
  const list: InboxList = { filter };
  if (search.site) list.site_id = search.site;
  if (search.agent) list.assignee_id = search.agent;
  if (search.language) list.language = search.language;
  if (search.priority) list.priority = search.priority;
  if (search.priority_min) list.priority_min = search.priority_min;
  if (search.order && ordersOf(filter).includes(search.order)) list.order = search.order;
  const span = SPANS[search.when as keyof typeof SPANS] as number | undefined;
  if (span !== undefined) list.since_ms = daysBefore(startOfDay(now_ms), span - 1);
  const days = daysOf(search.when);
  const from_ms = days ? midnight(days.from) : null;
  const to_ms = days ? midnight(days.to) : null;
  if (from_ms !== null) list.since_ms = from_ms;
  if (to_ms !== null) list.until_ms = daysBefore(to_ms, -1);
  return list;
}

/** What a search over all lists is narrowed to. */
export function searchNarrowing(search: ListSearch, now_ms: number): Omit<InboxList, "filter" | "order"> {
  const { filter: _filter, order: _order, ...narrowing } = listOf("all", search, now_ms);
  return narrowing;
}

/** How many things narrow a list. */
export function narrowedBy(search: ListSearch): number {
  return [search.site, search.agent, search.language, search.priority ?? search.priority_min, search.when].filter((each) => each !== undefined).length;
}

/** Days are not all of one length. */
function daysBefore(day_ms: number, count: number): number {
  const day = new Date(day_ms);
  day.setDate(day.getDate() - count);
  return day.getTime();
}

/** The beginning of a day in the browser's zone; nothing for what is no day. */
function midnight(day: string): number | null {
  const at_ms = day === "" ? Number.NaN : new Date(`${day}T00:00`).getTime();
  return Number.isFinite(at_ms) ? Math.max(0, at_ms) : null;
}
