/** The servers of the installation: which run, since when, and how many are connected to them. */
import { useQuery } from "@tanstack/react-query";
import type { NodeSeen, NodeState } from "@switchboard/protocol";

import { nodesQuery } from "../api/query.ts";
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

const STATES: Record<NodeState, { lamp: LampState; name: string }> = {
  ready: { lamp: "live", name: "Ready" },
  draining: { lamp: "away", name: "Leaving" },
  gone: { lamp: "risk", name: "Gone" },
};
