/** Which visitors are listed, in which order, and with which columns. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useId, useMemo, useRef, useState } from "react";
import { limit, type VisitorOrder } from "@switchboard/protocol";

import { sitesQuery } from "../api/query.ts";
import { ORDERS, pathOf, sourceName, type Visitors } from "../live/visitors.ts";
import { Button } from "../part/control.tsx";
import { Icon } from "../part/icon.tsx";
import { usePhone } from "../part/screen.ts";
import { countryName } from "../side/visit.tsx";
import { useActions } from "../shell/action.ts";
import { ColumnMenu } from "./column.tsx";
import { often, type VisitorSearch } from "./narrow.ts";

const ORDER_NAMES: Record<VisitorOrder, string> = { active: "Active first", longest: "Here longest", pages: "Most pages", newest: "Came last" };

/** An order of the address bar, or the one a list has by itself. */
export function orderOf(text: string | undefined): VisitorOrder {
  return ORDERS.find((each) => each === text) ?? "active";
}

const NOTHING: VisitorSearch = { site: undefined, state: undefined, device: undefined, country: undefined, find: undefined, page: undefined, source: undefined };

interface Narrowing {
  search: VisitorSearch;
  change: (next: VisitorSearch) => void;
}

/** The line of choices over the list. */
export function Filters({ search, change, live: { rows, countries: known } }: Narrowing & { live: Visitors }) {
  const is_phone = usePhone();
  const sites = useQuery(sitesQuery);
  const [text, setText] = useState(search.find ?? "");
  // What is being typed goes, too.
  const [cleared_count, setClearedCount] = useState(0);
  const field = useRef<HTMLInputElement>(null);
  useActions([{ id: "search", name: "Search visitors", group: "List", keys: "/", icon: "search", run: () => field.current?.focus() }]);
  useEffect(() => {
    const wanted = text.trim() || undefined;
    if (wanted === search.find) return;
    const timer = setTimeout(() => change({ find: wanted }), 220);
    return () => clearTimeout(timer);
  }, [text]);
  const countries = useMemo(() => {
    const codes = new Set(known);
    if (search.country) codes.add(search.country);
    return [...codes].map((code) => [code, countryName(code)] as const).sort(([, one], [, other]) => one.localeCompare(other));
  }, [known, search.country]);
  const pages = useMemo(() => often([...rows.values()].map((row) => (row.page ? pathOf(row.page.url) : ""))), [rows]);
  const sources = useMemo(() => often([...rows.values()].map(({ source }) => sourceName(source))), [rows]);
  const active_sites = sites.data?.filter((site) => !site.archived) ?? [];
  const any = Object.keys(NOTHING).some((name) => search[name as keyof VisitorSearch]);
  return (
    <div className="visitors-filters" role="search">
      <div className="search">
        <Icon name="search" size={14} />
        <input ref={field} type="search" aria-label="Page, source or name" placeholder="Page, source or name" value={text} onChange={(event) => setText(event.target.value)} />
        <kbd>/</kbd>
      </div>
      <div className="visitors-choices">
        {active_sites.length > 1 && (
          <Choice label="Site" value={search.site} onChange={(site) => change({ site })} options={active_sites.map((site) => [site.id, site.name])} />
        )}
        <Choice label="State" value={search.state} onChange={(state) => change({ state })} options={[["active", "Active"], ["idle", "Idle"]]} />
        <Choice label="Device" value={search.device} onChange={(device) => change({ device })} options={[["desktop", "Desktop"], ["mobile", "Phone"], ["tablet", "Tablet"]]} />
        {countries.length > 0 && (
          <Choice label="Country" value={search.country} onChange={(country) => change({ country })} options={countries} />
        )}
        <Words key={`page ${cleared_count}`} label="Page" value={search.page} options={pages} onChange={(page) => change({ page })} />
        <Words key={`source ${cleared_count}`} label="Source" value={search.source} options={sources} onChange={(source) => change({ source })} />
        {any && (
          <Button
            size="small"
            tone="plain"
            onClick={({ detail }) => {
              setText("");
              setClearedCount(cleared_count + 1);
              change(NOTHING);
              // The button goes away from under the focus of who pressed it by a key.
              if (detail === 0) field.current?.focus();
            }}
          >
            Clear
          </Button>
        )}
        {is_phone && <Order search={search} change={change} />}
      </div>
    </div>
  );
}

/** In which order they stand, and with which columns: over the filters, so that these stay on one line beside an open visitor. */
export function Arranged(props: Narrowing) {
  const is_phone = usePhone();
  // A telephone has no room for it there, nor for columns.
  if (is_phone) return null;
  return (
    <>
      <Order {...props} />
      <ColumnMenu />
    </>
  );
}

function Order({ search, change }: Narrowing) {
  const order = orderOf(search.order);
  return (
    <select className="input choice" aria-label="Order of the list" value={order} data-set={order === "active" ? undefined : ""} onChange={(event) => change({ order: event.target.value === "active" ? undefined : event.target.value })}>
      {ORDERS.map((each) => (
        <option key={each} value={each}>
          {ORDER_NAMES[each]}
        </option>
      ))}
    </select>
  );
}

/** Words that the page or the source has to hold; those of the visitors in sight are offered. */
function Words({ label, value, options, onChange }: { label: string; value: string | undefined; options: readonly string[]; onChange: (value: string | undefined) => void }) {
  const [text, setText] = useState(value ?? "");
  const asked = useRef(value);
  const list = useId();
  // An address that was gone to is taken over; what is typed stays as it is typed.
  useEffect(() => {
    if (value === asked.current) return;
    asked.current = value;
    setText(value ?? "");
  }, [value]);
  useEffect(() => {
    const wanted = text.trim() || undefined;
    if (wanted === asked.current) return;
    const timer = setTimeout(() => {
      asked.current = wanted;
      onChange(wanted);
    }, 220);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <>
      <input className="input choice words" aria-label={`${label} holds`} placeholder={`${label}: any`} list={list} maxLength={limit.search_bytes_max} autoComplete="off" spellCheck={false} dir="auto" value={text} data-set={value ? "" : undefined} onChange={(event) => setText(event.target.value)} />
      <datalist id={list}>
        {options.map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
    </>
  );
}

function Choice({ label, value, options, onChange }: { label: string; value: string | undefined; options: readonly (readonly [string, string])[]; onChange: (value: string | undefined) => void }) {
  return (
    <select className="input choice" aria-label={label} value={value ?? ""} data-set={value ? "" : undefined} onChange={(event) => onChange(event.target.value || undefined)}>
      <option value="">{label}: any</option>
      {options.map(([each, name]) => (
        <option key={each} value={each}>
          {name}
        </option>
      ))}
    </select>
  );
}
