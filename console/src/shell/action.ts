/**
 * What can be done right now, in one list: the same actions stand behind keys, the palette and the
 * sheet of shortcuts, so none of the three can lie about the others.
 */
import { useLayoutEffect, useRef } from "react";

import type { IconName } from "../part/icon.tsx";
import { createStore } from "../part/store.ts";

/** Something that can be done. */
export interface Action {
  id: string;
  name: string;
  group: "Go to" | "Conversation" | "List" | "Write" | "General";
  /** `j`, `mod+k`, `g i`: one chord, or letters in a row. */
  keys?: string;
  icon?: IconName;
  /** Not in the palette: moves that only make sense by key. */
  keyOnly?: boolean;
  /** Also while a text is being written. */
  inText?: boolean;
  run: () => void;
}

/** All actions of what is on screen. */
export const actions = createStore<readonly Action[]>([]);

/** Offers actions while a part is on screen. The newest part wins where two claim the same keys. */
export function useActions(offered: readonly Action[]): void {
  const current = useRef(offered);
  current.current = offered;
  const signature = offered.map((action) => `${action.id}|${action.name}|${action.keys ?? ""}`).join("\n");
  // As soon as the part is in sight, so is what its keys do.
  useLayoutEffect(() => {
    const mine = current.current.map((action) => ({
      ...action,
      run: () => current.current.find((each) => each.id === action.id)?.run(),
    }));
    actions.set((held) => [...mine, ...held]);
    return () => actions.set((held) => held.filter((action) => !mine.includes(action)));
  }, [signature]);
}

const is_mac = /mac|iphone|ipad/i.test(navigator.platform);

/** Keys as they are written on this machine. */
export function keysText(keys: string): string {
  return keys
    .split(" ")
    .map((chord) =>
      chord
        .split("+")
        .map((key) => {
          if (key === "mod") return is_mac ? "⌘" : "Ctrl";
          if (key === "shift") return is_mac ? "⇧" : "Shift";
          if (key === "enter") return "↵";
          if (key === "escape") return "Esc";
          return key.length === 1 ? key.toUpperCase() : key;
        })
        .join(is_mac ? "" : "+"),
    )
    .join(" then ");
}

/** Whether keys typed there are text. */
function isText(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !["checkbox", "radio", "button", "color", "range"].includes(target.type);
}

/** What has the focus and does something by itself when Enter or the space bar is pressed. */
const CONTROL = "a[href], button, summary, input, label, [role=button], [role=link], [role=option], [role=tab], [role=switch]";

/** Whether a key is the control's own, not ours. */
function isPress(event: KeyboardEvent): boolean {
  const presses = event.key === "Enter" || event.key === " ";
  return presses && event.target instanceof Element && event.target.closest(CONTROL) !== null;
}

function chordOf(event: KeyboardEvent): string {
  const mod = is_mac ? event.metaKey : event.ctrlKey;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key.toLowerCase().replace("arrow", "");
  const shift = event.shiftKey && event.key.length > 1;
  return `${mod ? "mod+" : ""}${shift ? "shift+" : ""}${key}`;
}

const SEQUENCE_MS = 900;

/** Listens for keys until the returned function is called. */
export function listenForKeys(): () => void {
  let before = "";
  let before_at_ms = 0;
  function onKey(event: KeyboardEvent) {
    if (event.defaultPrevented || event.isComposing || event.altKey) return;
    if (["Shift", "Control", "Meta"].includes(event.key)) return;
    if (isPress(event) && !event.ctrlKey && !event.metaKey) return;
    const chord = chordOf(event);
    const in_text = isText(event.target);
    // A window or menu over the page has its own keys, until it is closed: it may be seen a little longer.
    const over = document.querySelector(":is([role=dialog], [role=menu]):not([data-closed])") !== null;
    const sequence = event.timeStamp - before_at_ms < SEQUENCE_MS && before ? `${before} ${chord}` : "";
    const offered = actions.get();
    const fits = (action: Action, keys: string) => action.keys === keys && (!in_text || action.inText === true) && !over;
    const found = (sequence && offered.find((action) => fits(action, sequence))) || offered.find((action) => fits(action, chord));
    before = in_text ? "" : chord;
    before_at_ms = event.timeStamp;
    if (!found) return;
    before = "";
    event.preventDefault();
    found.run();
  }
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}
