/** Which conversations stay followed: the last few looked at, so that going back to one is instant. */
import type { ConversationId, Entry } from "@switchboard/protocol";
import type { Batch } from "@switchboard/protocol";
import { useSyncExternalStore } from "react";
import type { Log } from "@switchboard/client";

import { call, queryText } from "../api/http.ts";
import { client } from "./session.ts";

const FOLLOWED_MAX = 8;
let followed: ConversationId[] = [];
let owner: unknown = null;

/** Follows a conversation, and lets go of the one looked at longest ago. */
export function keepFollowing(conversation_id: ConversationId): void {
  const speaker = client();
  if (owner !== speaker) {
    // Another session: what the one before followed ended with it.
    owner = speaker;
    followed = [];
  }
  if (followed.includes(conversation_id)) {
    followed = [...followed.filter((id) => id !== conversation_id), conversation_id];
    return;
  }
  speaker.follow(conversation_id);
  followed = [...followed, conversation_id];
  const oldest = followed.length > FOLLOWED_MAX ? followed.shift() : undefined;
  if (oldest !== undefined) speaker.unfollow(oldest);
}

/** The log of a conversation, live. */
export function useLog(conversation_id: ConversationId): Log<Entry> | undefined {
  const speaker = client();
  return useSyncExternalStore(
    (listener) => speaker.subscribe(listener),
    () => speaker.log(conversation_id),
  );
}

/** Reads the page before the first entry that is known. */
export async function loadOlderEntries(conversation_id: ConversationId, before: number): Promise<void> {
  const batch = await call<Batch<Entry>>(`conversations/${conversation_id}/entries${queryText({ before, limit: 100 })}`);
  client().prepend(conversation_id, { entries: batch.entries, older: batch.older });
}
