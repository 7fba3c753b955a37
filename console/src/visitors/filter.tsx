/** Which visitors are listed, in which order, and with which columns. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import type { LiveVisitor } from "@switchboard/protocol";

import { sitesQuery } from "../api/query.ts";
import { ORDERS, type Order } from "../live/visitors.ts";
import { Button } from "../part/control.tsx";
import { Icon } from "../part/icon.tsx";
import { countryName } from "../side/visit.tsx";
import { useActions } from "../shell/action.ts";
import { ColumnMenu } from "./column.tsx";
import type { VisitorSearch } from "./page.tsx";

const ORDER_NAMES: Record<Order, string> = { active: "Active first", longest: "Here longest", pages: "Most pages", newest: "Came last" };

/** An order of the address bar, or the one a list has by itself. */
export function orderOf(text: string | undefined): Order {
  return ORDERS.find((each) => each === text) ?? "active";
}

const NOTHING: VisitorSearch = { site: undefined, state: undefined, device: undefined, country: undefined, find: undefined };

/** The line of choices over the list. */
export function Filters({ search, change, rows }: { search: VisitorSearch; change: (next: VisitorSearch) => void; rows: ReadonlyMap<string, LiveVisitor> }) {
  const sites = useQuery(sitesQuery);
  const [text, setText] = useState(search.find ?? "");
  const field = useRef<HTMLInputElement>(null);
  useActions([{ id: "search", name: "Search visitors", group: "List", keys: "/", icon: "search", run: () => field.current?.focus() }]);
  useEffect(() => {
    const wanted = text.trim() || undefined;
    if (wanted === search.find) return;
    const timer = setTimeout(() => change({ find: wanted }), 220);
    return () => clearTimeout(timer);
  }, [text]);
  const countries = useMemo(() => {
    const codes = new Set([...rows.values()].flatMap((row) => (row.browser.country ? [row.browser.country] : [])));
    if (search.country) codes.add(search.country);
    return [...codes].sort();
  }, [rows, search.country]);
  const active_sites = sites.data?.filter((site) => !site.archived) ?? [];
  const any = Object.keys(NOTHING).some((name) => search[name as keyof VisitorSearch]);
  return (
    <div className="visitors-filters" role="search">
      <div className="search">
        <Icon name="search" size={14} />
        <input ref={field} type="search" aria-label="Page, source or name" placeholder="Page, source or name" value={text} onChange={(event) => setText(event.target.value)} />
        <kbd>/</kbd>
      </div>
      {active_sites.length > 1 && (
        <Choice label="Site" value={search.site} onChange={(site) => change({ site })} options={active_sites.map((site) => [site.id, site.name])} />
      )}
      <Choice label="State" value={search.state} onChange={(state) => change({ state })} options={[["active", "Active"], ["idle", "Idle"]]} />
      <Choice label="Device" value={search.device} onChange={(device) => change({ device })} options={[["desktop", "Desktop"], ["mobile", "Phone"], ["tablet", "Tablet"]]} />
      {countries.length > 0 && (
        <Choice label="Country" value={search.country} onChange={(country) => change({ country })} options={countries.map((code) => [code, countryName(code)])} />
      )}
      {any && (
        <Button
          size="small"
          tone="plain"
          onClick={() => {
            setText("");
            change(NOTHING);
          }}
        >
          Clear
        </Button>
      )}
      <span className="grow" />
      <select className="input choice" aria-label="Order of the list" value={orderOf(search.order)} data-set={orderOf(search.order) === "active" ? undefined : ""} onChange={(event) => change({ order: event.target.value === "active" ? undefined : event.target.value })}>
        {ORDERS.map((each) => (
          <option key={each} value={each}>
            {ORDER_NAMES[each]}
          </option>
        ))}
      </select>
      <ColumnMenu />
    </div>
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
