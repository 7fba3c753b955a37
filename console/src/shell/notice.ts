/** Notices of the desktop and a sound, both by choice and kept in this browser. */
import { membership, onInboxChanges, watchNotices } from "../live/session.ts";
import { listOfNotices, noticesOf, type Notice, type Whose } from "../live/notice.ts";
import { records } from "../live/record.ts";
import { createKeptStore } from "../part/store.ts";

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

/** Whether this browser can show notices, and whether it may. */
export function desktopState(): "unable" | "ask" | "granted" | "denied" {
  if (!("Notification" in window)) return "unable";
  return Notification.permission === "default" ? "ask" : Notification.permission;
}

/** Asks the browser; says whether it may now. */
export async function askForDesktop(): Promise<boolean> {
  return desktopState() !== "unable" && (await Notification.requestPermission()) === "granted";
}

/** Listens until the returned function is called; `open` leads to a conversation. */
export function followNotices(open: (conversation_id: string) => void): () => void {
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
    if (desktop && desktopState() === "granted") for (const notice of notices) show(notice, open);
    if (sound) chime();
  });
  return () => {
    forget_choice();
    forget_rows();
    watchNotices(null);
  };
}

/** Shows one; a later one of the same conversation takes its place. */
export function show({ conversation_id, name, text }: Notice, open: (conversation_id: string) => void): void {
  try {
    const shown = new Notification(name, { body: text, tag: conversation_id, icon: "/console/icon.svg" });
    shown.onclick = () => {
      window.focus();
      shown.close();
      open(conversation_id);
    };
  } catch {
    // Some telephones have the name and not the thing.
  }
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
