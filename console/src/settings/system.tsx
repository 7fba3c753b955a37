/** What the installation runs on: servers, the store, the way between servers, backups. */
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { NodeSeen, NodeState, Trouble, TroubleKind } from "@switchboard/protocol";

import { Refused } from "../api/http.ts";
import { nodesQuery, troublesQuery } from "../api/query.ts";
import { Lamp, type LampState } from "../part/lamp.tsx";
import { Began } from "../part/time.tsx";
import { PageHead, Section } from "./page.tsx";
import { NotLoaded } from "./state.tsx";

/** The page of the installation. */
export function SystemPage() {
  const found = useQuery(nodesQuery);
  if (!found.data) return <NotLoaded query={found} whole />;
  return (
    <div className="page page-wide">
      <PageHead title="System">What this installation runs on, as it is just now.</PageHead>
      <Section title="Servers" hint={HINT}>
        <Servers nodes={found.data} />
      </Section>
      <Section title="Behind them">
        <Parts />
      </Section>
    </div>
  );
}

const HINT = "They are one installation: anybody may be connected to any of them. One that was stopped leaves the list at once, one that died within seconds.";

function Servers({ nodes }: { nodes: readonly NodeSeen[] }) {
  return (
    <table className="table" aria-label="Servers">
      <thead>
        <tr>
          <th scope="col">Server</th>
          <th scope="col">State</th>
          <th scope="col">Connections</th>
          <th scope="col">Running since</th>
          <th scope="col">Version</th>
        </tr>
      </thead>
      <tbody>
        {nodes.map((node) => (
          <tr key={node.id}>
            <td className="server-name">
              <bdi>{node.name}</bdi>
              {node.answers && nodes.length > 1 && <span className="faint"> (answers this page)</span>}
            </td>
            <td data-word="State">
              <State state={node.state} />
            </td>
            <td data-word="Connections">{node.connection_count.toLocaleString("en")}</td>
            <td data-word="Running since">
              <Began at_ms={node.started_at_ms} />
            </td>
            <td data-word="Version">{node.version}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function State({ state }: { state: NodeState }) {
  // A server that is newer than this page may be in another.
  const words = Object.hasOwn(STATES, state) ? STATES[state] : { lamp: "quiet" as const, name: state };
  return (
    <span className="last-used">
      {words.name}
      <Lamp state={words.lamp} size="small" />
    </span>
  );
}

/** What the servers share, and whether it works. */
function Parts() {
  const { data, error } = useQuery(troublesQuery);
  const is_away = error instanceof Refused && error.problem.code === "unavailable";
  const of = (kind: TroubleKind) => data?.find((trouble) => trouble.kind === kind);
  return (
    <table className="table" aria-label="Parts that they share">
      <thead>
        <tr>
          <th scope="col">Part</th>
          <th scope="col">State</th>
        </tr>
      </thead>
      <tbody>
        <Part name="Store" good="Answers" bad={is_away ? "Does not answer" : null} known={is_away || data !== undefined} />
        <Part name="News between servers" good="Come at once" bad={since("Late", of("bus_unreachable"))} known={data !== undefined && !is_away} />
        <Part name="Settings of the servers" good="The same" bad={since("Different", of("settings_differ"))} known={data !== undefined && !is_away} />
        <Part name="Backups" good="None failed" bad={since("Failing", of("backup_failed"))} known={data !== undefined && !is_away} />
      </tbody>
    </table>
  );
}

function since(word: string, trouble: Trouble | undefined): ReactNode {
  if (!trouble) return null;
  return (
    <>
      {word} since <Began at_ms={trouble.since_at_ms} />: {trouble.reason}
    </>
  );
}

function Part({ name, good, bad, known }: { name: string; good: string; bad: ReactNode; known: boolean }) {
  return (
    <tr>
      <td>{name}</td>
      <td data-word="State">
        {known ? (
          <span className="last-used">
            {bad ?? good}
            <Lamp state={bad === null ? "live" : "risk"} size="small" />
          </span>
        ) : (
          <span className="faint">Not known just now</span>
        )}
      </td>
    </tr>
  );
}

const STATES: Record<NodeState, { lamp: LampState; name: string }> = {
  ready: { lamp: "live", name: "Ready" },
  draining: { lamp: "away", name: "Leaving" },
  gone: { lamp: "risk", name: "Gone" },
};
