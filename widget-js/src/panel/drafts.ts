// What is being written survives a reload; it belongs to one visitor, and goes when another one comes.

const DRAFT = "switchboard.draft.";
/** Who sat here last, by site. */
const LAST = "switchboard.last.";

export class Drafts {
  readonly #storage: Storage | null;
  readonly #site: string;
  #visitorId: string | null = null;
  #text = "";
  #suggested = "";

  constructor(storage: Storage | null, site: string) {
    this.#storage = storage;
    this.#site = site;
  }

  /** What is being written; where that is nothing, what the page suggests. */
  get text(): string {
    return this.#text || this.#suggested;
  }

  /** What the page would have the visitor say, until he writes something himself. It is not kept. */
  get suggested(): string {
    return this.#suggested;
  }

  suggest(text: string): void {
    this.#suggested = text;
  }

  /** From here on this visitor writes; gives who sat here before, if that was somebody else. */
  become(visitorId: string): string | null {
    // Written before it was known who writes: it is this visitor's.
    const early = this.#visitorId === null ? this.#text : "";
    const last = this.#storage?.getItem(LAST + this.#site) ?? this.#visitorId;
    const former = last === visitorId ? null : last;
    if (former !== null) this.#storage?.removeItem(DRAFT + former);
    this.#visitorId = visitorId;
    this.#write(LAST + this.#site, visitorId);
    this.#text = this.#storage?.getItem(DRAFT + visitorId) ?? "";
    if (early !== "") this.write(early);
    return former;
  }

  write(text: string): void {
    this.#text = text;
    this.#suggested = "";
    if (this.#visitorId === null) return;
    const name = DRAFT + this.#visitorId;
    if (text === "") this.#storage?.removeItem(name);
    else this.#write(name, text);
  }

  forget(): void {
    this.write("");
    this.#visitorId = null;
  }

  #write(name: string, text: string): void {
    try {
      this.#storage?.setItem(name, text);
    } catch {
      // Full: it lives as long as the page.
    }
  }
}
