/** The head of a thread: who, whose it is, who else looks, and what can be done. */
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { Conversation } from "@switchboard/protocol";

import { visitorQuery } from "../api/query.ts";
import { lampOf, PRIORITIES } from "../inbox/word.ts";
import { useLiveVisitor } from "../live/beside.ts";
import { useLog } from "../live/follow.ts";
import { useMay } from "../live/right.ts";
import { foundAt, neighbourOf, shownOrder } from "../live/selection.ts";
import { viewing } from "../live/signal.ts";
import { membership, team } from "../live/session.ts";
import { pathOf } from "../live/visitors.ts";
import { now } from "../part/clock.ts";
import { Button, Field, IconButton, TextField } from "../part/control.tsx";
import { DayTime } from "../part/day-time.tsx";
import { Dialog } from "../part/dialog.tsx";
import { Icon } from "../part/icon.tsx";
import { useLacks } from "../part/lack.ts";
import { Face, Lamp } from "../part/lamp.tsx";
import { Menu, MenuItem, MenuLabel, MenuRule } from "../part/menu.tsx";
import { usePhone } from "../part/screen.ts";
import { useStore } from "../part/store.ts";
import { soonText } from "../part/time.tsx";
import { useActions, type Action } from "../shell/action.ts";
import { useConnected } from "../shell/connection.tsx";
import { assign, block, close, join, leave, markSpam, openMenu, prioritize, reopen, snooze } from "./act.ts";
import { snoozeChoices } from "./choice.ts";
import { useLogMenu } from "./log-menu.tsx";
import { takesPart } from "./participant.ts";

/** The head. */
export function ThreadHead({ row, list, side, onSide, onFind }: { row: Conversation; list: string; side: boolean; onSide: () => void; onFind: () => void }) {
  const connected = useConnected();
  const { live } = useLiveVisitor(row.visitor_id);
  const visitor = connected ? live : undefined;
  const lamp = lampOf(row, visitor?.state === "active");
  // On a phone it is the title of the screen.
  const Heading = usePhone() ? "h1" : "h2";
  const may = useMay();
  const writes = may("conversations.write") && !row.contact_erased;
  return (
    <header className="thread-head">
      <Link to="/inbox/$list" params={{ list }} search={(before: Record<string, unknown>) => ({ ...before, at: undefined })} className="icon-button phone-only" aria-label="Back to the list">
        <BackIcon />
      </Link>
      <Lamp state={lamp.state} name={lamp.name} />
      <div className="grow thread-who">
        <Heading className="cut">
          <bdi>{row.contact_name}</bdi>
        </Heading>
        <div className="faint small cut">
          #{row.number} · {stateText(row, lamp.name)}
          {visitor?.page && <> · on {visitor.page.title || pathOf(visitor.page.url)}</>}
        </div>
      </div>
      <Viewers id={row.id} />
      {writes && <AssignMenu row={row} />}
      {writes && row.state !== "closed" && <SnoozeMenu row={row} />}
      {writes && <CloseButton row={row} list={list} />}
      <MoreMenu row={row} writes={writes} onFind={onFind} />
      <IconButton icon="panel" name={side ? "Hide the side panel" : "Show the side panel"} shortcut="i" aria-pressed={side} onClick={onSide} />
    </header>
  );
}

function BackIcon() {
  return (
    <svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" aria-hidden="true">
      <path d="M10 3 5 8l5 5" />
    </svg>
  );
}

function stateText(row: Conversation, lamp_name: string): string {
  if (row.state === "snoozed" && row.snoozed_until_ms) return `Snoozed until ${soonText(row.snoozed_until_ms, now())}`;
  return lamp_name;
}

function Viewers({ id }: { id: string }) {
  const ids = useStore(viewing, (held) => held.get(id));
  const agents = useStore(team, (held) => held.agents);
  const me = useStore(membership, (member) => member?.agent_id);
  const others = [...new Set(ids ?? [])].filter((each) => each !== me);
  if (others.length === 0) return null;
  const names = others.map((each) => agents.get(each)?.name ?? "A colleague");
  return (
    <span className="viewers" role="img" aria-label={`Also looking: ${names.join(", ")}`} title={`Also looking: ${names.join(", ")}`}>
      {others.slice(0, 3).map((each, index) => (
        <Face key={each} name={names[index] ?? ""} seed={each} size="small" />
      ))}
      <span className="viewers-eye">
        <Icon name="visitors" size={14} />
      </span>
      <span className="small faint viewers-word">{others.length === 1 ? "looks too" : "look too"}</span>
    </span>
  );
}

function AssignMenu({ row }: { row: Conversation }) {
  const agents = useStore(team, (held) => held.agents);
  const presence = useStore(team, (held) => held.presence);
  const me = useStore(membership, (member) => member?.agent_id ?? "");
  const assignee = row.assignee_id ? agents.get(row.assignee_id) : undefined;
  const members = [...agents.values()].filter((agent) => !agent.deactivated).sort((a, b) => Number(b.id === me) - Number(a.id === me) || a.name.localeCompare(b.name));
  return (
    <Menu
      trigger={
        <Button className="assign" data-menu="assign" title="Assign (T)" aria-keyshortcuts="t">
          {assignee && <span className="heard-only">Assigned to </span>}
          {assignee ? <Face name={assignee.name} seed={assignee.id} size="small" /> : <Icon name="assign" />}
          <span className="cut assign-name">{assignee ? (assignee.id === me ? "You" : assignee.name) : "Assign"}</span>
        </Button>
      }
    >
      {members.map((agent) => {
        const state = presence.get(agent.id) ?? "offline";
        return (
          <MenuItem
            key={agent.id}
            mark={<Lamp state={state === "online" ? "live" : state === "away" ? "away" : "quiet"} name={state} />}
            {...(agent.id === me ? { shortcut: "A" } : {})}
            onSelect={() => assign(row, agent.id)}
          >
            {agent.id === me ? `${agent.name} (you)` : agent.name}
            {agent.id === row.assignee_id ? ", now" : ""}
          </MenuItem>
        );
      })}
      <MenuRule />
      <MenuItem icon="close" disabled={!row.assignee_id} onSelect={() => assign(row, null)}>
        Nobody
      </MenuItem>
    </Menu>
  );
}

function SnoozeMenu({ row }: { row: Conversation }) {
  const [asking, setAsking] = useState(false);
  const [day, setDay] = useState("");
  const [time, setTime] = useState("09:00");
  const until_ms = new Date(`${day}T${time}`).getTime();
  const good = Number.isFinite(until_ms) && until_ms > now();
  const past = day && !good ? "Pick a time to come." : null;
  const lacks = useLacks<"day">(good ? {} : { day: "Pick a day." }, null, () => {
    snooze(row, until_ms);
    putAway();
  });
  function putAway() {
    lacks.clear();
    setAsking(false);
  }
  return (
    <>
      <Menu trigger={<IconButton icon="snooze" name="Snooze" shortcut="s" data-menu="snooze" />}>
        <MenuLabel>Snooze until</MenuLabel>
        {snoozeChoices(now()).map((choice) => (
          <MenuItem key={choice.name} onSelect={() => snooze(row, choice.until_ms)}>
            <span className="menu-split">
              {choice.name} <span className="faint">{soonText(choice.until_ms, now())}</span>
            </span>
          </MenuItem>
        ))}
        <MenuRule />
        <MenuItem icon="clock" onSelect={() => setAsking(true)}>
          Pick date and time
        </MenuItem>
        {row.state === "snoozed" && (
          <MenuItem icon="reopen" onSelect={() => reopen(row)}>
            Wake it now
          </MenuItem>
        )}
      </Menu>
      <Dialog title="Snooze until" open={asking} onClose={putAway}>
        <form className="stack" {...lacks.form}>
          <div className="line-fields">
            <TextField label="Day" type="date" value={day} onValue={setDay} error={past ?? lacks.said("day")} />
            <Field label="Time">{(props) => <DayTime {...props} value={time} onValue={setTime} />}</Field>
          </div>
          <p className="field-hint">In your time zone. It opens again earlier when the customer writes.</p>
          <div className="dialog-foot">
            <Button onClick={putAway}>Cancel</Button>
            <Button tone="accent" type="submit">
              Snooze
            </Button>
          </div>
        </form>
      </Dialog>
    </>
  );
}

function CloseButton({ row, list }: { row: Conversation; list: string }) {
  const navigate = useNavigate();
  const closed = row.state === "closed";
  function act() {
    if (closed) return reopen(row);
    const next = neighbourOf(shownOrder.get(), row.id, 1) ?? neighbourOf(shownOrder.get(), row.id, -1);
    close(row);
    if (next && next !== row.id && list !== "closed") {
      void navigate({ to: "/inbox/$list/$conversationId", params: { list, conversationId: next }, search: (before: Record<string, unknown>) => ({ ...before, at: foundAt.get().get(next) }) });
    }
  }
  useActions([{ id: "close", name: closed ? "Reopen" : "Close", group: "Conversation", keys: "e", icon: closed ? "reopen" : "check", run: act }]);
  return (
    // The second press of a double click would close the next one, which stands in its place by then.
    <Button icon={closed ? "reopen" : "check"} onClick={(event) => event.detail < 2 && act()} title={`${closed ? "Reopen" : "Close"} (E)`} aria-keyshortcuts="e" className="close-button">
      <span className="close-word">{closed ? "Reopen" : "Close"}</span>
    </Button>
  );
}

function MoreMenu({ row, writes, onFind }: { row: Conversation; writes: boolean; onFind: () => void }) {
  const of_log = useLogMenu(row, onFind);
  return (
    <>
      <Menu trigger={<IconButton icon="more" name="More" />}>
        {of_log.items}
        {writes && <WriterItems row={row} />}
      </Menu>
      {of_log.dialog}
      {writes && <WriterActions row={row} />}
    </>
  );
}

/** Whether I take part, as far as the log tells. */
function useTakesPart(row: Conversation): boolean | null {
  const me = useStore(membership, (member) => member?.agent_id ?? "");
  const log = useLog(row.id);
  return useMemo(() => (log ? takesPart(log.entries, log.older, me) : null), [log, me]);
}

function WriterActions({ row }: { row: Conversation }) {
  const me = useStore(membership, (member) => member?.agent_id ?? "");
  useActions(conversationActions(row, me, useTakesPart(row)));
  return null;
}

function WriterItems({ row }: { row: Conversation }) {
  const navigate = useNavigate();
  const visitor = useQuery({ ...visitorQuery(row.visitor_id ?? ""), enabled: row.visitor_id != null });
  const blocked = visitor.data?.blocked ?? false;
  const takes_part = useTakesPart(row);
  return (
    <>
      <MenuRule />
      {takes_part !== true && (
        <MenuItem icon="join" onSelect={() => join(row.id)}>
          Join
        </MenuItem>
      )}
      {takes_part !== false && (
        <MenuItem icon="leave" onSelect={() => leave(row.id)}>
          Leave
        </MenuItem>
      )}
      <MenuRule />
      <MenuLabel>Priority</MenuLabel>
      {PRIORITIES.map((name, rank) =>
        rank === 0 ? null : (
          <MenuItem key={name} icon={rank === row.priority ? "check" : "priority"} onSelect={() => prioritize(row, rank)}>
            {name}
          </MenuItem>
        ),
      )}
      <MenuRule />
      {row.state === "snoozed" && (
        <MenuItem icon="reopen" onSelect={() => reopen(row)}>
          Wake it now
        </MenuItem>
      )}
      {row.previous_id && (
        <MenuItem icon="back" onSelect={() => void navigate({ to: "/inbox/$list/$conversationId", params: { list: "all", conversationId: row.previous_id ?? "" } })}>
          Open the conversation before
        </MenuItem>
      )}
      <MenuItem icon="spam" onSelect={() => markSpam(row, !row.spam)}>
        {row.spam ? "Not spam" : "Mark as spam"}
      </MenuItem>
      {row.visitor_id != null && (
        <MenuItem icon="block" tone="risk" onSelect={() => block(row, !blocked)}>
          {blocked ? "Unblock the visitor" : "Block the visitor"}
        </MenuItem>
      )}
    </>
  );
}

function conversationActions(row: Conversation, me: string, takes_part: boolean | null): Action[] {
  return [
    { id: "take", name: "Assign to me", group: "Conversation", keys: "a", icon: "assign", run: () => assign(row, me) },
    { id: "assign", name: "Assign to somebody", group: "Conversation", keys: "t", icon: "assign", run: () => openMenu("assign") },
    { id: "snooze", name: "Snooze", group: "Conversation", keys: "s", icon: "snooze", run: () => openMenu("snooze") },
    takes_part === true
      ? { id: "join", name: "Leave", group: "Conversation", keys: "o", icon: "leave", run: () => leave(row.id) }
      : { id: "join", name: "Join", group: "Conversation", keys: "o", icon: "join", run: () => join(row.id) },
    { id: "spam", name: row.spam ? "Not spam" : "Mark as spam", group: "Conversation", keys: "!", icon: "spam", run: () => markSpam(row, !row.spam) },
    ...PRIORITIES.flatMap((name, rank) => (rank === 0 ? [] : [{ id: `priority-${rank}`, name: `Priority: ${name}`, group: "Conversation" as const, icon: "priority" as const, run: () => prioritize(row, rank) }])),
  ];
}
