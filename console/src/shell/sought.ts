/** What of a text is sought by a few words. Pure. */

const wordsOf = (query: string) => query.toLowerCase().split(/\s+/).filter(Boolean);

/** Whether every word of the query stands in the text. */
export function holds(text: string, query: string): boolean {
  const folded = text.toLowerCase();
  return wordsOf(query).every((word) => folded.includes(word));
}

/** Whether every word of the query begins a word of the text: of names that are known, few others are meant. */
export function begins(text: string, query: string): boolean {
  const words = text.toLowerCase().split(/[^\p{L}\p{N}]+/u);
  return wordsOf(query).every((wanted) => words.some((word) => word.startsWith(wanted)));
}
