/** Lines of the audit log in words: who did what, and from what to what. Pure. */
import { beginningOf } from "@switchboard/markup";
import type { AuditEntry } from "@switchboard/protocol";

import { languageName } from "../part/language.ts";
import { spanText } from "../part/time.tsx";
import { innerName, leafName } from "./leaf.ts";
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

/** What happened to a thing, where it was not just changed: of that, who did it stands behind it. */
const HAPPENED: Record<string, string> = {
  "agent.added": "Added to the team",
  "agent.deactivated": "Deactivated",
  "agent.joined": "Invitation accepted",
  "agent.reactivated": "Taken back into the team",
  "canned_response.created": "Written",
  "contact.erased": "Erased",
  "contact.merged": "Merged into another",
  "contact.unmerged": "Merge taken back",
  "site.archived": "Archived",
  "site.created": "Made",
  "site.identity_key_added": "Public key added",
  "site.identity_key_dropped": "Public key taken off",
  "site.restored": "Taken back into use",
  "site.secret_dropped": "Secret ended",
  "site.secret_rotated": "Secret rotated",
  "workspace.created": "Set up",
};

/** What happened, where it was more than a change. */
export function happenedIn({ action }: Pick<Line, "action">): string | null {
  return HAPPENED[action] ?? null;
}

/** What leaves nothing to say of from what to what. */
const SAYS_ALL = ["agent.deactivated", "agent.reactivated", "site.archived", "site.restored", "site.secret_rotated"];

/** From what to what, as far as what happened does not say it already. */
export function restOf(line: Line): string[] {
  return SAYS_ALL.includes(line.action) ? [] : changesOf(line);
}

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

/** From what to what, one text for each field; the fields' names, in one, where the values are gone. */
export function changesOf(line: Pick<Line, "fields" | "changes_json" | "names">): string[] {
  const changes = changesIn(line.changes_json);
  if (changes === null) {
    const [first, ...others] = line.fields;
    return first === undefined ? [] : [[leafName(first), ...others.map(innerName)].join(", ")];
  }
  return differencesIn(changes).map(({ leaf, before, after }) => {
    const [name, was, is] = [leafName(leaf), valueText(leaf, before, line.names), valueText(leaf, after, line.names)];
    return was === "" ? `${name}: ${is}` : `${name}: ${was} → ${is || "nothing"}`;
  });
}

/** What differs, by names within a sentence, each once; of the week's days none by itself. */
export function touchedIn(line: Pick<Line, "fields" | "changes_json">): string[] {
  const changes = changesIn(line.changes_json);
  const leaves = changes === null ? line.fields : differencesIn(changes).map(({ leaf }) => leaf);
  return [...new Set(leaves.map((leaf) => innerName(leaf.replace(/^support_hours\..*/, "support_hours"))))];
}

/** From what to what, by field. */
export type Changes = Record<string, [before: unknown, after: unknown]>;

/** What a line keeps of it; nothing where it is erased, or cannot be read, which is as good. */
export function changesIn(json: string | null | undefined): Changes | null {
  try {
    const value: unknown = json ? JSON.parse(json) : null;
    return isObject(value) && Object.values(value).every((pair) => Array.isArray(pair) && pair.length === 2) ? (value as Changes) : null;
  } catch {
    return null;
  }
}

/** Whether a value is a record. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A part that differs, by where it stands in its record. */
interface Difference {
  leaf: string;
  before: unknown;
  after: unknown;
}

function differencesIn(changes: Changes): Difference[] {
  return Object.entries(changes).flatMap(([field, [before, after]]) => differences(field, before, after));
}

/** Of two records, only what differs. */
function differences(leaf: string, before: unknown, after: unknown): Difference[] {
  if (isSame(before, after)) return [];
  if (!isObject(before) || !isObject(after)) return [{ leaf, before, after }];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort((a, b) => dayIndex(a) - dayIndex(b));
  return keys.flatMap((key) => differences(`${leaf}.${key}`, before[key], after[key]));
}

function isSame(before: unknown, after: unknown): boolean {
  return (isNothing(before) && isNothing(after)) || JSON.stringify(before) === JSON.stringify(after);
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
}

/** Days as the week has them; all else keeps its place. */
function dayIndex(field: string): number {
  return DAYS.findIndex(([day]) => day === field);
}

/** Values that are words of the protocol, as their forms say them. */
const WORDS: Readonly<Record<string, string>> = {
  "after_close.reopen": "reopens the old conversation",
  "after_close.start_new": "begins a new conversation",
  "theme.brightness.system": "as the visitor’s system",
  "theme.launcher_side.end": "at the end of the line",
  "theme.launcher_side.start": "at the start of the line",
};

function valueText(leaf: string, value: unknown, names: Line["names"]): string {
  if (isNothing(value)) return "";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number" && leaf.endsWith("_ms") && !leaf.endsWith("_at_ms")) return spanText(value);
  if (Array.isArray(value)) return value.map((each) => valueText(leaf, each, names)).join(", ");
  if (isObject(value)) return recordText(value);
  const text = String(value);
  if (/(^|\.)language$/.test(leaf)) return languageName(text);
  if (text.startsWith("data:image/")) return "a picture";
  return shortened(WORDS[`${leaf}.${text}`] ?? names[text] ?? text);
}

/** A span of hours, a question, or whatever it is. */
function recordText(record: Record<string, unknown>): string {
  if (typeof record["from"] === "string" && typeof record["to"] === "string") return `${record["from"]}–${record["to"]}`;
  return shortened(typeof record["label"] === "string" && record["label"] !== "" ? record["label"] : JSON.stringify(record));
}

const shortened = (text: string) => (text.length > 60 ? `${beginningOf(text, 57)}…` : text);
