/** Who changed a record last, on a line, and behind it who changed what before. Nothing of it for those who may not read the log. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useRef } from "react";
import type { AuditEntry } from "@switchboard/protocol";

import { changesQuery } from "../api/query.ts";
import { useMay } from "../live/right.ts";
import { membership } from "../live/session.ts";
import { Button } from "../part/control.tsx";
import { useNear } from "../part/near.ts";
import { useStore } from "../part/store.ts";
import { Ago } from "../part/time.tsx";
import { actorOf, happenedIn, restOf, touchedIn } from "./change.ts";
import { sittings } from "./sitting.ts";

/** The line of a record that has this id. It is read once it is in sight, and anew when something was changed. */
export function LastChange({ of }: { of: string }) {
  return useMay()("audit.read") && <Line of={of} />;
}

/** Its place is kept while it is not there yet: nothing below it moves. */
function Line({ of }: { of: string }) {
  const frame = useRef<HTMLDivElement>(null);
  const found = useInfiniteQuery({ ...changesQuery(of), enabled: useNear(frame, ".settings-body") });
  return (
    <div ref={frame} className="last-change small faint">
      {found.data ? <History query={found} lines={found.data.pages.flatMap((page) => page.items)} /> : found.isError && "Who changed it last could not be read."}
    </div>
  );
}

interface HistoryProps {
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
  lines: readonly AuditEntry[];
}

function History({ query, lines }: HistoryProps) {
  const told = sittings(lines);
  const [latest] = told;
  if (!latest) return "No changes in the log.";
  return (
    <details>
      <summary className="cut">
        <Said line={latest} changed="Last changed" />
        {happenedIn(latest) === null && namesOf(touchedIn(latest))}
      </summary>
      <ChangeLines lines={told} />
      {query.hasNextPage && (
        <Button size="small" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          Show older
        </Button>
      )}
    </details>
  );
}

/** Names that a line has room for. */
const NAMES_MAX = 3;

function namesOf(names: readonly string[]): string {
  if (names.length === 0) return ", and put back as it was";
  const more = names.length - NAMES_MAX;
  return `: ${names.slice(0, NAMES_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Changes of one thing, newest first, each sitting with from what to what. */
export function ChangeLines({ lines }: { lines: readonly AuditEntry[] }) {
  return (
    <ol className="change-lines">
      {lines.map((line) => (
        <li key={line.id}>
          <Said line={line} changed="Changed" />
          {restOf(line).map((change) => (
            <div key={change} className="change-line">
              <bdi>{change}</bdi>
            </div>
          ))}
        </li>
      ))}
    </ol>
  );
}

/** What happened, by whom and when. */
function Said({ line, changed }: { line: AuditEntry; changed: string }) {
  const me = useStore(membership, (member) => member?.agent_id);
  return (
    <>
      {happenedIn(line) ?? changed} by <bdi>{line.actor === me ? "you" : actorOf(line).text}</bdi>, <Ago at_ms={line.at_ms} words="ago" />
    </>
  );
}
