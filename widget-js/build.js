// Builds dist/: loader.js (one classic script), panel.html and its hashed assets, and what the launcher
// says in each language, which the server gives with a session.

import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL(".", import.meta.url));
const oxc = { jsx: { runtime: "automatic", importSource: "preact" } };

/** The launcher's style sheet is written in lines for people; each of them is bytes for every page. */
const sheet = {
  name: "sheet-in-one-line",
  enforce: "pre",
  transform: (code, id) => (id.endsWith("/loader/style.ts") ? code.replaceAll(/([{}`])\n/g, "$1") : null),
};

await rm(`${root}dist`, { recursive: true, force: true });

await build({
  root,
  configFile: false,
  logLevel: "warn",
  oxc,
  plugins: [sheet],
  build: {
    outDir: "dist",
    emptyOutDir: false,
    target: "es2022",
    lib: { entry: "src/loader/main.ts", formats: ["iife"], name: "switchboardLoader", fileName: () => "loader.js" },
  },
});

await build({
  root,
  base: "/widget/",
  configFile: false,
  logLevel: "warn",
  publicDir: false,
  oxc,
  build: {
    outDir: "dist",
    emptyOutDir: false,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: { input: `${root}panel.html` },
  },
});

await mkdir(`${root}dist/words`);
for (const name of (await readdir(`${root}src/words`)).filter((name) => name.endsWith(".json"))) {
  const { launcher } = JSON.parse(await readFile(`${root}src/words/${name}`, "utf8"));
  await writeFile(`${root}dist/words/${name}`, JSON.stringify(launcher));
}
