// Many visitors without a browser: each is a connection over plain HTTP.

/** People on the site. */
export class Crowd {
  #origin;
  #people = [];
  #stays = new AbortController();

  #api;
  #siteKey;

  /** Nobody yet, on the site of a stack. */
  constructor(stack, api) {
    this.#origin = stack.origin;
    this.#siteKey = stack.siteKey;
    this.#api = api;
  }

  /** As many as wanted come, one after the other. `who` says of each what is his own, as for `comes`. */
  static async of(stack, count, who = (index) => ({ page: `/demo/?crowd=${index}` })) {
    const { api } = await stack.api();
    const crowd = new Crowd(stack, api);
    for (let index = 0; index < count; index += 1) await crowd.comes(who(index));
    return crowd;
  }

  /** Of one, who has written something and stays: enough of a visitor where a story looks at the team's side alone. */
  static async writer(stack, text, who = { page: "/demo/" }) {
    const crowd = await Crowd.of(stack, 1, () => who);
    await crowd.writes(0, text);
    return crowd;
  }

  /**
   * One comes, and gets the next index: with the `page` that he looks at, the `referrer`, `headers` that his browser
   * sends, his `language`, his time `zone`, and to another site than the stack's where `siteKey` names it.
   */
  async comes({ page, referrer, headers = {}, language, zone, siteKey = this.#siteKey }) {
    const api = this.#api;
    const { token } = await api.ask("POST", "visitor/session", { site_key: siteKey, language, time_zone: zone });
    const hello = { token, purpose: "launcher", page: { url: this.#origin + page, title: "In the crowd", referrer } };
    const options = { method: "POST", headers: { "content-type": "application/json", origin: this.#origin, ...headers }, body: JSON.stringify({ hello }), signal: this.#stays.signal };
    const stream = await fetch(`${this.#origin}/api/v1/stream`, options);
    // It goes on until they leave, unread but for the welcome.
    const reader = stream.body.getReader();
    let text = "";
    while (!text.includes("\n")) text += new TextDecoder().decode((await reader.read()).value);
    const welcome = JSON.parse(text.slice(0, text.indexOf("\n")));
    this.#people.push({ authorization: `Bearer ${token}`, "switchboard-connection": welcome.connection_id });
    return this.#people.length - 1;
  }

  /** One of them says something in the way of his browser, by a frame. */
  async does(index, frame) {
    return this.#api.ask("POST", "frames", frame, this.#people[index]);
  }

  /** One of them writes. */
  async writes(index, body) {
    const command = { do: "send_message", body };
    return this.does(index, { type: "command", client_id: this.#api.nextId(), command });
  }

  /** All go. */
  leave() {
    this.#stays.abort();
  }
}
