/** Empty lists: they teach the next step with the real snippet. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { InboxFilter, InboxList } from "@switchboard/protocol";

import { sitesQuery } from "../api/query.ts";
import { useMay } from "../live/right.ts";
import { inbox } from "../live/session.ts";
import { emptyInbox, narrowingOf } from "../live/inbox.ts";
import { usePhone } from "../part/screen.ts";
import { useStore } from "../part/store.ts";
import { Snippet } from "../settings/snippet.tsx";
import { Checklist } from "./checklist.tsx";
import { useWasWritten } from "./written.ts";

const WORDS: Record<InboxFilter, { title: string; text: string }> = {
  all: { title: "No open conversations", text: "A conversation appears here as soon as a visitor writes." },
  mine: { title: "Nothing is assigned to you", text: "Take a conversation with A, or by answering one of the unassigned." },
  unassigned: { title: "Nobody waits unassigned", text: "New conversations land here until somebody takes them." },
  waiting: { title: "Nobody waits for an answer", text: "Whoever wrote last and waits for us stands here, whoever it is assigned to." },
  snoozed: { title: "Nothing is snoozed", text: "A conversation that rests until a time stands here. It comes back by itself, or with the customer’s next words." },
  closed: { title: "Nothing is closed yet", text: "Closed conversations stay here, and can be searched and reopened." },
  spam: { title: "No spam", text: "What is marked as spam is kept here, and can be taken back." },
};

const WHOLE = narrowingOf(emptyInbox({ filter: "all" }).list);

const NARROWED = { title: "Nothing here fits the filters", text: "What comes to fit them appears at once. Take one off to see more." };

/** What stands where a list has no rows. */
export function NothingHere({ list }: { list: InboxList }) {
  const { filter } = list;
  const narrowed = narrowingOf(list) !== WHOLE;
  const counts = useStore(inbox, (held) => held.counts);
  const quiet = filter === "all" && !narrowed && (counts?.all ?? 0) === 0;
  const may = useMay();
  const teaches = useWasWritten(quiet && may("sites.write")) === false;
  const sites = useQuery({ ...sitesQuery, enabled: teaches });
  const site = sites.data?.find((each) => !each.archived);
  const words = narrowed ? NARROWED : WORDS[filter];
  // Elsewhere it stands beside the list.
  const phone = usePhone();
  return (
    <div className="empty">
      <h2>{words.title}</h2>
      <p className="faint">{words.text}</p>
      {filter === "mine" && !narrowed && (counts?.unassigned ?? 0) > 0 && (
        <Link className="button" to="/inbox/$list" params={{ list: "unassigned" }}>
          Show {counts?.unassigned} unassigned
        </Link>
      )}
      {quiet && phone && <Checklist />}
      {teaches && site && (
        <div className="stack">
          <p className="faint">Put this on your pages, or write to yourself from the test page.</p>
          <Snippet site_id={site.id} />
          <a className="button" href="/demo/" target="_blank" rel="noopener">
            Open the test page
          </a>
        </div>
      )}
    </div>
  );
}
