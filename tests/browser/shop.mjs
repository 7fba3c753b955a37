// A customer's own web site: pages on an origin that is not the server's.

import { createServer } from "node:http";

export class Shop {
  #pages = new Map();
  #listener = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://shop.example");
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

  close() {
    this.#listener.closeAllConnections();
    return new Promise((done) => this.#listener.close(done));
  }
}

/** The tag that a customer copies. */
export function tag(stack, attributes = "async") {
  return `<script ${attributes} src="${stack.origin}/widget.js" data-site-key="${stack.siteKey}"></script>`;
}
