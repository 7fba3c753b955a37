/** Files on their way up: progress, failure, and what is ready to be sent. */
import { upload } from "@switchboard/client";
import { useEffect, useRef, useState } from "react";
import type { Attachment } from "@switchboard/protocol";

import { callHeaders, errorText } from "../api/http.ts";
import { useUnsaved } from "../part/unsaved.ts";

/** A file on its way. */
export interface Upload {
  key: number;
  file: File;
  /** 0 to 1. */
  progress: number;
  error: string | null;
}

/** All uploads of a composer, and what can be done with them. */
export type Uploads = ReturnType<typeof useUploads>;

/** How many files one message takes. */
export const FILES_MAX = 10;

let next_key = 1;

/** What a file was before it went up: its bytes, to be looked at, and its place among those that were added. */
interface Added {
  key: number;
  file: File;
}

/** What was added on this page. After a reload the browser has it no more. */
export const addedHere = new WeakMap<Attachment, Added>();

/** A file's place among those that were added; what an earlier page left stands first, as it stood. */
export function placeOf(file: Attachment): number {
  return addedHere.get(file)?.key ?? 0;
}

/** Files with another one, in the order in which they were added, whichever was up first. */
export function withFile(files: readonly Attachment[], file: Attachment): readonly Attachment[] {
  return [...files, file].sort((a, b) => placeOf(a) - placeOf(b));
}

/** Uploads of one composer. What is ready is handed to `onReady`. */
export function useUploads(onReady: (file: Attachment) => void) {
  const [uploads, setUploads] = useState<readonly Upload[]>([]);
  const stops = useRef(new Map<number, AbortController>());
  const ready = useRef(onReady);
  ready.current = onReady;
  useUnsaved(() => uploads.length > 0 && "lost");
  useEffect(() => {
    const running = stops.current;
    return () => {
      for (const stop of running.values()) stop.abort();
    };
  }, []);
  const change = (key: number, next: Partial<Upload>) =>
    setUploads((all) => all.map((each) => (each.key === key ? { ...each, ...next } : each)));
  const drop = (key: number) => {
    stops.current.get(key)?.abort();
    stops.current.delete(key);
    setUploads((all) => all.filter((each) => each.key !== key));
  };
  function start(key: number, file: File) {
    const stop = new AbortController();
    stops.current.set(key, stop);
    change(key, { error: null, progress: 0 });
    upload("", file, { headers: callHeaders(), onProgress: (progress) => change(key, { progress }), signal: stop.signal })
      .then((attachment) => {
        drop(key);
        addedHere.set(attachment, { key, file });
        ready.current(attachment);
      })
      .catch((error: unknown) => {
        if (!stop.signal.aborted) change(key, { error: errorText(error) });
      });
  }
  return {
    all: uploads,
    add(files: readonly File[]) {
      const added = files.map((file) => ({ key: next_key++, file, progress: 0, error: null }));
      setUploads((all) => [...all, ...added]);
      for (const each of added) start(each.key, each.file);
    },
    again(key: number) {
      const found = uploads.find((each) => each.key === key);
      if (found) start(key, found.file);
    },
    drop,
  };
}
