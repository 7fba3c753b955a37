// How the console is built: to `dist/`, served under /console/, from one entry with lazy settings.
import { fileURLToPath } from "node:url";

import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const widget = (path: string) => fileURLToPath(new URL(`../widget-js/src/${path}`, import.meta.url));

/** Where a running Switchboard listens while the console is developed. */
const server = process.env["SWITCHBOARD_URL"] ?? "http://127.0.0.1:8080";

export const config = defineConfig({
  base: "/console/",
  plugins: [react()],
  resolve: {
    alias: {
      "@switchboard/client": widget("client/index.ts"),
      "@switchboard/color": widget("color.ts"),
      "@switchboard/emoji": widget("emoji.ts"),
      "@switchboard/markup": widget("markup/index.ts"),
      "@switchboard/protocol": widget("protocol.ts"),
      "@switchboard/token.css": widget("token.css"),
    },
  },
  build: {
    target: "es2023",
    // The page's policy forbids data: fonts and scripts, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: "manifest.json",
    // The budget is a test (test/size.test.ts), counted in compressed bytes.
    chunkSizeWarningLimit: 1_000,
  },
  server: {
    port: 5180,
    proxy: {
      "/api": { target: server, ws: true },
      "/demo": server,
      "/widget": server,
    },
  },
});

// Vite reads the default export; nothing else here has one.
export { config as default };
