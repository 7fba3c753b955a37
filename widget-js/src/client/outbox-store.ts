// Where the outbox outlives a page, and whose items they are: every item belongs to one tab, and only
// a tab that is gone loses its items to another. So an item goes out of one tab only, and once.
//
// A tab shows that it lives by a Web Lock, or, where there are none, by a time that it renews. A page that the
// browser puts away, to show it again should one come back, does not live: the next page takes what it left, and
// browsers keep no page that holds a lock.

import type { OutboxItem } from "./outbox.ts";

const ITEM = "switchboard.outbox.";
const TAB = "switchboard.tab.";
/** Hidden tabs may run once a minute only. */
const TAB_MS_MAX = 150_000;
const TAB_RENEW_MS = 20_000;

interface StoredItem {
  readonly owner: string;
  readonly item: OutboxItem;
}

/** What tells that the page is put away, and shown again: its window. */
type PageEvents = Pick<EventTarget, "addEventListener" | "removeEventListener">;

export class OutboxStore {
  readonly #storage: Storage | null;
  readonly #tab: string;
  readonly #locks: LockManager | null;
  readonly #page: PageEvents | null;
  /** The locks that this tab holds or waits for. */
  readonly #held = new Set<AbortController>();
  #renewal: ReturnType<typeof setInterval> | undefined;
  #isShown = false;
  /** What the page left in the store when it was put away. */
  #left: ReadonlySet<string> = new Set();
  #end: (() => void) | null = null;

  /** `storage` is null where it is blocked; then nothing outlives the page. */
  constructor(storage: Storage | null, tab: string, locks: LockManager | null, page: PageEvents | null) {
    this.#storage = storage;
    this.#tab = tab;
    this.#locks = locks;
    this.#page = page;
  }

  /** Shows other tabs that this one lives, until `close`. A page that comes back is told which of its items were taken meanwhile. */
  open(returned: (taken: ReadonlySet<string>) => void): void {
    if (this.#storage === null || this.#end !== null) return;
    const hide = (): void => {
      this.#left = this.#own();
      this.#hide();
    };
    const show = (): void => {
      if (this.#isShown) return;
      this.#show();
      const own = this.#own();
      returned(new Set([...this.#left].filter((clientId) => !own.has(clientId))));
    };
    this.#show();
    this.#page?.addEventListener("pagehide", hide);
    this.#page?.addEventListener("pageshow", show);
    this.#end = () => {
      this.#page?.removeEventListener("pagehide", hide);
      this.#page?.removeEventListener("pageshow", show);
      this.#hide();
    };
  }

  close(): void {
    this.#end?.();
    this.#end = null;
  }

  save(item: OutboxItem): void {
    const stored: StoredItem = { owner: this.#tab, item };
    this.#write(key(item.principal, item.client_id), JSON.stringify(stored));
  }

  /** Whether an item outlives the page: where storage is full or blocked it does not. */
  has(item: OutboxItem): boolean {
    return this.#read(key(item.principal, item.client_id)) !== null;
  }

  remove(item: OutboxItem): void {
    this.#remove(key(item.principal, item.client_id));
  }

  /** What this tab kept for a principal, and what tabs that are gone have left behind for it. */
  async adopt(principal: string): Promise<readonly OutboxItem[]> {
    if (!this.#isShown) return [];
    if (this.#locks === null) return this.#adoptFrom(principal, this.#tabsByTime());
    // One tab at a time decides, else two would take the same item.
    const adopted = await this.#hold(this.#locks, "switchboard.adopt", async (locks, signal) => {
      const { held } = await locks.query();
      if (signal.aborted) return [];
      const alive = new Set<string>();
      for (const { name } of held ?? []) {
        if (name?.startsWith(TAB) === true) alive.add(name.slice(TAB.length));
      }
      return this.#adoptFrom(principal, alive);
    });
    return adopted ?? [];
  }

  /** Forgets everything of a principal: after `logout` nobody may send in that name. */
  forget(principal: string): void {
    for (const name of this.#keys(`${ITEM}${principal}.`)) this.#remove(name);
  }

  /** Somebody else sits here now: of the former one only what was never sent is kept. */
  leave(principal: string): void {
    for (const name of this.#keys(`${ITEM}${principal}.`)) {
      const state = parse(this.#read(name))?.item.state;
      if (state !== "waiting" && state !== "sent") this.#remove(name);
    }
  }

  #show(): void {
    this.#isShown = true;
    if (this.#locks !== null) {
      void this.#hold(this.#locks, TAB + this.#tab, () => new Promise<never>(() => undefined));
      return;
    }
    const renew = (): void => this.#write(TAB + this.#tab, String(Date.now()));
    renew();
    this.#renewal = setInterval(renew, TAB_RENEW_MS);
  }

  #hide(): void {
    this.#isShown = false;
    for (const held of this.#held) held.abort();
    if (this.#locks !== null) return;
    clearInterval(this.#renewal);
    // The next page of this tab shall not wait until the time is over.
    this.#remove(TAB + this.#tab);
  }

  /** Holds a lock until the work is done, or the page is put away: that gives null. */
  async #hold<T>(locks: LockManager, name: string, work: (locks: LockManager, signal: AbortSignal) => Promise<T>): Promise<T | null> {
    const held = new AbortController();
    const { signal } = held;
    const ended = new Promise<null>((end) => signal.addEventListener("abort", () => end(null)));
    this.#held.add(held);
    try {
      return await locks.request(name, { signal }, () => Promise.race([work(locks, signal), ended]));
    } catch {
      return null; // Ended before it was given, or forbidden.
    } finally {
      this.#held.delete(held);
    }
  }

  /** The ids of the items that are this tab's. */
  #own(): ReadonlySet<string> {
    const own = new Set<string>();
    for (const name of this.#keys(ITEM)) {
      const stored = parse(this.#read(name));
      if (stored?.owner === this.#tab) own.add(stored.item.client_id);
    }
    return own;
  }

  #adoptFrom(principal: string, alive: ReadonlySet<string>): readonly OutboxItem[] {
    const adopted: OutboxItem[] = [];
    for (const name of this.#keys(`${ITEM}${principal}.`)) {
      const stored = parse(this.#read(name));
      if (stored === null) {
        this.#remove(name);
      } else if (stored.owner === this.#tab || !alive.has(stored.owner)) {
        this.save(stored.item);
        adopted.push(stored.item);
      }
    }
    return adopted.sort((a, b) => a.made_at_ms - b.made_at_ms);
  }

  #tabsByTime(): ReadonlySet<string> {
    const alive = new Set<string>();
    for (const name of this.#keys(TAB)) {
      if (Number(this.#read(name)) + TAB_MS_MAX > Date.now()) alive.add(name.slice(TAB.length));
      else this.#remove(name);
    }
    return alive;
  }

  #keys(prefix: string): readonly string[] {
    const names: string[] = [];
    try {
      for (let index = 0; index < (this.#storage?.length ?? 0); index += 1) {
        const name = this.#storage?.key(index);
        if (name?.startsWith(prefix) === true) names.push(name);
      }
    } catch {
      // Forbidden: there is nothing of ours in it.
    }
    return names;
  }

  #read(name: string): string | null {
    try {
      return this.#storage?.getItem(name) ?? null;
    } catch {
      return null;
    }
  }

  #write(name: string, value: string): void {
    try {
      this.#storage?.setItem(name, value);
    } catch {
      // Full or forbidden: the item still goes out of memory.
    }
  }

  #remove(name: string): void {
    try {
      this.#storage?.removeItem(name);
    } catch {
      // Forbidden: there is nothing of ours in it.
    }
  }
}

function key(principal: string, clientId: string): string {
  return `${ITEM}${principal}.${clientId}`;
}

function parse(text: string | null): StoredItem | null {
  if (text === null) return null;
  try {
    const value = JSON.parse(text) as Partial<StoredItem> | null;
    const item = value?.item;
    return typeof value?.owner === "string" && typeof item?.client_id === "string" && typeof item.command?.do === "string"
      ? { owner: value.owner, item }
      : null;
  } catch {
    return null;
  }
}

/** The browser's storage, or null where it is blocked: even asking for it may throw. One that is full is still read. */
export function localStorageOrNull(): Storage | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}
