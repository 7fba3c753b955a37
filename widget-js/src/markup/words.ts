// What people wrote, as elements: text becomes text nodes, never HTML, so nothing in it can run. Each
// block finds its own direction, and links keep theirs, so that no mark turns around what stands beside.

import type { Format } from "../protocol.ts";
import { parse, type Block } from "./block.ts";
import type { Inline } from "./inline.ts";

/** `h` of Preact, `createElement` of React. */
export type CreateElement<E> = (
  tag: string,
  properties: Readonly<Record<string, string | number>> | null,
  ...children: (E | string)[]
) => E;

/** A body as one element with a class. */
export function words<E>(h: CreateElement<E>, className: string, format: Format, body: string): E {
  return h("div", { className, dir: "auto" }, ...parse(format, body).map((block) => blockOf(h, block)));
}

/** A body as it is read aloud, or previewed: without its marks. */
export function plainText(format: Format, body: string): string {
  return format === "plain" ? body : parse(format, body).map(textOf).join("\n");
}

const AUTO = { dir: "auto" };

/** `direction` is left out within lists and quotes: those find one for all they hold, and look for it only
 * in what has none of its own. */
function blockOf<E>(h: CreateElement<E>, block: Block, direction: { readonly dir?: string } = AUTO): E {
  switch (block.type) {
    case "paragraph":
      return h("p", { ...direction }, ...inlinesOf(h, block.children));
    case "heading":
      return h("p", { ...direction, className: "heading" }, ...inlinesOf(h, block.children));
    case "code":
      return h("pre", { dir: "ltr", tabIndex: 0 }, h("code", null, block.text));
    case "quote":
      return h("blockquote", { ...direction }, ...block.children.map((child) => blockOf(h, child, {})));
    case "list": {
      const items = block.items.map((item) => h("li", null, ...itemOf(h, item)));
      return block.start === null ? h("ul", { ...direction }, ...items) : h("ol", { ...direction, start: block.start }, ...items);
    }
    case "rule":
      return h("hr", null);
  }
}

/** The first paragraph of an item stands beside its mark. */
function itemOf<E>(h: CreateElement<E>, item: readonly Block[]): (E | string)[] {
  const [first, ...rest] = item;
  if (first?.type !== "paragraph") return item.map((block) => blockOf(h, block, {}));
  return [...inlinesOf(h, first.children), ...rest.map((block) => blockOf(h, block, {}))];
}

function inlinesOf<E>(h: CreateElement<E>, children: readonly Inline[]): (E | string)[] {
  return children.map((child) => inlineOf(h, child));
}

function inlineOf<E>(h: CreateElement<E>, inline: Inline): E | string {
  switch (inline.type) {
    case "text":
      return inline.text;
    case "code":
      return h("code", { dir: "auto" }, inline.text);
    case "strong":
      return h("strong", null, ...inlinesOf(h, inline.children));
    case "emphasis":
      return h("em", null, ...inlinesOf(h, inline.children));
    case "deleted":
      return h("del", null, ...inlinesOf(h, inline.children));
    case "link": {
      const { url: href, children } = inline;
      const safe = { href, dir: "auto", target: "_blank", rel: "noopener noreferrer nofollow ugc" };
      // Where it goes is told unless its words say so.
      const shown = textOf(inline);
      const isPlain = [shown, `${shown}/`, `mailto:${shown}`].includes(href);
      return h("a", isPlain ? safe : { ...safe, title: href }, ...inlinesOf(h, children));
    }
  }
}

function textOf(block: Block | Inline): string {
  switch (block.type) {
    case "text":
    case "code":
      return block.text;
    case "strong":
    case "emphasis":
    case "deleted":
    case "link":
    case "paragraph":
    case "heading":
      return block.children.map(textOf).join("");
    case "quote":
      return block.children.map(textOf).join("\n");
    case "list":
      return block.items.map((item) => item.map(textOf).join("\n")).join("\n");
    case "rule":
      return "";
  }
}
