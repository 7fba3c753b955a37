// When a conversation asks an unknown visitor where to reach him: nobody is here, or no answer came for
// a minute. Once asked, the question stays until it was answered.

import type { Theme, VisitorSession } from "../protocol.ts";
import { Introduction } from "./introduction.ts";
import { isOver, type Thread } from "./thread.ts";

/** Whether it is asked now, or what was just answered. */
export type Reach = "asked" | { readonly email: string } | null;

const PATIENCE_MS = 60_000;

export class EmailLater {
  readonly #asked: Introduction;
  readonly #changed: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isDue = false;
  /** Whether the server knows where to reach this visitor. */
  isKnown = false;
  /** What was just written, to say that it was taken. */
  #kept: string | null = null;

  constructor(storage: Storage | null, changed: () => void) {
    this.#asked = new Introduction(storage, "reached");
    this.#changed = changed;
  }

  /** The visitor said something, and waits. */
  wait(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#isDue = true;
      this.#changed();
    }, PATIENCE_MS);
  }

  /** Somebody answered. */
  answered(): void {
    clearTimeout(this.#timer);
  }

  /** A site may want no such question, and who was proved can be reached. */
  ask(session: VisitorSession | null, theme: Theme | undefined, present: Thread | undefined, isNobodyHere: boolean): Reach {
    if (session === null || session.identified || theme?.asks_email_later !== true) return null;
    if (this.#kept !== null) return { email: this.#kept };
    if (this.isKnown || this.#asked.isDone(session.visitor_id)) return null;
    const isWaiting = present?.entries.some(({ author, content }) => author.kind === "you" && content.kind === "message");
    if (present === undefined || isWaiting !== true || isOver(present)) return null;
    this.#isDue ||= isNobodyHere;
    return this.#isDue ? "asked" : null;
  }

  /** The address is known, or the visitor would rather keep it. */
  done(visitorId: string, email: string | null): void {
    this.#asked.done(visitorId);
    this.#kept = email;
  }

  /** Another person: nothing is due. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#isDue = false;
    this.isKnown = false;
    this.#kept = null;
  }

  forget(visitorId: string): void {
    this.#asked.forget(visitorId);
  }
}
