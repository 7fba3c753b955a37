// The server's clock, by which everybody's days are told: a visitor's own may be days off. The welcome says it; until
// then it is what an answer's head said, and before any answer what was known on the last visit.

const KEY = "switchboard.clock";

/** By less than this clocks differ anyway, and nothing is kept. */
const KEPT_MS_MIN = 1_000;

export class Clock {
  readonly #storage: Storage | null;
  readonly #own: () => number;
  #aheadMs: number;
  #isWelcomed = false;

  constructor(storage: Storage | null, own: () => number = Date.now) {
    this.#storage = storage;
    this.#own = own;
    this.#aheadMs = Number(storage?.getItem(KEY)) || 0;
  }

  /** How far the server's clock is before this browser's. */
  get aheadMs(): number {
    return this.#aheadMs;
  }

  now(): number {
    return this.#own() + this.#aheadMs;
  }

  /** What the welcome says. */
  welcomed(nowMs: number): void {
    this.#isWelcomed = true;
    this.#set(nowMs);
  }

  /** What the head of an answer says, to the second; the welcome says it better. */
  answered(date: string | null): void {
    const nowMs = Date.parse(date ?? "");
    if (!this.#isWelcomed && Number.isFinite(nowMs)) this.#set(nowMs);
  }

  #set(nowMs: number): void {
    this.#aheadMs = nowMs - this.#own();
    try {
      if (Math.abs(this.#aheadMs) < KEPT_MS_MIN) this.#storage?.removeItem(KEY);
      else this.#storage?.setItem(KEY, String(this.#aheadMs));
    } catch {
      // Full: it holds for as long as the page lives.
    }
  }
}
