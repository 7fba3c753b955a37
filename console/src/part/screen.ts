/** How wide the page is: as narrow as a phone's, where panes are screens and rows are taller, or with room to spare; and whether a finger moves it. */
import { useSyncExternalStore } from "react";

function useMatch(query: MediaQueryList): boolean {
  return useSyncExternalStore(
    (listener) => {
      query.addEventListener("change", listener);
      return () => query.removeEventListener("change", listener);
    },
    () => query.matches,
  );
}

const phone = matchMedia("(max-width: 760px)");
const narrow = matchMedia("(max-width: 1000px)");
const wide = matchMedia("(min-width: 1800px)");
const touch = matchMedia("(hover: none)");

/** Whether it is as narrow as a phone's; follows the width. */
export function usePhone(): boolean {
  return useMatch(phone);
}

/** Whether a table of many columns has no room for all of them; follows the width. */
export function useNarrow(): boolean {
  return useMatch(narrow);
}

/** Whether there is room to spare; follows the width. */
export function useWide(): boolean {
  return useMatch(wide);
}

/** Whether nothing can be pointed at without pressing it, as with a finger. */
export function useTouch(): boolean {
  return useMatch(touch);
}
