/** What narrows the list of visitors, as the address bar says it. Pure. */
import { limit, type Device, type PresenceState, type VisitorFilter } from "@switchboard/protocol";

/** Words that are offered, at most. */
const OFFERED_MAX = 20;

/** What the address bar says of the list. */
export interface VisitorSearch {
  visitor?: string | undefined;
  site?: string | undefined;
  state?: string | undefined;
  device?: string | undefined;
  country?: string | undefined;
  find?: string | undefined;
  page?: string | undefined;
  source?: string | undefined;
  order?: string | undefined;
}

/** The filter of an address. */
export function filterOf(search: VisitorSearch): VisitorFilter {
  const filter: VisitorFilter = {};
  if (search.site) filter.site_id = search.site;
  if (search.state === "active" || search.state === "idle") filter.state = search.state satisfies PresenceState;
  if (search.device === "desktop" || search.device === "mobile" || search.device === "tablet") filter.device = search.device satisfies Device;
  if (search.country) filter.country = search.country;
  if (search.find) filter.search = cut(search.find);
  if (search.page) filter.page = cut(search.page);
  if (search.source) filter.source = cut(search.source);
  return filter;
}

/** As much of a text as is looked for. */
function cut(text: string): string {
  const bytes = new TextEncoder().encode(text).subarray(0, limit.search_bytes_max);
  // Half a letter at the end is left out.
  return new TextDecoder().decode(bytes, { stream: true });
}

/** The most frequent of these, those first that are there most often. */
export function often(texts: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const text of texts) if (text) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts]
    .sort(([one, a], [other, b]) => b - a || one.localeCompare(other))
    .slice(0, OFFERED_MAX)
    .map(([text]) => text);
}
