/**
 * Words of people as React elements. Markdown is parsed to a tree and rendered kind by kind; HTML in it
 * is shown as the letters it is, pictures become links, and links go only where links may go.
 */
import type { Nodes, PhrasingContent, RootContent } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { Fragment, memo, type ReactNode } from "react";
import type { Format } from "@switchboard/protocol";

/** A body; bidirectional tricks stay inside it. */
export const Body = memo(function Body({ format, text }: { format: Format; text: string }) {
  if (format === "markdown") {
    return (
      <div className="body" dir="auto">
        {fromMarkdown(text).children.map((node, index) => (
          <Fragment key={index}>{blockOf(node)}</Fragment>
        ))}
      </div>
    );
  }
  return (
    <div className="body body-plain" dir="auto">
      {linked(text)}
    </div>
  );
});

/** An address that may be a link; nothing for `javascript:` and its kin. */
export function safeHref(url: string): string | null {
  try {
    const address = new URL(url);
    return ["http:", "https:", "mailto:", "tel:"].includes(address.protocol) ? address.href : null;
  } catch {
    return null;
  }
}

function Anchor({ url, children }: { url: string; children: ReactNode }) {
  const href = safeHref(url);
  if (href === null) return <>{children}</>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow ugc" title={href}>
      {children}
    </a>
  );
}

const ADDRESS = /\b(?:https?:\/\/[^\s<>"'`]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)/giu;

/** A text with its addresses as links. */
export function linked(text: string): ReactNode {
  const parts: ReactNode[] = [];
  let end = 0;
  for (const found of text.matchAll(ADDRESS)) {
    const address = trimmed(found[0]);
    if (found.index > end) parts.push(text.slice(end, found.index));
    const url = address.includes("://") ? address : `mailto:${address}`;
    parts.push(
      <Anchor key={found.index} url={url}>
        {address}
      </Anchor>,
    );
    end = found.index + address.length;
  }
  if (end === 0) return text;
  parts.push(text.slice(end));
  return parts;
}

/** An address without the punctuation of the sentence around it. */
function trimmed(address: string): string {
  let kept = address.replace(/[.,;:!?…]+$/u, "");
  while (kept.endsWith(")") && kept.split("(").length < kept.split(")").length) kept = kept.slice(0, -1);
  return kept;
}

function blockOf(node: RootContent): ReactNode {
  switch (node.type) {
    case "paragraph":
      return <p>{inlines(node.children)}</p>;
    case "heading":
      return <p className="body-heading">{inlines(node.children)}</p>;
    case "blockquote":
      return <blockquote>{blocks(node.children)}</blockquote>;
    case "list": {
      const items = node.children.map((item, index) => (
        <li key={index}>
          {item.children.map((child, at) => (
            <Fragment key={at}>{child.type === "paragraph" && !item.spread ? inlines(child.children) : blockOf(child)}</Fragment>
          ))}
        </li>
      ));
      return node.ordered ? <ol start={node.start ?? 1}>{items}</ol> : <ul>{items}</ul>;
    }
    case "code":
      return (
        <pre>
          <code>{node.value}</code>
        </pre>
      );
    case "thematicBreak":
      return <hr />;
    case "html":
      return <p>{node.value}</p>;
    default:
      return "children" in node ? inlines(node.children as PhrasingContent[]) : null;
  }
}

function blocks(nodes: readonly RootContent[]): ReactNode {
  return nodes.map((node, index) => <Fragment key={index}>{blockOf(node)}</Fragment>);
}

function inlines(nodes: readonly PhrasingContent[]): ReactNode {
  return nodes.map((node, index) => <Fragment key={index}>{inlineOf(node)}</Fragment>);
}

function inlineOf(node: PhrasingContent): ReactNode {
  switch (node.type) {
    case "text":
      return <span className="body-text">{linked(node.value)}</span>;
    case "emphasis":
      return <em>{inlines(node.children)}</em>;
    case "strong":
      return <strong>{inlines(node.children)}</strong>;
    case "delete":
      return <del>{inlines(node.children)}</del>;
    case "inlineCode":
      return <code>{node.value}</code>;
    case "break":
      return <br />;
    case "link":
      return <Anchor url={node.url}>{inlines(node.children)}</Anchor>;
    case "image":
      return <Anchor url={node.url}>{node.alt || node.url}</Anchor>;
    case "html":
      return node.value;
    default:
      return textOf(node);
  }
}

/** The letters of a node of any kind. */
function textOf(node: Nodes): string {
  if ("value" in node && typeof node.value === "string") return node.value;
  if ("children" in node) return node.children.map((child) => textOf(child)).join("");
  return "";
}
