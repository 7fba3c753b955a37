/** The budget: at most 300 KB of JavaScript, compressed, before the first screen. Measured on a fresh build. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { build } from "vite";
import { expect, it, vi } from "vitest";

const FIRST_LOAD_BYTES_MAX = 300 * 1024;

interface Chunk {
  file: string;
  isEntry?: boolean;
  imports?: string[];
}

it("the first load takes at most 300 KB of JavaScript, and no script stands in the page", async () => {
  const folder = await mkdtemp(join(tmpdir(), "switchboard-console-"));
  // Measured as it is shipped: under the test's own environment React would be its development build.
  vi.stubEnv("NODE_ENV", "production");
  try {
    await build({ build: { outDir: folder, emptyOutDir: true }, logLevel: "error" });
    const manifest = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")) as Record<string, Chunk>;
    const first = new Set<string>();
    const visit = (name: string) => {
      const chunk = manifest[name];
      if (!chunk || first.has(chunk.file)) return;
      first.add(chunk.file);
      chunk.imports?.forEach(visit);
    };
    Object.keys(manifest)
      .filter((name) => manifest[name]?.isEntry)
      .forEach(visit);
    expect(first.size).toBeGreaterThan(0);
    let bytes = 0;
    for (const file of first) bytes += gzipSync(await readFile(join(folder, file)), { level: 9 }).length;
    expect(bytes).toBeLessThanOrEqual(FIRST_LOAD_BYTES_MAX);
    const page = await readFile(join(folder, "index.html"), "utf8");
    expect(page).not.toMatch(/<style|<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=/);
  } finally {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);
