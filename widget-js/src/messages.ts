// What loader and panel say to each other across the frame. Both sides check origin, window and
// instance before they believe a word.
//
// A page may stay open over an upgrade, and browsers keep the loader for minutes: either may be older than the other.
// So things are only added here, as on the wire: what is unknown is passed over, and what an older side leaves out is
// as it was before it could be said. A panel that cannot keep to this takes another address than `/widget/panel`, for
// loaders of before go on asking for that one.

import type { Command, LauncherSide, Page, Staff, VisitorSession, WidgetConfig } from "./protocol.ts";

export type ToPanel =
  | {
      readonly type: "session";
      readonly session: VisitorSession;
      readonly page: Page | null;
      readonly isOpen: boolean;
      /** Since when the page has its session, by the server's clock: what was said since then is news to it. */
      readonly sinceMs: number | null;
    }
  | { readonly type: "session_failed"; readonly code: string | null }
  /** It may be somebody else who sits here now: nothing is shown or sent until the session says who. */
  | { readonly type: "pause" }
  | { readonly type: "open" }
  | { readonly type: "close" }
  | { readonly type: "page"; readonly page: Page }
  | { readonly type: "track"; readonly name: string; readonly properties: Properties }
  | { readonly type: "command"; readonly command: Command }
  /** What the page sets otherwise than before; the language always. */
  | { readonly type: "set"; readonly settings: PageSettings & { readonly locale: string } }
  | { readonly type: "forget" };

/** What a page sets for itself, over what its site says; what is absent or null is as the site says. */
export interface PageSettings {
  readonly launcher?: "shown" | "hidden" | null;
  readonly panel?: "open" | "closed" | null;
  /** Where the launcher stands. */
  readonly side?: LauncherSide | null;
  /** What stands on the launcher. */
  readonly label?: string | null;
  readonly theme?: "light" | "dark" | "auto" | null;
  readonly locale?: string | null;
  /** The first words in an empty thread. */
  readonly greeting?: string | null;
  /** What the visitor finds written where nothing is written yet. */
  readonly message?: string | null;
}

export type ToLoader =
  /** The panel listens. */
  | { readonly type: "ready" }
  /** The panel's connection is up: the loader's own may go. */
  | { readonly type: "live" }
  /** The panel's token is no longer accepted. */
  | { readonly type: "renew" }
  | { readonly type: "close" }
  | { readonly type: "unread"; readonly count: number; readonly preview: Preview | null }
  | ({ readonly type: "staff" } & Staff)
  | ({ readonly type: "config" } & WidgetConfig)
  | { readonly type: "message"; readonly from: "you" | "team" };

export interface Preview {
  readonly name: string;
  readonly text: string;
}

export type Properties = { [key in string]: boolean | number | string };

/** A message with the instance it belongs to: several widgets may stand on one page. */
export interface Envelope<M> {
  readonly switchboard: string;
  readonly message: M;
}

/** The message in an event, if it is one of ours, from that window, origin and instance. */
export function open<M>(
  event: MessageEvent<unknown>,
  source: MessageEventSource | null | undefined,
  origin: string,
  instance: string,
): M | null {
  if (!source || event.source !== source || event.origin !== origin) return null;
  const envelope = event.data as Partial<Envelope<M>> | null;
  return (envelope?.switchboard === instance && envelope.message) || null;
}
