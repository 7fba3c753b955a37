// The script of the embed tag. It may stand in head or body, load late, and be there twice.
//
//   <script async src="https://chat.example.com/widget.js" data-site-key="site_…"></script>
//   window.Switchboard = window.Switchboard || [];
//   Switchboard.push(["identify", { email: "ana@example.com" }]);

import { makeWidget, type Widget } from "./widget.ts";

type Method = keyof Widget;
type Call = { [M in Method]: readonly [M, ...Parameters<Widget[M]>] }[Method];
type Methods = { [M in Method]: (...call: Parameters<Widget[M]>) => void };

/** `window.Switchboard`: speaks to the first widget of the page; `of` gives another by its site key. */
interface Board extends Methods {
  /** Takes calls as lists, as the queue before the script did. */
  push(...calls: readonly Call[]): void;
  of(siteKey: string): Widget | undefined;
  add(siteKey: string, widget: Widget): void;
}

declare global {
  interface Window {
    Switchboard?: Board | Call[];
  }
}

/** `names` are the calls of a widget. */
function makeBoard(queue: readonly Call[], names: readonly string[]): Board {
  const widgets = new Map<string, Widget>();
  const early = [...queue];
  const push = (...calls: readonly Call[]): void => {
    for (const [name, ...call] of calls) {
      const [first] = widgets;
      if (first === undefined) early.push([name, ...call] as unknown as Call);
      else if (!names.includes(name)) console.warn(`Switchboard: no call "${name}"`);
      else {
        // A widget that is gone may be brought back by a new script tag.
        if (name === "destroy") widgets.delete(first[0]);
        (first[1][name] as (...call: readonly unknown[]) => void)(...call);
      }
    }
  };
  const methods = Object.fromEntries(
    names.map((name) => [name, (...call: readonly unknown[]) => push([name, ...call] as unknown as Call)]),
  ) as unknown as Methods;
  return {
    ...methods,
    push,
    of: (siteKey) => widgets.get(siteKey),
    add(siteKey, widget) {
      widgets.set(siteKey, widget);
      push(...early.splice(0));
    },
  };
}

function start(): void {
  // Null only for module scripts, which this is not.
  const script = document.currentScript as HTMLScriptElement | null;
  const { siteKey, identityToken, ...attributes } = script?.dataset ?? {};
  const before = window.Switchboard;
  const board = before === undefined || Array.isArray(before) ? null : before;
  if (script === null || !siteKey) console.warn("Switchboard: no data-site-key");
  else if (board?.of(siteKey) === undefined) {
    const widget = makeWidget({ base: new URL(script.src).origin, siteKey, identity: identityToken ?? null, attributes });
    (window.Switchboard = board ?? makeBoard((before as Call[] | undefined) ?? [], Object.keys(widget))).add(siteKey, widget);
  }
}

start();
