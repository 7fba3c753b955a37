/** What narrows and orders the list: chosen here, kept in the address bar. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { InboxFilter, InboxOrder } from "@switchboard/protocol";

import { picked } from "../live/pick.ts";
import { records } from "../live/record.ts";
import { membership, team } from "../live/session.ts";
import { now } from "../part/clock.ts";
import { Button, IconButton } from "../part/control.tsx";
import { Icon } from "../part/icon.tsx";
import { languageName, otherLanguages } from "../part/language.ts";
import { useStore } from "../part/store.ts";
import { dateText } from "../part/time.tsx";
import { useActions } from "../shell/action.ts";
import { daysOf, listSearch, narrowedBy, ordersOf, type ListSearch } from "./narrow.ts";
import { SaveView } from "./saved.tsx";
import { useSites } from "./site.tsx";
import { PRIORITIES, priorityName } from "./word.ts";

const ORDERS: Record<InboxOrder, string> = { newest: "Newest first", oldest: "Oldest first", waiting: "Waiting longest" };

/** The most urgent first, and what many look at together. */
const RANKS = PRIORITIES.map((name, rank) => [String(rank), name] as const).filter(([, name]) => name !== "").reverse();
const HIGH = PRIORITIES.indexOf("High");

const upFrom = (rank: number) => [`${rank}+`, `${priorityName(rank)} and up`] as const;

/** What a list is narrowed to, as a choice among the ranks. */
const rankOf = ({ priority, priority_min }: ListSearch) => (priority_min === undefined ? priority?.toString() : upFrom(priority_min)[0]);

/** The choices: a view of a program may be of others than ours. */
const ranksFor = ({ priority_min = HIGH }: ListSearch) => [...new Map([upFrom(HIGH), upFrom(priority_min), ...RANKS])];

const WHENS: readonly (readonly [string, string])[] = [
  ["today", "Today"],
  ["7d", "Last 7 days"],
  ["30d", "Last 30 days"],
];

/** What the address says of lists. */
export function useListSearch(): ListSearch {
  return listSearch(useSearch({ strict: false }));
}

/** What of an address stays when another list is opened. */
export function keptSearch(before: Record<string, unknown>): ListSearch {
  return listSearch(before);
}

/** Takes off whatever narrows. */
export function useUnnarrow(): () => void {
  const change = useChange();
  return () => change(NOTHING);
}

function useChange(): (next: ListSearch) => void {
  const navigate = useNavigate();
  return (next) => void navigate({ to: ".", search: (before: Record<string, unknown>) => ({ ...before, ...next }), replace: true });
}

const NOTHING: ListSearch = { site: undefined, agent: undefined, language: undefined, priority: undefined, priority_min: undefined, when: undefined };

/** The line under the names of the lists: the order, and what the list is narrowed to. A search has one order, and no name. */
export function NarrowBar({ filter, searching = false }: { filter: InboxFilter; searching?: boolean }) {
  const search = useListSearch();
  const [open, setOpen] = useState(false);
  const change = useChange();
  const is_covered = useStore(picked, ({ ids }) => ids.size > 0);
  const count = narrowedBy(search);
  const order = search.order && ordersOf(filter).includes(search.order) ? search.order : "newest";
  useActions([{ id: "narrow", name: searching ? "Narrow the search" : "Narrow the list", group: "List", keys: "f", icon: "narrow", run: () => setOpen(!open) }]);
  return (
    <div className="narrow">
      {/* Covered by what can be done with the picked ones. */}
      <div className="narrow-line" inert={is_covered}>
        {searching ? (
          <span className="narrow-said">{ORDERS.newest}</span>
        ) : (
          <select className="input choice narrow-order" aria-label="Order of the list" value={order} onChange={(event) => change({ order: event.target.value === "newest" ? undefined : (event.target.value as InboxOrder) })}>
            {ordersOf(filter).map((each) => (
              <option key={each} value={each}>
                {ORDERS[each]}
              </option>
            ))}
          </select>
        )}
        <span className="grow" />
        {!searching && <SaveView filter={filter} search={search} />}
        {count > 0 && (
          <Button size="small" tone="plain" onClick={() => change(NOTHING)}>
            Clear
          </Button>
        )}
        <button type="button" className="narrow-open" aria-expanded={open} aria-controls="narrow" aria-keyshortcuts="f" title={searching ? "Narrow the search (F)" : "Narrow the list (F)"} data-set={count > 0 || undefined} onClick={() => setOpen(!open)}>
          <Icon name="narrow" size={14} />
          {count === 0 ? "Filter" : count === 1 ? "1 filter" : `${count} filters`}
        </button>
      </div>
      {open ? <Choices search={search} change={change} what={searching ? "search" : "list"} /> : <NarrowTags search={search} change={change} what={searching ? "search" : "list"} />}
    </div>
  );
}

interface PartProps {
  search: ListSearch;
  change: (next: ListSearch) => void;
  /** What is narrowed. */
  what: "list" | "search";
}

function Choices({ search, change, what }: PartProps) {
  const sites = useSites();
  const members = useMembers();
  const languages = useLanguages(search.language);
  const others = useMemo(() => otherLanguages(languages.map(([tag]) => tag)), [languages]);
  const days = daysOf(search.when);
  const [asks_days, setAsksDays] = useState(days !== null);
  const setDays = (from: string, to: string) => change({ when: from || to ? `${from}..${to}` : undefined });
  return (
    <div className="narrow-choices" id="narrow" role="group" aria-label={`Filters of the ${what}`}>
      {(sites.length > 0 || search.site) && <Choice label="Site" any="All sites" value={search.site} options={sites.map((site) => [site.id, site.name])} onChange={(site) => change({ site })} />}
      <Choice label="Assigned to" any="Anybody" value={search.agent} options={members} onChange={(agent) => change({ agent })} />
      <Choice label="Language" any="Any" value={search.language} options={languages} further={["All languages", others]} onChange={(language) => change({ language })} />
      <Choice
        label="Priority"
        any="Any"
        value={rankOf(search)}
        options={ranksFor(search)}
        onChange={(choice) => {
          const rank = choice === undefined ? undefined : Number.parseInt(choice, 10);
          change(choice?.endsWith("+") ? { priority: undefined, priority_min: rank } : { priority: rank, priority_min: undefined });
        }}
      />
      <Choice
        label="Last active"
        any="At any time"
        value={asks_days ? "days" : search.when}
        options={[...WHENS, ["days", "From … to …"]]}
        onChange={(when) => {
          setAsksDays(when === "days");
          change({ when: when === "days" ? undefined : when });
        }}
      />
      {asks_days && (
        <div className="narrow-days">
          <input type="date" className="input" aria-label="From" value={days?.from ?? ""} max={days?.to || undefined} onChange={(event) => setDays(event.target.value, days?.to ?? "")} />
          <span className="faint">to</span>
          <input type="date" className="input" aria-label="To" value={days?.to ?? ""} min={days?.from || undefined} onChange={(event) => setDays(days?.from ?? "", event.target.value)} />
        </div>
      )}
    </div>
  );
}

interface ChoiceProps {
  label: string;
  any: string;
  value: string | undefined;
  options: Options;
  /** What is chosen less often, below a heading. */
  further?: readonly [heading: string, options: Options];
  onChange: (value: string | undefined) => void;
}

type Options = readonly (readonly [string, string])[];

const drawn = (options: Options) =>
  options.map(([each, name]) => (
    <option key={each} value={each}>
      {name}
    </option>
  ));

function Choice({ label, any, value, options, further, onChange }: ChoiceProps) {
  return (
    <label className="narrow-choice">
      <span>{label}</span>
      <select className="input choice" value={value ?? ""} data-set={value ? "" : undefined} onChange={(event) => onChange(event.target.value || undefined)}>
        <option value="">{any}</option>
        {drawn(options)}
        {further && <optgroup label={further[0]}>{drawn(further[1])}</optgroup>}
      </select>
    </label>
  );
}

/** What the list is narrowed to, in words, each with a way to take it off. */
function NarrowTags({ search, change, what }: PartProps) {
  const sites = useSites();
  const members = useMembers();
  if (narrowedBy(search) === 0) return null;
  const words: [keyof ListSearch, string][] = [];
  if (search.site) words.push(["site", sites.find((site) => site.id === search.site)?.name ?? "One site"]);
  if (search.agent) words.push(["agent", members.find(([id]) => id === search.agent)?.[1] ?? "A former member"]);
  if (search.language) words.push(["language", languageName(search.language)]);
  if (search.priority) words.push(["priority", `Priority: ${priorityName(search.priority)}`]);
  if (search.priority_min) words.push(["priority_min", `Priority: ${upFrom(search.priority_min)[1]}`]);
  if (search.when) words.push(["when", whenText(search.when)]);
  return (
    <ul className="narrow-set" id="narrow" aria-label={`The ${what} is narrowed to`}>
      {words.map(([name, text]) => (
        <li key={name} className="narrow-tag">
          <bdi className="cut">{text}</bdi>
          <IconButton icon="close" name={`Not only ${text}`} onClick={() => change({ [name]: undefined })} />
        </li>
      ))}
    </ul>
  );
}

function whenText(when: string): string {
  const named = WHENS.find(([each]) => each === when);
  if (named) return named[1];
  const days = daysOf(when);
  const text = (day: string) => dateText(new Date(`${day}T00:00`).getTime(), now());
  if (!days) return "";
  if (days.from === days.to) return text(days.from);
  if (!days.to) return `since ${text(days.from)}`;
  return days.from ? `${text(days.from)} to ${text(days.to)}` : `until ${text(days.to)}`;
}

function useMembers(): [string, string][] {
  const agents = useStore(team, (held) => held.agents);
  const me = useStore(membership, (member) => member?.agent_id ?? "");
  return [...agents.values()]
    .filter((agent) => !agent.deactivated)
    .sort((a, b) => Number(b.id === me) - Number(a.id === me) || a.name.localeCompare(b.name))
    .map((agent) => [agent.id, agent.id === me ? `${agent.name} (you)` : agent.name]);
}

/** The languages of the conversations that this page knows. */
function useLanguages(chosen: string | undefined): [string, string][] {
  const known = useStore(records);
  return useMemo(() => {
    const codes = new Set([...known.values()].flatMap((row) => row.language?.toLowerCase().split(/[-_]/, 1) ?? []));
    if (chosen) codes.add(chosen);
    return [...codes]
      .filter((code) => /^[a-z]{2,3}$/.test(code))
      .map((code): [string, string] => [code, languageName(code)])
      .sort(([, one], [, other]) => one.localeCompare(other));
  }, [known, chosen]);
}
