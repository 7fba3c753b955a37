/** Saved views and addresses: which address a view means, and which view an address shows. Pure. */
import type { InboxFilter, SavedList, SavedView } from "@switchboard/protocol";

import { listSearch, ordersOf, type ListSearch } from "./narrow.ts";

/** What a list with an address is saved as. */
export function savedOf(filter: InboxFilter, search: ListSearch): SavedList {
  const list: SavedList = { filter };
  if (search.site) list.site_id = search.site;
  if (search.agent) list.assignee_id = search.agent;
  if (search.language) list.language = search.language;
  if (search.priority) list.priority = search.priority;
  if (search.priority_min) list.priority_min = search.priority_min;
  if (search.when) list.span = search.when;
  if (search.order && ordersOf(filter).includes(search.order)) list.order = search.order;
  return list;
}

/** The address of a view. */
export function searchOf({ site_id, assignee_id, language, priority, priority_min, span, order }: SavedList): ListSearch {
  return listSearch({ site: site_id, agent: assignee_id, language, priority, priority_min, when: span, order });
}

/** The view that an address shows, if any does. */
export function viewOf(views: readonly SavedView[], filter: InboxFilter, search: ListSearch): SavedView | undefined {
  const shown = keyOf(savedOf(filter, search));
  return views.find(({ list }) => keyOf(savedOf(list.filter, searchOf(list))) === shown);
}

function keyOf(list: SavedList): string {
  return [list.filter, list.site_id, list.assignee_id, list.language, list.priority, list.priority_min, list.span, list.order ?? "newest"].join(" ");
}
