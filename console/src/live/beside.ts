/** Who stands beside what is shown: parts of the page name the visitors whom they show, and learn whether they are here. */
import { useEffect } from "react";
import type { LiveVisitor, PresenceState, VisitorId } from "@switchboard/protocol";

import { useStore } from "../part/store.ts";
import { namesOf, presence } from "./presence.ts";
import { presenceNames, visitors, watchPresence } from "./session.ts";

/** Rows that scroll by are asked about once they stand. */
const ROWS_DELAY_MS = 150;

/** How many parts show a visitor, those shown last at the end. */
const shown = new Map<VisitorId, number>();
/** The same of those of whom all is shown. */
const whole = new Map<VisitorId, number>();
let timer: ReturnType<typeof setTimeout> | undefined;

/** Whether a visitor is here; nothing while that is not known. */
export function useVisitorState(visitor_id: VisitorId | null | undefined): PresenceState | undefined {
  useEffect(() => name(shown, visitor_id, ROWS_DELAY_MS), [visitor_id]);
  return useKnownState(visitor_id);
}

/** A visitor who is here, with the page in sight and the trail; and whether he is, once that is known. */
export function useLiveVisitor(visitor_id: VisitorId | null | undefined): { live: LiveVisitor | undefined; state: PresenceState | undefined } {
  useEffect(() => name(whole, visitor_id, 0), [visitor_id]);
  const told = useStore(presence, ({ row }) => (row !== null && row.id === visitor_id ? row : undefined));
  const listed = useStore(visitors, ({ rows }) => (visitor_id ? rows.get(visitor_id) : undefined));
  const state = useKnownState(visitor_id);
  return { live: state === "left" ? undefined : (told ?? listed), state };
}

/** As it was told, else as the list has it until then. */
function useKnownState(visitor_id: VisitorId | null | undefined): PresenceState | undefined {
  const told = useStore(presence, ({ states }) => (visitor_id ? states.get(visitor_id) : undefined));
  const listed = useStore(visitors, ({ rows }) => (visitor_id ? rows.get(visitor_id)?.state : undefined));
  return told ?? listed;
}

function name(counts: Map<VisitorId, number>, id: VisitorId | null | undefined, delay_ms: number): (() => void) | undefined {
  if (!id) return undefined;
  const count = counts.get(id) ?? 0;
  counts.delete(id);
  counts.set(id, count + 1);
  later(delay_ms);
  return () => {
    const left = (counts.get(id) ?? 1) - 1;
    if (left > 0) counts.set(id, left);
    else counts.delete(id);
    later(delay_ms);
  };
}

function later(delay_ms: number): void {
  clearTimeout(timer);
  timer = setTimeout(() => {
    const named = presenceNames.get();
    const names = namesOf(named, [...shown.keys()], [...whole.keys()].at(-1) ?? null);
    if (names !== named) watchPresence(names);
  }, delay_ms);
}
