// What stands under each other: paragraphs, lists, quotes, code. CommonMark's rules, without HTML, without
// underlined headings, indented code and references, which chats meet only by accident. A new line is one.

import type { Format } from "../protocol.ts";
import { inlines, plainInlines, type Inline } from "./inline.ts";

export type Block =
  | { readonly type: "paragraph" | "heading"; readonly children: readonly Inline[] }
  | { readonly type: "code"; readonly text: string }
  | { readonly type: "quote"; readonly children: readonly Block[] }
  /** `start` is null for lists without numbers. */
  | { readonly type: "list"; readonly start: number | null; readonly items: readonly (readonly Block[])[] }
  | { readonly type: "rule" };

/** Lists and quotes within each other; deeper ones stand as they are. */
const DEPTH_MAX = 6;

const FENCE = /^( {0,3})(`{3,}(?=[^`]*$)|~{3,})/;
const HEADING = /^ {0,3}#{1,6}(?=[ \t]|$)/;
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^ {0,3}([-*+]|\d{1,9}[.)])(?=[ \t]|$)/;

export function parse(format: Format, body: string): readonly Block[] {
  if (format === "plain") return [{ type: "paragraph", children: plainInlines(body) }];
  return blocks(body.split("\n"), 0);
}

function blocks(lines: readonly string[], depth: number): readonly Block[] {
  const found: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? "";
    const [block, next] = isBlank(line) ? [null, at + 1] : (blockAt(lines, at, depth) ?? paragraph(lines, at, depth));
    if (block !== null) found.push(block);
    at = next;
  }
  return found;
}

type Taken = readonly [block: Block | null, next: number];

/** What begins at a line other than a paragraph. */
function blockAt(lines: readonly string[], at: number, depth: number): Taken | null {
  const line = lines[at] ?? "";
  const fence = FENCE.exec(line);
  if (fence !== null) return fenced(lines, at, fence[1]?.length ?? 0, fence[2] ?? "");
  const heading = HEADING.exec(line);
  if (heading !== null) {
    const text = line.slice(heading[0].length).trim();
    // A row of marks may stand behind it, too.
    const end = /(?:^|\s)#+$/.exec(text.slice(-8))?.[0].length ?? 0;
    return [{ type: "heading", children: inlines(text.slice(0, text.length - end).trim()) }, at + 1];
  }
  if (RULE.test(line)) return [{ type: "rule" }, at + 1];
  if (depth >= DEPTH_MAX) return null;
  if (QUOTE.test(line)) return quote(lines, at, depth);
  return ITEM.test(line) ? list(lines, at, depth) : null;
}

function paragraph(lines: readonly string[], at: number, depth: number): Taken {
  const text: string[] = [];
  let next = at;
  do {
    text.push((lines[next] ?? "").trim());
    next += 1;
  } while (next < lines.length && goesOn(lines[next] ?? "", depth));
  return [{ type: "paragraph", children: inlines(text.join("\n")) }, next];
}

/** Whether a line goes on with the paragraph before it. */
function goesOn(line: string, depth: number): boolean {
  if (isBlank(line) || FENCE.test(line) || HEADING.test(line) || RULE.test(line)) return false;
  if (depth >= DEPTH_MAX) return true;
  // Of numbered lists only a first item ends a paragraph: a year at the beginning of a line is none.
  return !QUOTE.test(line) && !/^ {0,3}(?:[-*+]|1[.)])[ \t]+\S/.test(line);
}

function fenced(lines: readonly string[], at: number, indent: number, fence: string): Taken {
  const text: string[] = [];
  let next = at + 1;
  for (; next < lines.length; next += 1) {
    const line = lines[next] ?? "";
    const end = line.trim();
    if (end.length >= fence.length && end === (fence[0] ?? "").repeat(end.length) && indentOf(line) < 4) break;
    text.push(line.slice(Math.min(indent, indentOf(line))));
  }
  // One that never ends takes all, but for the line break at its end.
  if (next === lines.length && text.at(-1) === "") text.pop();
  return [{ type: "code", text: text.join("\n") }, next + 1];
}

/** Lines of a quote or an item, without what marks them. */
class Inner {
  readonly lines: string[] = [];
  #isFenced = false;

  push(line: string): void {
    if (/^[\s>*+-]*(?:```|~~~)/.test(line)) this.#isFenced = !this.#isFenced;
    this.lines.push(line);
  }

  /** Whether they end within a paragraph: a line that is not marked may then go on with it. */
  get isText(): boolean {
    let last = this.lines.at(-1) ?? "";
    while (ITEM.test(last) || QUOTE.test(last)) last = last.replace(ITEM, "").replace(QUOTE, "").trimStart();
    return !this.#isFenced && !isBlank(last) && !HEADING.test(last) && !RULE.test(last);
  }
}

function quote(lines: readonly string[], at: number, depth: number): Taken {
  const inner = new Inner();
  let next = at;
  for (; next < lines.length; next += 1) {
    const line = lines[next] ?? "";
    if (QUOTE.test(line)) inner.push(line.replace(QUOTE, ""));
    else if (goesOn(line, depth) && inner.isText) inner.push(line);
    else break;
  }
  return [{ type: "quote", children: blocks(inner.lines, depth + 1) }, next];
}

function list(lines: readonly string[], at: number, depth: number): Taken {
  const items: (readonly Block[])[] = [];
  const first = ITEM.exec(lines[at] ?? "")?.[1] ?? "";
  const kind = first.at(-1);
  let next = at;
  while (next < lines.length) {
    const line = lines[next] ?? "";
    const found = ITEM.exec(line);
    if (found === null || found[1]?.at(-1) !== kind || RULE.test(line)) break;
    const [item, after] = itemLines(lines, next, found[0].length, depth);
    items.push(blocks(item, depth + 1));
    next = after;
    // Blank lines between two items belong to the list.
    const further = notBlank(lines, next);
    if (ITEM.exec(lines[further] ?? "")?.[1]?.at(-1) === kind) next = further;
  }
  return [{ type: "list", start: first.length > 1 ? Number(first.slice(0, -1)) : null, items }, next];
}

/** The lines of one item, without its indent, and where the next thing begins. */
function itemLines(
  lines: readonly string[],
  at: number,
  marker: number,
  depth: number,
): readonly [readonly string[], number] {
  const line = (lines[at] ?? "").replace("\t", "    ");
  const blank = indentOf(line.slice(marker));
  const width = marker + (blank > 4 || isBlank(line.slice(marker)) ? 1 : blank);
  const item = new Inner();
  item.push(line.slice(width));
  let next = at + 1;
  while (next < lines.length) {
    const further = notBlank(lines, next);
    const inside = (lines[further] ?? "").replaceAll("\t", "    ");
    if (further < lines.length && indentOf(inside) >= width) {
      for (; next < further; next += 1) item.push("");
      item.push(inside.slice(width));
    } else if (further === next && !ITEM.test(inside) && goesOn(inside, depth) && item.isText) item.push(inside);
    else break;
    next = further + 1;
  }
  return [item.lines, next];
}

function notBlank(lines: readonly string[], at: number): number {
  let next = at;
  while (next < lines.length && isBlank(lines[next] ?? "")) next += 1;
  return next;
}

function isBlank(line: string): boolean {
  return line.trim() === "";
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
