/** Gives the browser something to keep as a file. */

/** A browser may ask first where to, and reads it after that. */
const KEPT_MS = 60_000;

/** Saves it under a name. */
export function download(what: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(what);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}
