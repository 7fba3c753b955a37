/** Who changed what, when. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import type { AuditEntry } from "@switchboard/protocol";

import { auditPage } from "../api/query.ts";
import { now } from "../part/clock.ts";
import { Button } from "../part/control.tsx";
import { Clock, dayText, startOfDay } from "../part/time.tsx";
import { actorOf, changesOf, deedOf, type Piece } from "./change.ts";
import { PageHead } from "./page.tsx";
import { NotLoaded } from "./state.tsx";

/** The page of the log; of one thing alone, where the address names it. */
export function AuditPage() {
  const { target } = useSearch({ strict: false });
  return (
    <div className="page page-wide">
      <PageHead title="Audit log">What was changed, by whom. Values of erased people are gone; that something happened stays.</PageHead>
      <Changes target={target} />
    </div>
  );
}

function Changes({ target }: { target: string | undefined }) {
  const found = useInfiniteQuery({
    queryKey: ["audit", target],
    queryFn: ({ pageParam, signal }) => auditPage(target, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.cursor ?? undefined,
  });
  const lines = found.data?.pages.flatMap((page) => page.items) ?? [];
  const only = target !== undefined && <Only name={lines.find(({ names }) => names[target])?.names[target] ?? target} />;
  if (!found.data) {
    return (
      <>
        {only}
        <NotLoaded query={found} />
      </>
    );
  }
  const days = new Map<number, AuditEntry[]>();
  for (const line of lines) {
    const day = startOfDay(line.at_ms);
    days.set(day, [...(days.get(day) ?? []), line]);
  }
  return (
    <>
      {only}
      {[...days].map(([day, of_day]) => (
        <section key={day} className="audit-day">
          <h2>{dayText(day, now())}</h2>
          <ol>
            {of_day.map((line) => (
              <ChangeLine key={line.id} line={line} />
            ))}
          </ol>
        </section>
      ))}
      {lines.length === 0 && <p className="faint">Nothing was changed yet.</p>}
      {found.hasNextPage && (
        <div>
          <Button disabled={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
            Show older
          </Button>
        </div>
      )}
    </>
  );
}

/** What the log is narrowed to, and the way back to all of it. */
function Only({ name }: { name: string }) {
  return (
    <p className="notice">
      <span className="grow">
        Only what was done to{" "}
        <b>
          <bdi>{name}</bdi>
        </b>
      </span>
      <Link to="/settings/$page" params={{ page: "audit" }} className="button" data-size="small">
        Show all
      </Link>
    </p>
  );
}

/** One line: when, who did what, from what to what, and from where. */
function ChangeLine({ line }: { line: AuditEntry }) {
  return (
    <li className="audit-line">
      <span className="audit-time">
        <Clock at_ms={line.at_ms} />
      </span>
      <div className="grow">
        <div>
          <PieceText piece={actorOf(line)} />{" "}
          {deedOf(line).map((piece, index) => (
            <PieceText key={index} piece={piece} />
          ))}
        </div>
        {changesOf(line).map((change) => (
          <div key={change} className="faint small audit-change">
            <bdi>{change}</bdi>
          </div>
        ))}
      </div>
      <span className="faint small">{line.address ?? ""}</span>
    </li>
  );
}

function PieceText({ piece }: { piece: Piece }) {
  if (piece.id === undefined) return <span>{piece.text}</span>;
  return (
    <b title={piece.id}>
      <bdi>{piece.text}</bdi>
    </b>
  );
}
