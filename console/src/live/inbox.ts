/** The inbox's live list: a snapshot, then changes, merged by version. Pure. */
import type { Conversation, ConversationId, GoneRow, InboxCounts, InboxList, InboxOrder } from "@switchboard/protocol";

/** A list as this page knows it. */
export interface Inbox {
  /** Which list it is. */
  list: InboxList;
  /** Whether a snapshot of this list has come. */
  ready: boolean;
  rows: ReadonlyMap<ConversationId, Conversation>;
  /** The version that took a row out: no older row brings it back. */
  gone: ReadonlyMap<ConversationId, number>;
  /** Where the next page begins; absent where no rows exist behind the last one. */
  cursor: string | null;
  /** Behind which place not every row is known: those that stand there come with their page. */
  edge: Place | null;
  /** Of what the list is narrowed to. */
  counts: InboxCounts | null;
  /** Of the whole workspace, whatever the list is. */
  anywhere: { mine: number; waiting: number };
}

/** A row's place in a list: what it is sorted by. */
export interface Place {
  at_ms: number;
  id: ConversationId;
}

/** An empty list, waiting for its snapshot; what is counted of the one before holds until then, where it is of the same. */
export function emptyInbox(list: InboxList, before?: Inbox): Inbox {
  const counts = before && narrowingOf(before.list) === narrowingOf(list) ? before.counts : null;
  return { list, ready: false, rows: new Map(), gone: new Map(), cursor: null, edge: null, counts, anywhere: before?.anywhere ?? { mine: 0, waiting: 0 } };
}

/** What a list is narrowed to, in words that are equal where that is. */
export function narrowingOf({ site_id, assignee_id, language, priority, priority_min, since_ms, until_ms }: InboxList): string {
  return JSON.stringify([site_id ?? null, assignee_id ?? null, language ?? null, priority ?? null, priority_min ?? null, since_ms ?? null, until_ms ?? null]);
}

/** Which list it is, in words that are equal for the same one. */
export function listKey(list: InboxList): string {
  return `${list.filter} ${list.order ?? "newest"} ${narrowingOf(list)}`;
}

/** Whether something is about this list. */
export function isOf(inbox: Inbox, list: InboxList): boolean {
  return listKey(inbox.list) === listKey(list);
}

/** A whole list replaces what was known: rows that left while nobody listened are not in it. */
export function withSnapshot(
  inbox: Inbox,
  news: InboxList & { rows: readonly Conversation[]; cursor?: string | null; counts: InboxCounts },
): Inbox {
  if (!isOf(inbox, news)) return inbox;
  const rows = new Map<ConversationId, Conversation>();
  for (const row of news.rows) {
    const held = inbox.rows.get(row.id);
    rows.set(row.id, held && held.version > row.version ? held : row);
  }
  const cursor = news.cursor ?? null;
  const edge = cursor === null ? null : lastPlace(news.rows, inbox.list);
  return { ...inbox, ready: true, rows, gone: new Map(), cursor, edge, ...counted(news.counts) };
}

/** Changes: newer rows in, gone rows out, in whichever order they come. */
export function withChanges(
  inbox: Inbox,
  news: InboxList & { rows: readonly Conversation[]; gone: readonly GoneRow[]; counts?: InboxCounts | null },
): Inbox {
  if (!isOf(inbox, news)) return narrowingOf(inbox.list) === narrowingOf(news) ? { ...inbox, ...counted(news.counts) } : inbox;
  const rows = new Map(inbox.rows);
  const gone = new Map(inbox.gone);
  for (const { id, version } of news.gone) {
    gone.set(id, Math.max(version, gone.get(id) ?? 0));
    const held = rows.get(id);
    if (held && held.version <= version) rows.delete(id);
  }
  for (const row of news.rows) addNewer(rows, gone, row);
  return { ...inbox, rows, gone, ...counted(news.counts) };
}

/** What news count: nothing where that could not be counted, and what was told before holds. */
function counted(counts: InboxCounts | null | undefined): Partial<Pick<Inbox, "counts" | "anywhere">> {
  return counts ? { counts, anywhere: { mine: counts.mine_anywhere, waiting: counts.waiting_anywhere } } : {};
}

/** The page that was read over HTTP from `from` on; live news that came first wins, and a list that goes on elsewhere by now takes none. */
export function withOlder(inbox: Inbox, list: InboxList, from: string, items: readonly Conversation[], cursor: string | null): Inbox {
  if (!isOf(inbox, list) || !inbox.ready || inbox.cursor !== from) return inbox;
  const rows = new Map(inbox.rows);
  for (const row of items) addNewer(rows, inbox.gone, row);
  const edge = cursor === null ? null : (lastPlace(items, list) ?? inbox.edge);
  return { ...inbox, rows, cursor, edge };
}

function addNewer(rows: Map<ConversationId, Conversation>, gone: ReadonlyMap<ConversationId, number>, row: Conversation): void {
  if ((gone.get(row.id) ?? -1) >= row.version) return;
  const held = rows.get(row.id);
  if (!held || held.version < row.version) rows.set(row.id, row);
}

/** Later than any time: behind all who wait. */
const BEHIND_MS = 2 ** 50;

/** Where a row stands; the server sorts by the same. */
function placeOf(row: Conversation, order: InboxOrder): Place {
  if (order !== "waiting") return { at_ms: row.active_at_ms, id: row.id };
  const waits = row.state === "open" && row.waiting_on === "agent";
  return { at_ms: row.waiting_since_at_ms + (waits ? 0 : BEHIND_MS), id: row.id };
}

function lastPlace(rows: readonly Conversation[], { order }: InboxList): Place | null {
  const last = rows.at(-1);
  return last ? placeOf(last, order ?? "newest") : null;
}

function upwards(a: Place, b: Place): number {
  return a.at_ms - b.at_ms || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** The ids in the list's order, as far as every row is known. */
export function sortedIds({ rows, list, edge }: Inbox): ConversationId[] {
  const order = list.order ?? "newest";
  const compare = order === "newest" ? (a: Place, b: Place) => upwards(b, a) : upwards;
  const places: Place[] = [];
  for (const row of rows.values()) {
    const place = placeOf(row, order);
    if (edge === null || compare(place, edge) <= 0) places.push(place);
  }
  return places.sort(compare).map((place) => place.id);
}
