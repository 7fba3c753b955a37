/** Notices of the desktop and a sound, both by choice and kept in this browser. */
import { membership, onInboxChanges, watchNotices } from "../live/session.ts";
import { listOfNotices, noticesOf, type Notice, type Whose } from "../live/notice.ts";
import { records } from "../live/record.ts";
import { createKeptStore, createStore } from "../part/store.ts";

/** What was chosen. */
export interface NoticeChoice {
  desktop: boolean;
  sound: boolean;
  /** Whether the tab's title counts who waits; who chose before there was a choice has it counted. */
  title?: boolean;
  /** In whose conversations a customer's words call. */
  whose: Whose;
  /** Whether a note that names me is told, and a conversation that is given to me; who chose before is told of both. */
  mention?: boolean;
  assignment?: boolean;
}

/** The choice of this browser: nothing calls unless it was asked to. */
export const notice_choice = createKeptStore<NoticeChoice>("switchboard.notices", { desktop: false, sound: false, whose: "open" }, isChoice);

function isChoice(value: unknown): value is NoticeChoice {
  const choice = value as Partial<NoticeChoice> | null;
  const is_later = [choice?.title, choice?.mention, choice?.assignment].every((each) => each === undefined || typeof each === "boolean");
  return typeof choice?.desktop === "boolean" && typeof choice.sound === "boolean" && is_later && ["mine", "open", "all"].includes(choice.whose ?? "");
}

/** Whether this browser can show notices, and whether it may: some show them over HTTPS alone, some to what is installed. */
export type DesktopState = "insecure" | "install" | "unable" | "ask" | "granted" | "denied";

/** How it is now. */
export function desktopState(): DesktopState {
  if (!window.isSecureContext) return "insecure";
  if (!("Notification" in window)) return isApplePage() ? "install" : "unable";
  return Notification.permission === "default" ? "ask" : Notification.permission;
}

/** Whether this is a page among others on an iPhone or iPad, which says of itself that it is a Mac, with fingers on it. */
function isApplePage(): boolean {
  const is_apple = /iPhone|iPad/.test(navigator.userAgent) || (navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1);
  return is_apple && !matchMedia("(display-mode: standalone)").matches;
}

/** Asks the browser; says whether it may now. */
export async function askForDesktop(): Promise<boolean> {
  return desktopState() === "ask" && (await Notification.requestPermission()) === "granted";
}

/** Whether the last one could not be shown. */
export const desktop_fails = createStore(false);

/** Listens until the returned function is called; `open` leads to a place of the console. */
export function followNotices(open: (path: string) => void): () => void {
  const watch = () => watchNotices(listOfNotices(notice_choice.get()));
  watch();
  const forget_choice = notice_choice.subscribe(watch);
  const forget_rows = onInboxChanges((rows) => {
    const me = membership.get()?.agent_id;
    const { desktop, sound, whose } = notice_choice.get();
    if (me === undefined || (!desktop && !sound)) return;
    // Who looks at the page sees it.
    if (document.visibilityState === "visible" && document.hasFocus()) return;
    const notices = noticesOf(records.get(), rows, me, whose);
    if (notices.length === 0) return;
    if (desktop && desktopState() === "granted") for (const notice of notices) void show({ ...notice, path: `/console/inbox/all/${notice.conversation_id}` }, open);
    if (sound) chime();
  });
  const forget_pressed = hearPressed(open);
  return () => {
    forget_choice();
    forget_rows();
    forget_pressed();
    watchNotices(null);
  };
}

const workers = () => ("serviceWorker" in navigator ? navigator.serviceWorker : null);

/** Hears of the worker which of the notices it showed was pressed. */
function hearPressed(open: (path: string) => void): () => void {
  const hear = ({ data }: MessageEvent<{ open?: unknown } | null>) => {
    if (typeof data?.open === "string") open(data.open);
  };
  workers()?.addEventListener("message", hear);
  return () => workers()?.removeEventListener("message", hear);
}

/** Shows one, and gives whether it could; a later one of the same conversation takes its place. */
export async function show(notice: Notice & { path: string }, open: (path: string) => void): Promise<boolean> {
  const is_shown = await shows(notice, open).then(
    () => true,
    () => false,
  );
  desktop_fails.set(!is_shown);
  return is_shown;
}

/** By the worker, where there is one: telephones show nothing for a page, and what is shown outlives it. */
async function shows({ conversation_id, name, text, path }: Notice & { path: string }, open: (path: string) => void): Promise<void> {
  const options = { body: text, tag: conversation_id, icon: "/console/icon-192.png", data: { path } };
  const registration = await workers()?.getRegistration();
  if (registration?.active) return registration.showNotification(name, options);
  const shown = new Notification(name, options);
  shown.onclick = () => {
    window.focus();
    shown.close();
    open(path);
  };
}

let audio: AudioContext | null = null;

/** Two soft tones, made here: no file to load. Browsers allow it once the page was touched. */
export function chime(): void {
  audio ??= new AudioContext();
  const { currentTime, destination } = audio;
  [660, 880].forEach((frequency, index) => {
    if (audio === null) return;
    const tone = audio.createOscillator();
    const loudness = audio.createGain();
    const begin = currentTime + index * 0.14;
    tone.frequency.value = frequency;
    loudness.gain.setValueAtTime(0.0001, begin);
    loudness.gain.exponentialRampToValueAtTime(0.12, begin + 0.02);
    loudness.gain.exponentialRampToValueAtTime(0.0001, begin + 0.3);
    tone.connect(loudness).connect(destination);
    tone.start(begin);
    tone.stop(begin + 0.32);
  });
}
