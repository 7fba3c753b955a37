/** Work that stands in this page alone: the page waits for it before it loads itself anew, and asks before it is lost. */
import { useEffect, useRef } from "react";

/** What becomes of it where the page goes now: it is lost, or still sent on the way out. */
export type Fate = "lost" | "sent";

/** Says what would become of it; false where there is none. */
type Look = () => Fate | false;

const looks = new Set<Look>();

/** Names a place where work may stand, until the returned function is called. */
export function watchUnsaved(look: Look): () => void {
  looks.add(look);
  return () => looks.delete(look);
}

/** {@link watchUnsaved} for as long as a component stands. */
export function useUnsaved(look: Look): void {
  const latest = useRef(look);
  latest.current = look;
  useEffect(() => watchUnsaved(() => latest.current()), []);
}

/** Whether there is any. */
export function isUnsaved(): boolean {
  return [...looks].some((look) => look() !== false);
}

/** Whether any would be lost. */
export function wouldLose(): boolean {
  return [...looks].some((look) => look() === "lost");
}

/** From now on the browser asks whoever leaves the page while something would be lost. */
export function guardLeaving(): void {
  window.addEventListener("beforeunload", (event) => {
    if (wouldLose()) event.preventDefault();
  });
}
