// The script of the embed tag. It may stand in head or body, load late, and be there twice.
//
//   <script async src="https://chat.example.com/widget.js" data-site-key="site_…"></script>
//   window.Switchboard = window.Switchboard || [];
//   Switchboard.push(["identify", { email: "ana@example.com" }]);

import type { Claim, Page } from "../protocol.ts";
import type { Properties } from "../messages.ts";
import { Widget, type EventName, type Listener } from "./widget.ts";

type Call =
  | ["identify", Claim | { readonly token: string }]
  | ["track", string, Properties?]
  | ["page", Partial<Page>?]
  | ["on", EventName, Listener]
  | ["open" | "close" | "hide" | "show" | "logout" | "destroy"];

/** `window.Switchboard`: the first widget of the page; `of` gives another by its site key. */
export class Switchboard {
  readonly #widgets: Widget[] = [];
  readonly #early: Call[] = [];

  add(widget: Widget): void {
    this.#widgets.push(widget);
    if (this.#widgets.length === 1) for (const call of this.#early.splice(0)) this.push(call);
  }

  has(siteKey: string): boolean {
    return this.of(siteKey) !== undefined;
  }

  of(siteKey: string): Widget | undefined {
    return this.#widgets.find((widget) => widget.siteKey === siteKey);
  }

  /** Takes calls as lists, as the queue before the script did. */
  push(...calls: Call[]): void {
    for (const call of calls) {
      const widget = this.#widgets[0];
      if (widget === undefined) this.#early.push(call);
      else this.#call(widget, call);
    }
  }

  #call(widget: Widget, call: Call): void {
    switch (call[0]) {
      case "identify":
        return widget.identify(call[1]);
      case "track":
        return widget.track(call[1], call[2]);
      case "page":
        return widget.page(call[1]);
      case "on":
        widget.on(call[1], call[2]);
        return;
      case "destroy":
        return this.destroy();
      case "open":
      case "close":
      case "hide":
      case "show":
      case "logout":
        return widget[call[0]]();
      default:
        console.warn("Switchboard: unknown call", call);
    }
  }

  readonly identify = (who: Claim | { readonly token: string }): void => this.push(["identify", who]);
  readonly track = (name: string, properties?: Properties): void => this.push(["track", name, properties]);
  readonly page = (page?: Partial<Page>): void => this.push(["page", page]);
  readonly open = (): void => this.push(["open"]);
  readonly close = (): void => this.push(["close"]);
  readonly hide = (): void => this.push(["hide"]);
  readonly show = (): void => this.push(["show"]);
  readonly logout = (): void => this.push(["logout"]);
  readonly on = (event: EventName, listener: Listener): (() => void) => {
    const widget = this.#widgets[0];
    if (widget !== undefined) return widget.on(event, listener);
    this.#early.push(["on", event, listener]);
    return () => undefined;
  };

  /** Takes all widgets off the page; a new script tag may bring them back. */
  readonly destroy = (): void => {
    for (const widget of this.#widgets.splice(0)) widget.destroy();
  };
}

declare global {
  interface Window {
    Switchboard?: Switchboard | Call[];
  }
}

function board(): Switchboard {
  const before = window.Switchboard;
  if (before !== undefined && !Array.isArray(before)) return before;
  const made = new Switchboard();
  window.Switchboard = made;
  if (before !== undefined) made.push(...before);
  return made;
}

function start(): void {
  // Null only for module scripts, which this is not.
  const script = document.currentScript;
  if (!(script instanceof HTMLScriptElement)) return;
  const { siteKey, identityToken, launcher } = script.dataset;
  const all = board();
  if (siteKey === undefined || siteKey === "") {
    console.warn("Switchboard: the script tag needs data-site-key.");
    return;
  }
  if (all.has(siteKey)) return;
  all.add(
    new Widget({
      base: new URL(script.src).origin,
      siteKey,
      identity: identityToken ?? null,
      isHidden: launcher === "hidden",
    }),
  );
}

start();
