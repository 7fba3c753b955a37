/**
 * Whether this page is of the version that the server has now. A tab may stay open over an upgrade: its code is of
 * before, and the parts that it has not loaded yet are gone. It loads itself anew as soon as nobody is in the middle
 * of something, and nothing stands in it alone; drafts and what waits to be sent are kept in the browser.
 */
import { client, membership, status } from "../live/session.ts";
import { createStore } from "../part/store.ts";
import { isUnsaved } from "../part/unsaved.ts";

/** Whether a newer version is there. */
export const outdated = createStore(false);

/** For which version this tab was loaded anew by itself: once for each, or a proxy that keeps an old page made a loop. */
const LOADED_FOR = "switchboard.loaded_for";

/** The script of a page, whose name tells the version. */
export function scriptIn(page: string): string | null {
  return /<script[^>]*\bsrc="([^"]*\/assets\/[^"]+\.js)"/.exec(page)?.[1] ?? null;
}

/** The script of this page; none while it is developed. */
function ownScript(): string | null {
  return scriptIn(document.documentElement.innerHTML);
}

/** Asks the server which version it has. One that cannot be asked has none. */
export async function lookForVersion(): Promise<void> {
  const own = ownScript();
  if (own === null || outdated.get()) return;
  try {
    const answer = await fetch("/console/", { cache: "no-cache", credentials: "same-origin" });
    const served = answer.ok ? scriptIn(await answer.text()) : null;
    if (served === null || served === own) return;
    outdated.set(true);
    const is_new = sessionStorage.getItem(LOADED_FOR) !== served;
    if (!is_new) return;
    sessionStorage.setItem(LOADED_FOR, served);
    whenIdle(loadAnew);
  } catch {
    // The connection says that the server is away; the next one asks again.
  }
}

/** Loads the page anew. */
export function loadAnew(): void {
  location.reload();
}

/** Calls back as soon as nobody writes here, has a window open or work that is not saved, which may be now. */
function whenIdle(then: () => void): void {
  const look = () => {
    if (isBusy()) return;
    clearInterval(timer);
    for (const kind of SIGNS) document.removeEventListener(kind, look_soon);
    then();
  };
  // After what comes has found its place: focus goes from field to field by way of nowhere.
  const look_soon = () => setTimeout(look, 0);
  for (const kind of SIGNS) document.addEventListener(kind, look_soon);
  // What was being loaded, sent or saved ends without a sign.
  const timer = setInterval(look, LOOK_MS);
  look();
}

/** How often it is looked at without a sign. */
const LOOK_MS = 5_000;

/** When somebody may have ended what he was doing. */
const SIGNS = ["focusout", "visibilitychange", "keyup", "click"] as const;

function isBusy(): boolean {
  const at = document.activeElement;
  const is_writing = at instanceof HTMLElement && (at.isContentEditable || at.matches("input, textarea, select"));
  const is_asked = document.querySelector('[role="dialog"], [role="alertdialog"], [role="menu"], [aria-busy="true"]') !== null;
  const is_sending = membership.get() !== null && client().outbox.length > 0;
  return (is_writing && document.visibilityState === "visible") || is_asked || is_sending || isUnsaved();
}

/** Looks for another version each time the connection is back, and when a part of the page is no longer there. */
export function followVersion(): void {
  let was_live = false;
  let is_first = true;
  status.subscribe(() => {
    const is_live = status.get().name === "live";
    if (is_live && !was_live && !is_first) void lookForVersion();
    if (is_live) is_first = false;
    // One that speaks another language than this page is likely a newer one.
    if (status.get().name === "stopped") void lookForVersion();
    was_live = is_live;
  });
  window.addEventListener("vite:preloadError", () => void lookForVersion());
  keepOfflinePage();
}

/** The page that says that the server is away is kept by the browser; nothing else is. */
function keepOfflinePage(): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  // Without it (a private window, a policy) the browser says itself that there is no network.
  navigator.serviceWorker.register("/console/worker.js", { scope: "/console/" }).catch(() => undefined);
}
