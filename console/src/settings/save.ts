/** Saving as one goes: the newest change wins, and it is said whether it is stored. */
import { useQueryClient, type QueryKey } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";

import { call, errorText, Refused } from "../api/http.ts";

/** Where a change has got. */
export interface Saving {
  state: "idle" | "saving" | "saved" | "failed";
  error: unknown;
  text: string;
}

const IDLE: Saving = { state: "idle", error: null, text: "" };
const PAUSE_MS = 600;

/**
 * Collects changes of one record and sends them after a pause, one at a time. A version that somebody
 * else has moved on is read again and the change is put on top.
 */
export function useSaving<R extends { version: number }, C extends object>(path: string, key: QueryKey, record: R) {
  const cache = useQueryClient();
  const [saving, setSaving] = useState<Saving>(IDLE);
  const pending = useRef<Partial<C>>({});
  const version = useRef(record.version);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const running = useRef(false);
  if (record.version > version.current) version.current = record.version;
  const flush = useCallback(async () => {
    if (running.current || Object.keys(pending.current).length === 0) return;
    running.current = true;
    const change = pending.current;
    pending.current = {};
    setSaving({ state: "saving", error: null, text: "Saving" });
    try {
      const stored = await patch<R>(path, change, version);
      version.current = stored?.version ?? version.current;
      setSaving({ state: "saved", error: null, text: "Saved" });
      await cache.invalidateQueries({ queryKey: key });
    } catch (error) {
      setSaving({ state: "failed", error, text: errorText(error) });
    } finally {
      running.current = false;
      if (Object.keys(pending.current).length > 0) void flush();
    }
  }, [cache, path, key]);
  const latest = useRef(flush);
  latest.current = flush;
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      void latest.current();
    },
    [],
  );
  const change = (next: Partial<C>, pause: "soon" | "now" = "soon") => {
    pending.current = { ...pending.current, ...next };
    clearTimeout(timer.current);
    if (pause === "now") void flush();
    else timer.current = setTimeout(() => void latest.current(), PAUSE_MS);
  };
  return { saving, change };
}

async function patch<R extends { version: number }>(path: string, body: object, version: { current: number }): Promise<R | undefined> {
  try {
    return await call<R>(path, { method: "PATCH", body, version: version.current });
  } catch (error) {
    if (!(error instanceof Refused) || error.problem.code !== "version_conflict") throw error;
    const fresh = await call<R>(path);
    version.current = fresh.version;
    return await call<R>(path, { method: "PATCH", body, version: fresh.version });
  }
}
