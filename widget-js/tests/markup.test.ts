// @vitest-environment happy-dom
import { h, render, type VNode } from "preact";
import { describe, expect, it } from "vitest";
import { plainText, safeUrl, words, type CreateElement } from "../src/markup/index.ts";
import { Words } from "../src/panel/view/text.tsx";
import type { Format } from "../src/protocol.ts";

/** Writes elements as tags, with only the properties that a case is about. */
const tags: CreateElement<string> = (tag, properties, ...children) => {
  const href = tag === "a" ? ` ${String(properties?.["href"])}` : "";
  const start = tag === "ol" && properties?.["start"] !== 1 ? ` ${String(properties?.["start"])}` : "";
  const name = properties?.["className"] === "heading" ? "heading" : tag;
  return `<${name}${href}${start}>${children.join("")}</${name}>`;
};

function shown(format: Format, body: string): string {
  return words(tags, "words", format, body).slice("<div>".length, -"</div>".length);
}

/** What both faces show, case by case: this table is the one place that says so. */
const cases: readonly (readonly [sentence: string, format: Format, body: string, expected: string])[] = [
  ["plain text keeps its marks", "plain", "2 * 3 * 4 **no**", "<p>2 * 3 * 4 **no**</p>"],
  ["plain text keeps its lines", "plain", "a\n\n  b", "<p>a\n\n  b</p>"],
  ["plain text has links", "plain", "see https://a.example/b.", "<p>see <a https://a.example/b>https://a.example/b</a>.</p>"],
  ["strong and thin", "markdown", "**bold** and *thin*, __bold__ and _thin_", "<p><strong>bold</strong> and <em>thin</em>, <strong>bold</strong> and <em>thin</em></p>"],
  ["within each other", "markdown", "***both*** and **a *b* c**", "<p><em><strong>both</strong></em> and <strong>a <em>b</em> c</strong></p>"],
  ["struck out", "markdown", "~~old~~ ~not~", "<p><del>old</del> ~not~</p>"],
  ["a snake_case_name stays", "markdown", "snake_case_name and 2*3*4", "<p>snake_case_name and 2<em>3</em>4</p>"],
  ["marks among blanks stay", "markdown", "2 * 3 * 4", "<p>2 * 3 * 4</p>"],
  ["marks that never end stay", "markdown", "**a *b", "<p>**a *b</p>"],
  ["escapes", "markdown", "\\*a\\* \\[b](c) C:\\dir", "<p>*a* [b](c) C:\\dir</p>"],
  ["code keeps everything", "markdown", "`a < b && *c*`", "<p><code>a < b && *c*</code></p>"],
  ["code with ticks in it", "markdown", "`` a ` b ``", "<p><code>a ` b</code></p>"],
  ["a fence", "markdown", "```rust\nlet a = \"<b>\";\n\n  b\n```\nafter", "<pre><code>let a = \"<b>\";\n\n  b</code></pre><p>after</p>"],
  ["a fence that never ends", "markdown", "~~~\na\n", "<pre><code>a</code></pre>"],
  ["paragraphs and lines", "markdown", "a\nb  \nc\n\nd", "<p>a\nb\nc</p><p>d</p>"],
  ["a heading", "markdown", "## Opening hours ##\nMonday", "<heading>Opening hours</heading><p>Monday</p>"],
  ["a number sign that is none", "markdown", "#1 in tea", "<p>#1 in tea</p>"],
  ["a rule", "markdown", "a\n\n***\nb", "<p>a</p><hr></hr><p>b</p>"],
  ["a list", "markdown", "Two:\n- one\n- **two**", "<p>Two:</p><ul><li>one</li><li><strong>two</strong></li></ul>"],
  ["a numbered list", "markdown", "3. three\n4. four", "<ol 3><li>three</li><li>four</li></ol>"],
  ["lists within lists", "markdown", "1. a\n   - b\n     c\n   - d\n2. e", "<ol><li>a<ul><li>b\nc</li><li>d</li></ul></li><li>e</li></ol>"],
  ["an item of two paragraphs", "markdown", "- a\n\n  b\n\n- c", "<ul><li>a<p>b</p></li><li>c</li></ul>"],
  ["two lists", "markdown", "- a\n+ b", "<ul><li>a</li></ul><ul><li>b</li></ul>"],
  ["a year at the beginning of a line", "markdown", "It was in\n1999. Or so.", "<p>It was in\n1999. Or so.</p>"],
  ["a quote", "markdown", "> a\n> - b\n\nc", "<blockquote><p>a</p><ul><li>b</li></ul></blockquote><p>c</p>"],
  ["a quote whose second line is not marked", "markdown", "> a\nb", "<blockquote><p>a\nb</p></blockquote>"],
  ["a link", "markdown", "[**the** guide](https://a.example/b_c \"title\")", "<p><a https://a.example/b_c><strong>the</strong> guide</a></p>"],
  ["a link whose address has brackets", "markdown", "[a](https://a.example/b_(c))", "<p><a https://a.example/b_(c)>a</a></p>"],
  ["no link within a link", "markdown", "[a [b](https://b.example/) c](https://c.example/)", "<p>[a <a https://b.example/>b</a> c](<a https://c.example/>https://c.example/</a>)</p>"],
  ["a picture is a link: nothing is loaded from elsewhere", "markdown", "![pixel](https://a.example/p.gif)", "<p><a https://a.example/p.gif>pixel</a></p>"],
  ["an address in a sentence", "markdown", "(https://a.example/x), please", "<p>(<a https://a.example/x>https://a.example/x</a>), please</p>"],
  ["an address with marks in it", "markdown", "**https://a.example/b_c_d** _x_", "<p><strong><a https://a.example/b_c_d>https://a.example/b_c_d</a></strong> <em>x</em></p>"],
  ["an address with brackets of its own", "markdown", "https://a.example/b_(c)!", "<p><a https://a.example/b_(c)>https://a.example/b_(c)</a>!</p>"],
  ["an address in angles", "markdown", "<https://a.example/b> <ana@a.example>", "<p><a https://a.example/b>https://a.example/b</a> <a mailto:ana@a.example>ana@a.example</a></p>"],
  ["an e-mail address", "plain", "write to ana.b@a.example.", "<p>write to <a mailto:ana.b@a.example>ana.b@a.example</a>.</p>"],
  ["an address ends where the direction turns", "plain", "https://a.example/\u202egpj.exe", "<p><a https://a.example/>https://a.example/</a>\u202egpj.exe</p>"],
  ["entities are what was typed", "markdown", "&lt;b&gt; &amp;", "<p>&lt;b&gt; &amp;</p>"],
  ["a foreign scheme is text", "markdown", "[click](javascript:alert(1)) <javascript:alert(1)>", "<p>[click](javascript:alert(1)) <javascript:alert(1)></p>"],
  ["an address of this site is text", "markdown", "[click](/a) [click](//evil.example)", "<p>[click](/a) [click](//evil.example)</p>"],
];

describe("what people wrote", () => {
  it.each(cases)("%s", (_, format, body, expected) => {
    expect(shown(format, body)).toBe(expected);
  });

  it.each([
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "</p><iframe src=//evil.example>",
    "&lt;b&gt;",
  ])("is never HTML: %s", (hostile) => {
    for (const format of ["plain", "markdown"] as const) {
      const root = document.createElement("div");
      render(h(Words, { format, body: hostile }), root);
      expect(root.textContent).toBe(hostile);
      expect(root.querySelector("img,script,iframe,b")).toBeNull();
    }
  });

  it.each([
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "//evil.example",
    "\u0001javascript:alert(1)",
    "ftp://a.example",
  ])("is no link to %s", (url) => {
    expect(safeUrl(url)).toBeNull();
  });

  it("has links that cannot reach back, and say where they go", () => {
    const root = document.createElement("div");
    render(h(Words, { format: "markdown", body: "[docs](https://a.example/b) https://c.example/d" }), root);
    const [named, plain] = root.querySelectorAll("a");
    for (const link of [named, plain]) {
      expect(link?.rel).toBe("noopener noreferrer nofollow ugc");
      expect(link?.target).toBe("_blank");
      expect(link?.dir).toBe("auto");
    }
    expect(named?.title).toBe("https://a.example/b");
    expect(plain?.hasAttribute("title")).toBe(false);
  });

  it("finds a direction for each paragraph, and one for a whole list or quote", () => {
    const root = document.createElement("div");
    const body = "# a\n\nb\n\n- c\n  > d\n\n> e\n\n```\nf\n```\n\n1. g";
    render(words<VNode>(h as CreateElement<VNode>, "words", "markdown", body), root);
    for (const block of root.querySelectorAll(".words > *")) expect(block.hasAttribute("dir")).toBe(true);
    // Browsers look for a direction only in what has none of its own.
    expect(root.querySelector("ul [dir], ol [dir], blockquote [dir]")).toBeNull();
  });

  it("is read aloud without its marks", () => {
    expect(plainText("markdown", "# Hi\n**a** [b](https://c.example)\n- `d`\n- e")).toBe("Hi\na b\nd\ne");
    expect(plainText("plain", "**a**")).toBe("**a**");
  });

  it.each([
    ["marks", `${"*".repeat(8_000)}${"[".repeat(8_000)}`],
    ["emphasis that never ends", "*a _b ".repeat(2_700)],
    ["ends without beginnings", "a* b_ ".repeat(2_700)],
    ["brackets", "[a](b \"".repeat(2_300)],
    ["ticks", Array.from({ length: 175 }, (_, index) => "`".repeat(index + 1)).join(" ")],
    ["addresses", "https://".repeat(2_000)],
    ["brackets of addresses", `https://a.example/${"(".repeat(8_000)}${")".repeat(8_000)}`],
    ["names", "a.".repeat(8_000) + "@"],
    ["blanks", `a${" ".repeat(16_000)}\nb`],
    ["quotes", `${">".repeat(8_000)}\n`.repeat(2)],
    ["lists", "- ".repeat(8_000)],
    ["lines that go on", "- a\n  b\nc\n".repeat(1_600)],
    ["blank lines in a list", `- a${"\n".repeat(8_000)}  b${"\n".repeat(8_000)}`],
  ])("is read quickly where it was made to be slow: %s", (_, hostile) => {
    // Counted in the processor's time: the machine may be busy with other things.
    const before = process.cpuUsage();
    const root = document.createElement("div");
    render(h(Words, { format: "markdown", body: hostile.slice(0, 16_384) }), root);
    expect(process.cpuUsage(before).user).toBeLessThan(1_000_000);
  });
});
