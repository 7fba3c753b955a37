// Addresses in what people wrote: where they begin and end, and which of them may be links.

/** Ends at blanks, quotes, brackets of markup, and marks that turn the direction of writing around. */
const WEB = /https?:\/\/[^\s<>"'`*\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/iy;
const MAIL = /[a-z0-9](?:[\w.+-]*\w)?@[a-z0-9-]+(?:\.[a-z0-9-]+)+/iy;
const SCHEMES = ["https:", "http:", "mailto:", "tel:"];

/** Where the address at hand goes, if it may be a link: `javascript:` and its kin may not. */
export function safeUrl(text: string): string | null {
  try {
    const url = new URL(text);
    return SCHEMES.includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** An address that begins at `at`: how it stands there, and where it goes. */
export function addressAt(text: string, at: number): { readonly shown: string; readonly url: string } | null {
  // One that begins within a word is none; so long words are looked at once.
  if (/[\w.+@-]/.test(text[at - 1] ?? "")) return null;
  const web = matchAt(WEB, text, at);
  if (web !== null) {
    const shown = withoutPunctuation(web);
    const url = safeUrl(shown);
    return url === null ? null : { shown, url };
  }
  const mail = matchAt(MAIL, text, at);
  const url = mail === null ? null : safeUrl(`mailto:${mail}`);
  return mail === null || url === null ? null : { shown: mail, url };
}

/** What a sticky pattern finds at a place. */
export function matchAt(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}

/** An address without the punctuation of the sentence around it; brackets stay where they are its own. */
function withoutPunctuation(address: string): string {
  const open: string[] = [];
  let end = 0;
  for (; end < address.length; end += 1) {
    const letter = address[end] ?? "";
    if (letter === "(" || letter === "[") open.push(letter);
    else if ((letter === ")" || letter === "]") && open.pop() !== (letter === ")" ? "(" : "[")) break;
  }
  while (/[.,;:!?…_~}»”’]/.test(address[end - 1] ?? "")) end -= 1;
  return address.slice(0, end);
}
