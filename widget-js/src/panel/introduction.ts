// What a site asks before the first message, and whether this visitor was asked. Pure, but for the
// storage that remembers it.

import type { Asks, Claim } from "../protocol.ts";

export type Asked = keyof Asks;

export const ASKED: readonly Asked[] = ["name", "email", "phone"];

/** What was written into the form. */
export type Answers = Readonly<Record<Asked, string>>;

/** What is wrong with an answer. */
export type Fault = "needed" | "no_email";

/** What a site asks, in the order of the form. */
export function askedOf(asks: Asks): readonly Asked[] {
  return ASKED.filter((part) => asks[part] !== "never");
}

/** What keeps the answers from being taken, by field. */
export function faultsOf(asks: Asks, answers: Answers): Partial<Record<Asked, Fault>> {
  const faults: Partial<Record<Asked, Fault>> = {};
  for (const part of askedOf(asks)) {
    const answer = answers[part].trim();
    if (answer === "" && asks[part] === "needed") faults[part] = "needed";
    if (part === "email" && answer !== "" && !isEmail(answer)) faults[part] = "no_email";
  }
  return faults;
}

/** The claim that the answers make; nothing where all were left empty. */
export function claimOf(asks: Asks, answers: Answers): Claim | null {
  const given = askedOf(asks).flatMap((part) => {
    const answer = answers[part].trim();
    return answer === "" ? [] : [[part, answer] as const];
  });
  return given.length === 0 ? null : (Object.fromEntries(given) as Claim);
}

/** As the server takes it: one `@`, no blanks, a domain with a dot. */
function isEmail(text: string): boolean {
  return text.length <= 254 && /^[^\s@<>,;"()]+@[^\s@<>,;"()]+\.[^\s@<>,;"()]+$/.test(text);
}

const ASKED_NAME = "switchboard.introduced.";

/** Whether a visitor was asked already, kept over reloads. */
export class Introduction {
  readonly #storage: Storage | null;
  #done = new Set<string>();

  constructor(storage: Storage | null) {
    this.#storage = storage;
  }

  isDone(visitorId: string): boolean {
    return this.#done.has(visitorId) || this.#storage?.getItem(ASKED_NAME + visitorId) != null;
  }

  done(visitorId: string): void {
    this.#done.add(visitorId);
    try {
      this.#storage?.setItem(ASKED_NAME + visitorId, "1");
    } catch {
      // Full: it is known for as long as the page lives.
    }
  }

  forget(visitorId: string): void {
    this.#done.delete(visitorId);
    this.#storage?.removeItem(ASKED_NAME + visitorId);
  }
}
