// Names within our own sentences.

/** Letters of the scripts that run from the right. */
const FROM_RIGHT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

/** A name, set apart where it runs another way than the sentence that it stands in: it turns nothing around it. */
export function apart(name: string, sentence: "ltr" | "rtl" = "ltr"): string {
  const isFromRight = FROM_RIGHT.test(name);
  const isOther = sentence === "ltr" ? isFromRight : !isFromRight && /\p{L}/u.test(name);
  return isOther ? `\u2068${name}\u2069` : name;
}
