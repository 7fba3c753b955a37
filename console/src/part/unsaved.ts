/** Work that stands in this page alone: the page waits for it before it loads itself anew, and asks before it is lost. */
import { useEffect, useRef } from "react";

/** What becomes of it where the page goes now: it is lost, or still sent on the way out. */
export type Fate = "lost" | "sent";

/** Says what would become of it; false where there is none. */
type Look = () => Fate | false;

/** A place where work may stand, and how that is called. */
interface Watch {
  name: () => string;
  look: Look;
}

const watches = new Set<Watch>();

/** Names a place where work may stand, until the returned function is called. `name` says what would be lost, as a line of a list. */
export function watchUnsaved(name: () => string, look: Look): () => void {
  const watch = { name, look };
  watches.add(watch);
  return () => watches.delete(watch);
}

/** {@link watchUnsaved} for as long as a component stands. */
export function useUnsaved(name: string, look: Look): void {
  const latest = useRef(look);
  latest.current = look;
  useEffect(() => watchUnsaved(() => name, () => latest.current()), [name]);
}

/** Whether there is any. */
export function isUnsaved(): boolean {
  return [...watches].some(({ look }) => look() !== false);
}

/** What would be lost. */
export function losses(): string[] {
  return [...watches].filter(({ look }) => look() === "lost").map(({ name }) => name());
}

/** From now on the browser asks whoever leaves the page while something would be lost. */
export function guardLeaving(): void {
  window.addEventListener("beforeunload", (event) => {
    if (losses().length > 0) event.preventDefault();
  });
}
