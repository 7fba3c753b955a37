// Which page is in sight, also where a site changes it without loading anew.

import type { limit, Page } from "../protocol.ts";

const URL_LENGTH_MAX: (typeof limit)["url_bytes_max"] = 2_048;
const TITLE_LENGTH_MAX: (typeof limit)["title_bytes_max"] = 300;

/** The page in sight, cut to what the server takes. */
export function currentPage(): Page {
  const { referrer, title } = document;
  return {
    url: location.href.slice(0, URL_LENGTH_MAX),
    title: title.slice(0, TITLE_LENGTH_MAX),
    referrer: referrer.slice(0, URL_LENGTH_MAX) || null,
  };
}

/** Whether the visitor asked not to be followed. */
export function isDoNotTrack(): boolean {
  const browser = navigator as Navigator & { globalPrivacyControl?: boolean };
  return browser.doNotTrack === "1" || browser.globalPrivacyControl === true;
}

/** A page of its own: a fragment counts only where it is a route. */
function identity(): string {
  const { pathname, search, hash } = location;
  return pathname + search + (/^#!?\//.test(hash) ? hash : "");
}

/** Sites set the title after the address; so long it is awaited. */
const TITLE_MS = 150;

/** Calls back for each further page; the result ends that and puts back what was patched. */
export function followPages(onPage: (page: Page) => void): () => void {
  let last = identity();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const check = (): void => {
    const now = identity();
    if (now === last) return;
    last = now;
    clearTimeout(timer);
    timer = setTimeout(() => onPage(currentPage()), TITLE_MS);
  };
  const patched = (["pushState", "replaceState"] as const).map((name) => {
    const original = history[name];
    let isOn = true;
    const patch: typeof original = function (this: History, ...call) {
      original.apply(this, call);
      if (isOn) check();
    };
    history[name] = patch;
    return () => {
      isOn = false;
      // Somebody may have patched after us; then ours stays below, and only passes through.
      if (history[name] === patch) history[name] = original;
    };
  });
  // Also fired where only the fragment changed.
  addEventListener("popstate", check);
  return () => {
    clearTimeout(timer);
    removeEventListener("popstate", check);
    for (const restore of patched) restore();
  };
}
