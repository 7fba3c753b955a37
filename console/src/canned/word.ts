/**
 * Canned responses as they are found while one writes, and filled. Pure. `\` and a nickname, or `\\` and how
 * a text begins, ask for them; both only where a word begins.
 */
import { beginningOf } from "@switchboard/markup";
import type { CannedResponse } from "@switchboard/protocol";

/** What stands before the caret and asks for something: from where to where, and what is looked for. */
export interface Asked {
  by: "nickname" | "text";
  query: string;
  start: number;
  end: number;
}

const BY_TEXT = /(?:^|\s)(\\\\([^\n\\]*))$/u;
const BY_NICKNAME = /(?:^|\s)(\\([\p{L}\p{M}\p{N}._-]*))$/u;

/** What is asked for at the caret, if anything. */
export function askedAt(text: string, caret: number): Asked | null {
  const before = text.slice(0, caret);
  for (const [by, form] of [["text", BY_TEXT], ["nickname", BY_NICKNAME]] as const) {
    const found = form.exec(before);
    if (found) return { by, query: found[2] ?? "", start: caret - (found[1] ?? "").length, end: caret };
  }
  return null;
}

const CHOICES_MAX = 20;

/** Without case and accents, as the server compares nicknames. */
export function folded(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

/** How well one fits: the lower the better; nothing where it does not. */
function rank({ nickname, body }: CannedResponse, { by, query }: Pick<Asked, "by" | "query">): number | null {
  const wanted = folded(query).trim();
  const text = folded(by === "nickname" ? nickname : body);
  if (by === "nickname" && nickname === "") return null;
  if (text.startsWith(wanted)) return text === wanted ? 0 : 1;
  if (wanted === "") return 1;
  return new RegExp(`[^\\p{L}\\p{N}]${wanted.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`, "u").test(text) ? 2 : null;
}

/** Those that fit, the best first, and of two alike one's own. */
export function fitting(all: readonly CannedResponse[], asked: Pick<Asked, "by" | "query">): CannedResponse[] {
  return all
    .flatMap((each) => {
      const place = rank(each, asked);
      return place === null ? [] : [{ each, place }];
    })
    .sort(
      (one, other) =>
        one.place - other.place ||
        labelOf(one.each).localeCompare(labelOf(other.each)) ||
        Number(one.each.agent_id == null) - Number(other.each.agent_id == null),
    )
    .slice(0, CHOICES_MAX)
    .map(({ each }) => each);
}

/** What one is called by: its nickname, else how its text begins. */
export function labelOf({ nickname, body }: Pick<CannedResponse, "nickname" | "body">): string {
  return nickname || beginningOf(body.split("\n", 1)[0] ?? "", 60);
}

/** The variables, and what stands for each in the settings' preview. */
export const VARIABLES = {
  customer_name: "The customer’s name",
  agent_name: "Your name",
  ticket_id: "The conversation’s number",
  department_signature: "The workspace’s name",
  response_details: "Where you go on writing",
} as const;

/** The name of a variable. */
export type Variable = keyof typeof VARIABLES;

/** What is known to fill in; empty where it is not known. */
export type Facts = Record<Exclude<Variable, "response_details">, string>;

const ANY = /\{\{\s*([\p{L}\p{N}_.-]*)\s*\}\}/gu;

function isVariable(name: string): name is Variable {
  return Object.hasOwn(VARIABLES, name);
}

function isFact(name: string): name is keyof Facts {
  return isVariable(name) && name !== "response_details";
}

/** A filled text, and what is to be selected in it: what is still to be written. */
export interface Filled {
  text: string;
  from: number;
  to: number;
}

/** Fills in what is known. What is not stays, so that one sees it. */
export function fill(body: string, facts: Facts): Filled {
  let cut: number | null = null;
  let text = "";
  let last = 0;
  for (const found of body.matchAll(ANY)) {
    const name = found[1] ?? "";
    text += body.slice(last, found.index);
    last = found.index + found[0].length;
    if (name === "response_details") cut ??= text.length;
    else text += (isFact(name) ? facts[name] : "") || found[0];
  }
  text += body.slice(last);
  const open = unfilledIn(text);
  if (cut !== null) return { text, from: cut, to: cut };
  return open ? { text, ...open } : { text, from: text.length, to: text.length };
}

/** The first variable of ours that nobody filled in. Another text in braces is the writer's own. */
export function unfilledIn(text: string): { from: number; to: number; name: string } | null {
  for (const found of text.matchAll(ANY)) {
    if (isVariable(found[1] ?? "")) return { from: found.index, to: found.index + found[0].length, name: found[0] };
  }
  return null;
}

/** What stands in braces and is no variable: it is sent as it stands. */
export function unknownIn(text: string): string[] {
  return [...new Set([...text.matchAll(ANY)].filter((found) => !isVariable(found[1] ?? "")).map((found) => found[0]))];
}
