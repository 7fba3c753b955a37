// What stands within a line: emphasis, code, links. CommonMark's rules, as far as chats use them, in time
// that grows with the text.

import { addressAt, matchAt, safeUrl } from "./address.ts";

export type Inline =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "code"; readonly text: string }
  | { readonly type: "strong" | "emphasis" | "deleted"; readonly children: readonly Inline[] }
  | { readonly type: "link"; readonly url: string; readonly children: readonly Inline[] };

/** Marks that may be open at once; more stand as they are, so that no text makes a deep tree. */
const OPEN_MAX = 24;

const PUNCTUATION = /[\p{P}\p{S}]/u;
const TICKS = /`+/y;
const RUN = /\*+|_+|~+/y;
const ANGLED = /<[^\s<>]+>/y;
/** `(address "title")` behind a label. */
const TARGET = /\(\s*(?:<([^<>\n]*)>|([^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*))(?:\s+(?:"[^"]*"|'[^']*'))?\s*\)/y;

/** A word, or a letter that is part of none. */
const WORD = /[a-z0-9.+@-]+|[^]/iy;

/** Text as it stands, with its addresses as links. */
export function plainInlines(text: string): readonly Inline[] {
  const line = new Line();
  for (let at = 0; at < text.length; ) at += line.word(text, at);
  return line.end();
}

/** The inlines of a paragraph of Markdown. */
export function inlines(text: string): readonly Inline[] {
  const links = linksOf(text);
  const line = new Line();
  let at = 0;
  while (at < text.length) {
    const letter = text[at] ?? "";
    const link = links.get(at);
    if (link !== undefined) {
      line.node({ type: "link", url: link.url, children: inlines(text.slice(link.from, link.to)) });
      at = link.end;
    } else if (letter === "\\" && /[!-/:-@[-`{-~\n]/.test(text[at + 1] ?? "")) {
      line.text(text[at + 1] ?? "");
      at += 2;
    } else if (letter === "`") {
      const code = codeAt(text, at);
      if (code === null) at += line.text(matchAt(TICKS, text, at) ?? letter);
      else {
        line.node({ type: "code", text: code.text });
        at = code.end;
      }
    } else if (letter === "*" || letter === "_" || letter === "~") {
      const run = matchAt(RUN, text, at) ?? letter;
      line.marks(run, text[at - 1] ?? " ", text[at + run.length] ?? " ");
      at += run.length;
    } else at += (letter === "<" && line.angled(text, at)) || line.word(text, at);
  }
  return line.end();
}

/** A mark that was opened, and what stands behind it so far. */
interface Opened {
  readonly mark: string;
  /** Marks of the run that are not used yet. */
  count: number;
  /** As it stood there. */
  readonly length: number;
  readonly mayClose: boolean;
  children: Inline[];
}

/** A line while it is read. */
class Line {
  readonly #stack: Opened[] = [{ mark: "", count: 0, length: 0, mayClose: false, children: [] }];

  get #top(): Opened {
    return this.#stack.at(-1) as Opened;
  }

  node(node: Inline): void {
    this.#top.children.push(node);
  }

  /** Takes letters; gives how many. */
  text(text: string): number {
    append(this.#top.children, text);
    return text.length;
  }

  /** Takes the address that begins here, or a word; gives its length. */
  word(text: string, at: number): number {
    const address = addressAt(text, at);
    if (address === null) return this.text(matchAt(WORD, text, at) ?? "");
    this.node({ type: "link", url: address.url, children: [{ type: "text", text: address.shown }] });
    return address.shown.length;
  }

  /** Takes `<address>`, if one begins here; gives its length. */
  angled(text: string, at: number): number {
    const whole = matchAt(ANGLED, text, at);
    const shown = whole?.slice(1, -1) ?? "";
    const url = safeUrl(/^[^:/]+@[^:/]+$/.test(shown) ? `mailto:${shown}` : shown);
    if (whole === null || url === null) return 0;
    this.node({ type: "link", url, children: [{ type: "text", text: shown }] });
    return whole.length;
  }

  /** Takes a run of marks, which may end what is open, begin something, or stand as it is. */
  marks(run: string, before: string, after: string): void {
    const mark = run[0] ?? "";
    const [opens, closes] = flanks(mark, before, after);
    let count = run.length;
    // Of `~` only two count.
    if (mark === "~" && count !== 2) {
      this.text(run);
      return;
    }
    while (closes && count > 0) {
      const at = this.#opener(mark, run.length, opens);
      if (at < 0) break;
      this.#fold(at);
      const opened = this.#top;
      const used = count > 1 && opened.count > 1 ? 2 : 1;
      const type = mark === "~" ? "deleted" : used === 2 ? "strong" : "emphasis";
      const node: Inline = { type, children: opened.children };
      count -= used;
      opened.count -= used;
      opened.children = [node];
      if (opened.count === 0) {
        this.#stack.pop();
        this.node(node);
      }
    }
    if (count === 0) return;
    if (opens && this.#stack.length <= OPEN_MAX) {
      this.#stack.push({ mark, count, length: run.length, mayClose: closes, children: [] });
    } else this.text(run.slice(0, count));
  }

  end(): readonly Inline[] {
    this.#fold(0);
    return this.#top.children;
  }

  /** The nearest open mark that a run ends. */
  #opener(mark: string, length: number, mayOpen: boolean): number {
    for (let at = this.#stack.length - 1; at > 0; at -= 1) {
      const opened = this.#stack[at] as Opened;
      if (opened.mark !== mark) continue;
      // Runs that could do both belong together only where their lengths say so.
      const isOdd = (mayOpen || opened.mayClose) && (opened.length + length) % 3 === 0;
      if (mark === "~" || !isOdd || (opened.length % 3 === 0 && length % 3 === 0)) return at;
    }
    return -1;
  }

  /** What was opened above `at` and never ended stands as it is. */
  #fold(at: number): void {
    while (this.#stack.length - 1 > at) {
      const { mark, count, children } = this.#stack.pop() as Opened;
      this.text(mark.repeat(count));
      for (const child of children) {
        if (child.type === "text") this.text(child.text);
        else this.node(child);
      }
    }
  }
}

function append(children: Inline[], text: string): void {
  const last = children.at(-1);
  if (last?.type === "text") children[children.length - 1] = { type: "text", text: last.text + text };
  else if (text !== "") children.push({ type: "text", text });
}

/** Whether a run may begin and may end emphasis, by what stands around it. */
function flanks(mark: string, before: string, after: string): readonly [boolean, boolean] {
  const [blankBefore, blankAfter] = [/\s/.test(before), /\s/.test(after)];
  const [markBefore, markAfter] = [PUNCTUATION.test(before), PUNCTUATION.test(after)];
  const left = !blankAfter && (!markAfter || blankBefore || markBefore);
  const right = !blankBefore && (!markBefore || blankAfter || markAfter);
  // Within words an underscore is a letter.
  return mark === "_" ? [left && (!right || markBefore), right && (!left || markAfter)] : [left, right];
}

/** The code that begins at a run of ticks: it ends at the next run of the same length. */
function codeAt(text: string, at: number): { readonly text: string; readonly end: number } | null {
  const ticks = matchAt(TICKS, text, at) ?? "";
  for (let from = at + ticks.length; ; ) {
    const to = text.indexOf(ticks, from);
    if (to < 0) return null;
    const run = matchAt(TICKS, text, to) ?? "";
    if (run.length === ticks.length) {
      const code = text.slice(at + ticks.length, to).replaceAll("\n", " ");
      const isPadded = /^ .* $/.test(code) && code.trim() !== "";
      return { text: isPadded ? code.slice(1, -1) : code, end: to + run.length };
    }
    from = to + run.length;
  }
}

interface Link {
  readonly url: string;
  /** Its label. */
  readonly from: number;
  readonly to: number;
  /** Behind its address. */
  readonly end: number;
}

/** Where `[label](address)` begins. Pictures are links too: nothing is loaded from elsewhere. */
function linksOf(text: string): ReadonlyMap<number, Link> {
  const links = new Map<number, Link>();
  const open: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    if (letter === "\\") at += 1;
    else if (letter === "`") at = (codeAt(text, at)?.end ?? at + (matchAt(TICKS, text, at) ?? "`").length) - 1;
    else if (letter === "[") open.push(at);
    else if (letter === "]") {
      const from = open.pop();
      if (from === undefined || text[at + 1] !== "(") continue;
      TARGET.lastIndex = at + 1;
      const found = TARGET.exec(text);
      if (found === null) continue;
      const end = at + 1 + found[0].length;
      const url = safeUrl((found[1] ?? found[2] ?? "").replace(/\\(?=[!-/:-@[-`{-~])/g, ""));
      if (url !== null && at > from + 1) {
        links.set(text[from - 1] === "!" ? from - 1 : from, { url, from: from + 1, to: at, end });
        // No link stands within a link.
        open.length = 0;
      }
      at = end - 1;
    }
  }
  return links;
}
