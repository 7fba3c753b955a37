/** Drafts: what stands in a composer, per conversation, kept over reloads. */
import type { AgentId, Attachment, EntryId } from "@switchboard/protocol";

import { createSharedStore, isKept } from "../part/store.ts";
import { watchUnsaved } from "../part/unsaved.ts";

/** Who a text is for. */
export type Mode = "reply" | "note";

/** A message or note that is answered. */
export interface Quote {
  entry_id: EntryId;
  kind: "message" | "note";
  name: string;
  text: string;
}

/** What stands in a composer. */
export interface Draft {
  mode: Mode;
  reply: string;
  note: string;
  files: readonly Attachment[];
  /** What the reply or note answers; drafts of an earlier page know nothing of it. */
  quote?: Quote | null;
  /** Members who were picked for the note, which tells those of one name apart. */
  picked?: readonly AgentId[];
  changed_at_ms: number;
}

/** An empty composer. */
export const EMPTY_DRAFT: Draft = { mode: "reply", reply: "", note: "", files: [], quote: null, changed_at_ms: 0 };

const DRAFTS_MAX = 100;

const KEY = "switchboard.drafts";

/** All drafts, by member and conversation. */
export const drafts = createSharedStore<Draft>(KEY);

watchUnsaved(() => "What you wrote and did not send", () => Object.keys(drafts.get()).length > 0 && !isKept(KEY, drafts.get()) && "lost");

/** Puts a draft in; empty ones are forgotten, and the oldest of too many. */
export function withDraft(all: Readonly<Record<string, Draft>>, key: string, draft: Draft): Record<string, Draft> {
  const rest = Object.entries(all).filter(([each]) => each !== key);
  const empty = draft.reply === "" && draft.note === "" && draft.files.length === 0 && draft.mode === "reply" && !draft.quote;
  const kept = empty ? rest : [...rest, [key, draft] as const];
  kept.sort(([, a], [, b]) => b.changed_at_ms - a.changed_at_ms);
  return Object.fromEntries(kept.slice(0, DRAFTS_MAX));
}

/** Whether a draft is of one of these conversations, whoever began it here. */
export function isDraftOf(key: string, conversation_ids: readonly string[]): boolean {
  return conversation_ids.some((id) => key.endsWith(` ${id}`));
}

/** Forgets what was begun for conversations. */
export function dropDrafts(conversation_ids: readonly string[]): void {
  drafts.set((all) => Object.fromEntries(Object.entries(all).filter(([key]) => !isDraftOf(key, conversation_ids))));
}

/** Changes a draft. */
export function changeDraft(key: string, change: Partial<Draft>): void {
  drafts.set((all) => withDraft(all, key, { ...EMPTY_DRAFT, ...all[key], ...change, changed_at_ms: Date.now() }));
}

/** What was begun for a conversation and not sent, as a list shows it: a reply before a note, words before a file; nothing where nothing was. */
export function begunText(draft: Draft | undefined): string {
  const text = draft?.reply.trim() || draft?.note.trim() || draft?.files[0]?.name || "";
  return text.split("\n", 1)[0] ?? "";
}
