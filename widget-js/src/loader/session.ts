// Who this browser is to the site: the token, kept in the page's own storage where that is allowed.

import type { NewVisitorSession, Problem, VisitorSession } from "../protocol.ts";

/** The server refused the session for good. Its message is the code. */
export class SessionError extends Error {}

/** Which site of which server, and in which language. */
interface SessionOptions {
  readonly base: string;
  readonly siteKey: string;
  locale(): string;
}

export interface SessionKeeper {
  /** The session of now, or of the last page: its look is shown before the server answers. */
  readonly session: VisitorSession | null;
  /** From here on somebody else sits here; nothing of the last one is kept. */
  forget(): void;
  /** Begins or renews the session; `identity` is a signed token of the site. */
  renew(identity: string | null): Promise<VisitorSession>;
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

/** A function around its state, as all of the loader: see `launcher.ts`. */
export function keepSession({ base, siteKey, locale }: SessionOptions): SessionKeeper {
  const name = `switchboard.${siteKey}`;
  let isFresh = false;
  /** Answers in a row that this page may not read; the first may have been a lost line after all. */
  let unreadable = 0;

  const read = (): VisitorSession | null => {
    try {
      const value = JSON.parse(localStorage[name] as string) as VisitorSession;
      // Who was there then may be gone; the welcome says who is.
      value.config.staff.online = false;
      return value.token && value.config.theme.color ? value : null;
    } catch {
      // Nothing is there, or nothing of ours.
      return null;
    }
  };

  const write = (session: VisitorSession | null): void => {
    try {
      if (session === null) delete localStorage[name];
      else localStorage[name] = JSON.stringify(session);
    } catch {
      // Blocked: the visitor is known for as long as the page lives.
    }
  };

  let session = read();

  const ask = async (identity: string | null, fresh: boolean): Promise<VisitorSession> => {
    const body: NewVisitorSession = {
      site_key: siteKey,
      token: session?.token ?? null,
      identity,
      fresh,
      time_zone: timeZone(),
      language: navigator.language,
      locale: locale(),
    };
    const response = await fetch(`${base}/api/v1/visitor/session`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      credentials: "omit",
    }).catch(async (error: unknown) => {
      // To pages that are not allowed a refusal looks like a lost line. But ours is up: they may load us.
      const { ok } = await fetch(`${base}/widget.js`, { method: "HEAD", cache: "no-store" });
      throw ok && unreadable++ ? new SessionError("origin_refused") : error;
    });
    unreadable = 0;
    const value: unknown = await response.json();
    if (response.ok) return value as VisitorSession;
    const problem = value as Partial<Problem>;
    if (problem.retry === "never" && problem.code) throw new SessionError(problem.code);
    // It may pass later.
    throw new Error();
  };

  return {
    get session() {
      return session;
    },
    forget() {
      isFresh = true;
      write(null);
    },
    async renew(identity) {
      const wasFresh = isFresh;
      const next = await ask(identity, wasFresh);
      // A logout while we asked: this answer is of the one who left.
      if (isFresh !== wasFresh) throw new Error();
      isFresh = false;
      write((session = next));
      return next;
    },
  };
}
