// What a site asks before the first message, and whether this visitor was asked. Pure, but for the
// storage that remembers it.

import type { AttributeValue, Claim, Theme } from "../protocol.ts";

/** One thing that is asked. */
export interface Field {
  /** What the answer is called in the claim. */
  readonly key: string;
  readonly kind: "name" | "email" | "phone" | "text" | "number" | "flag" | "consent";
  /** The site's own words; nothing where the widget has some for this key. */
  readonly label: string;
  readonly isNeeded: boolean;
}

const PEOPLE = ["name", "email", "phone"] as const;

/** What was written into the form, by key; a tick is `yes`. */
export type Answers = Readonly<Record<string, string>>;

/** What is wrong with an answer. */
export type Fault = "needed" | "no_email" | "no_number";

type Asking = Pick<Theme, "asks" | "questions" | "consent">;

/** What a site asks, in the order of the form. What a page kept of an older server may lack the newer parts. */
export function fieldsOf({ asks, questions, consent }: Partial<Asking>): readonly Field[] {
  const people = PEOPLE.flatMap((key) => {
    const ask = asks?.[key] ?? "never";
    return ask === "never" ? [] : [{ key, kind: key, label: "", isNeeded: ask === "needed" }];
  });
  const own = (questions ?? []).map(({ name, label, kind, needed }) => ({ key: name, kind, label, isNeeded: needed }));
  const agreed = consent ? [{ key: "consent", kind: "consent" as const, label: consent, isNeeded: true }] : [];
  return [...people, ...own, ...agreed];
}

/** What keeps the answers from being taken, by key. */
export function faultsOf(fields: readonly Field[], answers: Answers): Readonly<Record<string, Fault>> {
  const faults: Record<string, Fault> = {};
  for (const { key, kind, isNeeded } of fields) {
    const answer = answers[key]?.trim() ?? "";
    if (answer === "") {
      if (isNeeded) faults[key] = "needed";
    } else if (kind === "email" && !isEmail(answer)) faults[key] = "no_email";
    else if (kind === "number" && numberOf(answer) === null) faults[key] = "no_number";
  }
  return faults;
}

/** The claim that the answers make; nothing where all were left empty. A box without a tick says no. */
export function claimOf(fields: readonly Field[], answers: Answers): Claim | null {
  const given = fields.flatMap(({ key, kind, label }): [string, AttributeValue][] => {
    const answer = answers[key]?.trim() ?? "";
    if (kind === "flag") return [[key, answer !== ""]];
    if (answer === "") return [];
    if (kind === "consent") return [[key, label]];
    return [[key, kind === "number" ? (numberOf(answer) ?? answer) : answer]];
  });
  return given.length === 0 ? null : (Object.fromEntries(given) as Claim);
}

/** A number as people write it, with a point or a comma. */
function numberOf(text: string): number | null {
  return /^[-+]?\d{1,15}([.,]\d{1,10})?$/.test(text) ? Number(text.replace(",", ".")) : null;
}

/** As the server takes it: one `@`, no blanks, a domain with a dot. */
export function isEmail(text: string): boolean {
  return text.length <= 254 && /^[^\s@<>,;"()]+@[^\s@<>,;"()]+\.[^\s@<>,;"()]+$/.test(text);
}

/** Whether a visitor was asked already, kept over reloads. */
export class Introduction {
  readonly #storage: Storage | null;
  readonly #name: string;
  #done = new Set<string>();

  /** `what` tells apart what visitors were asked. */
  constructor(storage: Storage | null, what = "introduced") {
    this.#storage = storage;
    this.#name = `switchboard.${what}.`;
  }

  isDone(visitorId: string): boolean {
    return this.#done.has(visitorId) || this.#storage?.getItem(this.#name + visitorId) != null;
  }

  done(visitorId: string): void {
    this.#done.add(visitorId);
    try {
      this.#storage?.setItem(this.#name + visitorId, "1");
    } catch {
      // Full: it is known for as long as the page lives.
    }
  }

  forget(visitorId: string): void {
    this.#done.delete(visitorId);
    this.#storage?.removeItem(this.#name + visitorId);
  }
}
