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

/** Whether the console is dark now. */
function isDark(): boolean {
  const chosen = theme.get();
  return chosen === "dark" || (chosen === "system" && system_dark.matches);
}

function apply(): void {
  document.documentElement.toggleAttribute("data-dark", isDark());
}

/** The other one of light and dark, from now on whatever the system says. */
export function switchTheme(): void {
  theme.set(isDark() ? "light" : "dark");
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
