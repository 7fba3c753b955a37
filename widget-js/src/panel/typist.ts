// Says that the visitor types: at once, then at most every two seconds, and takes it back after a pause.
// What stands there goes along only where the site shows it to its team, which the visitor is told.

const SAY_MS = 2_000;
const END_MS = 5_000;
/** Signs of what stands there, at most: the last ones. */
const SEEN_MAX = 300;

export interface Said {
  readonly active: boolean;
  /** Absent where the team does not see it. */
  readonly text?: string;
}

export class Typist {
  readonly #isSeen: () => boolean;
  readonly #say: (said: Said) => void;
  #saidAtMs = 0;
  #sayTimer: ReturnType<typeof setTimeout> | undefined;
  #endTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(isSeen: () => boolean, say: (said: Said) => void) {
    this.#isSeen = isSeen;
    this.#say = say;
  }

  typed(text: string): void {
    clearTimeout(this.#endTimer);
    clearTimeout(this.#sayTimer);
    if (text.trim() === "") {
      this.stop();
      return;
    }
    this.#endTimer = setTimeout(() => this.stop(), END_MS);
    const waitMs = this.#saidAtMs + SAY_MS - Date.now();
    if (waitMs <= 0) this.#tell(text);
    // Who sees the words sees the last ones, too.
    else if (this.#isSeen()) this.#sayTimer = setTimeout(() => this.#tell(text), Math.min(waitMs, SAY_MS));
  }

  stop(): void {
    clearTimeout(this.#endTimer);
    clearTimeout(this.#sayTimer);
    if (this.#saidAtMs === 0) return;
    this.#saidAtMs = 0;
    this.#say({ active: false });
  }

  #tell(text: string): void {
    this.#saidAtMs = Date.now();
    this.#say(this.#isSeen() ? { active: true, text: lastOf(text) } : { active: true });
  }
}

/** The end of a text, which begins with a whole sign. */
function lastOf(text: string): string {
  return text.slice(-SEEN_MAX).replace(/^[\udc00-\udfff]/, "");
}
