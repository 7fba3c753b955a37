/** Whether words that are about to go to a customer read like a note for the team. Pure. */

const BEGINS = /^\s*(note( to self)?|internal|private|fyi|nb|todo)\s*[:–—-]/i;

/** A line that begins as notes do, or calls a member of the team by name. */
export function readsLikeNote(text: string, members: readonly string[]): boolean {
  if (BEGINS.test(text)) return true;
  const lower = text.toLowerCase();
  return members.some((name) => {
    const [first = ""] = name.toLowerCase().split(/\s+/, 1);
    return [name.toLowerCase(), first].some((each) => {
      const at = each.length < 2 ? -1 : lower.indexOf(`@${each}`);
      // Not within an e-mail address, nor the beginning of a longer word.
      return at >= 0 && !/[\p{L}\p{N}._]/u.test(lower[at - 1] ?? " ") && !/[\p{L}\p{N}]/u.test(lower[at + 1 + each.length] ?? " ");
    });
  });
}
