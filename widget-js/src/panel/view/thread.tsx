// One scroll: earlier conversations above, the present one below. It stays at its end while the
// reader is there, and stays put while older messages come in above.

import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import type { PanelStore, Snapshot } from "../store.ts";
import type { Row } from "../thread.ts";
import { dayText, exactText, expectation, said, timeText } from "../words.ts";
import { Icon } from "./icon.tsx";
import { MessageView } from "./message.tsx";
import { Reach } from "./reach.tsx";

/** So near to the end counts as being there. */
const END_PX = 60;

function isNearEnd(element: HTMLElement): boolean {
  return element.scrollHeight - element.scrollTop - element.clientHeight < END_PX;
}

export function ThreadView({ store, state }: { store: PanelStore; state: Snapshot }): VNode {
  const box = useRef<HTMLDivElement>(null);
  const height = useRef(0);
  const firstKey = useRef("");
  const lastKey = useRef("");
  const lastTop = useRef(0);
  const [isAway, setAway] = useState(false);
  const { rows } = state;
  const last = rows.at(-1);
  const isBeginning = state.config !== null && !state.isLoadingOlder && !state.hasOlder && rows[0]?.type !== "older";
  const first = rows.find((row) => row.type === "message")?.key ?? "";

  const toEnd = useCallback((): void => {
    const element = box.current;
    if (element === null) return;
    element.scrollTop = element.scrollHeight;
    lastTop.current = element.scrollTop;
    store.isAtEnd = true;
    setAway(false);
  }, [store]);

  /** Whether the reader is at the end, and has not just left it: browsers tell of a scroll a frame later. */
  const staysAtEnd = useCallback((element: HTMLElement): boolean => store.isAtEnd && (element.scrollTop >= lastTop.current - 1 || isNearEnd(element)), [store]);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    // Once: while it waits, who reads above is left there.
    const isOwnNew = last?.type === "message" && last.key !== lastKey.current && last.mark !== null && last.mark !== "seen" && last.mark !== "stored";
    if (staysAtEnd(element) || isOwnNew) toEnd();
    else if (first !== firstKey.current) {
      // Older rows came in above: what was in sight stays in sight.
      element.scrollTop += element.scrollHeight - height.current;
    }
    firstKey.current = first;
    lastKey.current = last?.key ?? "";
    height.current = element.scrollHeight;
  }, [rows, state.typing, state.reach, first, last, staysAtEnd, toEnd]);

  useEffect(() => {
    if (!state.isOpen) return undefined;
    toEnd();
    return undefined;
  }, [state.isOpen, store, toEnd]);

  useEffect(() => {
    const element = box.current;
    if (element === null || typeof ResizeObserver === "undefined") return undefined;
    // Images that load and keyboards that open must not push the end out of sight.
    const observer = new ResizeObserver(() => {
      if (staysAtEnd(element)) toEnd();
    });
    observer.observe(element);
    if (element.firstElementChild !== null) observer.observe(element.firstElementChild);
    return () => observer.disconnect();
  }, [staysAtEnd, toEnd]);

  const onScroll = (): void => {
    const element = box.current;
    if (element === null) return;
    // What grows below does not take the reader away from the end; scrolling up does.
    const isAtEnd = isNearEnd(element) || (store.isAtEnd && element.scrollTop >= lastTop.current);
    lastTop.current = element.scrollTop;
    if (isAtEnd !== store.isAtEnd) setAway(!isAtEnd);
    store.isAtEnd = isAtEnd;
    if (isAtEnd) store.markRead();
    if (element.scrollTop < 80 && !state.isLoadingOlder) {
      const top = rows[0];
      if (top?.type === "older") void store.conversations.loadOlder(top.conversationId);
      else if (state.hasOlder) void store.conversations.loadMore();
    }
  };

  return (
    <div class="thread" ref={box} onScroll={onScroll} tabIndex={0} role="log" aria-live="off" aria-label={said("conversation")}>
      <div class="rows">
        {state.isLoadingOlder && <p class="loading">{said("earlier_loading")}</p>}
        {isBeginning && <Greeting state={state} />}
        {rows.map((row) => (
          <RowView key={row.key} row={row} store={store} face={state.config?.theme.avatar ?? ""} isLast={row === last} />
        ))}
        {state.reach === "asked" && <Reach store={store} />}
        {state.reach !== null && state.reach !== "asked" && <p class="line">{said("email_kept", state.reach)}</p>}
        {state.typing !== null && (
          <div class="typing">
            <span class="dots" aria-hidden="true">
              <i />
              <i />
              <i />
            </span>
            <span>{said("typing", { name: state.typing })}</span>
          </div>
        )}
      </div>
      {isAway && (
        <button type="button" class="to-end" aria-label={said("to_end")} onClick={toEnd}>
          <Icon name="down" />
        </button>
      )}
    </div>
  );
}

function Greeting({ state }: { state: Snapshot }): VNode {
  return (
    <div class="greeting">
      <p class="large" dir="auto">
        {state.config?.theme.greeting || said("greeting")}
      </p>
      {state.status.name !== "stopped" && <p dir="auto">{state.isUnknown ? said("sign_in") : expectation(state.staff, state.config?.first_answer_ms)}</p>}
    </div>
  );
}

function RowView({ row, store, face, isLast }: { row: Row; store: PanelStore; face: string; isLast: boolean }): VNode {
  switch (row.type) {
    case "message":
      return <MessageView row={row} store={store} face={face} isNewest={isLast} />;
    case "day":
      return (
        <p class="day">
          <span>{dayText(row.atMs, store.now())}</span>
        </p>
      );
    case "line":
      return (
        <p class="line" title={exactText(row.atMs)}>
          {row.text} <span class="quiet">· {timeText(row.atMs)}</span>
        </p>
      );
    case "older":
      return (
        <button type="button" class="link older" onClick={() => void store.conversations.loadOlder(row.conversationId)}>
          {said("earlier")}
        </button>
      );
  }
}
