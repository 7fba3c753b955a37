// What is being written survives a reload; it belongs to one visitor.

const DRAFT = "switchboard.draft.";

export class Drafts {
  readonly #storage: Storage | null;
  #visitorId: string | null = null;
  #text = "";

  constructor(storage: Storage | null) {
    this.#storage = storage;
  }

  get text(): string {
    return this.#text;
  }

  become(visitorId: string): void {
    this.#visitorId = visitorId;
    this.#text = this.#storage?.getItem(DRAFT + visitorId) ?? "";
  }

  write(text: string): void {
    this.#text = text;
    if (this.#visitorId === null) return;
    const name = DRAFT + this.#visitorId;
    try {
      if (text === "") this.#storage?.removeItem(name);
      else this.#storage?.setItem(name, text);
    } catch {
      // Full: the draft lives as long as the page.
    }
  }

  forget(): void {
    this.write("");
    this.#visitorId = null;
  }
}
