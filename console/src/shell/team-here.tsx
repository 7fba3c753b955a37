/** Who of the team is here now, and what each has in sight. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";

import { conversationQuery } from "../api/query.ts";
import { colleagues, whereabouts, type Colleague } from "../live/colleague.ts";
import { records } from "../live/record.ts";
import { membership, team } from "../live/session.ts";
import { Icon } from "../part/icon.tsx";
import { Face } from "../part/lamp.tsx";
import { Menu, MenuItem, MenuLabel, MenuRule } from "../part/menu.tsx";
import { usePhone } from "../part/screen.ts";
import { useStore } from "../part/store.ts";
import { useConnected } from "./connection.tsx";

/** A place of the rail: how many are here, and behind it their names and places. */
export function TeamHere() {
  const held = useStore(team);
  const me = useStore(membership, (member) => member?.agent_id ?? "");
  const connected = useConnected();
  const isPhone = usePhone();
  const navigate = useNavigate();
  if (!held.ready) return null;
  const here = connected ? colleagues(held, me) : [];
  const state = !connected ? "not known while this browser is not connected" : here.length === 0 ? "nobody else is here" : `${here.length} here`;
  return (
    <Menu
      side={isPhone ? "top" : "right"}
      align="end"
      trigger={
        <button type="button" className="rail-place rail-team" title={`Team: ${state}`}>
          <Icon name="team" size={18} />
          <span className="rail-name">
            Team
            <span className="heard-only">, {state}</span>
          </span>
          {here.length > 0 && (
            <span className="rail-count" data-tone="live" aria-hidden="true">
              {here.length > 999 ? "999+" : here.length}
            </span>
          )}
        </button>
      }
    >
      <MenuLabel>{connected ? (here.length === 0 ? "Nobody else is here" : `Here now · ${here.length}`) : "Not connected"}</MenuLabel>
      {here.map((each) => (
        <Row key={each.agent.id} colleague={each} />
      ))}
      <MenuRule />
      <MenuItem icon="team" onSelect={() => void navigate({ to: "/settings/$page", params: { page: "team" } })}>
        All of the team
      </MenuItem>
    </Menu>
  );
}

/** One of them; choosing it goes to the same place. */
function Row({ colleague: { agent, isAway, sight } }: { colleague: Colleague }) {
  const navigate = useNavigate();
  const customer = useCustomer(sight?.conversation_id ?? null);
  function follow() {
    if (sight?.screen === "visitors") void navigate({ to: "/visitors" });
    else if (sight?.settings_page) void navigate({ to: "/settings/$page", params: { page: sight.settings_page } });
    else if (sight?.screen === "settings") void navigate({ to: "/settings" });
    else if (sight?.conversation_id) void navigate({ to: "/inbox/$list/$conversationId", params: { list: "all", conversationId: sight.conversation_id } });
    else void navigate({ to: "/inbox/$list", params: { list: sight?.screen === "todo" ? "todo" : "all" } });
  }
  const state = isAway ? "Away" : "Online";
  return (
    <MenuItem mark={<Face name={agent.name} seed={agent.id} size="small" lamp={isAway ? "away" : "live"} lampName={state} />} onSelect={follow}>
      <bdi className="team-name">{agent.name}</bdi>
      <span className="team-place">
        {isAway ? "Away · " : ""}
        {whereabouts(sight, customer)}
      </span>
    </MenuItem>
  );
}

/** What the customer of a conversation is called; read where no list has shown it. */
function useCustomer(id: string | null): string | undefined {
  const known = useStore(records, (all) => (id === null ? undefined : all.get(id)?.contact_name));
  const read = useQuery({ ...conversationQuery(id ?? ""), enabled: id !== null && known === undefined });
  return known ?? (id === null ? undefined : read.data?.contact_name);
}
