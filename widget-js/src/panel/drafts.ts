// What is being written survives a reload; it belongs to one visitor, and goes when another one comes.

const DRAFT = "switchboard.draft.";
/** Who sat here last, by site. */
const LAST = "switchboard.last.";

export class Drafts {
  readonly #storage: Storage | null;
  readonly #site: string;
  #visitorId: string | null = null;
  #text = "";

  constructor(storage: Storage | null, site: string) {
    this.#storage = storage;
    this.#site = site;
  }

  get text(): string {
    return this.#text;
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
