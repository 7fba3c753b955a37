/**
 * A field whose words stand in the address, too, which follows them after a pause: an address that says what was
 * typed a moment ago is behind the field, any other is one that was gone to. Pure.
 */

/** What was asked of the address and has not been told yet, and what to show; null where the field stays as it is. */
export interface Told {
  asked: readonly string[];
  text: string | null;
}

/** Takes in what the address says now. */
export function told(asked: readonly string[], says: string): Told {
  const at = asked.indexOf(says);
  // What was asked before it is not told any more.
  return at < 0 ? { asked: [], text: says } : { asked: asked.slice(at + 1), text: null };
}
