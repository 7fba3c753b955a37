/** Light, dark, or as the system says; kept over reloads. */
import { useSyncExternalStore } from "react";

import { createKeptStore } from "../part/store.ts";

/** What one may choose. */
export type ThemeChoice = "system" | "light" | "dark";

/** What was chosen. */
export const theme = createKeptStore<ThemeChoice>(
  "switchboard.theme",
  "system",
  (value): value is ThemeChoice => value === "system" || value === "light" || value === "dark",
);

const system_dark = matchMedia("(prefers-color-scheme: dark)");

function apply(): void {
  const chosen = theme.get();
  const dark = chosen === "dark" || (chosen === "system" && system_dark.matches);
  document.documentElement.dataset["theme"] = dark ? "dark" : "light";
}

/** Applies the theme now and whenever it changes. */
export function followTheme(): void {
  apply();
  theme.subscribe(apply);
  system_dark.addEventListener("change", apply);
}

/** Whether the system is dark, whatever was chosen for the console. */
export function useSystemDark(): boolean {
  return useSyncExternalStore(followSystem, () => system_dark.matches);
}

function followSystem(listener: () => void): () => void {
  system_dark.addEventListener("change", listener);
  return () => system_dark.removeEventListener("change", listener);
}
