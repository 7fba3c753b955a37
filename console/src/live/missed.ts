/** What a paused list does not show. Pure. */
import type { LiveVisitor } from "@switchboard/protocol";

import { hasLeft, type Visitors } from "./visitors.ts";

/** How many came, left, and did something. */
export interface Missed {
  came: number;
  left: number;
  changed: number;
}

/** What happened between two moments of one list. */
export function missedOf(paused: Visitors, live: Visitors): Missed {
  if (!live.ready) return { came: 0, left: 0, changed: 0 };
  const rows = [...live.rows.values()];
  const came = rows.filter(({ id }) => !paused.rows.has(id)).length;
  const changed = rows.filter((row) => differs(paused.rows.get(row.id), row)).length;
  const left = [...paused.rows.keys()].filter((id) => hasLeft(live, id)).length;
  return { came, left, changed };
}

function differs(before: LiveVisitor | undefined, row: LiveVisitor): boolean {
  return before !== undefined && before.version !== row.version;
}

/** What is missed, in words; nothing where nothing is. */
export function missedText({ came, left, changed }: Missed): string {
  const parts: [number, string][] = [[came, "came"], [left, "left"], [changed, "changed"]];
  return parts.flatMap(([count, word]) => (count > 0 ? [`${count} ${word}`] : [])).join(", ");
}
