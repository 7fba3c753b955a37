// Gives the browser something to keep as a file.

/** A browser may ask first where to, and reads it after that. */
const KEPT_MS = 60_000;

/** Saves what stands at an address. */
export function downloadFrom(url: string, name: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}

export function download(what: Blob, name: string): void {
  const url = URL.createObjectURL(what);
  downloadFrom(url, name);
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
