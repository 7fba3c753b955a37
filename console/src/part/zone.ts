/** Time zones, by the names that they have today. */
import renamed from "./zone-today.txt?raw";

/** What browsers go on calling some of them, by a line of each; `ops/time-zones` writes it. */
const TODAY = new Map(renamed.trimEnd().split("\n").map((line) => line.split(" ", 2) as [string, string]));

/** `Europe/Kyiv` of `Europe/Kiev`. */
export function zoneToday(zone: string): string {
  return TODAY.get(zone) ?? zone;
}

/** `New York` of `America/New_York`; nothing of a clock that is no place. */
export function zoneCity(zone: string): string {
  const [area, ...place] = zoneToday(zone).split("/");
  return area === "Etc" ? "" : (place.at(-1) ?? "").replaceAll("_", " ");
}

/** All time zones the browser knows, and the one that is set. */
export function zones(current: string): string[] {
  const known = ["UTC", ...Intl.supportedValuesOf("timeZone"), current].filter(Boolean).map(zoneToday);
  return [...new Set(known)].sort();
}
