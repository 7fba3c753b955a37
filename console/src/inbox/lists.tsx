/** The lists of the inbox by name: those one works in stand in line, what is put away behind a menu. */
import { Link } from "@tanstack/react-router";
import type { InboxCounts, InboxFilter } from "@switchboard/protocol";

import { inbox } from "../live/session.ts";
import { Menu, MenuLink } from "../part/menu.tsx";
import { useStore } from "../part/store.ts";
import { keptSearch } from "./narrow.tsx";

/** What each list is called, the one that is asked of me too. */
export const LIST_NAMES: Record<InboxFilter | "todo", string> = { todo: "To do", all: "All", mine: "Mine", unassigned: "Unassigned", waiting: "Waiting", snoozed: "Snoozed", closed: "Closed", spam: "Spam" };

/** Where work is; each is counted. */
const IN_LINE = ["all", "mine", "unassigned", "waiting"] as const satisfies readonly InboxFilter[];

/** What is put away, with the keys that lead there. */
const PUT_AWAY = [
  ["snoozed", "G Z"],
  ["closed", "G C"],
  ["spam", "G P"],
] as const satisfies readonly (readonly [InboxFilter, string])[];

/** A list of the address bar, or all. */
export function filterOf(text: string | undefined): InboxFilter {
  return [...IN_LINE, ...PUT_AWAY.map(([each]) => each)].find((filter) => filter === text) ?? "all";
}

/** The names, with their counts. */
export function Lists({ list }: { list: InboxFilter }) {
  const counts: InboxCounts | null = useStore(inbox, (held) => held.counts);
  const away = PUT_AWAY.find(([each]) => each === list)?.[0];
  return (
    <nav className="filters" aria-label="Lists">
      {IN_LINE.map((each) => (
        <Link key={each} to="/inbox/$list" params={{ list: each }} search={keptSearch} className="filter" aria-current={each === list ? "page" : undefined}>
          {LIST_NAMES[each]}
          {counts && <span className="filter-count">{countText(counts[each])}</span>}
        </Link>
      ))}
      <Menu
        trigger={
          <button type="button" className="filter filter-more" aria-current={away ? "page" : undefined}>
            {away ? LIST_NAMES[away] : "More"}
            <span className="heard-only">{away ? ", more lists" : " lists"}</span>
          </button>
        }
      >
        {PUT_AWAY.map(([each, keys]) => (
          <MenuLink key={each} shortcut={keys} link={<Link to="/inbox/$list" params={{ list: each }} search={keptSearch} aria-current={each === list ? "page" : undefined} />}>
            {LIST_NAMES[each]}
          </MenuLink>
        ))}
      </Menu>
    </nav>
  );
}

/** Counts are exact up to a thousand. */
export function countText(count: number): string {
  return count >= 1_000 ? "1000+" : String(count);
}
