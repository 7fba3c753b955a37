// Many visitors without a browser: each is a connection over plain HTTP.

/** People on the site. */
export class Crowd {
  #origin;
  #people = [];
  #stays = new AbortController();

  constructor(origin) {
    this.#origin = origin;
  }

  /**
   * As many as wanted come, one after the other. `who` says of each what is his own: the `page` that he looks at, the
   * `referrer`, and `headers` that his browser sends.
   */
  static async of(stack, count, who = (index) => ({ page: `/demo/?crowd=${index}` })) {
    const { api } = await stack.api();
    const crowd = new Crowd(stack.origin);
    for (let index = 0; index < count; index += 1) await crowd.#comes(api, stack.siteKey, who(index));
    return crowd;
  }

  async #comes(api, siteKey, { page, referrer, headers = {} }) {
    const { token } = await api.ask("POST", "visitor/session", { site_key: siteKey });
    const hello = { token, purpose: "launcher", page: { url: this.#origin + page, title: "In the crowd", referrer } };
    const options = { method: "POST", headers: { "content-type": "application/json", origin: this.#origin, ...headers }, body: JSON.stringify({ hello }), signal: this.#stays.signal };
    const stream = await fetch(`${this.#origin}/api/v1/stream`, options);
    // It goes on until they leave, unread but for the welcome.
    const reader = stream.body.getReader();
    let text = "";
    while (!text.includes("\n")) text += new TextDecoder().decode((await reader.read()).value);
    const welcome = JSON.parse(text.slice(0, text.indexOf("\n")));
    this.#people.push({ api, headers: { authorization: `Bearer ${token}`, "switchboard-connection": welcome.connection_id } });
  }

  /** One of them says something in the way of his browser, by a frame. */
  async does(index, frame) {
    const { api, headers } = this.#people[index];
    return api.ask("POST", "frames", frame, headers);
  }

  /** All go. */
  leave() {
    this.#stays.abort();
  }
}
