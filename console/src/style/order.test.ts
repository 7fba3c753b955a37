/** Style sheets count in the order in which they are loaded: what is for a narrow window must not be undone by a sheet after it. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

interface Rule {
  sheet: string;
  media: string;
  selectors: string[];
  properties: Set<string>;
}

const sheet = (name: string) => readFileSync(new URL(`${name}.css`, import.meta.url), "utf8");

/** The rules of a sheet, in order. */
function rulesOf(name: string): Rule[] {
  const rules: Rule[] = [];
  const open: string[] = [];
  const text = sheet(name).replace(/\/\*.*?\*\//gs, "");
  for (const [whole, begin, line] of text.matchAll(/([^{};]*)\{|([^{};]+);|\}/g)) {
    if (begin !== undefined) {
      open.push(begin.trim());
      const selectors = begin.split(",").map((one) => one.trim());
      if (!begin.trim().startsWith("@")) rules.push({ sheet: name, media: open.slice(0, -1).join(" "), selectors, properties: new Set() });
    } else if (whole === "}") open.pop();
    else rules.at(-1)?.properties.add((line ?? "").split(":")[0]?.trim() ?? "");
  }
  return rules;
}

test("what is for a narrow window is not undone by a later rule for all", () => {
  const main = readFileSync(new URL("../main.tsx", import.meta.url), "utf8");
  const names = [...main.matchAll(/import "\.\/style\/(\w+)\.css"/g)].map(([, name]) => name ?? "");
  const rules = names.flatMap(rulesOf);
  const narrow = rules.filter(({ media }) => media.includes("max-width"));
  expect(narrow.length).toBeGreaterThan(50);
  const undone = narrow.flatMap((rule) =>
    rules
      .slice(rules.indexOf(rule) + 1)
      .filter(({ media, selectors, properties }) => media === "" && selectors.some((one) => rule.selectors.includes(one)) && [...properties].some((one) => rule.properties.has(one)))
      .map((later) => `${rule.selectors} of ${rule.sheet}.css by ${later.sheet}.css`),
  );
  expect(undone).toEqual([]);
});
