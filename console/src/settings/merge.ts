/** Records that two may edit at once, leaf by leaf: what I changed, what others did meanwhile, and both in one. Pure. */

/** A record, or a part of one. */
export type Fields = Readonly<Record<string, unknown>>;

/** A leaf that was changed here: what stood there, and what is to. */
export interface Touched {
  before: unknown;
  mine: unknown;
}

/** Leaves by their way through the record: `theme.color`. */
export type Touches = ReadonlyMap<string, Touched>;

/** A leaf that somebody else had changed as well. */
export interface Met {
  leaf: string;
  theirs: unknown;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether two leaves hold the same; spaces around a text are nothing, as the server keeps none. */
export function isSame(one: unknown, other: unknown): boolean {
  if (typeof one === "string" && typeof other === "string") return one.trim() === other.trim();
  return JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
}

/** The leaves of a record. Lists are leaves: there is no telling which of their items is which. */
export function leavesOf(value: unknown, way = ""): Map<string, unknown> {
  if (!isFields(value)) return new Map([[way, value]]);
  return new Map(Object.entries(value).flatMap(([name, part]) => [...leavesOf(part, way === "" ? name : `${way}.${name}`)]));
}

/** What stands at the end of a way. */
export function leafAt(value: unknown, leaf: string): unknown {
  return leaf.split(".").reduce<unknown>((part, name) => (isFields(part) ? part[name] : undefined), value);
}

function withLeaf<T>(value: T, leaf: string, put: unknown): T {
  const [name = "", ...rest] = leaf.split(".");
  const fields: Record<string, unknown> = { ...(value as Fields) };
  fields[name] = rest.length === 0 ? put : withLeaf(fields[name] ?? {}, rest.join("."), put);
  return fields as T;
}

/** A record with what was changed in it. */
export function withTouches<T>(record: T, touches: Touches): T {
  return [...touches].reduce((whole, [leaf, { mine }]) => withLeaf(whole, leaf, mine), record);
}

/** The leaves in which `next`, whole parts of a form, differs from what the form rests on. */
export function touchesOf(next: object, rests_on: unknown): Map<string, Touched> {
  const touches = new Map<string, Touched>();
  for (const [leaf, mine] of leavesOf(next)) {
    const before = leafAt(rests_on, leaf);
    if (!isSame(before, mine)) touches.set(leaf, { before, mine });
  }
  return touches;
}

/** One change on top of another, that is not sent yet: what stood there first is what both rest on. */
export function joined(first: Touches, then: Touches): Touches {
  const all = new Map(first);
  for (const [leaf, touched] of then) all.set(leaf, { ...touched, before: (first.get(leaf) ?? touched).before });
  return all;
}

/** What of a form is begun and not to be sent yet: where each such leaf departed from its record. */
export function begunIn(begun: ReadonlyMap<string, unknown>, shown: object, touches: Touches, rests_on: unknown): Map<string, unknown> {
  const differs = touchesOf(shown, rests_on);
  const next = new Map([...begun].filter(([leaf]) => !touches.has(leaf) && (differs.has(leaf) || leafAt(shown, leaf) === undefined)));
  for (const [leaf, { before }] of differs) if (!touches.has(leaf) && !next.has(leaf)) next.set(leaf, before);
  return next;
}

/** Changes that were begun earlier rest on what stood there then. */
export function sinceBegun(touches: Touches, begun: ReadonlyMap<string, unknown>): Map<string, Touched> {
  return new Map([...touches].map(([leaf, touched]) => [leaf, begun.has(leaf) ? { ...touched, before: begun.get(leaf) } : touched]));
}

/** What is to be sent: whole parts, on top of the newest record. */
export function bodyOf(touches: Touches, newest: unknown): Record<string, unknown> {
  const whole = withTouches(newest, touches) as Fields;
  const parts = new Set([...touches.keys()].map((leaf) => leaf.split(".")[0] ?? ""));
  return Object.fromEntries([...parts].map((part) => [part, whole[part]]));
}

/** What others put where something was changed here, unless both put the same. */
export function metIn(touches: Touches, newest: unknown): Met[] {
  return [...touches].flatMap(([leaf, { before, mine }]) => {
    const theirs = leafAt(newest, leaf);
    return isSame(theirs, before) || isSame(theirs, mine) ? [] : [{ leaf, theirs }];
  });
}

/** A form after news of its record: leaves that nobody touched here follow. */
export function followed<T>(form: T, rested_on: T, stored: T): T {
  if (!isFields(form) || !isFields(stored)) return isSame(form, rested_on) ? stored : form;
  return withTouches(stored, touchesOf(form, rested_on));
}
