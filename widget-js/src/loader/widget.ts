// One widget on a page: session, presence, pages, launcher, and the panel once it is wanted.
//
// One connection per tab: the loader's own carries presence, pages and the unread count. When the
// panel is loaded, the panel's connection takes all that over and stays, also while it is closed.

import { newId } from "../client/id.ts";
import { open, type Envelope, type PageSettings, type Properties, type ToLoader, type ToPanel } from "../messages.ts";
import type { Claim, ClientFrame, Command, Page, VisitorNews, VisitorSession, WidgetConfig } from "../protocol.ts";
import { makeLauncher } from "./launcher.ts";
import { makeLine } from "./line.ts";
import { currentPage, followPages, isDoNotTrack } from "./pages.ts";
import { keepSession, SessionError } from "./session.ts";
import { wellFormed } from "./settings.ts";

export interface WidgetOptions {
  /** Where the server is: the origin of the script. */
  readonly base: string;
  readonly siteKey: string;
  readonly identity: string | null;
  /** The tag's attributes: what is among them of the page's settings. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

export type EventName = "ready" | "open" | "close" | "unread" | "message" | "refused";
export type Listener = (detail: unknown) => void;

/** What the page can ask for, and nothing else: the board has the same calls. */
export interface Widget {
  /** A signed token proves who this is; anything else is a claim. */
  identify(who: Claim | { readonly token: string }): void;
  track(name: string, properties?: Properties): void;
  page(page?: Partial<Page>): void;
  /** Sets for this page what is well formed; null takes it back. */
  update(settings: PageSettings): void;
  open(): void;
  close(): void;
  hide(): void;
  show(): void;
  /** Calls back for an event; the result ends that. */
  on(event: EventName, listener: Listener): () => void;
  /** Somebody else sits here from now on. */
  logout(): void;
  destroy(): void;
}

type Track = Extract<ToPanel, { type: "track" }>;

/** Events that wait for a connection; more are dropped, oldest first. */
const TRACKS_MAX = 20;

/** A function around its state, as all of the loader: see `launcher.ts`. */
export function makeWidget({ base, siteKey, identity, attributes }: WidgetOptions): Widget {
  const instance = newId();
  const settings: PageSettings = {};
  const events = new EventTarget();
  const stop = new AbortController();
  const { signal } = stop;
  /** Commands not yet known to be done, by client id. */
  const commands = new Map<string, Command>();
  let tracks: Track[] = [];
  /** It has an id once its panel listens; the style sheet goes by that, too. */
  let frame: HTMLIFrameElement | null = null;
  let isPanelLive = false;
  let isOpen = false;
  /** Asked to open before the server said how the panel looks. */
  let wantsOpen = false;
  let isHidden = false;
  let isReady = false;
  let isRefused = false;
  /** Identity tokens live for minutes; the session carries on what one has proved. */
  let isIdentityTold = false;
  let renewing: Promise<VisitorSession> | null = null;
  let unread = 0;
  let sinceMs: number | null = null;

  const locale = (): string => settings.locale || document.documentElement.lang || navigator.language;
  const keeper = keepSession({ base, siteKey, locale });

  const widget: Widget = {
    identify(who) {
      if ("token" in who && typeof who.token === "string") {
        if (who.token === identity) return;
        identity = who.token;
        isIdentityTold = false;
        post({ type: "pause" });
        void restart();
        return;
      }
      command({ do: "identify", claim: who as Claim });
    },

    track(name, properties = {}) {
      if (isQuiet()) return;
      const track: Track = { type: "track", name, properties };
      if (isPanelLive) post(track);
      else if (!line.send(track) && tracks.push(track) > TRACKS_MAX) tracks.shift();
    },

    page(page) {
      if (isQuiet()) return;
      const whole = { ...currentPage(), ...page };
      post({ type: "page", page: whole });
      line.send({ type: "page", ...whole });
    },

    update(asked) {
      set(asked as Readonly<Record<string, unknown>>, Object.keys(Object(asked)));
    },

    open() {
      if (isOpen || isRefused || !keeper.session) {
        wantsOpen = !isOpen;
        return;
      }
      isOpen = true;
      load();
      isHidden = false;
      launcher.setHidden(false);
      launcher.setOpen(true);
      post({ type: "open" });
      emit("open");
    },

    close() {
      wantsOpen = false;
      if (!isOpen) return;
      isOpen = false;
      // It may have been lost on the way: the next time it is loaded anew.
      if (!frame?.id) frame = null;
      launcher.setOpen(false);
      post({ type: "close" });
      emit("close");
    },

    hide() {
      widget.close();
      isHidden = true;
      launcher.setHidden(true);
    },

    show() {
      isHidden = false;
      show();
    },

    on(event, listener) {
      // What it throws is the page's own fault: it stops nobody else, and the console tells of it.
      const hear = (heard: Event): void => listener((heard as CustomEvent).detail);
      events.addEventListener(event, hear, { signal });
      if (event === "ready" && isReady) listener(null);
      return () => events.removeEventListener(event, hear);
    },

    logout() {
      widget.close();
      identity = null;
      isIdentityTold = false;
      commands.clear();
      tracks = [];
      post({ type: "forget" });
      keeper.forget();
      setUnread(0);
      void restart();
    },

    destroy() {
      stop.abort();
      endPages();
      line.stop();
      launcher.destroy();
    },
  };

  // --- the session ------------------------------------------------------------------------------

  const renew = (): Promise<VisitorSession> => (renewing ??= ask().finally(() => (renewing = null)));

  const ask = async (): Promise<VisitorSession> => {
    try {
      const told = identity;
      const session = await keeper.renew(isIdentityTold ? null : told);
      if (told === identity) isIdentityTold = true;
      if (!signal.aborted) welcome(session);
      return session;
    } catch (error) {
      if (error instanceof SessionError) refused(error.message);
      throw error;
    }
  };

  const welcome = (session: VisitorSession): void => {
    isRefused = false;
    sinceMs ??= session.now_ms;
    if (isPanelLive) line.stop();
    show();
    setUnread(session.unread);
    postSession();
    if (!isReady) {
      isReady = true;
      emit("ready");
    }
    if (wantsOpen) widget.open();
  };

  /** Another identity or language: a new connection; for another identity the panel begins anew. */
  const restart = async (): Promise<void> => {
    const wasPanelLive = isPanelLive;
    line.stop();
    sinceMs = null;
    // An answer still under way is of the identity before.
    await renewing?.catch(() => undefined);
    if (signal.aborted) return;
    if (!wasPanelLive) line.start();
    else await renew().catch(line.start);
  };

  const refused = (code: string): void => {
    isRefused = true;
    post({ type: "session_failed", code });
    emit("refused", code);
    console.warn(
      `Switchboard: ${code}. See Settings, Sites: key ${siteKey}, origin ${location.origin}, secret`,
    );
    if (!isOpen) launcher.setHidden(true);
  };

  // --- the look ---------------------------------------------------------------------------------

  const show = (): void => {
    configure();
    launcher.setHidden(isHidden);
  };

  const configure = (change?: Partial<WidgetConfig>): void => {
    const { session } = keeper;
    if (session === null) return;
    Object.assign(session.config, change);
    launcher.configure(session);
  };

  const set = (asked: Readonly<Record<string, unknown>>, names?: string[]): void => {
    const before = locale();
    const taken = wellFormed(asked, names);
    Object.assign(settings, taken);
    configure();
    post({ type: "set", settings: { ...taken, locale: locale() } });
    if (taken.launcher) (taken.launcher === "hidden" ? widget.hide : widget.show)();
    if (taken.panel === "closed") widget.close();
    else if (taken.panel) {
      // Not before the page can hear of it.
      if (isReady) widget.open();
      else wantsOpen = true;
    }
    // The launcher's words come with the session.
    if (locale() !== before) void restart();
  };

  // --- the connection ---------------------------------------------------------------------------

  /** Whether pages and events stay with the visitor. */
  const isQuiet = (): boolean => isDoNotTrack() && keeper.session?.config.respect_do_not_track !== false;

  const pageNow = (): Page | null => (isQuiet() ? null : currentPage());

  const command = (command: Command): void => {
    if (isPanelLive) return post({ type: "command", command });
    const client_id = newId();
    commands.set(client_id, command);
    line.send({ type: "command", client_id, command });
  };

  /** Commands wait until they are known to be done, events until there is a connection. */
  const sendWaiting = (send: (frame: Extract<ClientFrame, { type: "command" }> | Track) => void): void => {
    for (const [client_id, command] of commands) send({ type: "command", client_id, command });
    for (const track of tracks.splice(0)) send(track);
  };

  const onNews = (news: VisitorNews | ToLoader): void => {
    switch (news.type) {
      case "welcome":
        sendWaiting(line.send);
        setUnread(news.unread);
        configure(news);
        break;
      case "ack":
        commands.delete(news.client_id);
        break;
      case "rejected":
        if (news.problem.retry === "never") commands.delete(news.client_id);
        break;
      case "unread":
        setUnread(news.count);
        break;
      case "staff":
        configure({ staff: news });
        break;
      case "config":
        configure(news);
        break;
      default:
        break;
    }
  };

  const setUnread = (count: number): void => {
    const isMore = count > unread;
    if (count !== unread) emit("unread", count);
    unread = count;
    launcher.setUnread(count);
    // The panel knows the words of the preview.
    if (isMore) load();
  };

  // --- the panel --------------------------------------------------------------------------------

  const load = (): void => {
    if (frame) return;
    // Nothing asks for it before there is a session. The server knows the key, and none of the others needs an escape.
    frame = launcher.frame(`${base}/widget/panel?site=${siteKey}&origin=${location.origin}&instance=${instance}&dir=${getComputedStyle(document.documentElement).direction}&lang=${encodeURIComponent(locale())}&main=${keeper.session!.config.language}&open=${isOpen}`);
  };

  const post = (message: ToPanel): void => {
    if (frame?.id) frame.contentWindow?.postMessage({ switchboard: instance, message } satisfies Envelope<ToPanel>, base);
  };

  const postSession = (): void => {
    const { session } = keeper;
    if (session) post({ type: "session", session, page: pageNow(), isOpen, sinceMs });
  };

  const onMessage = (event: MessageEvent<unknown>): void => {
    const message = open<ToLoader>(event, frame?.contentWindow, base, instance);
    if (message === null) return;
    switch (message.type) {
      case "ready":
        frame!.id = "r";
        post({ type: "set", settings: { ...settings, locale: locale() } });
        postSession();
        break;
      case "live":
        takenOver();
        break;
      case "renew":
        renew().catch(() => post({ type: "session_failed", code: null }));
        break;
      case "close":
        widget.close();
        break;
      case "message":
        emit("message", message.from);
        break;
      default:
        // What it heard over its connection, as the one here would have.
        onNews(message);
        if (message.type === "unread" && message.count > 0) launcher.showPreview(message.preview);
        break;
    }
  };

  /** The panel's connection is up: the one here ends, and what waited goes through the panel. */
  const takenOver = (): void => {
    // Of the identity before: it must not stop the line that asks for the new one.
    if (!isIdentityTold) return;
    isPanelLive = true;
    line.stop();
    sendWaiting(post);
    commands.clear();
  };

  const emit = (event: EventName, detail?: unknown): void => {
    events.dispatchEvent(new CustomEvent(event, { detail }));
  };

  // --- the beginning ----------------------------------------------------------------------------

  const launcher = makeLauncher(settings, () => (isOpen ? widget.close() : widget.open()), load, widget.open);
  const line = makeLine({
    url: `${base.replace(/^http/, "ws")}/api/v1/socket`,
    token: async () => (await renew()).token,
    hello: () => ({ purpose: "launcher", page: pageNow() }),
    onNews,
    onBlocked: load,
  });
  const endPages = followPages(widget.page);
  addEventListener("message", onMessage, { signal });
  document.addEventListener(
    "visibilitychange",
    () => {
      const visible = document.visibilityState === "visible";
      line.send({ type: "activity", visible });
      if (visible) line.wake();
    },
    { signal },
  );
  for (const type of ["online", "pageshow"]) addEventListener(type, line.wake, { signal });
  launcher.attach();
  show();
  set(attributes);
  line.start();
  return widget;
}
