// Light or dark: as the site wants it, or as the visitor's system says, also when that changes.

import type { Brightness } from "../protocol.ts";

const system = matchMedia("(prefers-color-scheme: dark)");
let wanted: Brightness = "system";

/** Takes over what the site wants. */
export function setBrightness(next: Brightness): void {
  wanted = next;
  show();
}

/** Shows it, now and whenever the system changes. */
export function followBrightness(): void {
  system.addEventListener("change", show);
  show();
}

function show(): void {
  const isDark = wanted === "dark" || (wanted === "system" && system.matches);
  document.documentElement.toggleAttribute("data-dark", isDark);
}
