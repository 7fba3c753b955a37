/** Whether the page is as narrow as a phone's: then panes are screens, and rows are taller. */
import { useSyncExternalStore } from "react";

const phone = matchMedia("(max-width: 760px)");

function subscribe(listener: () => void): () => void {
  phone.addEventListener("change", listener);
  return () => phone.removeEventListener("change", listener);
}

/** Follows the width. */
export function usePhone(): boolean {
  return useSyncExternalStore(subscribe, () => phone.matches);
}
