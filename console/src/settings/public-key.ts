/** Whether a pasted key is the half that must not leave its server. */
export function isPrivate(text: string): boolean {
  return /PRIVATE KEY/.test(text) || /^\s*\{[^]*"d"\s*:/.test(text);
}
