/** Saving as one goes: the newest change wins, it is said whether it is stored, and whose it took the place of. */
import { useQueryClient, type QueryKey } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";

import { call, fieldError, problemIn } from "../api/http.ts";
import { useUnsaved } from "../part/unsaved.ts";
import { begunIn, bodyOf, joined, leafAt, metIn, sinceBegun, touchesOf, withTouches, type Met, type Touches } from "./merge.ts";
import { parted, stillRefused, without, withRefused, worthSending, type Fault, type Refusals } from "./refusal.ts";

/** Where a change has got. */
export interface Saving {
  state: "idle" | "saving" | "saved";
  /** What the form shows and nobody stored, each until it is stored or undone. */
  refused: Refusals;
  /** What is wrong with one of its fields, in words. */
  errorAt: (field: string) => string | null;
  /** Sends once more what no field of the form is to blame for. */
  tryAgain: () => void;
  /** What colleagues had changed where it was changed here, newest first. */
  met: readonly Met[];
  /** Puts theirs back. */
  takeTheirs: (met: Met) => void;
  /** Takes one off, for it was read. */
  forget: (leaf: string) => void;
}

const PAUSE_MS = 600;
/** How often a change is put on top of a newer record, in one go. */
const TRIES_MAX = 5;
const NOTHING: Touches = new Map();
const NONE: Refusals = new Map();

/**
 * Collects changes of one record and sends them after a pause, one at a time. Only what differs from the
 * record that the form shows counts as changed; it is put on top of the newest one, so that what colleagues
 * changed elsewhere stays. The record that comes back is the newest known here.
 */
export function useSaving<R extends { version: number }, C extends object>(path: string, key: QueryKey, heard: R) {
  const cache = useQueryClient();
  const [state, setState] = useState<Saving["state"]>("idle");
  const [met, setMet] = useState<readonly Met[]>([]);
  const [stored, setStored] = useState(heard);
  const record = stored.version > heard.version ? stored : heard;
  const newest = useRef(record);
  newest.current = record;
  const pending = useRef<Touches>(NOTHING);
  const sending = useRef<Touches>(NOTHING);
  const begun = useRef<ReadonlyMap<string, unknown>>(new Map());
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const underway = useRef(Promise.resolve());
  const [told, setRefused] = useState(NONE);
  const refused = useRef(NONE);
  const refuse = useCallback((next: Refusals) => setRefused((refused.current = next)), []);
  const send = useCallback(async () => {
    const touches = pending.current;
    sending.current = touches;
    pending.current = NOTHING;
    setState("saving");
    try {
      const sent = await patch(path, touches, newest.current);
      refuse(without(refused.current, touches));
      setStored(sent.record);
      setMet((held) => [...sent.met, ...held.filter(({ leaf }) => sent.met.every((each) => each.leaf !== leaf))]);
      setState("saved");
      await cache.invalidateQueries({ queryKey: key });
    } catch (error) {
      const problem = problemIn(error);
      const { refused: at_fault, others } = parted(touches, { error, field: problem?.field ?? null, is_passing: problem?.retry !== "never" });
      refuse(new Map([...without(refused.current, touches), ...at_fault]));
      pending.current = joined(others, pending.current);
      setState("idle");
    } finally {
      sending.current = NOTHING;
      if (pending.current.size > 0) await latest.current();
    }
  }, [cache, path, key, refuse]);
  const flush = () => {
    clearTimeout(timer.current);
    if (sending.current.size === 0 && pending.current.size > 0) underway.current = send();
    return underway.current;
  };
  const latest = useRef(flush);
  latest.current = flush;
  useEffect(() => {
    const leave = () => void latest.current();
    window.addEventListener("pagehide", leave);
    return () => {
      window.removeEventListener("pagehide", leave);
      leave();
    };
  }, []);
  const fate = () => {
    const waits = pending.current.size > 0;
    const is_underway = sending.current.size > 0;
    // What waits for an answer to rest on cannot go before it.
    if (refused.current.size > 0 || begun.current.size > 0 || (waits && is_underway)) return "lost";
    return (waits || is_underway) && "sent";
  };
  const sendAgain = (faults: readonly Fault[]) => {
    pending.current = withRefused(pending.current, refused.current, faults);
    return flush();
  };
  useUnsaved("A setting that is not stored yet", fate, () => sendAgain(["moment"]));
  /** `next` is to be sent; `shown` is what the form shows, where that is not fit to be sent yet. */
  const change = (next: Partial<C>, pause: "soon" | "now" = "soon", shown: Partial<C> = next) => {
    // The form shows what is on its way as if it stood there already.
    const rests_on = withTouches(newest.current, joined(sending.current, pending.current));
    refuse(stillRefused(refused.current, newest.current, shown));
    const touches = worthSending(touchesOf(next, rests_on), refused.current);
    if (touches.size > 0) pending.current = withRefused(pending.current, refused.current, ["moment"]);
    pending.current = joined(pending.current, sinceBegun(touches, begun.current));
    begun.current = begunIn(begun.current, shown, touches, rests_on);
    clearTimeout(timer.current);
    if (pause === "now") void flush();
    else timer.current = setTimeout(() => void latest.current(), PAUSE_MS);
  };
  /** Sends it now, and gives whether all of it was stored. */
  const store = async (next: Partial<C>): Promise<boolean> => {
    change(next, "now");
    await underway.current;
    return [...refused.current.keys()].every((leaf) => !((leaf.split(".", 1)[0] ?? "") in next));
  };
  const forget = (leaf: string) => setMet((held) => held.filter((each) => each.leaf !== leaf));
  const takeTheirs = ({ leaf, theirs }: Met) => {
    forget(leaf);
    change(bodyOf(new Map([[leaf, { before: leafAt(record, leaf), mine: theirs }]]), record) as Partial<C>, "now", {});
  };
  const left = stillRefused(told, record);
  const errorAt = (field: string) => [...left.values()].map(({ error }) => fieldError(error, field)).find((text) => text !== null) ?? null;
  const tryAgain = () => void sendAgain(["moment", "change"]);
  return { record, saving: { state, refused: left, errorAt, tryAgain, met, takeTheirs, forget } satisfies Saving, change, store };
}

/** Sends a change on top of the newest record, and says what of others it took the place of. */
async function patch<R extends { version: number }>(path: string, touches: Touches, known: R): Promise<{ record: R; met: Met[] }> {
  let newest = known;
  for (let tries = 1; ; tries += 1) {
    try {
      const record = await call<R | undefined>(path, { method: "PATCH", body: bodyOf(touches, newest), version: newest.version, keepalive: true });
      return { record: record ?? newest, met: metIn(touches, newest) };
    } catch (error) {
      if (problemIn(error)?.code !== "version_conflict" || tries === TRIES_MAX) throw error;
      newest = await call<R>(path);
    }
  }
}
