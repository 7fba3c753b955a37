// Who this browser is to the site: the token, kept in the page's own storage where that is allowed.

import type { NewVisitorSession, Problem, VisitorSession } from "../protocol.ts";

/** The server refused the session for good. */
export class SessionError extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** Which site of which server, and in which language. */
interface SessionOptions {
  readonly base: string;
  readonly siteKey: string;
  readonly locale: string;
}

declare global {
  interface Window {
    readonly Temporal?: { readonly Now: { timeZoneId(): string } };
  }
}

/** `Intl` takes a fifth of a second to wake on a telephone, while the page loads. */
function timeZone(): string {
  return window.Temporal?.Now.timeZoneId() ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export class SessionKeeper {
  readonly #options: SessionOptions;
  #session: VisitorSession | null;
  #isFresh = false;
  /** Answers in a row that this page may not read; the first may have been a lost line after all. */
  #unreadable = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#session = this.#read();
  }

  /** The session of now, or of the last page: its look is shown before the server answers. */
  get session(): VisitorSession | null {
    return this.#session;
  }

  /** From here on somebody else sits here; nothing of the last one is kept. */
  forget(): void {
    this.#isFresh = true;
    this.#write(null);
  }

  /** Begins or renews the session; `identity` is a signed token of the site. */
  async renew(identity: string | null): Promise<VisitorSession> {
    const isFresh = this.#isFresh;
    const session = await this.#ask(identity, isFresh);
    // A logout while we asked: this answer is of the one who left.
    if (this.#isFresh !== isFresh) throw new Error();
    this.#isFresh = false;
    this.#session = session;
    this.#write(session);
    return session;
  }

  async #ask(identity: string | null, fresh: boolean): Promise<VisitorSession> {
    const { base, siteKey, locale } = this.#options;
    const body: NewVisitorSession = {
      site_key: siteKey,
      token: this.#session?.token ?? null,
      identity,
      fresh,
      time_zone: timeZone(),
      language: navigator.language,
      locale,
    };
    const response = await fetch(`${base}/api/v1/visitor/session`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      credentials: "omit",
    }).catch(async (error: unknown) => {
      // To pages that are not allowed a refusal looks like a lost line. But ours is up: they may load us.
      const { ok } = await fetch(`${base}/widget.js`, { method: "HEAD", cache: "no-store" });
      throw ok && this.#unreadable++ ? new SessionError("origin_refused") : error;
    });
    this.#unreadable = 0;
    const value: unknown = await response.json();
    if (response.ok) return value as VisitorSession;
    const problem = value as Partial<Problem>;
    if (problem.retry === "never" && problem.code) throw new SessionError(problem.code);
    // It may pass later.
    throw new Error();
  }

  #read(): VisitorSession | null {
    try {
      const value = JSON.parse(localStorage[this.#name] as string) as VisitorSession;
      // Who was there then may be gone; the welcome says who is.
      value.config.staff.online = false;
      return value.token && value.config.theme.color ? value : null;
    } catch {
      // Nothing is there, or nothing of ours.
      return null;
    }
  }

  #write(session: VisitorSession | null): void {
    try {
      if (session === null) delete localStorage[this.#name];
      else localStorage[this.#name] = JSON.stringify(session);
    } catch {
      // Blocked: the visitor is known for as long as the page lives.
    }
  }

  get #name(): string {
    return `switchboard.${this.#options.siteKey}`;
  }
}
