/** The inbox's live list: a snapshot, then changes, merged by version. Pure. */
import type { Conversation, ConversationId, GoneRow, InboxCounts, InboxFilter, SiteId } from "@switchboard/protocol";

/** A list as this page knows it. */
export interface Inbox {
  filter: InboxFilter;
  /** The site it is of; all where there is none. */
  site_id: SiteId | null;
  /** Whether a snapshot of this filter has come. */
  ready: boolean;
  rows: ReadonlyMap<ConversationId, Conversation>;
  /** The version that took a row out: no older row brings it back. */
  gone: ReadonlyMap<ConversationId, number>;
  /** Whether rows exist behind the last one. */
  more: boolean;
  /** Where the next older page begins; absent before the first was asked for. */
  cursor: string | null;
  counts: InboxCounts | null;
}

/** An empty list, waiting for its snapshot. */
export function emptyInbox(filter: InboxFilter, site_id: SiteId | null = null, counts: InboxCounts | null = null): Inbox {
  return { filter, site_id, ready: false, rows: new Map(), gone: new Map(), more: false, cursor: null, counts };
}

/** Which list something is about. */
export interface ListOf {
  filter: InboxFilter;
  site_id?: SiteId | null;
}

/** Whether something is about this list. */
export function isOf(inbox: ListOf, list: ListOf): boolean {
  return inbox.filter === list.filter && (inbox.site_id ?? null) === (list.site_id ?? null);
}

/** A whole list replaces what was known: rows that left while nobody listened are not in it. */
export function withSnapshot(
  inbox: Inbox,
  news: ListOf & { rows: readonly Conversation[]; more: boolean; counts: InboxCounts },
): Inbox {
  if (!isOf(inbox, news)) return inbox;
  const rows = new Map<ConversationId, Conversation>();
  for (const row of news.rows) {
    const held = inbox.rows.get(row.id);
    rows.set(row.id, held && held.version > row.version ? held : row);
  }
  return { ...inbox, ready: true, rows, gone: new Map(), more: news.more, cursor: null, counts: news.counts };
}

/** Changes: newer rows in, gone rows out, in whichever order they come. */
export function withChanges(
  inbox: Inbox,
  news: ListOf & { rows: readonly Conversation[]; gone: readonly GoneRow[]; counts?: InboxCounts | null },
): Inbox {
  if (!isOf(inbox, news)) return (inbox.site_id ?? null) === (news.site_id ?? null) ? { ...inbox, counts: news.counts ?? inbox.counts } : inbox;
  const rows = new Map(inbox.rows);
  const gone = new Map(inbox.gone);
  for (const { id, version } of news.gone) {
    gone.set(id, Math.max(version, gone.get(id) ?? 0));
    const held = rows.get(id);
    if (held && held.version <= version) rows.delete(id);
  }
  for (const row of news.rows) addNewer(rows, gone, row);
  return { ...inbox, rows, gone, counts: news.counts ?? inbox.counts };
}

/** An older page, read over HTTP; live news that came first wins. */
export function withOlder(inbox: Inbox, list: ListOf, items: readonly Conversation[], cursor: string | null): Inbox {
  if (!isOf(inbox, list) || !inbox.ready) return inbox;
  const rows = new Map(inbox.rows);
  for (const row of items) addNewer(rows, inbox.gone, row);
  return { ...inbox, rows, cursor, more: cursor !== null };
}

function addNewer(rows: Map<ConversationId, Conversation>, gone: ReadonlyMap<ConversationId, number>, row: Conversation): void {
  if ((gone.get(row.id) ?? -1) >= row.version) return;
  const held = rows.get(row.id);
  if (!held || held.version < row.version) rows.set(row.id, row);
}

/** The rows' order: what was last active stands first. */
export function sortedIds(rows: ReadonlyMap<ConversationId, Conversation>): ConversationId[] {
  return [...rows.values()]
    .sort((a, b) => b.active_at_ms - a.active_at_ms || (a.id < b.id ? 1 : -1))
    .map((row) => row.id);
}
