/** Who changed what, when; and which sign-ins failed. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { AuditEntry } from "@switchboard/protocol";

import { auditPage, failedLoginPage } from "../api/query.ts";
import { now } from "../part/clock.ts";
import { Button } from "../part/control.tsx";
import { Clock, clockText, dateText, dayText, exactText, startOfDay } from "../part/time.tsx";
import { actorOf, changesOf, deedOf, type Piece } from "./change.ts";
import { PageHead } from "./page.tsx";
import { NotLoaded } from "./state.tsx";

/** The page of the log. */
export function AuditPage() {
  const [tab, setTab] = useState<"audit" | "failed">("audit");
  return (
    <div className="page page-wide">
      <PageHead title="Audit log">What was changed, by whom. Values of erased people are gone; that something happened stays.</PageHead>
      <div className="modes" role="group" aria-label="Which log">
        <button type="button" className="mode" aria-pressed={tab === "audit"} onClick={() => setTab("audit")}>
          Changes
        </button>
        <button type="button" className="mode" aria-pressed={tab === "failed"} onClick={() => setTab("failed")}>
          Failed sign-ins
        </button>
      </div>
      {tab === "audit" ? <Changes /> : <FailedLogins />}
    </div>
  );
}

function At({ at_ms }: { at_ms: number }) {
  return (
    <time dateTime={new Date(at_ms).toISOString()} title={exactText(at_ms)}>
      {dateText(at_ms, now())}, {clockText(at_ms)}
    </time>
  );
}

function Changes() {
  const found = useInfiniteQuery({
    queryKey: ["audit"],
    queryFn: ({ pageParam, signal }) => auditPage(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.cursor ?? undefined,
  });
  if (!found.data) return <NotLoaded query={found} />;
  const lines = found.data.pages.flatMap((page) => page.items);
  const days = new Map<number, AuditEntry[]>();
  for (const line of lines) {
    const day = startOfDay(line.at_ms);
    days.set(day, [...(days.get(day) ?? []), line]);
  }
  return (
    <>
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

const REASONS: Record<string, string> = {
  wrong_password: "wrong password",
  locked: "locked out",
  not_found: "no such account",
  deactivated: "deactivated",
};

function FailedLogins() {
  const found = useInfiniteQuery({
    queryKey: ["failed-logins"],
    queryFn: ({ pageParam, signal }) => failedLoginPage(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.cursor ?? undefined,
  });
  if (!found.data) return <NotLoaded query={found} />;
  const lines = found.data.pages.flatMap((page) => page.items);
  return (
    <>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Address tried</th>
            <th scope="col">Reason</th>
            <th scope="col">From</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line, index) => (
            <tr key={`${line.at_ms} ${index}`}>
              <td>
                <At at_ms={line.at_ms} />
              </td>
              <td>{line.email}</td>
              <td>{REASONS[line.reason] ?? line.reason}</td>
              <td className="small faint" title={line.user_agent}>
                {line.address} {line.country ?? ""}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {lines.length === 0 && <p className="faint">No sign-in failed.</p>}
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
