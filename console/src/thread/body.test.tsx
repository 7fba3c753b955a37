import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";

import { Body } from "./body.tsx";

// What words look like is a table of the widget's tests; here, that React makes the same of them.
it("words of people become elements, and never HTML", () => {
  const html = renderToStaticMarkup(<Body format="markdown" text={"**a** <img src=x>\n- [b](https://b.example/c)\n\n3. d"} />);
  expect(html).toBe(
    '<div class="body" dir="auto"><p dir="auto"><strong>a</strong> &lt;img src=x&gt;</p><ul dir="auto"><li>' +
      '<a href="https://b.example/c" dir="auto" target="_blank" rel="noopener noreferrer nofollow ugc" title="https://b.example/c">b</a>' +
      '</li></ul><ol dir="auto" start="3"><li>d</li></ol></div>',
  );
});
