/** Files that are dropped on a conversation, wherever on it: they go to its composer. */
import { useEffect, useRef, useState, type RefObject } from "react";

import { hasFiles } from "../shell/stray.ts";

/** Takes them; says while some are held over it. */
export function useFileDrop(form: RefObject<HTMLFormElement | null>, take: (files: readonly File[]) => void): boolean {
  const [over, setOver] = useState(false);
  const takes = useRef(take);
  takes.current = take;
  useEffect(() => {
    const zone = form.current?.closest<HTMLElement>(".conversation-main");
    if (!zone) return undefined;
    const stop = new AbortController();
    const on = (type: "dragenter" | "dragover" | "drop", act: (event: DragEvent) => void) =>
      zone.addEventListener(
        type,
        (event) => {
          if (!hasFiles(event)) return;
          event.preventDefault();
          act(event);
        },
        { signal: stop.signal },
      );
    on("dragenter", () => setOver(true));
    on("dragover", () => setOver(true));
    // Whatever is known of what is dragged: nothing is, once that is called off.
    const leave = ({ relatedTarget }: DragEvent) => setOver((was) => was && relatedTarget instanceof Node && zone.contains(relatedTarget));
    zone.addEventListener("dragleave", leave, { signal: stop.signal });
    on("drop", (event) => {
      setOver(false);
      takes.current([...(event.dataTransfer?.files ?? [])]);
    });
    return () => stop.abort();
  }, [form]);
  return over;
}
