// The panel's entry: the bridge to the loader, the store, the view.

import { render } from "preact";
import "./panel.css";
import { connectBridge, type Bridge } from "./bridge.ts";
import { followBrightness } from "./brightness.ts";
import { PanelStore } from "./store.ts";
import { App } from "./view/app.tsx";
import { speak } from "./words.ts";
import { isFromRight } from "../words/locale.ts";

const root = document.getElementById("panel");
let bridge: Bridge | null = null;
const parameters = new URLSearchParams(location.search);
const store = new PanelStore("", parameters.get("site") ?? "", (message) => bridge?.post(message));
await turnTo(parameters.get("lang") ?? "");
bridge = connectBridge(location.search, (message) => {
  // What is drawn next is drawn in its language; in the one before, where the words cannot be had.
  if (message.type === "set") void turnTo(message.settings.locale).catch(() => undefined).then(() => store.hear(message));
  else store.hear(message);
});
followBrightness();

if (root !== null) {
  if (bridge === null) {
    root.textContent = "This is a part of Switchboard. It belongs into a page that carries the widget.";
  } else {
    // Before it is drawn: what the loader says to that comes meanwhile.
    bridge.post({ type: "ready" });
    // One may write before the loader says whose words they are.
    if (parameters.get("open") === "true") store.hear({ type: "open" });
    render(<App store={store} />, root);
    document.addEventListener("visibilitychange", store.onVisibility);
  }
}

/** Speaks the language of a tag from here on. */
async function turnTo(tag: string): Promise<void> {
  const locale = await speak(tag, parameters.get("main") ?? "");
  document.documentElement.lang = locale;
  document.documentElement.dir = isFromRight(locale) || parameters.get("dir") === "rtl" ? "rtl" : "ltr";
}
