/** The live list of visitors: a snapshot, then changes, merged by version. Pure. */
import type { LiveVisitor, Source, VisitorCounts, VisitorId } from "@switchboard/protocol";

/** Who is here, as this page knows it. */
export interface Visitors {
  ready: boolean;
  rows: ReadonlyMap<VisitorId, LiveVisitor>;
  counts: VisitorCounts | null;
  /** When the last news came: how fresh the list is. */
  heard_at_ms: number;
}

/** Nothing heard yet. */
export const noVisitors: Visitors = { ready: false, rows: new Map(), counts: null, heard_at_ms: 0 };

/** A whole list replaces what was known. */
export function withVisitors(rows: readonly LiveVisitor[], counts: VisitorCounts, now_ms: number): Visitors {
  return { ready: true, rows: new Map(rows.map((row) => [row.id, row])), counts, heard_at_ms: now_ms };
}

/** Changes: newer rows in, those who left out. A visitor who comes back begins with a new, higher version. */
export function withVisitorChanges(
  visitors: Visitors,
  news: { rows: readonly LiveVisitor[]; gone: readonly VisitorId[]; counts: VisitorCounts },
  now_ms: number,
): Visitors {
  const rows = new Map(visitors.rows);
  for (const id of news.gone) rows.delete(id);
  for (const row of news.rows) {
    const held = rows.get(row.id);
    if (row.state === "left") rows.delete(row.id);
    else if (!held || held.version < row.version) rows.set(row.id, row);
  }
  return { ...visitors, rows, counts: news.counts, heard_at_ms: now_ms };
}

/** The orders that rows may stand in. */
export const ORDERS = ["active", "newest", "longest", "pages"] as const;

/** One of them. */
export type Order = (typeof ORDERS)[number];

/**
 * The rows' order, of those that are in the window: which are, the server decides by who was active last. As it comes, the active stand before the idle, and
 * within both who came last: rows do not jump with every click.
 */
export function visitorOrder(rows: ReadonlyMap<VisitorId, LiveVisitor>, order: Order = "active"): VisitorId[] {
  const key = RANKS[order];
  return [...rows.values()].sort((a, b) => key(a, b) || (a.id < b.id ? 1 : -1)).map((row) => row.id);
}

const RANKS: Record<Order, (a: LiveVisitor, b: LiveVisitor) => number> = {
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
