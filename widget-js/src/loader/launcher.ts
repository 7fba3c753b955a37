// What stands on the page: a button with a lamp, a count of unread messages, the first of them as a
// preview, and the frame that holds the panel. All in one shadow root, which the page cannot style.

import { inkOn } from "../color.ts";
import type { PageSettings, Preview } from "../messages.ts";
import type { VisitorSession } from "../protocol.ts";
import type { Catalog } from "../words/locale.ts";
import { css } from "./style.ts";

const CHAT = "M20 11.5a7.5 7.5 0 0 1-11 6.6L4.5 19.5l1.4-4A7.5 7.5 0 1 1 20 11.5z";
const DOWN = "M6 9.5l6 6 6-6";
const SVG = "http://www.w3.org/2000/svg";

export interface Launcher {
  /** Puts it on the page, as soon as there is a body. */
  attach(): void;
  configure(session: VisitorSession): void;
  setUnread(count: number): void;
  /** Nobody sees it before it is configured. */
  setHidden(isHidden: boolean): void;
  /** The first unread line, as text. */
  showPreview(preview: Preview | null): void;
  setOpen(isOpen: boolean): void;
  /** A frame for the panel, in place of the one before. */
  frame(url: string): HTMLIFrameElement;
  destroy(): void;
}

/**
 * A function around its state, not a class: a tenth less to load. `settings` is the page's part of the look;
 * `onIntent` says that the pointer or the focus is on the button, so that somebody may want in.
 */
export function makeLauncher(settings: PageSettings, onToggle: () => void, onIntent: () => void, onPreview: () => void): Launcher {
  const host = document.createElement("div");
  const root = host.attachShadow({ mode: "closed" });
  const button = make("button", "button");
  const icon = document.createElementNS(SVG, "path");
  const label = make("b", "");
  const lamp = make("span", "lamp");
  const badge = make("span", "badge");
  const bubble = make("div", "bubble");
  const line = make("button", "preview");
  const dismiss = make("button", "dismiss", "×");
  const stop = new AbortController();
  const { signal } = stop;
  let panel: HTMLIFrameElement | null = null;
  let isOpen = false;
  let session: VisitorSession | null = null;
  let unread = 0;

  const showPreview = (preview: Preview | null): void => {
    bubble.hidden = preview === null || isOpen;
    if (preview === null) return;
    line.replaceChildren(make("div", "", preview.name), make("div", "", preview.text));
  };

  /** On phones the panel fills what the keyboard leaves. */
  const fit = (): void => {
    const view = visualViewport;
    if (!isOpen || view === null || view.scale > 1.01) return;
    host.style.setProperty("--height", `${view.height}px`);
    host.style.setProperty("--top", `${view.offsetTop}px`);
  };

  const draw = (): void => {
    const isOnline = session?.config.staff.online === true;
    const { open, close, here, away, unread: waiting, dismiss: hide } = (session?.words ?? {}) as Partial<Catalog["launcher"]>;
    lamp.classList.toggle("on", isOnline);
    lamp.hidden = isOpen;
    badge.hidden = unread === 0 || isOpen;
    badge.textContent = unread > 9 ? "9+" : `${unread}`;
    icon.setAttribute("d", isOpen ? DOWN : CHAT);
    const count = unread === 0 ? "" : `, ${waiting?.replace("{count}", `${unread}`)}`;
    button.ariaLabel = isOpen ? close! : `${open}, ${isOnline ? here : away}${count}`;
    dismiss.ariaLabel = hide!;
    button.ariaExpanded = `${isOpen}`;
  };

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [sheet];
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.ariaHidden = "true";
  svg.append(icon);
  button.append(svg, label, lamp, badge);
  bubble.append(line, dismiss);
  root.append(button, bubble);
  host.hidden = bubble.hidden = true;
  // Nobody else can reach these: they end with their elements.
  button.onclick = onToggle;
  button.onpointerenter = button.onfocus = onIntent;
  line.onclick = onPreview;
  dismiss.onclick = () => showPreview(null);
  for (const type of ["resize", "scroll"]) visualViewport?.addEventListener(type, fit, { signal });
  draw();

  return {
    attach() {
      const add = (): void => document.body.append(host);
      if (document.body !== null) add();
      else document.addEventListener("DOMContentLoaded", add, { signal });
    },
    configure(next) {
      session = next;
      const { color, launcher_side, launcher_gap_px, launcher_text, brightness } = next.config.theme;
      const theme = settings.theme ?? brightness;
      const { style } = host;
      style.setProperty("--brand", color);
      style.setProperty("--ink", inkOn(color));
      style.setProperty("--gap", `${launcher_gap_px}px`);
      style.colorScheme = theme.replace(/auto|system/, "light dark");
      host.setAttribute("side", settings.side ?? launcher_side);
      label.textContent = settings.label ?? launcher_text;
      draw();
    },
    setUnread(count) {
      unread = count;
      if (count === 0) showPreview(null);
      draw();
    },
    setHidden(isHidden) {
      host.hidden = isHidden || session === null;
    },
    showPreview,
    setOpen(next) {
      const hadFocus = isOpen && document.activeElement === host;
      isOpen = next;
      host.toggleAttribute("open", isOpen);
      panel?.classList.toggle("shut", !isOpen);
      if (isOpen) {
        showPreview(null);
        panel?.focus();
      } else if (hadFocus) button.focus();
      fit();
      draw();
    },
    frame(url) {
      panel?.remove();
      panel = make("iframe", "frame shut");
      const { theme, site_name } = session!.config;
      panel.title = theme.title || site_name;
      panel.src = url;
      root.insertBefore(panel, button);
      return panel;
    },
    destroy() {
      stop.abort();
      host.remove();
    },
  };
}

function make<K extends keyof HTMLElementTagNameMap>(tag: K, className: string, text = ""): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}
