/** The rail: the places, and at its foot who I am, whether I can be reached, and how many conversations are mine. */
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useRouterState } from "@tanstack/react-router";

import { meQuery } from "../api/query.ts";
import { useMay } from "../live/right.ts";
import { availability, inbox, membership, setAvailability, visitors } from "../live/session.ts";
import { workspaceChoice } from "../live/workspace.ts";
import { Icon, type IconName } from "../part/icon.tsx";
import { Face, Lamp } from "../part/lamp.tsx";
import { Menu, MenuItem, MenuLabel, MenuRule } from "../part/menu.tsx";
import { usePhone } from "../part/screen.ts";
import { useStore } from "../part/store.ts";
import { useUnread } from "../todo/list.tsx";
import { useConnected } from "./connection.tsx";
import { density, type Density } from "./density.ts";
import { palette_open } from "./palette.tsx";
import { sheet_open } from "./sheet.tsx";
import { useSignOut } from "./sign-out.tsx";
import { TeamHere } from "./team-here.tsx";
import { theme, type ThemeChoice } from "./theme.ts";

/** The rail; a bar at the foot on phones. */
export function Rail() {
  const waiting_count = useStore(inbox, (held) => held.anywhere.waiting);
  const active_count = useStore(visitors, (held) => held.counts?.active ?? 0);
  const unread = useUnread();
  const connected = useConnected();
  return (
    <nav className="rail" aria-label="Places" data-stale={connected ? undefined : ""}>
      <Link to="/inbox/$list" params={{ list: "all" }} className="rail-mark" aria-label="Switchboard" title="Switchboard" tabIndex={-1}>
        <Mark />
      </Link>
      <Place to="/inbox" icon="inbox" name="Inbox" count={countText(waiting_count)} countName="waiting" tone="ringing" />
      <Place to="/inbox/todo" icon="todo" name="To do" count={unread.count} countName="unread" />
      <Place to="/visitors" icon="visitors" name="Visitors" count={countText(active_count)} countName="active now" tone="live" />
      <Place to="/settings" icon="settings" name="Settings" count={null} countName="" />
      <div className="rail-gap" />
      <TeamHere />
      <button type="button" className="rail-place rail-find" title="Find anything (⌘K)" aria-label="Find anything" onClick={() => palette_open.set(true)}>
        <Icon name="search" size={18} />
        <span className="rail-name">Find</span>
      </button>
      <Own />
    </nav>
  );
}

/** The mark: a lamp on a jack. */
export function Mark() {
  return (
    <svg width="28" height="28" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M16 17v9M9 26h14" stroke="currentColor" strokeWidth="3" strokeLinecap="round" />
      <circle cx="16" cy="11" r="6" className="mark-lamp" />
    </svg>
  );
}

/** Counts are exact up to a thousand; nothing is no count. */
function countText(count: number): string | null {
  return count === 0 ? null : count > 999 ? "999+" : String(count);
}

/** What is to do stands within the inbox, and is a place of its own. */
const PLACES: readonly string[] = ["/inbox/todo", "/inbox", "/visitors", "/settings"];

/** The place that an address belongs to: the first that it begins with. */
function usePlace(): string | undefined {
  return useRouterState({ select: ({ location }) => PLACES.find((place) => `${location.pathname}/`.startsWith(`${place}/`)) });
}

interface PlaceProps {
  to: string;
  icon: IconName;
  name: string;
  count: string | null;
  countName: string;
  tone?: string;
}

function Place({ to, icon, name, count, countName, tone }: PlaceProps) {
  const here = usePlace() === to;
  return (
    <Link
      to={to}
      className={here ? "rail-place active" : "rail-place"}
      aria-current={here ? "page" : undefined}
      activeOptions={{ exact: true }}
      title={count === null ? name : `${name}: ${count} ${countName}`}
    >
      <Icon name={icon} size={18} />
      <span className="rail-name">{name}</span>
      {count !== null && (
        <span className="rail-count" data-tone={tone}>
          <span className="heard-only">, </span>
          {count}
          <span className="heard-only"> {countName}</span>
        </span>
      )}
    </Link>
  );
}

function Own() {
  const member = useStore(membership);
  const wanted = useStore(availability);
  const own_count = useStore(inbox, (held) => held.anywhere.mine);
  const connected = useConnected();
  const navigate = useNavigate();
  const may = useMay();
  const is_phone = usePhone();
  const sign_out = useSignOut();
  if (!member) return null;
  const lamp = !connected ? "quiet" : wanted === "online" ? "live" : "away";
  const state = !connected ? "Offline" : wanted === "online" ? "Online" : "Away";
  const load = own_count === 0 ? "" : `, ${countText(own_count)} in Mine`;
  return (
    <>
      <Menu
        side={is_phone ? "top" : "right"}
        align="end"
        trigger={
          <button type="button" className="rail-own" title={`${member.name}: ${connected ? state : "offline, for this browser is not connected"}${load}`}>
            <Face name={member.name} seed={member.agent_id} lamp={lamp} />
            <span className="rail-name">{state}</span>
            {own_count > 0 && (
              <span className="rail-count" data-tone="own" aria-hidden="true">
                {countText(own_count)}
              </span>
            )}
            <span className="heard-only">
              {load}, menu of {member.name}
            </span>
          </button>
        }
      >
        <MenuLabel>
          {member.name} · {member.workspace_name}
        </MenuLabel>
        <MenuItem mark={<Lamp state="live" />} onSelect={() => setAvailability("online")}>
          Online{wanted === "online" ? " (now)" : ""}
        </MenuItem>
        <MenuItem mark={<Lamp state="away" />} onSelect={() => setAvailability("away")}>
          Away{wanted === "away" ? " (now)" : ""}
        </MenuItem>
        <MenuRule />
        <ThemeItems />
        <DensityItems />
        <WorkspaceItems />
        <MenuRule />
        <MenuItem icon="person" onSelect={() => void navigate({ to: "/settings/$page", params: { page: "profile" } })}>
          Profile
        </MenuItem>
        <MenuItem icon="shield" onSelect={() => void navigate({ to: "/settings/$page", params: { page: "security" } })}>
          Security and password
        </MenuItem>
        {may("audit.read") && (
          <MenuItem icon="log" onSelect={() => void navigate({ to: "/settings/$page", params: { page: "audit" } })}>
            Audit log
          </MenuItem>
        )}
        <MenuItem icon="more" shortcut="?" onSelect={() => sheet_open.set(true)}>
          Keyboard
        </MenuItem>
        <MenuItem icon="join" onSelect={sign_out.want}>
          Sign out
        </MenuItem>
      </Menu>
      {sign_out.question}
    </>
  );
}

const THEMES: readonly [ThemeChoice, string, IconName][] = [
  ["system", "As the system", "screen"],
  ["light", "Light", "sun"],
  ["dark", "Dark", "moon"],
];

function ThemeItems() {
  const chosen = useStore(theme);
  return (
    <>
      <MenuLabel>Theme</MenuLabel>
      {THEMES.map(([choice, name, icon]) => (
        <MenuItem key={choice} icon={choice === chosen ? "check" : icon} onSelect={() => theme.set(choice)}>
          {name}
        </MenuItem>
      ))}
    </>
  );
}

const DENSITIES: readonly [Density, string][] = [
  ["comfortable", "Two lines"],
  ["compact", "One line"],
];

function DensityItems() {
  const chosen = useStore(density);
  return (
    <>
      <MenuLabel>Rows of lists</MenuLabel>
      {DENSITIES.map(([choice, name]) => (
        <MenuItem key={choice} icon={choice === chosen ? "check" : "log"} onSelect={() => density.set(choice)}>
          {name}
        </MenuItem>
      ))}
    </>
  );
}

/** A user of several workspaces goes over here; each has its own connection. */
function WorkspaceItems() {
  const me = useQuery(meQuery);
  const member = useStore(membership);
  const others = me.data?.memberships.filter((each) => each.workspace_id !== member?.workspace_id) ?? [];
  if (others.length === 0) return null;
  return (
    <>
      <MenuRule />
      <MenuLabel>Other workspaces</MenuLabel>
      {others.map((other) => (
        <MenuItem key={other.workspace_id} icon="next" onSelect={() => workspaceChoice.set(other.workspace_id)}>
          {other.workspace_name}
        </MenuItem>
      ))}
    </>
  );
}
