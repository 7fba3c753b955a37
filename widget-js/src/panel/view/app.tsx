// The whole panel: header, thread, composer, and what is dropped on them.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import { inkOn, PAPER, readableOn, safeColor } from "../../color.ts";
import { setBrightness } from "../brightness.ts";
import { download } from "../download.ts";
import type { PanelStore, Snapshot } from "../store.ts";
import { connectionNotice, said, type Notice } from "../words.ts";
import { Begin } from "./begin.tsx";
import { Composer } from "./composer.tsx";
import { Header } from "./header.tsx";
import { Icon } from "./icon.tsx";
import { ThreadView } from "./thread.tsx";

/** Shorter interruptions are not worth a word. */
const NOTICE_AFTER_MS = 1_500;

function useSnapshot(store: PanelStore): Snapshot {
  const [snapshot, setSnapshot] = useState(store.snapshot);
  // Not after the first frame: in a throttled page that comes when all has been said already.
  useLayoutEffect(() => {
    let isAsked = false;
    // Many changes within one turn draw once.
    const end = store.subscribe(() => {
      if (isAsked) return;
      isAsked = true;
      queueMicrotask(() => {
        isAsked = false;
        setSnapshot(store.snapshot);
      });
    });
    // What changed since it was drawn.
    setSnapshot(store.snapshot);
    return end;
  }, [store]);
  return snapshot;
}

/** Milliseconds after which files that are held over the panel are told of again by every browser. */
const HELD_MS = 1_000;

export function App({ store }: { store: PanelStore }): VNode {
  const state = useSnapshot(store);
  const [isDropping, setDropping] = useState(false);
  const root = useRef<HTMLElement>(null);
  const held = useRef(0);
  const notice = useNotice(state);
  const turn = useTurn(state.session?.visitor_id ?? "");
  const { color, brightness } = state.config?.theme ?? {};

  useLayoutEffect(() => {
    const brand = safeColor(color ?? "");
    const { style } = document.documentElement;
    style.setProperty("--brand", brand);
    style.setProperty("--brand-ink", inkOn(brand));
    style.setProperty("--accent-light", readableOn(brand, PAPER.light));
    style.setProperty("--accent-dark", readableOn(brand, PAPER.dark));
  }, [color]);

  useLayoutEffect(() => setBrightness(brightness ?? "system"), [brightness]);

  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      if (state.editing !== null) store.edit(null);
      else store.close();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [store, state.editing]);

  const mayAttach = state.status.name !== "stopped" && !state.isUnknown && state.editing === null;
  /** Whether files are held over it. Some browsers do not tell that they were taken away: they are gone once nothing more is heard of them. */
  const holds = (isHeld: boolean): void => {
    clearTimeout(held.current);
    setDropping(isHeld);
    if (isHeld) held.current = window.setTimeout(() => setDropping(false), HELD_MS);
  };
  const onDrop = (event: DragEvent): void => {
    // Words that are dragged go where they are dropped.
    if (event.dataTransfer?.types.includes("Files") !== true) return;
    event.preventDefault();
    holds(false);
    if (mayAttach) store.uploads.add(event.dataTransfer.files);
  };
  const onDrag = (event: DragEvent): void => {
    if (event.dataTransfer?.types.includes("Files") !== true) return;
    event.preventDefault();
    holds(mayAttach && (event.type !== "dragleave" || root.current?.contains(event.relatedTarget as Node | null) === true));
  };

  return (
    <main class={state.isPaused ? "panel paused" : "panel"} ref={root} onDragEnter={onDrag} onDragOver={onDrag} onDragLeave={onDrag} onDrop={onDrop}>
      <Header state={state} now={store.now} isConnected={notice === null} onClose={() => store.close()} onSave={() => void save(store)} onSound={() => store.sound()} />
      <div class="notices">
        <NoticeBar store={store} failure={state.failure} notice={notice} />
      </div>
      {/* Anew for another person: what these remember of the former one goes with them. */}
      <ThreadView key={`thread ${turn}`} store={store} state={state} />
      {state.asks === null ? null : state.asks.length > 0 ? (
        <Begin key={`begin ${turn}`} store={store} fields={state.asks} isOpen={state.isOpen} />
      ) : (
        <Composer key={`composer ${turn}`} store={store} state={state} />
      )}
      {state.config?.theme.show_brand === true && (
        <p class="brand">
          <span class="jack" aria-hidden="true" /> {said("brand")}
        </p>
      )}
      {isDropping && <div class="drop">{said("drop")}</div>}
      <div class="unseen" role="status">
        {/* A new element is said also where its words are the same. */}
        <p key={state.announcement.count}>{state.announcement.text}</p>
      </div>
    </main>
  );
}

/** How many others sat here before. Who writes while it is not known yet who he is is nobody else afterwards. */
function useTurn(person: string): number {
  const last = useRef({ person, turn: 0 });
  if (person !== last.current.person) last.current = { person, turn: last.current.turn + (last.current.person === "" ? 0 : 1) };
  return last.current.turn;
}

/** Gives the conversation as a file, where all of it could be read. */
async function save(store: PanelStore): Promise<void> {
  const text = await store.transcript();
  if (text === null) return;
  download(new Blob([text], { type: "text/plain;charset=utf-8" }), `${said("conversation")}.txt`);
}

/** What is to be said about the connection: nothing of interruptions that are over at once. */
function useNotice(state: Snapshot): Notice | null {
  const notice = connectionNotice(state.status, state.waiting, useOnline());
  const [isDue, setDue] = useState(false);
  const isWanted = notice !== null;
  useEffect(() => {
    if (!isWanted) {
      setDue(false);
      return undefined;
    }
    const timer = setTimeout(() => setDue(true), NOTICE_AFTER_MS);
    return () => clearTimeout(timer);
  }, [isWanted]);
  return isDue || notice?.tone === "bad" ? notice : null;
}

interface NoticeProps {
  readonly store: PanelStore;
  readonly failure: string | null;
  readonly notice: Notice | null;
}

function NoticeBar({ store, failure, notice }: NoticeProps): VNode | null {
  if (failure !== null) {
    return (
      <div class="notice bad" role="alert">
        <span>{failure}</span>
        <button type="button" class="plain" aria-label={said("dismiss")} onClick={() => store.dismissFailure()}>
          <Icon name="close" />
        </button>
      </div>
    );
  }
  if (notice === null) return null;
  return (
    <div class={`notice ${notice.tone}`} role="status">
      <span>{notice.text}</span>
      {notice.action === "retry" && (
        <button type="button" class="link" onClick={() => store.reconnect()}>
          {said("try_now")}
        </button>
      )}
    </div>
  );
}

/** Whether the browser has a network. */
function useOnline(): boolean {
  const [isOnline, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const look = (): void => setOnline(navigator.onLine);
    addEventListener("online", look);
    addEventListener("offline", look);
    look();
    return () => {
      removeEventListener("online", look);
      removeEventListener("offline", look);
    };
  }, []);
  return isOnline;
}
