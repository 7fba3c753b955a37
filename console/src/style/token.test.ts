/** The colours stand in one place; what can import no sheet has the same. */
import { readdirSync, readFileSync } from "node:fs";
import { PAPER, safeColor } from "@switchboard/color";
import { describe, expect, it } from "vitest";

const root = new URL("../../../", import.meta.url);
const text = (path: string) => readFileSync(new URL(path, root), "utf8");

/** The colours that the first block of a text says, by their names. */
const colorsIn = (block: string) => new Map([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name = "", color = ""]) => [name, color]));

const [light, dark] = text("widget-js/src/token.css").split("[data-dark]").map(colorsIn);

/** What a page that knows no setting says of the system's brightness. */
const bySystem = (sheet: string) => sheet.split("prefers-color-scheme: dark").map(colorsIn);

describe("the one place of colours", () => {
  it("has every colour by day and by night", () => {
    const everywhere = ["on-ringing", "live-on-brand", "dusk", "on-dusk", "brand", "brand-ink"];
    expect([...(light ?? [])].length).toBeGreaterThan(30);
    expect([...(light?.keys() ?? [])].filter((name) => !dark?.has(name))).toEqual(everywhere);
    expect([...(dark?.keys() ?? [])].filter((name) => !light?.has(name))).toEqual([]);
  });

  it.each(["console/public/offline.css", "gateway/src/http/docs.css"])("is what %s says", (path) => {
    const [day, night] = bySystem(text(path));
    expect(day?.size).toBeGreaterThan(4);
    expect(night?.size).toBe(day?.size);
    for (const [name, color] of day ?? []) expect([name, color]).toEqual([name, light?.get(name)]);
    for (const [name, color] of night ?? []) expect([name, color]).toEqual([name, dark?.get(name)]);
  });

  it("is what scripts, the program's manifest and its page say", () => {
    expect(PAPER).toEqual({ light: light?.get("paper"), dark: dark?.get("theirs") });
    expect(light?.get("brand")).toBe(light?.get("accent"));
    expect(safeColor("")).toBe(light?.get("brand"));
    const manifest = JSON.parse(text("console/public/app.webmanifest")) as Record<string, string>;
    expect([manifest["background_color"], manifest["theme_color"]]).toEqual([light?.get("paper"), light?.get("brand")]);
    expect(text("console/index.html")).toContain(`name="theme-color" content="${light?.get("brand")}"`);
    expect(text("console/public/icon.svg")).toContain(`fill="${light?.get("brand")}"`);
  });

  it("is what the launcher's sheet says, by day and by night", () => {
    const sheet = text("widget-js/src/loader/style.ts");
    const pairs = [...sheet.matchAll(/light-dark\((#\w+),(#\w+)\)/g)].map(([, day, night]) => [day, night]);
    expect(pairs).toHaveLength(3);
    const known = [...(light ?? [])].map(([name, color]) => [color, dark?.get(name)]);
    for (const pair of pairs) expect(known).toContainEqual(pair);
    for (const [color] of sheet.matchAll(/#[0-9a-f]{6}\b/g)) expect([...(light?.values() ?? []), ...(dark?.values() ?? [])]).toContain(color);
  });

  it("is the only one that the panel and the console have", () => {
    const sheets = readdirSync(new URL("console/src/style/", root)).filter((name) => name.endsWith(".css"));
    expect(sheets.length).toBeGreaterThan(15);
    const own = ["widget-js/src/panel/panel.css", ...sheets.map((name) => `console/src/style/${name}`)];
    const found = own.flatMap((path) => [...text(path).matchAll(/#[0-9a-f]{6}\b/g)].map(([color]) => `${path}: ${color}`));
    expect(found).toEqual([]);
  });
});
