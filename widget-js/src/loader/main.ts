// The script of the embed tag. It may stand in head or body, load late, and be there twice.
//
//   <script async src="https://chat.example.com/widget.js" data-site-key="site_…"></script>
//   window.Switchboard = window.Switchboard || [];
//   Switchboard.push(["identify", { email: "ana@example.com" }]);

import { Widget } from "./widget.ts";

const METHODS = ["identify", "track", "page", "open", "close", "hide", "show", "on", "logout", "destroy"] as const;

type Method = (typeof METHODS)[number];
type Call = { [M in Method]: readonly [M, ...Parameters<Widget[M]>] }[Method];
type Methods = { [M in Method]: (...call: Parameters<Widget[M]>) => void };

/** `window.Switchboard`: speaks to the first widget of the page; `of` gives another by its site key. */
interface Board extends Methods {
  /** Takes calls as lists, as the queue before the script did. */
  push(...calls: readonly Call[]): void;
  of(siteKey: string): Widget | undefined;
  add(widget: Widget): void;
}

declare global {
  interface Window {
    Switchboard?: Board | Call[];
  }
}

function makeBoard(queue: readonly Call[]): Board {
  const widgets: Widget[] = [];
  const early = [...queue];
  const push = (...calls: readonly Call[]): void => {
    for (const [name, ...call] of calls) {
      const widget = widgets[0];
      if (widget === undefined) early.push([name, ...call] as unknown as Call);
      else if (!METHODS.includes(name)) console.warn(`Switchboard: no call "${name}"`);
      else {
        // A widget that is gone may be brought back by a new script tag.
        if (name === "destroy") widgets.shift();
        (widget[name] as (...call: readonly unknown[]) => void)(...call);
      }
    }
  };
  const methods = Object.fromEntries(
    METHODS.map((name) => [name, (...call: readonly unknown[]) => push([name, ...call] as unknown as Call)]),
  ) as unknown as Methods;
  return {
    ...methods,
    push,
    of: (siteKey) => widgets.find((widget) => widget.siteKey === siteKey),
    add(widget) {
      widgets.push(widget);
      push(...early.splice(0));
    },
  };
}

function start(): void {
  // Null only for module scripts, which this is not.
  const script = document.currentScript as HTMLScriptElement | null;
  const { siteKey, identityToken, launcher, locale } = script?.dataset ?? {};
  const before = window.Switchboard;
  const board = before === undefined || Array.isArray(before) ? makeBoard(before ?? []) : before;
  window.Switchboard = board;
  if (script === null || !siteKey) console.warn("Switchboard: no data-site-key");
  else if (board.of(siteKey) === undefined) {
    board.add(
      new Widget({
        base: new URL(script.src).origin,
        siteKey,
        identity: identityToken ?? null,
        isHidden: launcher === "hidden",
        locale: locale || document.documentElement.lang || navigator.language,
      }),
    );
  }
}

start();
