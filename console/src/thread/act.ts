/** What can be done with a conversation: done first, said after, and taken back rather than asked. */
import type { AgentId, Command, Conversation, ConversationId } from "@switchboard/protocol";

import { errorText, problemIn } from "../api/http.ts";
import { contactConversationsQuery, queries } from "../api/query.ts";
import { priorityName } from "../inbox/word.ts";
import { now } from "../part/clock.ts";
import { soonText } from "../part/time.tsx";
import { toast, toastError } from "../part/toast.tsx";
import { command, membership, status, team } from "../live/session.ts";
import { wayBack } from "./back.ts";

/** Opens a menu of the open thread as the arrow key on its button does: its first line is chosen. */
export function openMenu(name: "snooze" | "assign"): void {
  const button = document.querySelector<HTMLElement>(`[data-menu="${name}"]`);
  button?.focus();
  button?.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true, cancelable: true }));
}

type Deed = Extract<Command, { conversation_id: ConversationId }>;

/** What leads back, as it is by the time it is asked for. */
export type Way = () => readonly Command[];

/** Goes back, one step after the other: what is of one conversation keeps its order. */
export function goBack(way: Way): void {
  Promise.all(way().map((step) => command(step))).catch((error: unknown) => toastError(errorText(error)));
}

/**
 * Does it, says it, offers the way back, where there is one. A refusal is said in place of what was said too early;
 * while the connection is down, that it is still to come.
 */
function perform(what: Deed, words: string, way: Way, refused = sayRefused): void {
  const is_late = status.get().name !== "live" || !navigator.onLine;
  const back = way().length === 0 ? null : () => goBack(way);
  const withdraw = toast(is_late ? `${words}, once the connection is back` : words, back, what.conversation_id);
  command(what).catch((error: unknown) => {
    withdraw();
    void refused(error);
  });
}

async function sayRefused(error: unknown): Promise<void> {
  toastError(errorText(error));
}

/** Gives a conversation to a member, or to nobody. */
export function assign(row: Conversation, agent_id: AgentId | null): void {
  const conversation_id = row.id;
  const before = row.assignee_id ?? null;
  if (before === agent_id) return;
  const me = membership.get()?.agent_id;
  const name = agent_id === null ? "nobody" : agent_id === me ? "you" : (team.get().agents.get(agent_id)?.name ?? "a member");
  perform({ do: "assign", conversation_id, agent_id }, `Assigned to ${name}`, () => [{ do: "assign", conversation_id, agent_id: before }]);
}

/** Takes part no more. */
export function leave(conversation_id: ConversationId): void {
  perform({ do: "leave", conversation_id }, "You left", () => [{ do: "join", conversation_id }]);
}

/** Takes part. */
export function join(conversation_id: ConversationId): void {
  perform({ do: "join", conversation_id }, "You joined", () => [{ do: "leave", conversation_id }]);
}

/** Lets a conversation rest. */
export function snooze(row: Conversation, until_ms: number): void {
  const words = `${row.contact_name} snoozed until ${soonText(until_ms, now())}`;
  perform({ do: "snooze", conversation_id: row.id, until_ms }, words, () => wayBack(row, "snoozed", now()));
}

/** Ends a conversation. */
export function close(row: Conversation): void {
  perform({ do: "close", conversation_id: row.id }, `${row.contact_name} closed`, () => wayBack(row, "closed", now()));
}

/** Opens a conversation again. */
export function reopen(row: Conversation): void {
  const words = `${row.contact_name} is open again`;
  perform({ do: "reopen", conversation_id: row.id }, words, () => wayBack(row, "open", now()), (error) => sayWhereItWentOn(row, error));
}

/** A customer has one open conversation: a later one that is open keeps this one closed. */
async function sayWhereItWentOn(row: Conversation, error: unknown): Promise<void> {
  if (problemIn(error)?.code !== "conversation_state") return sayRefused(error);
  const found = await queries.fetchInfiniteQuery({ ...contactConversationsQuery(row.contact_id), staleTime: 0 }).catch(() => null);
  const other = found?.pages[0]?.items.find((each) => each.id !== row.id && each.site_id === row.site_id && each.state !== "closed");
  if (!other) return sayRefused(error);
  toastError(`Went on in #${other.number}. This one stays closed, and nothing was changed.`, { name: `Open #${other.number}`, conversation_id: other.id });
}

/** Changes the priority. */
export function prioritize(row: Conversation, priority: number): void {
  if (row.priority === priority) return;
  perform({ do: "prioritize", conversation_id: row.id, priority }, `Priority: ${priorityName(priority)}`, () => [{ do: "prioritize", conversation_id: row.id, priority: row.priority }]);
}

/** Marks as spam, or takes that back. */
export function markSpam(row: Conversation, spam: boolean): void {
  perform({ do: "mark_spam", conversation_id: row.id, spam }, spam ? "Marked as spam" : "No longer spam", () => [{ do: "mark_spam", conversation_id: row.id, spam: !spam }]);
}

/** Blocks the visitor, or takes that back. */
export function block(row: Conversation, blocked: boolean): void {
  perform({ do: "block_visitor", conversation_id: row.id, blocked }, blocked ? "Visitor blocked" : "Visitor unblocked", () => [{ do: "block_visitor", conversation_id: row.id, blocked: !blocked }]);
}
