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
const locale = await speak(parameters.get("lang") ?? "");
bridge = connectBridge(location.search, (message) => store.hear(message));
followBrightness();
document.documentElement.lang = locale;
document.documentElement.dir = isFromRight(locale) || parameters.get("dir") === "rtl" ? "rtl" : "ltr";

if (root !== null) {
  if (bridge === null) {
    root.textContent = "This is a part of Switchboard. It belongs into a page that carries the widget.";
  } else {
    render(<App store={store} />, root);
    document.addEventListener("visibilitychange", store.onVisibility);
    bridge.post({ type: "ready" });
  }
}
