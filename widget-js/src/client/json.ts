// What goes to the server as JSON. Half a character (of a title that was cut, of a name from elsewhere)
// cannot be written in UTF-8: a server refuses the whole frame for it, and with it the chat.

/** JSON whose texts are whole characters; what was half of one is shown as such. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === "string" ? part.toWellFormed() : part));
}
