/** Files that are dropped where nothing takes them: a browser would leave the console and show the file instead. */
import { useEffect } from "react";

/** Whether files are dragged, not words. */
export function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") === true;
}

/** Refuses them; what takes files has said so before this hears of them, and a file field takes them by itself. */
export function useNoStrayFiles(): void {
  useEffect(() => {
    const refuse = (event: DragEvent) => {
      const is_field = event.target instanceof HTMLInputElement && event.target.type === "file";
      if (event.defaultPrevented || is_field || !hasFiles(event)) return;
      event.preventDefault();
      if (event.dataTransfer) event.dataTransfer.dropEffect = "none";
    };
    window.addEventListener("dragover", refuse);
    window.addEventListener("drop", refuse);
    return () => {
      window.removeEventListener("dragover", refuse);
      window.removeEventListener("drop", refuse);
    };
  }, []);
}
