/** The live list of visitors: the part in sight as a snapshot, then changes, merged by version. Pure. */
import type { LiveVisitor, Source, VisitorCounts, VisitorFilter, VisitorId, VisitorList, VisitorOrder } from "@switchboard/protocol";

/** Who is here, as this page knows it. */
export interface Visitors {
  ready: boolean;
  /** The list, and where the part of it begins that is known. */
  list: VisitorList;
  rows: ReadonlyMap<VisitorId, LiveVisitor>;
  /** Who left the list since the part was told whole, the last at the end; others that are missing stand before or behind it. */
  gone: ReadonlySet<VisitorId>;
  /** The numbers of the whole list. */
  counts: VisitorCounts | null;
  /** The countries that the list may be narrowed to. */
  countries: readonly string[];
  /** When the last news came: how fresh the list is. */
  heard_at_ms: number;
}

/** As many who left are known by name. */
const GONE_MAX = 1_000;

/** Nothing heard yet. */
export const noVisitors: Visitors = { ready: false, list: {}, rows: new Map(), gone: new Set(), counts: null, countries: [], heard_at_ms: 0 };

/** A whole part replaces what was known. */
export function withVisitors(news: VisitorList & { rows: readonly LiveVisitor[]; counts: VisitorCounts; countries: readonly string[] }, now_ms: number): Visitors {
  const { filter, order, first, rows, counts, countries } = news;
  return { ready: true, list: listOf(filter, order, first), rows: new Map(rows.map((row) => [row.id, row])), gone: new Set(), counts, countries, heard_at_ms: now_ms };
}

/** Changes: newer rows in, those who left or stand elsewhere out. A visitor who comes back begins with a new, higher version. */
export function withVisitorChanges(
  visitors: Visitors,
  news: VisitorList & { rows: readonly LiveVisitor[]; gone: readonly VisitorId[]; beyond: readonly VisitorId[]; counts: VisitorCounts; countries?: readonly string[] | null },
  now_ms: number,
): Visitors {
  if (!visitors.ready || !isSamePart(visitors.list, news)) return visitors;
  const rows = new Map(visitors.rows);
  for (const id of [...news.gone, ...news.beyond]) rows.delete(id);
  for (const row of news.rows) {
    const held = rows.get(row.id);
    if (!held || held.version < row.version) rows.set(row.id, row);
  }
  const gone = news.gone.length > 0 ? new Set([...visitors.gone, ...news.gone].slice(-GONE_MAX)) : visitors.gone;
  return { ...visitors, rows, gone, counts: news.counts, countries: news.countries ?? visitors.countries, heard_at_ms: now_ms };
}

/** Whether somebody whom the list had is no longer in it. Where only a part of it is known, others stand elsewhere. */
export function hasLeft({ rows, gone, counts }: Visitors, id: VisitorId): boolean {
  const is_whole = rows.size >= (counts?.listed ?? 0);
  return !rows.has(id) && (is_whole || gone.has(id));
}

/** A part of a list, with all that goes without saying. */
export function listOf(filter: VisitorFilter | undefined, order: VisitorOrder | undefined, first: number | undefined): VisitorList {
  return { filter: filter ?? {}, order: order ?? "active", first: first ?? 0 };
}

/** Whom a filter lists, in words that are equal where that is. */
export function filterKey(filter: VisitorFilter = {}): string {
  const { site_id, state, country, device, search, page, source } = filter;
  return JSON.stringify([site_id ?? null, state ?? null, country ?? null, device ?? null, search ?? null, page ?? null, source ?? null]);
}

/** Whether both are of the same visitors in the same order, whichever part. */
export function isSameList(one: VisitorList, other: VisitorList): boolean {
  return filterKey(one.filter) === filterKey(other.filter) && (one.order ?? "active") === (other.order ?? "active");
}

/** Whether both are the same part of the same list. */
export function isSamePart(one: VisitorList, other: VisitorList): boolean {
  return isSameList(one, other) && (one.first ?? 0) === (other.first ?? 0);
}

/** The orders that rows may stand in. */
export const ORDERS = ["active", "newest", "longest", "pages"] as const satisfies readonly VisitorOrder[];

/**
 * The order of the rows in hand: the same that the server's whole list stands in, which decides whose they are. As it comes, the active stand before the
 * idle, and within both who came last: rows do not jump with every click.
 */
export function visitorOrder(rows: ReadonlyMap<VisitorId, LiveVisitor>, order: VisitorOrder = "active"): VisitorId[] {
  const key = RANKS[order];
  return [...rows.values()].sort((a, b) => key(a, b) || (a.id < b.id ? 1 : -1)).map((row) => row.id);
}

const RANKS: Record<VisitorOrder, (a: LiveVisitor, b: LiveVisitor) => number> = {
  active: (a, b) => rank(a) - rank(b) || b.entered_at_ms - a.entered_at_ms,
  newest: (a, b) => b.entered_at_ms - a.entered_at_ms,
  longest: (a, b) => a.entered_at_ms - b.entered_at_ms,
  pages: (a, b) => b.page_count - a.page_count || b.entered_at_ms - a.entered_at_ms,
};

function rank(row: LiveVisitor): number {
  return row.state === "active" ? 0 : 1;
}

/** The path of an address, which is what tells pages of one site apart. */
export function pathOf(url: string): string {
  try {
    const address = new URL(url);
    return `${address.pathname}${address.search}` || "/";
  } catch {
    return url;
  }
}

/** The host of an address. */
export function hostOf(url: string): string {
  try {
    return new URL(url).host.replace(/^www\./, "");
  } catch {
    return url;
  }
}

/**
 * Where a visit came from, in a word: the campaign's source, the site that led here, or what else the campaign is
 * called by. `direct` where none is known; the server's filter says so of the same visits.
 */
export function sourceName({ utm = {}, referrer }: Source): string {
  const host = referrer ? hostOf(referrer) : "";
  return utm["source"] || host || utm["campaign"] || Object.values(utm).find(Boolean) || "direct";
}

/** The same with the way it took, where the campaign names both. */
export function sourceText({ source }: Pick<LiveVisitor, "source">): string {
  const { source: campaign, medium } = source.utm ?? {};
  return campaign && medium ? `${campaign} · ${medium}` : sourceName(source);
}
