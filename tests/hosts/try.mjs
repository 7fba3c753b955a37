// Tries the recipes of docs/embed.md that are too large for `make test`: a Next.js app that is built and served,
// and WordPress from Debian's packages, which are unpacked into a temporary folder and installed nowhere.
//
//   npm ci --prefix tests/browser && node tests/hosts/try.mjs [next] [wordpress]
//
// Everything listens on loopback. `next` needs npm's registry, `wordpress` apt, dpkg and PHP's command line.

import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { Stack, answer, findPanel, openRow, say, sees, until } from "../browser/stack.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const run = promisify(execFile);

/** What was started, to be ended by its own id. */
const started = [];

function start(program, words, options) {
  const process = spawn(program, words, { stdio: ["ignore", "ignore", "inherit"], ...options });
  started.push(process);
  return process;
}

async function stopAll() {
  for (const process of started.splice(0).reverse()) {
    if (process.exitCode !== null) continue;
    const ended = new Promise((done) => process.once("exit", done));
    process.kill("SIGTERM");
    await ended;
  }
}

/** A port that nobody has. */
function freePort() {
  return new Promise((done) => {
    const listener = createServer().listen(0, "127.0.0.1", () => {
      const { port } = listener.address();
      listener.close(() => done(port));
    });
  });
}

const answers = (address) => until(address, async () => (await fetch(address).catch(() => null))?.ok, 180_000);

/** The code below a heading of the document, with this server and this site in it. */
async function recipe(stack, heading, language) {
  const text = await readFile(join(here, "../../docs/embed.md"), "utf8");
  const [, code] = new RegExp(`## ${heading}\\n[^]*?\`\`\`${language}\\n([^]*?)\`\`\``).exec(text);
  return code.replaceAll("https://chat.example.com", stack.origin).replaceAll("site_…", stack.siteKey);
}

/** A visitor of that page writes, and is answered. */
async function chat(stack, page, words) {
  await until("the widget", () => page.evaluate(() => window.Switchboard?.of !== undefined));
  await page.evaluate(() => window.Switchboard.open());
  const panel = await findPanel(page);
  await say(panel, words);
  const agent = await stack.console();
  await openRow(agent, words);
  await answer(agent, "And answered.");
  await sees(panel, "And answered.");
  return agent;
}

async function next(stack) {
  const cwd = join(here, "next");
  const port = await freePort();
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", SWITCHBOARD_SERVER: stack.origin, SWITCHBOARD_SITE: stack.siteKey };
  await run("npm", ["ci", "--no-audit", "--no-fund"], { cwd });
  await run("npm", ["run", "build"], { cwd, env });
  start(process.execPath, ["node_modules/next/dist/bin/next", "start", "--hostname", "127.0.0.1", "--port", `${port}`], { cwd, env });
  await answers(`http://127.0.0.1:${port}/`);
  const page = await stack.person();
  await page.goto(`http://127.0.0.1:${port}/`);
  const agent = await chat(stack, page, "said to Next");
  const side = agent.getByRole("complementary", { name: "Contact" });
  await side.getByRole("heading", { name: "Ana, with Next" }).waitFor();
  // A route counts as a page, and the chat stays as it was.
  await page.evaluate(() => window.Switchboard.close());
  await page.getByRole("link", { name: "Orders" }).click();
  await page.getByRole("heading", { name: "Open orders" }).waitFor();
  await side.getByText("/orders").first().waitFor();
  await page.getByRole("button", { name: "Ask us" }).click();
  await sees(await findPanel(page), "said to Next");
}

/** Debian's packages, unpacked; PHP's own command line has to be there. */
async function unpack(folder) {
  const { stdout: version } = await run("php", ["-r", "echo PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION;"]);
  const packages = ["wordpress", "wordpress-theme-twentytwentythree", "php-getid3", `php${version}-mysql`, "mariadb-server-core"];
  await run("apt-get", ["download", ...packages], { cwd: folder });
  for (const name of (await readdir(folder)).filter((name) => name.endsWith(".deb"))) {
    await run("dpkg", ["-x", join(folder, name), folder]);
  }
  const [api] = await readdir(join(folder, "usr/lib/php"));
  return ["mysqlnd", "mysqli"].flatMap((name) => ["-d", `extension=${join(folder, "usr/lib/php", api, `${name}.so`)}`]);
}

async function database(folder) {
  const share = join(folder, "usr/share/mysql");
  const socket = join(folder, "sql");
  const words = ["--no-defaults", `--datadir=${join(folder, "data")}`, `--lc-messages-dir=${share}`, ...(process.getuid() === 0 ? ["--user=root"] : [])];
  const server = join(folder, "usr/sbin/mariadbd");
  await mkdir(join(folder, "data"));
  const tables = ["mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql"];
  const made = spawn(server, [...words, "--bootstrap", "--skip-grant-tables"], { stdio: ["pipe", "ignore", "ignore"] });
  made.stdin.write("create database mysql;\nuse mysql;\n");
  for (const name of tables) made.stdin.write(await readFile(join(share, name), "utf8"));
  made.stdin.end("\ncreate database wordpress;\n");
  await new Promise((done) => made.once("exit", done));
  // Whoever reaches the socket may do all: it stands in this folder, and there is no port.
  start(server, [...words, "--skip-networking", "--skip-grant-tables", `--socket=${socket}`], { stdio: "ignore" });
  return socket;
}

const settings = (socket) => `<?php
define('DB_NAME', 'wordpress');
define('DB_USER', 'root');
define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:${socket}');
define('DB_CHARSET', 'utf8mb4');
define('DISABLE_WP_CRON', true);
define('WP_HTTP_BLOCK_EXTERNAL', true);
$table_prefix = 'wp_';
function wp_mail() { return true; }
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require ABSPATH . 'wp-settings.php';
`;

const install = (port) => `<?php
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = '127.0.0.1:${port}';
$_SERVER['REQUEST_URI'] = $_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = '/index.php';
require_once 'wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('Kettle & Leaf', 'mira', 'mira@example.com', false, '', 'correct-horse-battery');
update_option('siteurl', 'http://127.0.0.1:${port}');
update_option('home', 'http://127.0.0.1:${port}');
require_once ABSPATH . 'wp-admin/includes/plugin.php';
$failed = activate_plugin('switchboard/switchboard.php');
if (is_wp_error($failed)) exit($failed->get_error_message());
echo 'WordPress ' . get_bloginfo('version');
`;

async function wordpress(stack) {
  const folder = await mkdtemp(join(tmpdir(), "switchboard-wordpress-"));
  try {
    const php = await unpack(folder);
    const socket = await database(folder);
    const root = join(folder, "usr/share/wordpress");
    const port = await freePort();
    await rm(join(root, "wp-config.php"), { force: true });
    await writeFile(join(root, "wp-config.php"), settings(socket));
    await mkdir(join(root, "wp-content/plugins/switchboard"), { recursive: true });
    await writeFile(join(root, "wp-content/plugins/switchboard/switchboard.php"), await recipe(stack, "WordPress", "php"));
    await writeFile(join(root, "install.php"), install(port));
    await until("the database", () => run("php", [...php, "-r", `new mysqli('localhost', 'root', '', 'wordpress', 0, '${socket}');`]).then(() => true, () => false));
    const { stdout } = await run("php", [...php, "install.php"], { cwd: root });
    if (!/^WordPress [\d.]+$/m.test(stdout)) throw new Error(stdout);
    console.log(stdout.trim());
    start("php", [...php, "-S", `127.0.0.1:${port}`, "-t", root], { cwd: root, stdio: "ignore" });
    const page = await stack.person();
    await answers(`http://127.0.0.1:${port}/`);
    await page.goto(`http://127.0.0.1:${port}/`);
    const agent = await chat(stack, page, "said to WordPress");
    await agent.context().close();
    await page.goto(`http://127.0.0.1:${port}/?p=1`);
    await until("the widget on the next page", () => page.evaluate(() => window.Switchboard?.of !== undefined));
    await page.evaluate(() => window.Switchboard.open());
    await sees(await findPanel(page), "said to WordPress");
  } finally {
    await stopAll();
    await rm(folder, { recursive: true, force: true });
  }
}

const recipes = { next, wordpress };
const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(recipes);
const stack = await Stack.start();
try {
  for (const name of wanted) {
    await recipes[name](stack);
    await stopAll();
    if (stack.complaints.length > 0) throw new Error(stack.complaints.join("\n"));
    console.log(`${name}: the chat is there, and answers`);
  }
} finally {
  await stopAll();
  await stack.stop();
}
