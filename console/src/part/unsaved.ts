/** Work that stands in this page alone: the page waits for it before it loads itself anew, and asks before it is lost. */
import { useEffect, useRef } from "react";

/** What becomes of it where the page goes now: it is lost, or still sent on the way out. */
export type Fate = "lost" | "sent";

/** Says what would become of it; false where there is none. */
type Look = () => Fate | false;

/** Sends at once what waits; done when it is stored or refused. */
type Send = () => Promise<void>;

/** A place where work may stand, and how that is called. */
interface Watch {
  name: () => string;
  look: Look;
  send?: Send | undefined;
}

const watches = new Set<Watch>();

/** Names a place where work may stand, until the returned function is called. `name` says what would be lost, as a line of a list. */
export function watchUnsaved(name: () => string, look: Look, send?: Send): () => void {
  const watch = { name, look, send };
  watches.add(watch);
  return () => watches.delete(watch);
}

/** {@link watchUnsaved} for as long as a component stands. */
export function useUnsaved(name: string, look: Look, send?: Send): void {
  const latest = useRef({ look, send });
  latest.current = { look, send };
  useEffect(() => watchUnsaved(() => name, () => latest.current.look(), async () => latest.current.send?.()), [name]);
}

/** Whether there is any. */
export function isUnsaved(): boolean {
  return [...watches].some(({ look }) => look() !== false);
}

/** Sends what can be sent, for who signs out cannot on the way out. What is left is lost. */
export async function sendUnsaved(): Promise<void> {
  await Promise.all([...watches].map(({ send }) => send?.()));
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
