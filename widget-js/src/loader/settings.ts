// What a page sets for itself, over what its site says: attributes of the tag, or `update`.

import type { PageSettings } from "../messages.ts";

/** What each value looks like. */
const SHAPES: Readonly<Record<keyof PageSettings, RegExp>> = {
  launcher: /^(shown|hidden)$/,
  panel: /^(open|closed)$/,
  side: /^(start|end)$/,
  theme: /^(light|dark|auto)$/,
  locale: /^[\w-]{0,60}$/,
  label: /^.{0,60}$/,
  greeting: /^[^]{0,2000}$/,
  message: /^[^]{0,2000}$/,
};

/**
 * The named values that are well formed; null and undefined take one back. The others are ignored, and named
 * once. Without names it looks for all that may be set, and past what else is there.
 */
export function wellFormed(asked: Readonly<Record<string, unknown>>, names = Object.keys(SHAPES)): PageSettings {
  const taken: Record<string, unknown> = {};
  const ignored = names.filter((name) => {
    const value = asked[name];
    const shape = (SHAPES as Readonly<Record<string, RegExp>>)[name];
    // What every object has (`constructor`) is no pattern.
    const isFine = shape?.test && (value == null || (typeof value === "string" && shape.test(value)));
    if (isFine) taken[name] = value;
    return !isFine;
  });
  if (ignored.length > 0) console.warn(`Switchboard: ignored ${ignored}`);
  return taken;
}
