/** Whether a thing of the page still stands there. */
import { useEffect, useRef } from "react";

/** Asks it: on a slow line an answer may come when its window was closed, and another one is open by then. */
export function useHere(): () => boolean {
  const here = useRef(false);
  useEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
    };
  }, []);
  return () => here.current;
}
