/** Lines of the audit log in words: who did what, and from what to what. Pure. */
import { beginningOf } from "@switchboard/markup";
import type { AuditEntry } from "@switchboard/protocol";

import { languageName } from "../part/language.ts";
import { spanText } from "../part/time.tsx";
import { DAYS } from "./support-hour.ts";

/** A line, as far as words need it. */
export type Line = Pick<AuditEntry, "actor" | "action" | "target" | "fields" | "changes_json" | "names">;

/** A piece of a sentence; one with an id is a name, and the id is shown on hover. */
export interface Piece {
  text: string;
  id?: string;
}

/** What was done, by action; `{}` stands for the name of what it was done to. */
const DEEDS: Record<string, string> = {
  "address.blocked": "blocked a network",
  "address.unblocked": "let a network in again",
  "agent.added": "added {} to the team",
  "agent.changed": "changed the member {}",
  "agent.deactivated": "deactivated {}",
  "agent.joined": "joined the team",
  "agent.reactivated": "took {} back into the team",
  "canned_response.changed": "changed the canned response {}",
  "canned_response.created": "made the canned response {}",
  "canned_response.removed": "took away the canned response {}",
  "contact.changed": "changed the contact {}",
  "contact.erased": "erased the contact {}",
  "contact.merged": "merged the contact {} into another",
  "contact.unmerged": "took the merge of the contact {} back",
  "invitation.created": "invited {}",
  "invitation.revoked": "withdrew the invitation of {}",
  "key.created": "made the API key {}",
  "key.revoked": "revoked the API key {}",
  "saved_view.changed": "changed the saved view {}",
  "saved_view.created": "made the saved view {}",
  "saved_view.removed": "took away the saved view {}",
  "site.archived": "archived the site {}",
  "site.changed": "changed the site {}",
  "site.created": "made the site {}",
  "site.identity_key_added": "added a public key to the site {}",
  "site.identity_key_dropped": "took a public key off the site {}",
  "site.restored": "took the site {} back into use",
  "site.secret_dropped": "ended a secret of the site {}",
  "site.secret_rotated": "rotated the secret of the site {}",
  "workspace.changed": "changed the workspace {}",
  "workspace.created": "set up the workspace {}",
};

/** Who did something. */
export function actorOf({ actor, names }: Line): Piece {
  return actor === "system" ? { text: "Switchboard" } : nameOf(actor, names);
}

/** What was done, as the rest of a sentence that begins with who. */
export function deedOf(line: Line): Piece[] {
  if (line.action === "agent.changed" && line.actor === line.target) return [{ text: "changed their own profile" }];
  const deed = DEEDS[line.action] ?? `did ${line.action} to {}`;
  // A thing without a name, as somebody's own text or one that is gone, is called by its kind.
  const [, ahead, kind, behind = ""] = /^(.*)the (canned response|saved view|API key|\w+) \{\}(.*)$/.exec(deed) ?? [];
  if (kind !== undefined && !line.names[line.target]) {
    const thing = { text: `${kind === "API key" ? "an" : "a"} ${kind}`, id: line.target };
    return [{ text: ahead ?? "" }, thing, { text: behind }].filter((piece) => piece.text !== "");
  }
  const [before = "", after] = deed.split("{}");
  if (after === undefined) return [{ text: before }];
  return [{ text: before }, nameOf(line.target, line.names), { text: after }].filter((piece) => piece.text !== "");
}

/** A name, or where nothing is known any more, what kind of thing it was. */
function nameOf(id: string, names: Line["names"]): Piece {
  return { text: names[id] || "somebody or something unknown", id };
}

const FIELDS: Record<string, string> = {
  after_close: "After the end",
  allowed_origins: "Allowed origins",
  archived: "Archived",
  body: "Text",
  company: "Company",
  deactivated: "Deactivated",
  email: "E-mail",
  identity_required: "Signed identity required",
  list: "List",
  merged_into_id: "Speaks for it",
  name: "Name",
  nickname: "Nickname",
  phone: "Phone",
  reopen_within_ms: "Reopens within",
  role: "Role",
  scopes: "May",
  settings: "Settings",
  theme: "Look",
  time_zone: "Time zone",
};

/** From what to what, one text for each field; the fields' names, in one, where the values are gone. */
export function changesOf(line: Pick<Line, "fields" | "changes_json" | "names">): string[] {
  const changes = objectOf(line.changes_json);
  if (changes === null) return line.fields.length === 0 ? [] : [[fieldName(line.fields[0] ?? ""), ...line.fields.slice(1).map(innerName)].join(", ")];
  return Object.entries(changes).flatMap(([field, pair]) =>
    Array.isArray(pair) ? differences(fieldName(field), field, pair[0], pair[1], line.names) : [fieldName(field)],
  );
}

function fieldName(field: string): string {
  const words = field.replace(/_ms$/, "").replaceAll("_", " ");
  return FIELDS[field] ?? words.charAt(0).toUpperCase() + words.slice(1);
}

/** A field's name within a sentence; days of the week keep their capital. */
function innerName(field: string): string {
  const name = fieldName(field);
  return field.endsWith("day") ? name : name.toLowerCase();
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
function differences(name: string, field: string, before: unknown, after: unknown, names: Line["names"]): string[] {
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort((a, b) => dayIndex(a) - dayIndex(b));
    return keys
      .filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]))
      .flatMap((key) => differences(`${name}, ${innerName(key)}`, key, before[key], after[key], names));
  }
  const [was, is] = [valueText(field, before, names), valueText(field, after, names)];
  if (was === "") return is === "" ? [] : [`${name}: ${is}`];
  return [`${name}: ${was} → ${is || "nothing"}`];
}

/** Days as the week has them; all else keeps its place. */
function dayIndex(field: string): number {
  return DAYS.findIndex(([day]) => day === field);
}

function valueText(field: string, value: unknown, names: Line["names"]): string {
  if (value === null || value === undefined || value === "") return "";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number" && field.endsWith("_ms") && !field.endsWith("_at_ms")) return spanText(value);
  if (typeof value === "string" && field === "language") return languageName(value);
  if (Array.isArray(value)) return value.map((each) => valueText(field, each, names)).join(", ");
  // A span of hours.
  if (isObject(value) && typeof value.from === "string" && typeof value.to === "string") return `${value.from}–${value.to}`;
  const text = typeof value === "string" ? (names[value] ?? value) : JSON.stringify(value);
  return text.length > 60 ? `${beginningOf(text, 57)}…` : text;
}
