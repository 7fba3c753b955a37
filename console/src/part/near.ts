/** Whether something is in sight: what is far down need not be fetched yet. */
import { useEffect, useState, type RefObject } from "react";

/** Whether it is in sight of what scrolls around it, or so near. Once it was, it stays so. */
export function useNear(frame: RefObject<HTMLElement | null>, around: string, margin = "0px"): boolean {
  const [near, setNear] = useState(false);
  useEffect(() => {
    const node = frame.current;
    if (!node) return;
    const watcher = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        watcher.disconnect();
        setNear(true);
      },
      { root: node.closest(around), rootMargin: margin },
    );
    watcher.observe(node);
    return () => watcher.disconnect();
  }, [frame, around, margin]);
  return near;
}
