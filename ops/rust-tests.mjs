#!/usr/bin/env node
// All Rust tests of the workspace, several binaries at a time: they wait more than they work.
//
//   ops/test-services ops/rust-tests.mjs              all of them
//   ops/test-services ops/rust-tests.mjs router/      those whose name begins so
//
// A binary is run as cargo runs it, in the folder of its package. What one prints is printed whole where it failed,
// and otherwise how many tests it ran and how long they took. `SWITCHBOARD_TEST_JOBS` says how many run at once.
import { spawn } from "node:child_process";
import { basename, dirname } from "node:path";
import { createInterface } from "node:readline";

const JOBS = Number(process.env.SWITCHBOARD_TEST_JOBS ?? 2);

/** What takes longest comes first, so that none of it is still running alone in the end. */
const FIRST = ["tests/stories", "gateway/wire", "storage/storage", "tests/cluster", "router/router", "loadtest/runs"];

const running = new Set();

function start(command, parts, options = {}) {
    const child = spawn(command, parts, { stdio: ["ignore", "pipe", "inherit"], ...options });
    running.add(child);
    child.on("close", () => running.delete(child));
    return child;
}

function ended(child) {
    return new Promise((resolve, reject) => {
        child.on("error", reject);
        child.on("close", (code, signal) => resolve(signal ?? code));
    });
}

/** The test binaries, built where they are not: their names, files and folders. */
async function binaries() {
    const build = start("cargo", [
        ...["test", "--workspace", "--locked", "--quiet", "--no-run"],
        "--message-format=json-render-diagnostics",
    ]);
    const found = [];
    const end = ended(build);
    for await (const line of createInterface({ input: build.stdout })) {
        const { executable, profile, target, manifest_path } = JSON.parse(line);
        if (executable && profile.test) {
            const folder = dirname(manifest_path);
            found.push({ name: `${basename(folder)}/${target.name}`, command: executable, parts: [], folder });
        }
    }
    const code = await end;
    if (code !== 0) {
        process.exit(1);
    }
    return found;
}

/** Runs one and gives whether it passed. */
async function run({ name, command, parts, folder }) {
    const began = Date.now();
    const child = start(command, parts, {
        cwd: folder,
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, CARGO_MANIFEST_DIR: folder },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8");
        stream.on("data", (text) => (output += text));
    }
    const end = await ended(child);
    const seconds = ((Date.now() - began) / 1000).toFixed(1).padStart(6);
    if (end === 0) {
        const counts = [...output.matchAll(/^test result: ok\. (\d+) passed/gm)];
        const count = counts.reduce((sum, [, passed]) => sum + Number(passed), 0);
        console.log(`${seconds} s  ${name}: ${count} passed`);
        return true;
    }
    console.log(`${seconds} s  ${name}: FAILED (${end})\n${output}\nFAILED ${name}`);
    return false;
}

function place({ name }) {
    const index = FIRST.indexOf(name);
    return index < 0 ? FIRST.length : index;
}

for (const signal of ["SIGINT", "SIGTERM"]) {
    process.on(signal, () => {
        running.forEach((child) => child.kill(signal));
        process.exit(1);
    });
}

const asked = process.argv[2] ?? "";
const documentation = {
    name: "examples in documentation",
    command: "cargo",
    parts: ["test", "--workspace", "--locked", "--quiet", "--doc"],
    folder: process.cwd(),
};
const waiting = [...(await binaries()), documentation].filter(({ name }) => name.startsWith(asked));
waiting.sort((one, other) => place(one) - place(other));
let failedCount = 0;
const workers = Array.from({ length: JOBS }, async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
        failedCount += (await run(next)) ? 0 : 1;
    }
});
await Promise.all(workers);
process.exit(failedCount === 0 ? 0 : 1);
