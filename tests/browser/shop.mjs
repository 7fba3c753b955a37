// A customer's own web site: pages on an origin that is not the server's.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css" };

export class Shop {
  #pages = new Map();
  /** Folders of built apps, by the first part of their addresses. */
  #apps = new Map();
  #listener = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://shop.example");
    const folder = this.#apps.get(pathname.split("/")[1]);
    if (folder !== undefined) {
      void this.#file(folder, pathname.split("/").slice(2).join("/"), response);
      return;
    }
    const page = this.#pages.get(pathname);
    response.writeHead(page === undefined ? 404 : 200, { "content-type": "text/html; charset=utf-8", ...page?.headers });
    response.end(page?.html ?? "");
  });
  #port = 0;

  static async open() {
    const shop = new Shop();
    await new Promise((done) => shop.#listener.listen(0, "127.0.0.1", done));
    shop.#port = shop.#listener.address().port;
    return shop;
  }

  /** Puts a page up and gives its address; names below `.example` are this machine, too. */
  page(path, { head = "", body = "", headers = {}, host = "127.0.0.1" }) {
    const title = path.slice(1) || "Shop";
    const html = `<!doctype html><html lang="en"><head><title>${title}</title><link rel="icon" href="data:,">${head}</head><body>${body}</body></html>`;
    this.#pages.set(path, { html, headers });
    return `http://${host}:${this.#port}${path}`;
  }

  /** Puts a built app up below `/name/` and gives its address; every address of it that is no file is its first page. */
  app(name, folder) {
    this.#apps.set(name, folder);
    return `http://127.0.0.1:${this.#port}/${name}/`;
  }

  async #file(folder, path, response) {
    const name = extname(path) === "" ? "index.html" : path;
    const text = await readFile(join(folder, name)).catch(() => null);
    response.writeHead(text === null ? 404 : 200, { "content-type": TYPES[extname(name)] ?? "application/octet-stream" });
    response.end(text);
  }

  close() {
    this.#listener.closeAllConnections();
    return new Promise((done) => this.#listener.close(done));
  }
}

/** The tag that a customer copies. */
export function tag(stack, attributes = "async") {
  return `<script ${attributes} src="${stack.origin}/widget.js" data-site-key="${stack.siteKey}"></script>`;
}
