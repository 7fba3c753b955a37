/** Sign-ins that failed: when, whose, why and from where, and the way to block where they come from. */
import { useInfiniteQuery } from "@tanstack/react-query";

import { failedLoginPage } from "../api/query.ts";
import { useMay } from "../live/right.ts";
import { now } from "../part/clock.ts";
import { Button } from "../part/control.tsx";
import { clockText, dateText, exactText } from "../part/time.tsx";
import { countryName } from "../side/visit.tsx";
import { browserName } from "./browser.ts";
import { Section } from "./page.tsx";
import { NotLoaded } from "./state.tsx";

function At({ at_ms }: { at_ms: number }) {
  return (
    <time dateTime={new Date(at_ms).toISOString()} title={exactText(at_ms)}>
      {dateText(at_ms, now())}, {clockText(at_ms)}
    </time>
  );
}

const REASONS: Record<string, string> = {
  wrong_password: "wrong password",
  locked: "locked out",
  not_found: "no such account",
  deactivated: "deactivated",
  blocked: "right password, blocked address",
};

/** The newest first; the rest on demand. */
export function FailedLogins({ onBlock }: { onBlock: (network: string) => void }) {
  const may_block = useMay()("settings.write");
  const found = useInfiniteQuery({
    queryKey: ["failed-logins"],
    queryFn: ({ pageParam, signal }) => failedLoginPage(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.cursor ?? undefined,
  });
  if (!found.data) return <NotLoaded query={found} />;
  const lines = found.data.pages.flatMap((page) => page.items);
  return (
    <Section title="Failed sign-ins" hint="Five failures of one address within 15 minutes lock it out for a while. The list is kept for 90 days unless the server is configured otherwise.">
      {lines.length > 0 && <table className="table">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Address tried</th>
            <th scope="col">Reason</th>
            <th scope="col">With</th>
            <th scope="col">From</th>
            {may_block && (
              <th scope="col">
                <span className="heard-only">Block</span>
              </th>
            )}
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
              <td title={line.user_agent}>{browserName(line.user_agent)}</td>
              <td className="small faint">
                {line.address} {line.country ? countryName(line.country) : ""}
              </td>
              {may_block && (
                <td>
                  <Button size="small" onClick={() => onBlock(line.address)} aria-label={`Block ${line.address}`}>
                    Block
                  </Button>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>}
      {lines.length === 0 && <p className="faint">No sign-in failed.</p>}
      {found.hasNextPage && (
        <div>
          <Button disabled={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
            Show older
          </Button>
        </div>
      )}
    </Section>
  );
}
