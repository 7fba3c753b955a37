/** Short words about what was done, with a way back. Read aloud politely; they wait while pointed at. */
import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import type { ConversationId } from "@switchboard/protocol";

import { Button, IconButton } from "./control.tsx";
import { createStore, useStore } from "./store.ts";

/** A way to a conversation. */
export interface Way {
  name: string;
  conversation_id: ConversationId;
  /** The entry there. */
  at?: number;
}

interface Toast {
  key: number;
  text: string;
  tone: "plain" | "risk";
  undo: (() => void) | null;
  /** A conversation to go to, and what the way there is called. */
  way: Way | null;
  /** What it is about: a newer one about the same takes its place, for its way back leads nowhere now. */
  about: string | null;
}

const TOAST_MS = 7_000;
const toasts = createStore<readonly Toast[]>([]);
let next_key = 1;

/** Says what was done; with `undo`, offers the way back. What it gives takes the words back. */
export function toast(text: string, undo: (() => void) | null = null, about: string | null = null): () => void {
  const key = next_key++;
  add({ key, text, tone: "plain", undo, way: null, about });
  return () => drop(key);
}

/** Says what happened elsewhere, and leads there. */
export function toastWay(text: string, way: Way): void {
  add({ key: next_key++, text, tone: "plain", undo: null, way, about: null });
}

/** Says what failed; with `way`, where it goes on. */
export function toastError(text: string, way: Way | null = null): void {
  add({ key: next_key++, text, tone: "risk", undo: null, way, about: null });
}

function add(item: Toast): void {
  toasts.set((held) => [...held.filter((each) => item.about === null || each.about !== item.about).slice(-2), item]);
}

function drop(key: number): void {
  toasts.set((held) => held.filter((item) => item.key !== key));
}

/** Undoes what the newest toast tells of; for the keyboard. */
export function undoLast(): boolean {
  const last = toasts.get().findLast((item) => item.undo !== null);
  if (!last) return false;
  drop(last.key);
  last.undo?.();
  return true;
}

/** Where toasts stand. */
export function Toasts() {
  const held = useStore(toasts);
  return (
    <div className="toasts" role="status" aria-live="polite" aria-label="Messages">
      {held.map((item) => (
        <OneToast key={item.key} item={item} />
      ))}
    </div>
  );
}

function OneToast({ item }: { item: Toast }) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const start = () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => drop(item.key), TOAST_MS);
  };
  useEffect(() => {
    timer.current = setTimeout(() => drop(item.key), TOAST_MS);
    return () => clearTimeout(timer.current);
  }, [item.key]);
  return (
    <div className="toast" data-tone={item.tone} onPointerEnter={() => clearTimeout(timer.current)} onPointerLeave={start}>
      <span className="grow">{item.text}</span>
      {item.undo && (
        <Button
          onClick={() => {
            drop(item.key);
            item.undo?.();
          }}
        >
          Undo
        </Button>
      )}
      {item.way && (
        <Link className="button" to="/inbox/$list/$conversationId" params={{ list: "all", conversationId: item.way.conversation_id }} search={{ at: item.way.at }} onClick={() => drop(item.key)}>
          {item.way.name}
        </Link>
      )}
      <IconButton icon="close" name="Dismiss" onClick={() => drop(item.key)} />
    </div>
  );
}
