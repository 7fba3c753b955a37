/** What is saved as one goes comes in many lines of the log; what somebody changed in one sitting is read as one. Pure. */
import type { AuditEntry } from "@switchboard/protocol";

import { changesIn, isObject, type Changes } from "./change.ts";

/** Changes of one person that follow each other this closely are of one sitting. */
const PAUSE_MS = 10 * 60_000;

/** The lines about one thing, newest first, with each sitting as one line: from what stood before it to what stood after it, what was changed last first. */
export function sittings(lines: readonly AuditEntry[]): AuditEntry[] {
  const told: AuditEntry[] = [];
  let begun_at_ms = 0;
  for (const line of lines) {
    const later = told.at(-1);
    const is_same = later?.actor === line.actor && later.action === line.action && line.action.endsWith(".changed");
    if (later && is_same && begun_at_ms - line.at_ms <= PAUSE_MS) told[told.length - 1] = joined(line, later);
    else told.push(line);
    begun_at_ms = line.at_ms;
  }
  return told;
}

function joined(earlier: AuditEntry, later: AuditEntry): AuditEntry {
  const [first, second] = [changesIn(earlier.changes_json), changesIn(later.changes_json)];
  return {
    ...later,
    fields: [...new Set([...later.fields, ...earlier.fields])],
    changes_json: first && second && JSON.stringify(joinedChanges(first, second)),
    names: { ...earlier.names, ...later.names },
  };
}

function joinedChanges(earlier: Changes, later: Changes): Changes {
  const changes: Changes = { ...later };
  for (const [field, [before, between]] of Object.entries(earlier)) {
    const pair = later[field];
    changes[field] = pair ? joinedPair([before, between], pair) : [before, between];
  }
  return changes;
}

/** Of a record each holds only what it changed: what only one of them changed comes from that one. */
function joinedPair([before, between]: Changes[string], [since, after]: Changes[string]): Changes[string] {
  if (!isObject(before) || !isObject(between) || !isObject(since) || !isObject(after)) return [before, after];
  return [{ ...without(since, { ...before, ...between }), ...before }, { ...without(between, { ...since, ...after }), ...after }];
}

function without(record: Record<string, unknown>, others: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !(key in others)));
}
