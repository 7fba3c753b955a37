/** Files that are dropped on a conversation, wherever on it: they go to its composer. */
import { useEffect, useRef, useState, type RefObject } from "react";

import { hasFiles } from "../shell/stray.ts";

/** Milliseconds after which files that are held over it are told of again by every browser. */
const HELD_MS = 1_000;

/** Takes them; says while some are held over it. */
export function useFileDrop(form: RefObject<HTMLFormElement | null>, take: (files: readonly File[]) => void): boolean {
  const [over, setOver] = useState(false);
  const takes = useRef(take);
  takes.current = take;
  useEffect(() => {
    const zone = form.current?.closest<HTMLElement>(".conversation-main");
    if (!zone) return undefined;
    const stop = new AbortController();
    const on = (type: "dragenter" | "dragover" | "dragleave" | "drop", act: (event: DragEvent) => void) =>
      zone.addEventListener(
        type,
        (event) => {
          if (!hasFiles(event)) return;
          event.preventDefault();
          act(event);
        },
        { signal: stop.signal },
      );
    // Some browsers do not tell that they were taken away: they are gone once nothing more is heard of them.
    let held = 0;
    const holds = (isHeld: boolean) => {
      clearTimeout(held);
      setOver(isHeld);
      if (isHeld) held = window.setTimeout(() => setOver(false), HELD_MS);
    };
    on("dragenter", () => holds(true));
    on("dragover", () => holds(true));
    on("dragleave", ({ relatedTarget }) => holds(relatedTarget instanceof Node && zone.contains(relatedTarget)));
    on("drop", (event) => {
      holds(false);
      takes.current([...(event.dataTransfer?.files ?? [])]);
    });
    return () => {
      clearTimeout(held);
      stop.abort();
    };
  }, [form]);
  return over;
}
