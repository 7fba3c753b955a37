/** The time everybody on the page agrees on: the server's, ticking once a second while it is seen. */
import { useSyncExternalStore } from "react";

let offset_ms = 0;
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** The server's time, as far as known. */
export function now(): number {
  return serverTime(Date.now());
}

/** A time of this browser's own clock, as the server has it. */
export function serverTime(own_at_ms: number): number {
  return own_at_ms + offset_ms;
}

/** Takes over the server's clock. */
export function setServerNow(server_now_ms: number): void {
  offset_ms = server_now_ms - Date.now();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    if (document.visibilityState === "visible") for (const each of [...listeners]) each();
  }, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** A text that depends on the time; the caller is drawn again only when the text changes. */
export function useTimeText(text: (now_ms: number) => string): string {
  return useSyncExternalStore(subscribe, () => text(now()));
}
