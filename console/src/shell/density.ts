/** How close rows of lists stand: two lines each, or one; kept over reloads. */
import { createKeptStore } from "../part/store.ts";

/** What one may choose. */
export type Density = "comfortable" | "compact";

/** What was chosen. */
export const density = createKeptStore<Density>(
  "switchboard.density",
  "comfortable",
  (value): value is Density => value === "comfortable" || value === "compact",
);

function apply(): void {
  document.documentElement.dataset["density"] = density.get();
}

/** Applies the density now and whenever it changes. */
export function followDensity(): void {
  apply();
  density.subscribe(apply);
}
