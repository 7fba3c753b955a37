// Names for commands.

/** 128 random bits; `crypto.randomUUID` is missing on plain HTTP pages. */
export function newId(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}
