/** Puts text into a field as if it had been typed: the browser's own undo takes it back. */

/** Replaces a stretch of the field, and selects a stretch of what came in. */
export function insertText(
  field: HTMLTextAreaElement,
  text: string,
  stretch: { start: number; end: number } = { start: field.selectionStart, end: field.selectionEnd },
  select: { from: number; to: number } = { from: text.length, to: text.length },
): void {
  field.focus();
  field.setSelectionRange(stretch.start, stretch.end);
  // The one way that browsers keep in the history of what was typed; where there is none, the text alone.
  if (!document.execCommand("insertText", false, text)) {
    field.setRangeText(text, stretch.start, stretch.end, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  field.setSelectionRange(stretch.start + select.from, stretch.start + select.to);
}
