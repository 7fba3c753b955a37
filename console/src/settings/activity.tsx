/** Who of the team was signed in when, from where and for how long. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useRef } from "react";
import type { Agent, AgentId, Attendance, SignIn } from "@switchboard/protocol";

import { agentsQuery, attendanceQuery, signInsQuery, WHOLE_MAX } from "../api/query.ts";
import { team } from "../live/session.ts";
import { now, useTimeText } from "../part/clock.ts";
import { Button, Field } from "../part/control.tsx";
import { Lamp } from "../part/lamp.tsx";
import { useStore } from "../part/store.ts";
import { clockText, dateText, exactText } from "../part/time.tsx";
import { useConnected } from "../shell/connection.tsx";
import { countryName } from "../side/visit.tsx";
import { browserName } from "./browser.ts";
import { hoursText, inUse, lampOf, spentBy, type Use } from "./hours.ts";
import { PageHead, Section } from "./page.tsx";
import { NotLoaded } from "./state.tsx";

const DAY_MS = 24 * 60 * 60 * 1_000;

const PERIODS: readonly [number, string][] = [
  [1, "The last 24 hours"],
  [7, "The last 7 days"],
  [30, "The last 30 days"],
];
const DAYS_USUAL = 7;

/** Whose sign-ins are shown and of how long, as the address says it; what it says wrongly counts for nothing. */
function useChoice(agents: readonly Agent[]) {
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const change = (next: { agent?: string | undefined; days?: string | undefined }) =>
    void navigate({ to: ".", search: (before: Record<string, unknown>) => ({ ...before, ...next }), replace: true });
  return {
    agent: agents.find(({ id }) => id === search.agent) ?? null,
    days: PERIODS.find(([each]) => String(each) === search.days)?.[0] ?? DAYS_USUAL,
    setAgent: (id: string) => change({ agent: id || undefined }),
    setDays: (days: number) => change({ days: days === DAYS_USUAL ? undefined : String(days) }),
  };
}

/** Who of the team is here; nobody is known to be while this browser is not connected. */
function useHereNow(): ReadonlySet<AgentId> {
  const presence = useStore(team, (held) => held.presence);
  const connected = useConnected();
  return new Set(connected ? [...presence].flatMap(([id, availability]) => (availability === "offline" ? [] : [id])) : []);
}

/** The page of sign-ins. */
export function ActivityPage() {
  const agents = useQuery(agentsQuery);
  const { agent, days, setAgent, setDays } = useChoice(agents.data ?? []);
  const found = useQuery({ ...signInsQuery(agent?.id ?? null, days), enabled: agents.data !== undefined });
  const attendance = useQuery({ ...attendanceQuery(days), enabled: agents.data !== undefined });
  const whose = useRef<HTMLSelectElement>(null);
  // Time goes on for who is signed in.
  const minute = useTimeText(() => String(Math.floor(now() / 60_000)));
  const here = useHereNow();
  if (!agents.data) return <NotLoaded query={agents} whole />;
  const now_ms = Math.max(now(), Number(minute) * 60_000);
  const from_ms = now_ms - days * DAY_MS;
  // The name that was pressed is there no more: the keys go on where it is chosen, too.
  const choose = (id: string) => {
    setAgent(id);
    whose.current?.focus();
  };
  const sign_ins = (found.data ?? []).filter((one) => one.seen_at_ms >= from_ms);
  const in_use = inUse(sign_ins, here, now_ms);
  return (
    <div className="page page-wide">
      <PageHead title="Activity">Sign-ins of the team, and how long each member had the console open. A pause of more than 20 minutes does not count; several browsers at once count as one.</PageHead>
      <div className="line-fields">
        <Field label="Whose">
          {(props) => (
            <select {...props} ref={whose} className="input" value={agent?.id ?? ""} onChange={(event) => setAgent(event.target.value)}>
              <option value="">Everybody</option>
              {agents.data.map((each) => (
                <option key={each.id} value={each.id}>
                  {each.name}
                  {each.deactivated ? " (deactivated)" : ""}
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
      {!found.data || !attendance.data ? (
        <NotLoaded query={found.isError ? found : attendance} />
      ) : (
        <>
          {agent === null ? (
            <TeamTime agents={agents.data} sign_ins={sign_ins} in_use={in_use} attendance={attendance.data} onChoose={choose} />
          ) : (
            <OwnTime agent={agent} sign_ins={sign_ins} attendance={attendance.data} days={days} />
          )}
          {found.data.length >= WHOLE_MAX && <p className="faint">There are more: the newest {WHOLE_MAX.toLocaleString("en")} are listed.</p>}
          {sign_ins.length > 0 && (
            <Section title="Sign-ins">
              <SignIns sign_ins={sign_ins} in_use={in_use} agents={agent === null ? agents.data : null} />
            </Section>
          )}
        </>
      )}
    </div>
  );
}

/** How long one member was there, or that he was not. */
function OwnTime({ agent, sign_ins, attendance, days }: { agent: Agent; sign_ins: readonly SignIn[]; attendance: readonly Attendance[]; days: number }) {
  const spent = attendance.find(({ agent_id }) => agent_id === agent.id)?.used_ms ?? 0;
  const period = PERIODS.find(([each]) => each === days)?.[1].toLowerCase();
  return (
    <p role="status">
      {sign_ins.length === 0 ? (
        <>
          <bdi>{agent.name}</bdi> was not signed in during {period}.
        </>
      ) : (
        <>
          <b>{hoursText(spent)}</b> in {sign_ins.length === 1 ? "1 sign-in" : `${sign_ins.length} sign-ins`}
        </>
      )}
    </p>
  );
}

interface TimeProps {
  agents: readonly Agent[];
  sign_ins: readonly SignIn[];
  in_use: ReadonlySet<SignIn>;
  attendance: readonly Attendance[];
  onChoose: (agent_id: string) => void;
}

/** How long each member was there; a name leads to his sign-ins alone. */
function TeamTime({ agents, sign_ins, in_use, attendance, onChoose }: TimeProps) {
  return (
    <table className="table" aria-label="Time of each member">
      <thead>
        <tr>
          <th scope="col">Member</th>
          <th scope="col">Time</th>
          <th scope="col">Sign-ins</th>
          <th scope="col">Last used</th>
        </tr>
      </thead>
      <tbody>
        {spentBy(agents, sign_ins, in_use, attendance).map(({ agent, ms, count, seen_at_ms, use }) => (
          <tr key={agent.id}>
            <td>
              <Button tone="plain" size="small" className="table-name" onClick={() => onChoose(agent.id)}>
                <bdi>{agent.name}</bdi>
                {agent.deactivated && <span className="faint"> (deactivated)</span>}
              </Button>
            </td>
            <td data-word="Time">{count === 0 ? <span className="faint">Not signed in</span> : hoursText(ms)}</td>
            <td data-word="Sign-ins">{count}</td>
            <td data-word="Last used">{seen_at_ms !== null && <LastUsed at_ms={seen_at_ms} use={use} />}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Each sign-in; of all of the team also whose. */
function SignIns({ sign_ins, in_use, agents }: { sign_ins: readonly SignIn[]; in_use: ReadonlySet<SignIn>; agents: readonly Agent[] | null }) {
  const name = (id: string) => agents?.find((agent) => agent.id === id)?.name ?? "A former member";
  return (
    <table className="table" aria-label="Sign-ins">
      <thead>
        <tr>
          {agents && <th scope="col">Who</th>}
          <th scope="col">Signed in</th>
          <th scope="col">Last used</th>
          <th scope="col">With</th>
          <th scope="col">From</th>
        </tr>
      </thead>
      <tbody>
        {sign_ins.map((one) => (
          <tr key={`${one.id} ${one.agent_id}`}>
            {agents && (
              <td>
                <bdi>{name(one.agent_id)}</bdi>
              </td>
            )}
            <td data-word="Signed in">
              <At at_ms={one.created_at_ms} />
            </td>
            <td data-word="Last used">
              <LastUsed at_ms={one.seen_at_ms} use={lampOf([one], in_use)} />
            </td>
            <td title={one.user_agent}>{browserName(one.user_agent)}</td>
            <td className="small faint">
              {one.address} {one.country ? countryName(one.country) : ""}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const USES: Record<NonNullable<Use>, string> = { live: "Here now", quiet: "Signed in, not here now" };

/** Times stand below each other, whoever is still there. */
function LastUsed({ at_ms, use }: { at_ms: number; use: Use }) {
  return (
    <span className="last-used">
      <At at_ms={at_ms} />
      {use && <Lamp state={use} size="small" name={USES[use]} />}
    </span>
  );
}

function At({ at_ms }: { at_ms: number }) {
  return (
    <time dateTime={new Date(at_ms).toISOString()} title={exactText(at_ms)}>
      {dateText(at_ms, now())}, {clockText(at_ms)}
    </time>
  );
}
