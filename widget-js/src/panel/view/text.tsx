// What people wrote, as elements: never HTML, so nothing in it can run. Links are http(s) only.

import type { ComponentChildren, VNode } from "preact";
import type { Format } from "../../protocol.ts";

/** The parts of a line that look like addresses; closing punctuation is left outside. */
const LINK = /\bhttps?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]}»”]/gi;
const MARKS = /(`[^`\n]+`)|(\*\*[^*\n]+\*\*)|(\*[^*\n]+\*|\b_[^_\n]+_\b)|\[([^\]\n]+)\]\(([^\s)]+)\)/g;

/** The address, if it may be a link. */
export function safeUrl(text: string): string | null {
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

function link(url: string, label: ComponentChildren): ComponentChildren {
  const href = safeUrl(url);
  if (href === null) return label;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow ugc">
      {label}
    </a>
  );
}

function withLinks(text: string): ComponentChildren[] {
  const parts: ComponentChildren[] = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    parts.push(text.slice(end, match.index), link(match[0], match[0]));
    end = match.index + match[0].length;
  }
  parts.push(text.slice(end));
  return parts;
}

function inline(text: string): ComponentChildren[] {
  const parts: ComponentChildren[] = [];
  let end = 0;
  for (const match of text.matchAll(MARKS)) {
    const [whole, code, strong, , label, url] = match;
    parts.push(...withLinks(text.slice(end, match.index)));
    if (code !== undefined) parts.push(<code>{code.slice(1, -1)}</code>);
    else if (strong !== undefined) parts.push(<strong>{inline(strong.slice(2, -2))}</strong>);
    else if (label !== undefined && url !== undefined) parts.push(link(url, label));
    else parts.push(<em>{inline(whole.slice(1, -1))}</em>);
    end = match.index + whole.length;
  }
  parts.push(...withLinks(text.slice(end)));
  return parts;
}

/** Paragraphs, lists, quotes and code of CommonMark, as far as chats use them. */
function blocks(text: string): VNode[] {
  const found: VNode[] = [];
  const pieces = text.split(/```[^\n]*\n?([\s\S]*?)```/);
  pieces.forEach((piece, index) => {
    if (index % 2 === 1) found.push(<pre>{piece.replace(/\n$/, "")}</pre>);
    else for (const block of piece.split(/\n{2,}/)) if (block.trim() !== "") found.push(paragraph(block.trim()));
  });
  return found;
}

function paragraph(block: string): VNode {
  const lines = block.split("\n");
  const items = (pattern: RegExp): VNode[] =>
    lines.map((line) => <li>{inline(line.replace(pattern, ""))}</li>);
  if (lines.every((line) => /^[-*+] /.test(line))) return <ul>{items(/^[-*+] /)}</ul>;
  if (lines.every((line) => /^\d{1,3}[.)] /.test(line))) return <ol>{items(/^\d{1,3}[.)] /)}</ol>;
  if (lines.every((line) => line.startsWith(">"))) {
    return <blockquote>{inline(lines.map((line) => line.replace(/^> ?/, "")).join("\n"))}</blockquote>;
  }
  return <p>{inline(block.replace(/^#{1,6} /, ""))}</p>;
}

export function Words({ format, body }: { format: Format; body: string }): VNode {
  return (
    <div class="words" dir="auto">
      {format === "markdown" ? blocks(body) : <p>{withLinks(body)}</p>}
    </div>
  );
}
