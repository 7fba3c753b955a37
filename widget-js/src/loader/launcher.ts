// What stands on the page: a button with a lamp, a count of unread messages, the first of them as a
// preview, and the frame that holds the panel. All in one shadow root, which the page cannot style.

import { inkOn, safeColor } from "../color.ts";
import type { Preview } from "../messages.ts";
import type { WidgetConfig } from "../protocol.ts";
import { css } from "./style.ts";

export interface LauncherHandlers {
  onToggle(): void;
  /** The pointer or the focus is on the button: somebody may want in. */
  onIntent(): void;
  onPreview(): void;
}

const CHAT = "M20 11.5a7.5 7.5 0 0 1-11 6.6L4.5 19.5l1.4-4A7.5 7.5 0 1 1 20 11.5z";
const DOWN = "M6 9.5l6 6 6-6";

export class Launcher {
  readonly #host = document.createElement("div");
  readonly #root = this.#host.attachShadow({ mode: "closed" });
  readonly #button = make("button", "button");
  readonly #icon = document.createElementNS("http://www.w3.org/2000/svg", "path");
  readonly #lamp = make("span", "lamp");
  readonly #badge = make("span", "badge");
  readonly #preview = make("button", "preview");
  readonly #dismiss = make("button", "dismiss");
  readonly #stop = new AbortController();
  #frame: HTMLIFrameElement | null = null;
  #isOpen = false;
  #config: WidgetConfig | null = null;
  #unread = 0;

  constructor(handlers: LauncherHandlers) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    this.#root.adoptedStyleSheets = [sheet];
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.ariaHidden = "true";
    svg.append(this.#icon);
    this.#button.append(svg, this.#lamp, this.#badge);
    this.#dismiss.textContent = "×";
    this.#dismiss.ariaLabel = "Dismiss";
    this.#root.append(this.#button, this.#preview, this.#dismiss);
    this.#host.hidden = true;
    const { signal } = this.#stop;
    this.#button.addEventListener("click", () => handlers.onToggle(), { signal });
    for (const type of ["pointerenter", "focus"]) {
      this.#button.addEventListener(type, () => handlers.onIntent(), { signal });
    }
    this.#preview.addEventListener("click", () => handlers.onPreview(), { signal });
    this.#dismiss.addEventListener("click", () => this.showPreview(null), { signal });
    this.showPreview(null);
    this.#draw();
    for (const type of ["resize", "scroll"]) {
      globalThis.visualViewport?.addEventListener(type, () => this.#fit(), { signal });
    }
  }

  /** Puts it on the page, as soon as there is a body. */
  attach(): void {
    const add = (): void => {
      if (!this.#stop.signal.aborted) document.body.append(this.#host);
    };
    if (document.body !== null) add();
    else document.addEventListener("DOMContentLoaded", add, { signal: this.#stop.signal });
  }

  configure(config: WidgetConfig): void {
    this.#config = config;
    const brand = safeColor(config.theme.color);
    this.#host.style.setProperty("--brand", brand);
    this.#host.style.setProperty("--ink", inkOn(brand));
    this.#host.setAttribute("side", config.theme.launcher_side);
    this.#draw();
  }

  setUnread(count: number): void {
    this.#unread = count;
    if (count === 0) this.showPreview(null);
    this.#draw();
  }

  setHidden(isHidden: boolean): void {
    this.#host.hidden = isHidden;
  }

  /** The first unread line, as text. */
  showPreview(preview: Preview | null): void {
    this.#preview.hidden = this.#dismiss.hidden = preview === null || this.#isOpen;
    if (preview === null) return;
    const lines = [preview.name, preview.text].map((text) => {
      const line = make("div", "");
      line.textContent = text;
      return line;
    });
    this.#preview.replaceChildren(...lines);
  }

  setOpen(isOpen: boolean): void {
    const hadFocus = this.#isOpen && document.activeElement === this.#host;
    this.#isOpen = isOpen;
    this.#host.toggleAttribute("open", isOpen);
    this.#frame?.classList.toggle("shut", !isOpen);
    if (isOpen) {
      this.showPreview(null);
      this.#frame?.focus();
    } else if (hadFocus) this.#button.focus();
    this.#fit();
    this.#draw();
  }

  /** The frame of the panel, made on first need and kept. */
  frame(url: string): HTMLIFrameElement {
    if (this.#frame !== null) return this.#frame;
    const frame = document.createElement("iframe");
    frame.className = "frame shut";
    frame.title = `Chat with ${this.#config?.theme.title || this.#config?.site_name || "us"}`;
    frame.src = url;
    this.#frame = frame;
    this.#root.insertBefore(frame, this.#button);
    return frame;
  }

  destroy(): void {
    this.#stop.abort();
    this.#host.remove();
  }

  /** On phones the panel fills what the keyboard leaves. */
  #fit(): void {
    const view = globalThis.visualViewport;
    if (!this.#isOpen || view == null || view.scale > 1.01) return;
    this.#host.style.setProperty("--height", `${view.height}px`);
    this.#host.style.setProperty("--top", `${view.offsetTop}px`);
  }

  #draw(): void {
    const isOnline = this.#config?.staff.online === true;
    this.#lamp.classList.toggle("on", isOnline);
    this.#lamp.hidden = this.#isOpen;
    this.#badge.hidden = this.#unread === 0 || this.#isOpen;
    this.#badge.textContent = this.#unread > 9 ? "9+" : String(this.#unread);
    this.#icon.setAttribute("d", this.#isOpen ? DOWN : CHAT);
    const unread = this.#unread === 0 ? "" : `, ${this.#unread} unread`;
    const label = this.#isOpen
      ? "Close chat"
      : `Open chat, ${isOnline ? "somebody is here now" : "leave a message"}${unread}`;
    this.#button.ariaLabel = label;
    this.#button.ariaExpanded = String(this.#isOpen);
  }
}

function make<K extends keyof HTMLElementTagNameMap>(tag: K, className: string): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = className;
  return element;
}
