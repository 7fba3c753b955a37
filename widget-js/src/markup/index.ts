// What people wrote, for widget and console alike: parsed once, shown the same on both sides, never HTML.

export type { Block } from "./block.ts";
export { beginningOf } from "./cut.ts";
export { safeUrl } from "./address.ts";
export type { Inline } from "./inline.ts";
export { apart } from "./name.ts";
export { plainText, words, type CreateElement } from "./words.ts";
