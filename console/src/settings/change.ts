/** Lines of the audit log in words. Pure. */
import type { AuditEntry } from "@switchboard/protocol";

/** From what to what, where that is still there; the fields' names otherwise. */
export function changeText(line: Pick<AuditEntry, "fields" | "changes_json">): string {
  const changes = objectOf(line.changes_json);
  if (changes === null) return line.fields.join(", ");
  return Object.entries(changes)
    .flatMap(([field, pair]) => (Array.isArray(pair) ? differences(field, pair[0], pair[1]) : [field]))
    .join("; ");
}

function objectOf(json: string | null | undefined): Record<string, unknown> | null {
  try {
    const value: unknown = json ? JSON.parse(json) : null;
    return isObject(value) ? value : null;
  } catch {
    // An unreadable value is as good as an erased one.
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Of two records, only what differs. */
function differences(field: string, before: unknown, after: unknown): string[] {
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name])).flatMap((name) => differences(`${field}.${name}`, before[name], after[name]));
  }
  return [`${field}: ${shortText(before)} → ${shortText(after)}`];
}

function shortText(value: unknown): string {
  if (value === null || value === undefined || value === "") return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "nothing" : value.map(shortText).join(", ");
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
