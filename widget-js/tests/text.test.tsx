// @vitest-environment happy-dom
import { render } from "preact";
import { describe, expect, it } from "vitest";
import { safeUrl, Words } from "../src/panel/view/text.tsx";
import type { Format } from "../src/protocol.ts";

function shown(body: string, format: Format = "plain"): HTMLElement {
  const root = document.createElement("div");
  render(<Words format={format} body={body} />, root);
  return root;
}

describe("what people wrote", () => {
  it.each([
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "</p><iframe src=//evil.example>",
    "&lt;b&gt;",
  ])("is never HTML: %s", (hostile) => {
    for (const format of ["plain", "markdown"] as const) {
      const root = shown(hostile, format);
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
  ])("links to http and https only: %s", (url) => {
    expect(safeUrl(url)).toBeNull();
    expect(shown(`[click](${url})`, "markdown").querySelector("a")).toBeNull();
  });

  it("makes addresses into links that cannot reach back", () => {
    const link = shown("See https://shop.example/a?b=1, please.").querySelector("a");
    expect(link?.getAttribute("href")).toBe("https://shop.example/a?b=1");
    expect(link?.rel).toContain("noopener");
    expect(link?.target).toBe("_blank");
  });

  it("reads the marks that chats use", () => {
    const root = shown("**bold** and *thin*, `a<b`\n\n- one\n- two\n\n```\n<x>\n```", "markdown");
    expect(root.querySelector("strong")?.textContent).toBe("bold");
    expect(root.querySelector("em")?.textContent).toBe("thin");
    expect(root.querySelector("code")?.textContent).toBe("a<b");
    expect(root.querySelectorAll("li")).toHaveLength(2);
    expect(root.querySelector("pre")?.textContent).toBe("<x>");
  });

  it("leaves marks alone in plain text", () => {
    expect(shown("2 * 3 * 4 and **no**").textContent).toBe("2 * 3 * 4 and **no**");
  });

  it("stays quick on text made to be slow", () => {
    const hostile = `${"*".repeat(8_000)}${"[".repeat(4_000)}${"https://".repeat(500)}`;
    const before = performance.now();
    shown(hostile, "markdown");
    expect(performance.now() - before).toBeLessThan(1_000);
  });
});
