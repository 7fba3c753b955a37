// Builds dist/: loader.js (one classic script), panel.html and its hashed assets.

import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL(".", import.meta.url));
const oxc = { jsx: { runtime: "automatic", importSource: "preact" } };

await rm(`${root}dist`, { recursive: true, force: true });

await build({
  root,
  configFile: false,
  logLevel: "warn",
  oxc,
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
