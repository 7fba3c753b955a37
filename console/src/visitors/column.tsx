/** Which columns the list of visitors has: chosen by each member for himself. */
import { useMemo } from "react";

import { Button } from "../part/control.tsx";
import { Menu, MenuItem, MenuLabel } from "../part/menu.tsx";
import { useNarrow } from "../part/screen.ts";
import { createKeptStore, useStore } from "../part/store.ts";

/** The columns that may be left out. The page always stands there. */
const COLUMNS = { who: "Visitor", place: "Place", device: "Device", source: "Source", visits: "Visits", time: "Time" } as const;

/** A column. */
export type Column = keyof typeof COLUMNS;

const NAMES = Object.keys(COLUMNS) as Column[];
const WIDTHS: Record<Column, string> = {
  who: "minmax(0, 1.05fr)",
  place: "minmax(0, 1fr)",
  device: "minmax(0, 1.35fr)",
  source: "minmax(0, 0.85fr)",
  visits: "84px",
  // More where it stands on one line.
  time: "var(--time-width, 72px)",
};

const kept = createKeptStore<readonly Column[]>(
  "switchboard.visitor-columns",
  ["who", "place", "device", "source", "visits", "time"],
  (value): value is Column[] => Array.isArray(value) && value.every((each) => NAMES.includes(each as Column)),
);

/** Where there is little room, they leave it to the others. */
const FIRST_TO_GO: readonly Column[] = ["source", "visits"];

/** The columns in their order. */
export function useColumns(): readonly Column[] {
  const chosen = useStore(kept);
  const narrow = useNarrow();
  return useMemo(() => (narrow ? chosen.filter((each) => !FIRST_TO_GO.includes(each)) : chosen), [chosen, narrow]);
}

/** The widths of a row's parts, as the style sheet takes them. */
export function widthsOf(columns: readonly Column[]): string {
  return ["10px", "minmax(0, 2fr)", ...columns.map((each) => WIDTHS[each]), "20px"].join(" ");
}

/** Says what the columns hold. */
export function ColumnHeads() {
  const columns = useColumns();
  return (
    <div className="visitor-heads" aria-hidden="true" style={{ gridTemplateColumns: widthsOf(columns) }}>
      <span />
      <span>Page</span>
      {columns.map((each) => (
        <span key={each} data-column={each}>
          {COLUMNS[each]}
        </span>
      ))}
      <span />
    </div>
  );
}

/** Chooses them. */
export function ColumnMenu() {
  const columns = useStore(kept);
  const toggle = (column: Column) => kept.set((held) => NAMES.filter((each) => (each === column ? !held.includes(each) : held.includes(each))));
  return (
    <Menu trigger={<Button size="small" tone="plain" className="column-menu">Columns</Button>}>
      <MenuLabel>Columns of the list</MenuLabel>
      {NAMES.map((each) => (
        <MenuItem key={each} icon={columns.includes(each) ? "check" : "plus"} onSelect={() => toggle(each)}>
          {COLUMNS[each]}
          <span className="heard-only">{columns.includes(each) ? ", shown" : ", left out"}</span>
        </MenuItem>
      ))}
    </Menu>
  );
}
