/** Who of the team was signed in when, from where and for how long. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { agentsQuery, signInsQuery } from "../api/query.ts";
import { membership } from "../live/session.ts";
import { now, useTimeText } from "../part/clock.ts";
import { Field } from "../part/control.tsx";
import { Lamp } from "../part/lamp.tsx";
import { useStore } from "../part/store.ts";
import { clockText, dateText, exactText, spanText } from "../part/time.tsx";
import { countryName } from "../side/visit.tsx";
import { hoursText, within } from "./hours.ts";
import { browserName } from "./own-sign-in.tsx";
import { PageHead } from "./page.tsx";
import { NotLoaded } from "./state.tsx";

const DAY_MS = 24 * 60 * 60 * 1_000;

const PERIODS: readonly [number, string][] = [
  [1, "The last 24 hours"],
  [7, "The last 7 days"],
  [30, "The last 30 days"],
];

/** The page of sign-ins. */
export function ActivityPage() {
  const agents = useQuery(agentsQuery);
  const me = useStore(membership, (member) => member?.agent_id ?? "");
  const [chosen, setChosen] = useState<string | null>(null);
  const [days, setDays] = useState(7);
  const agent_id = chosen ?? me;
  const found = useQuery({ ...signInsQuery(agent_id), enabled: agent_id !== "" });
  // Time goes on for who is signed in.
  const minute = useTimeText(() => String(Math.floor(now() / 60_000)));
  if (!agents.data) return <NotLoaded query={agents} />;
  const until_ms = Math.max(now(), Number(minute) * 60_000);
  const from_ms = until_ms - days * DAY_MS;
  const sign_ins = (found.data ?? []).filter((one) => one.seen_at_ms >= from_ms);
  return (
    <div className="page page-wide">
      <PageHead title="Activity">Sign-ins of the team. How long counts from the sign-in to its last use.</PageHead>
      <div className="line-fields">
        <Field label="Whose">
          {(props) => (
            <select {...props} className="input" value={agent_id} onChange={(event) => setChosen(event.target.value)}>
              {agents.data.map((agent) => (
                <option key={agent.id} value={agent.id}>
                  {agent.name}
                  {agent.deactivated ? " (deactivated)" : ""}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="When">
          {(props) => (
            <select {...props} className="input" value={days} onChange={(event) => setDays(Number(event.target.value))}>
              {PERIODS.map(([each, name]) => (
                <option key={each} value={each}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      {!found.data ? (
        <NotLoaded query={found} />
      ) : (
        <>
          <p role="status">
            <b>{hoursText(within(sign_ins, from_ms))}</b> in {sign_ins.length === 1 ? "1 sign-in" : `${sign_ins.length} sign-ins`}
          </p>
          {sign_ins.length > 0 && (
            <table className="table">
              <thead>
                <tr>
                  <th scope="col">Signed in</th>
                  <th scope="col">Last used</th>
                  <th scope="col">For</th>
                  <th scope="col">With</th>
                  <th scope="col">From</th>
                </tr>
              </thead>
              <tbody>
                {sign_ins.map((one) => (
                  <tr key={one.id}>
                    <td data-word="Signed in">
                      <At at_ms={one.created_at_ms} />
                    </td>
                    <td data-word="Last used">
                      {one.ended_at_ms == null && <Lamp state="live" size="small" name="Signed in" />} <At at_ms={one.seen_at_ms} />
                    </td>
                    <td data-word="For">{spanText(one.seen_at_ms - one.created_at_ms)}</td>
                    <td title={one.user_agent}>{browserName(one.user_agent)}</td>
                    <td className="small faint">
                      {one.address} {one.country ? countryName(one.country) : ""}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </>
      )}
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
