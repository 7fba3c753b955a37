// Texts that are too long for where they are shown.

/** The beginning of a text, at most so long; it ends with a whole character, not with half of one. */
export function beginningOf(text: string, lengthMax: number): string {
  const cut = text.slice(0, lengthMax);
  return /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut;
}
