/** Mentions in notes: `@` and a name, where a word begins. Pure. Who is meant is read from the words themselves, so that a draft needs to keep nothing else. */
import type { Agent, AgentId } from "@switchboard/protocol";

/** A member, as far as mentions need one. */
export type Member = Pick<Agent, "id" | "name" | "deactivated">;

/** What stands before the caret and asks for a member. */
export interface AskedMember {
  query: string;
  start: number;
  end: number;
}

const FORM = /(?:^|[\s(])(@([\p{L}\p{M}\p{N}._'’-]*(?: [\p{L}\p{M}\p{N}._'’-]+)?))$/u;

/** What is asked for at the caret: a name, or its first two words. */
export function memberAskedAt(text: string, caret: number): AskedMember | null {
  const found = FORM.exec(text.slice(0, caret));
  return found ? { query: folded(found[2] ?? ""), start: caret - (found[1] ?? "").length, end: caret } : null;
}

const CHOICES_MAX = 8;

/** Members who can be told, one of whose names begins so; oneself is never told. */
export function membersFitting<M extends Member>(members: Iterable<M>, me: AgentId, query: string): M[] {
  return [...members]
    .filter((member) => member.id !== me && !member.deactivated && begins(folded(member.name), query))
    .sort((one, other) => one.name.localeCompare(other.name))
    .slice(0, CHOICES_MAX);
}

function begins(name: string, query: string): boolean {
  return name.startsWith(query) || name.split(/\s+/).some((word) => word.startsWith(query));
}

/** A stretch of a text that names members. */
export interface Mention {
  from: number;
  to: number;
  agent_ids: AgentId[];
}

/** Where a text names members, the longest name at each place. Two of one name are both meant. */
export function mentionsIn(text: string, members: Iterable<Member>): Mention[] {
  const by_name = new Map<string, AgentId[]>();
  for (const { id, name } of members) if (name !== "") by_name.set(name.toLowerCase(), [...(by_name.get(name.toLowerCase()) ?? []), id]);
  const names = [...by_name.keys()].sort((one, other) => other.length - one.length);
  const lower = text.toLowerCase();
  // A letter that grows when it is made small would shift what follows.
  if (lower.length !== text.length) return [];
  const found: Mention[] = [];
  for (let at = lower.indexOf("@"); at >= 0; at = lower.indexOf("@", at + 1)) {
    if (/[\p{L}\p{N}._@]/u.test(lower[at - 1] ?? " ")) continue;
    const name = names.find((each) => lower.startsWith(each, at + 1) && !/[\p{L}\p{N}]/u.test(lower[at + 1 + each.length] ?? " "));
    if (name !== undefined) found.push({ from: at, to: at + 1 + name.length, agent_ids: by_name.get(name) ?? [] });
  }
  return found;
}

/** Who is to be told of a note: active members, each once, oneself not. Of several with one name those who were picked. */
export function mentionedIn(text: string, members: Iterable<Member>, me: AgentId, picked: readonly AgentId[] = []): AgentId[] {
  const told = namedIn(text, members, me).flatMap(({ agent_ids }) => {
    const meant = agent_ids.filter((id) => picked.includes(id));
    return agent_ids.length > 1 && meant.length > 0 ? meant : agent_ids;
  });
  return [...new Set(told)];
}

/** The first name of a text that several have and none of whom was picked, as it is written there. */
export function sharedNameIn(text: string, members: Iterable<Member>, me: AgentId, picked: readonly AgentId[]): string | null {
  const shared = namedIn(text, members, me).find(({ agent_ids }) => agent_ids.length > 1 && !agent_ids.some((id) => picked.includes(id)));
  return shared ? text.slice(shared.from + 1, shared.to) : null;
}

/** Whom else was picked, with this one: of several with one name only the last. */
export function withPicked(picked: readonly AgentId[], id: AgentId, members: Iterable<Member>): AgentId[] {
  const all = [...members];
  const name = all.find((member) => member.id === id)?.name.toLowerCase();
  const twins = all.filter((member) => member.name.toLowerCase() === name).map((member) => member.id);
  return [...picked.filter((each) => !twins.includes(each)), id];
}

function namedIn(text: string, members: Iterable<Member>, me: AgentId): Mention[] {
  return mentionsIn(text, [...members].filter((member) => !member.deactivated && member.id !== me));
}

/** The same words of a note in Markdown with the names told apart. Code stays as it was written. */
export function emphasized(text: string, members: Iterable<Member>): string {
  if (!text.includes("@") || text.includes("`")) return text;
  let told = "";
  let last = 0;
  for (const { from, to } of mentionsIn(text, members)) {
    told += `${text.slice(last, from)}**${text.slice(from, to)}**`;
    last = to;
  }
  return told + text.slice(last);
}

function folded(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
