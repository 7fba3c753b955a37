/** Who changed what, when; and which sign-ins failed. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { auditPage, failedLoginPage, sitesQuery } from "../api/query.ts";
import { team } from "../live/session.ts";
import { now } from "../part/clock.ts";
import { Button } from "../part/control.tsx";
import { useStore } from "../part/store.ts";
import { clockText, dateText, exactText } from "../part/time.tsx";
import { changeText } from "./change.ts";
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
  const agents = useStore(team, (held) => held.agents);
  const sites = useQuery(sitesQuery);
  const found = useInfiniteQuery({
    queryKey: ["audit"],
    queryFn: ({ pageParam, signal }) => auditPage(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.cursor ?? undefined,
  });
  if (!found.data) return <NotLoaded query={found} />;
  const lines = found.data.pages.flatMap((page) => page.items);
  const name = (id: string) => agents.get(id)?.name ?? sites.data?.find((site) => site.id === id)?.name ?? (id === "system" ? "Switchboard" : id);
  return (
    <>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col">What</th>
            <th scope="col">Fields</th>
            <th scope="col">From</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <tr key={line.id}>
              <td>
                <At at_ms={line.at_ms} />
              </td>
              <td>{name(line.actor)}</td>
              <td>
                <code>{line.action}</code> <span className="faint small">{name(line.target)}</span>
              </td>
              <td className="small">{changeText(line)}</td>
              <td className="small faint">{line.address ?? ""}</td>
            </tr>
          ))}
        </tbody>
      </table>
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
