// One widget on a page: session, presence, pages, launcher, and the panel once it is wanted.
//
// One connection per tab: the loader's own carries presence, pages and the unread count. When the
// panel is loaded, the panel's connection takes all that over and stays, also while it is closed.

import { newId } from "../client/id.ts";
import { open, type Envelope, type Properties, type ToLoader, type ToPanel } from "../messages.ts";
import type { Claim, Command, Page, VisitorNews, VisitorSession } from "../protocol.ts";
import { makeLauncher, type Launcher } from "./launcher.ts";
import { Line } from "./line.ts";
import { currentPage, followPages, isDoNotTrack } from "./pages.ts";
import { SessionError, SessionKeeper } from "./session.ts";

export interface WidgetOptions {
  /** Where the server is: the origin of the script. */
  readonly base: string;
  readonly siteKey: string;
  readonly identity: string | null;
  readonly isHidden: boolean;
  /** The language to speak, as a tag. */
  readonly locale: string;
}

export type EventName = "ready" | "open" | "close" | "unread" | "message" | "refused";
export type Listener = (detail: unknown) => void;

type Track = Extract<ToPanel, { type: "track" }>;

/** Events that wait for a connection; more are dropped, oldest first. */
const TRACKS_MAX = 20;

export class Widget {
  readonly siteKey: string;
  readonly #options: WidgetOptions;
  readonly #instance = newId();
  readonly #keeper: SessionKeeper;
  readonly #launcher: Launcher;
  readonly #line: Line;
  readonly #listeners = new Map<EventName, Set<Listener>>();
  readonly #stop = new AbortController();
  readonly #endPages: () => void;
  /** Commands not yet known to be done, by client id. */
  readonly #commands = new Map<string, Command>();
  #tracks: Track[] = [];
  #frame: HTMLIFrameElement | null = null;
  #isPanelReady = false;
  #isPanelLive = false;
  #isOpen = false;
  #isHidden: boolean;
  #isReady = false;
  #isRefused = false;
  #identity: string | null;
  /** Identity tokens live for minutes; the session carries on what one has proved. */
  #isIdentityTold = false;
  #renewing: Promise<VisitorSession> | null = null;
  #unread = 0;
  #sinceMs: number | null = null;

  constructor(options: WidgetOptions) {
    this.#options = options;
    this.siteKey = options.siteKey;
    this.#identity = options.identity;
    this.#isHidden = options.isHidden;
    this.#keeper = new SessionKeeper(options);
    this.#launcher = makeLauncher({
      onToggle: () => (this.#isOpen ? this.close() : this.open()),
      onIntent: () => this.#load(),
      onPreview: () => this.open(),
    });
    this.#line = new Line({
      url: `${options.base.replace(/^http/, "ws")}/api/v1/socket`,
      token: async () => (await this.#renew()).token,
      hello: () => ({ purpose: "launcher", page: this.#page() }),
      onNews: (news) => this.#onNews(news),
      onBlocked: () => this.#load(),
    });
    this.#endPages = followPages((page) => this.page(page));
    const { signal } = this.#stop;
    addEventListener("message", (event) => this.#onMessage(event), { signal });
    document.addEventListener(
      "visibilitychange",
      () => {
        const visible = document.visibilityState === "visible";
        this.#line.send({ type: "activity", visible });
        if (visible) this.#line.wake();
      },
      { signal },
    );
    for (const type of ["online", "pageshow"]) addEventListener(type, this.#line.wake, { signal });
    this.#launcher.attach();
    this.#show(this.#keeper.session);
    this.#line.start();
  }

  // --- what the page can ask for ----------------------------------------------------------------

  /** A signed token proves who this is; anything else is a claim. */
  identify(who: Claim | { readonly token: string }): void {
    if ("token" in who && typeof who.token === "string") {
      if (who.token === this.#identity) return;
      this.#identity = who.token;
      this.#isIdentityTold = false;
      this.#post({ type: "pause" });
      void this.#restart();
      return;
    }
    this.#command({ do: "identify", claim: who as Claim });
  }

  track(name: string, properties: Properties = {}): void {
    if (this.#isQuiet()) return;
    const track: Track = { type: "track", name, properties };
    if (this.#isPanelLive) this.#post(track);
    else if (!this.#line.send(track)) this.#tracks = [...this.#tracks, track].slice(-TRACKS_MAX);
  }

  page(page: Partial<Page> = {}): void {
    if (this.#isQuiet()) return;
    const whole = { ...currentPage(), ...page };
    if (this.#isPanelReady) this.#post({ type: "page", page: whole });
    this.#line.send({ type: "page", ...whole });
  }

  open(): void {
    if (this.#isOpen || this.#isRefused || this.#keeper.session === null) {
      this.#wantsOpen = !this.#isOpen;
      return;
    }
    this.#load();
    this.#isOpen = true;
    this.#isHidden = false;
    this.#launcher.setHidden(false);
    this.#launcher.setOpen(true);
    this.#post({ type: "open" });
    this.#emit("open", null);
  }
  /** Asked to open before the server said how the panel looks. */
  #wantsOpen = false;

  close(): void {
    this.#wantsOpen = false;
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#launcher.setOpen(false);
    this.#post({ type: "close" });
    this.#emit("close", null);
  }

  hide(): void {
    this.close();
    this.#isHidden = true;
    this.#launcher.setHidden(true);
  }

  show(): void {
    this.#isHidden = false;
    this.#show(this.#keeper.session);
  }

  /** Calls back for an event; the result ends that. */
  on(event: EventName, listener: Listener): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
    if (event === "ready" && this.#isReady) listener(null);
    return () => listeners.delete(listener);
  }

  /** Somebody else sits here from now on. */
  logout(): void {
    this.close();
    this.#identity = null;
    this.#isIdentityTold = false;
    this.#commands.clear();
    this.#tracks = [];
    this.#post({ type: "forget" });
    this.#keeper.forget();
    this.#setUnread(0);
    void this.#restart();
  }

  destroy(): void {
    this.#stop.abort();
    this.#endPages();
    this.#line.stop();
    this.#launcher.destroy();
    this.#listeners.clear();
  }

  // --- the session ------------------------------------------------------------------------------

  #renew(): Promise<VisitorSession> {
    this.#renewing ??= this.#ask().finally(() => (this.#renewing = null));
    return this.#renewing;
  }

  async #ask(): Promise<VisitorSession> {
    try {
      const identity = this.#identity;
      const session = await this.#keeper.renew(this.#isIdentityTold ? null : identity);
      if (identity === this.#identity) this.#isIdentityTold = true;
      if (!this.#stop.signal.aborted) this.#welcome(session);
      return session;
    } catch (error) {
      if (error instanceof SessionError) this.#refused(error.code);
      throw error;
    }
  }

  #welcome(session: VisitorSession): void {
    this.#isRefused = false;
    if (this.#isPanelLive) this.#line.stop();
    this.#show(session);
    this.#setUnread(session.unread);
    this.#postSession();
    if (!this.#isReady) {
      this.#isReady = true;
      this.#emit("ready", null);
    }
    if (this.#wantsOpen) this.open();
  }

  /** Another identity: a new connection, and the panel begins anew. */
  async #restart(): Promise<void> {
    const wasPanelLive = this.#isPanelLive;
    this.#line.stop();
    this.#sinceMs = null;
    // An answer still under way is of the identity before.
    await this.#renewing?.catch(() => undefined);
    if (this.#stop.signal.aborted) return;
    if (!wasPanelLive) this.#line.start();
    else await this.#renew().catch(() => this.#line.start());
  }

  #refused(code: string): void {
    this.#isRefused = true;
    this.#post({ type: "session_failed", code });
    this.#emit("refused", code);
    console.warn(
      `Switchboard: ${code}. See Settings, Sites: key ${this.siteKey}, origin ${location.origin}, secret`,
    );
    if (!this.#isOpen) this.#launcher.setHidden(true);
  }

  #show(session: VisitorSession | null): void {
    if (session === null) return;
    this.#launcher.configure(session);
    this.#launcher.setHidden(this.#isHidden);
  }

  // --- the connection ---------------------------------------------------------------------------

  /** Whether pages and events stay with the visitor. */
  #isQuiet(): boolean {
    return isDoNotTrack() && this.#keeper.session?.config.respect_do_not_track !== false;
  }

  #page(): Page | null {
    return this.#isQuiet() ? null : currentPage();
  }

  #command(command: Command): void {
    if (this.#isPanelLive) {
      this.#post({ type: "command", command });
      return;
    }
    const client_id = newId();
    this.#commands.set(client_id, command);
    this.#line.send({ type: "command", client_id, command });
  }

  #onNews(frame: VisitorNews): void {
    switch (frame.type) {
      case "welcome":
        this.#sinceMs ??= frame.now_ms;
        for (const [client_id, command] of this.#commands) {
          this.#line.send({ type: "command", client_id, command });
        }
        for (const track of this.#tracks.splice(0)) this.#line.send(track);
        this.#setUnread(frame.unread);
        this.#configure(frame);
        break;
      case "ack":
        this.#commands.delete(frame.client_id);
        break;
      case "rejected":
        if (frame.problem.retry === "never") this.#commands.delete(frame.client_id);
        break;
      case "unread":
        this.#setUnread(frame.count);
        break;
      case "staff":
        this.#configure({ staff: frame });
        break;
      case "config":
        this.#configure(frame);
        break;
      default:
        break;
    }
  }

  #configure(change: Partial<VisitorSession["config"]>): void {
    const { session } = this.#keeper;
    if (session === null) return;
    Object.assign(session.config, change);
    this.#launcher.configure(session);
  }

  #setUnread(count: number): void {
    const isMore = count > this.#unread;
    if (count !== this.#unread) this.#emit("unread", count);
    this.#unread = count;
    this.#launcher.setUnread(count);
    // The panel knows the words of the preview.
    if (isMore) this.#load();
  }

  // --- the panel --------------------------------------------------------------------------------

  #load(): void {
    if (this.#frame !== null || this.#keeper.session === null) return;
    // The server knows the key, and none of the others needs an escape.
    const query = `site=${this.siteKey}&origin=${location.origin}&instance=${this.#instance}&dir=${getComputedStyle(document.documentElement).direction}&lang=${encodeURIComponent(this.#options.locale)}`;
    this.#frame = this.#launcher.frame(`${this.#options.base}/widget/panel?${query}`);
  }

  #post(message: ToPanel): void {
    if (!this.#isPanelReady) return;
    const envelope: Envelope<ToPanel> = { switchboard: this.#instance, message };
    this.#frame?.contentWindow?.postMessage(envelope, this.#options.base);
  }

  #postSession(): void {
    const { session } = this.#keeper;
    if (session === null) return;
    this.#post({ type: "session", session, page: this.#page(), isOpen: this.#isOpen, sinceMs: this.#sinceMs });
  }

  #onMessage(event: MessageEvent<unknown>): void {
    const source = this.#frame?.contentWindow ?? null;
    const message = open<ToLoader>(event, source, this.#options.base, this.#instance);
    if (message === null) return;
    switch (message.type) {
      case "ready":
        this.#isPanelReady = true;
        this.#postSession();
        break;
      case "live":
        this.#takenOver();
        break;
      case "renew":
        this.#renew().catch(() => this.#post({ type: "session_failed", code: null }));
        break;
      case "close":
        this.close();
        break;
      case "unread":
        this.#setUnread(message.count);
        if (message.count > 0) this.#launcher.showPreview(message.preview);
        break;
      case "staff":
        this.#configure({ staff: message.staff });
        break;
      case "config":
        this.#configure(message.config);
        break;
      case "message":
        this.#emit("message", message.from);
        break;
    }
  }

  /** The panel's connection is up: the one here ends, and what waited goes through the panel. */
  #takenOver(): void {
    // Of the identity before: it must not stop the line that asks for the new one.
    if (!this.#isIdentityTold) return;
    this.#isPanelLive = true;
    this.#line.stop();
    for (const command of this.#commands.values()) this.#post({ type: "command", command });
    this.#commands.clear();
    for (const track of this.#tracks.splice(0)) this.#post(track);
  }

  #emit(event: EventName, detail: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) {
      try {
        listener(detail);
      } catch (error) {
        // The page's own fault must not stop us, and must be seen.
        console.error(error);
      }
    }
  }
}
