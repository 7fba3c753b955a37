import { defineConfig } from "vitest/config";

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  // The limit ends what hangs: machines are busy.
  test: { include: ["tests/**/*.test.{ts,tsx}"], testTimeout: 60_000 },
});
