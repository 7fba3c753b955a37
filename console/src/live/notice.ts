/**
 * Which news are worth calling somebody back to this page: new words of a customer, while nobody looks
 * at them. Decides and is pure; `shell/notice.ts` shows and sounds.
 */
import type { AgentId, Conversation, InboxList } from "@switchboard/protocol";

import type { Records } from "./record.ts";

/** Whose conversations one is told of. */
export type Whose = "mine" | "open" | "all";

/** What to tell. */
export interface Notice {
  conversation_id: string;
  name: string;
  text: string;
}

/** The list that has all of which one wants to be told, if of anything. */
export function listOfNotices({ desktop, sound, whose }: { desktop: boolean; sound: boolean; whose: Whose }): InboxList | null {
  return desktop || sound ? { filter: whose === "mine" ? "mine" : "all" } : null;
}

/**
 * What changed rows tell: one notice for each conversation in which the customer said something that was
 * not known here. Mine, or those of nobody besides, or all; spam and what is over tell nothing.
 */
export function noticesOf(known: Records, rows: readonly Conversation[], me: AgentId, whose: Whose): Notice[] {
  return rows.flatMap((row) => {
    const held = known.get(row.id);
    const is_new = row.preview?.from_customer === true && row.customer_seq > (held?.customer_seq ?? 0);
    const owner = row.assignee_id ?? null;
    const concerns = whose === "all" || owner === me || (whose === "open" && owner === null);
    if (!is_new || !concerns || row.spam || row.contact_erased || row.state === "closed") return [];
    const { preview } = row;
    return [{ conversation_id: row.id, name: row.contact_name, text: preview?.text || "Sent a file" }];
  });
}
