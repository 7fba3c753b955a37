// The HTTP API, as a program of the customer's would use it, and what its server signs.

import { createHmac } from "node:crypto";

export class Api {
  #count = 0;

  constructor(origin) {
    this.origin = origin;
  }

  /** A new name for a command. */
  nextId() {
    return `api-${(this.#count += 1)}`;
  }

  async ask(method, path, body, headers = {}) {
    const answered = await fetch(`${this.origin}/api/v1/${path}`, {
      method,
      headers: { "content-type": "application/json", origin: this.origin, ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answered.text();
    if (!answered.ok) throw new Error(`${method} ${path}: ${answered.status} ${text}`);
    return text === "" ? null : JSON.parse(text);
  }

  async signIn(email, password, headers = {}, time_zone = undefined) {
    const signedIn = await this.ask("POST", "login?bearer=true", { email, password, time_zone }, headers);
    return { authorization: `Bearer ${signedIn.secret}` };
  }
}

/** An identity token, as WID-14 describes it. */
export function identity(secret, siteKey, customer) {
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    site_key: siteKey,
    customer: { id: customer, name: customer, email: `${customer}@example.com` },
    iat: now,
    exp: now + 900,
  };
  const json = JSON.stringify(claims);
  const signature = createHmac("sha256", secret).update(json).digest("hex");
  return `${Buffer.from(json).toString("base64")}.${signature}`;
}
