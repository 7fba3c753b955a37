/** Looks for words within the open conversation, newest first, and walks from one to the next. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import type { ConversationId, Listing, Match } from "@switchboard/protocol";

import { call, errorText, queryText } from "../api/http.ts";
import { IconButton } from "../part/control.tsx";
import { Icon } from "../part/icon.tsx";
import { sought } from "./sought.ts";

const PAUSE_MS = 180;

/** The bar over the log. */
export function FindBar({ conversation_id, onClose }: { conversation_id: ConversationId; onClose: () => void }) {
  const [text, setText] = useState("");
  const [asked, setAsked] = useState("");
  const [at_seq, setAtSeq] = useState<number | null>(null);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text.trim()), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const found = useQuery({
    queryKey: ["matches", conversation_id, asked],
    queryFn: ({ signal }) => call<Listing<Match>>(`conversations/${conversation_id}/matches${queryText({ text: asked })}`, { signal }),
    enabled: asked !== "",
    staleTime: 0,
  });
  const matches = (asked === "" ? undefined : found.data?.items) ?? NONE;
  // Found again with newer ones before it, the same one is looked at.
  const at = Math.max(0, matches.findIndex(({ seq }) => seq === at_seq));
  const go = (index: number) => {
    const seq = matches[index]?.seq;
    if (seq == null) return;
    setAtSeq(seq);
    sought.set({ conversation_id, place: { seq } });
  };
  // The newest one is shown by itself, once: who walked on from it stays where he is.
  useEffect(() => go(0), [asked, found.isSuccess]);
  // What was found by fewer letters is not what is meant.
  const step = (by: 1 | -1) => asked === text.trim() && go((at + by + matches.length) % Math.max(1, matches.length));
  function key(event: KeyboardEvent) {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Enter" || event.key === "ArrowUp") step(event.shiftKey ? -1 : 1);
    else if (event.key === "ArrowDown") step(-1);
    else if (event.key === "Escape") onClose();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  const words = asked === "" ? "" : found.isError ? errorText(found.error) : found.isPending ? "" : matches.length === 0 ? "Nothing found" : `${at + 1} of ${matches.length}`;
  return (
    <div className="find" role="search" aria-label="Find in this conversation">
      <Icon name="search" size={14} />
      <input ref={field} type="search" autoFocus aria-label="Find in this conversation" placeholder="Find in this conversation" value={text} maxLength={200} onChange={(event) => setText(event.target.value)} onKeyDown={key} />
      <span className="faint small find-count" role="status">
        {words}
      </span>
      <IconButton icon="up" name="Older one" shortcut="Enter" disabled={matches.length < 2} onClick={() => step(1)} />
      <IconButton icon="down" name="Newer one" shortcut="Shift+Enter" disabled={matches.length < 2} onClick={() => step(-1)} />
      <IconButton icon="close" name="Close" shortcut="Escape" onClick={onClose} />
    </div>
  );
}

const NONE: readonly Match[] = [];
