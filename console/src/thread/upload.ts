/**
 * Files on their way up: progress and failure. They go on while another conversation is open; what is up becomes
 * part of the draft of the conversation it was added to.
 */
import { checkFile, upload, type FileLimits } from "@switchboard/client";
import { limit, type Attachment } from "@switchboard/protocol";

import { callHeaders, errorText, problemIn } from "../api/http.ts";
import { createStore, useStore } from "../part/store.ts";
import { watchUnsaved } from "../part/unsaved.ts";
import { changeDraft, drafts } from "./draft.ts";

/** A file on its way. */
export interface Upload {
  key: number;
  file: File;
  /** 0 to 1. */
  progress: number;
  error: string | null;
  /** Whether the same file may pass another time. */
  may_retry: boolean;
}

/** What files the server takes, as it last said. */
export const fileLimits = createStore<FileLimits>({ attachment_bytes_max: limit.attachment_bytes_max });

/** All uploads of a composer, and what can be done with them. */
export type Uploads = ReturnType<typeof useUploads>;

/** How many files one message takes. */
export const FILES_MAX = 10;

const NONE: readonly Upload[] = [];

/** What is not up yet, by the key of the draft that it belongs to. */
const uploads = createStore<ReadonlyMap<string, readonly Upload[]>>(new Map());

/** Ends an upload, by its key. */
const stops = new Map<number, AbortController>();

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

// The bytes are in this page alone.
watchUnsaved(lostText, () => uploads.get().size > 0 && "lost");

function lostText(): string {
  const names = [...uploads.get().values()].flat().map(({ file }) => file.name);
  return names.length === 1 ? `The file “${names[0]}”, which is not up yet` : `${names.length} files that are not up yet`;
}

/** Uploads of one draft. */
export function useUploads(draft_key: string) {
  const all = useStore(uploads, (held) => held.get(draft_key)) ?? NONE;
  return {
    all,
    add(files: readonly File[]) {
      const added = files.map((file) => ({ key: next_key++, file, progress: 0, error: null, may_retry: false }));
      change(draft_key, (before) => [...before, ...added]);
      for (const each of added) start(draft_key, each);
    },
    again(key: number) {
      const found = all.find((each) => each.key === key);
      if (found) start(draft_key, found);
    },
    drop: (key: number) => drop(draft_key, key),
  };
}

/** Ends what is on its way to drafts, and forgets it. */
export function dropUploads(is_of: (draft_key: string) => boolean): void {
  for (const [draft_key, all] of uploads.get()) {
    if (is_of(draft_key)) for (const { key } of all) drop(draft_key, key);
  }
}

function change(draft_key: string, next: (before: readonly Upload[]) => readonly Upload[]): void {
  uploads.set((held) => {
    const all = next(held.get(draft_key) ?? NONE);
    const others = [...held].filter(([each]) => each !== draft_key);
    return new Map(all.length === 0 ? others : [...others, [draft_key, all]]);
  });
}

function drop(draft_key: string, key: number): void {
  stops.get(key)?.abort();
  stops.delete(key);
  change(draft_key, (all) => all.filter((each) => each.key !== key));
}

function start(draft_key: string, { key, file }: Upload): void {
  const stop = new AbortController();
  stops.set(key, stop);
  const tell = (news: Partial<Upload>) => change(draft_key, (all) => all.map((each) => (each.key === key ? { ...each, ...news } : each)));
  tell({ error: null, progress: 0 });
  checkFile(file, fileLimits.get())
    .then(() => stop.signal.throwIfAborted())
    .then(() => upload("", file, { headers: callHeaders(), onProgress: (progress) => tell({ progress }), signal: stop.signal }))
    .then((attachment) => {
      // It was called off when it was up already.
      if (stop.signal.aborted) return;
      drop(draft_key, key);
      addedHere.set(attachment, { key, file });
      changeDraft(draft_key, { files: withFile(drafts.get()[draft_key]?.files ?? [], attachment) });
    })
    .catch((error: unknown) => {
      const problem = problemIn(error);
      if (!stop.signal.aborted) tell({ error: errorText(error), may_retry: problem?.retry !== "never" || problem.code === "too_many" });
    });
}
