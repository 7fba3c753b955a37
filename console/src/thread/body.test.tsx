import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";

import { Body, safeHref } from "./body.tsx";

const markdown = (text: string) => renderToStaticMarkup(<Body format="markdown" text={text} />);
const plain = (text: string) => renderToStaticMarkup(<Body format="plain" text={text} />);

describe("words of people", () => {
  it("never become HTML", () => {
    for (const html of [markdown("<img src=x onerror=alert(1)>"), markdown("a <script>alert(1)</script> b"), plain("<b onclick=x>hi</b>")]) {
      expect(html).not.toMatch(/<(img|script|b)[ >]/);
      expect(html).toContain("&lt;");
    }
  });

  it("become links only where links may go", () => {
    expect(markdown("[click](javascript:alert(1))")).not.toContain("href");
    expect(markdown("[click](data:text/html,x)")).not.toContain("href");
    expect(plain("javascript:alert(1)")).not.toContain("href");
    expect(markdown("[docs](https://example.com/a)")).toContain('href="https://example.com/a"');
    expect(markdown("[docs](https://example.com/a)")).toContain('rel="noopener noreferrer nofollow ugc"');
    expect(safeHref("vbscript:x")).toBeNull();
  });

  it("load no pictures from elsewhere", () => {
    expect(markdown("![pixel](https://tracker.example/p.gif)")).not.toContain("<img");
  });

  it("find addresses without the punctuation around them", () => {
    expect(plain("see https://example.com/a_(b), please.")).toContain('href="https://example.com/a_(b)"');
    expect(plain("(https://example.com/x)")).toContain('href="https://example.com/x"');
    expect(plain("write to ana@example.com.")).toContain('href="mailto:ana@example.com"');
  });

  it("keep marks of plain text as they stand", () => {
    expect(plain("2 * 3 * 4 **not bold**")).not.toContain("<strong>");
    expect(markdown("**bold** and `code`")).toContain("<strong>");
  });

  it("stay inside their own direction", () => {
    expect(plain("x")).toContain('dir="auto"');
  });
});
