/** A record that two may edit at once: what is theirs, what is mine, and what is told of it. Pure. */

/** A record's facts, as texts; nothing is the same as no fact. */
export type Facts = Readonly<Record<string, string>>;

/** What the form rests on, and what stands in it. */
export interface Edited {
  before: Facts;
  form: Facts;
}

/** Fields that nobody touched follow the record. */
export function taken({ before, form }: Edited, facts: Facts): Edited {
  const next: { before: Record<string, string>; form: Record<string, string> } = { before: { ...before }, form: { ...form } };
  for (const key of keysOf(before, form, facts)) {
    if (at(form, key) !== at(before, key)) continue;
    // A fact that is gone leaves no field behind.
    if (key in facts) next.before[key] = next.form[key] = at(facts, key);
    else {
      delete next.before[key];
      delete next.form[key];
    }
  }
  return next;
}

/** What others saved in fields that were touched here, unless both wrote the same. */
export function meanwhile({ before, form }: Edited, facts: Facts): Facts {
  const keys = keysOf(before, form, facts).filter((key) => at(facts, key) !== at(before, key) && at(facts, key) !== at(form, key));
  return Object.fromEntries(keys.map((key) => [key, at(facts, key)]));
}

/** One field as others saved it. */
export function withTheirs({ before, form }: Edited, key: string, theirs: string): Edited {
  return { before: { ...before, [key]: theirs }, form: { ...form, [key]: theirs } };
}

/** The names of all facts. */
export function keysOf(...all: readonly Facts[]): string[] {
  return [...new Set(all.flatMap((facts) => Object.keys(facts)))];
}

/** One of them. */
export function at(facts: Facts, key: string): string {
  return facts[key] ?? "";
}
