/** What the system tells, in words. Pure. */
import { apart } from "@switchboard/markup";
import type { AgentId, ApiKeyId, Author, Entry } from "@switchboard/protocol";

import { priorityName } from "../inbox/word.ts";
import { soonText } from "../part/time.tsx";

/** Gives names. */
export interface Names {
  agent(id: AgentId): string;
  key(id: ApiKeyId): string;
  customer: string;
  me: AgentId;
  /** Whether the customer was erased: what was said is not shown, whatever is still at hand. */
  erased: boolean;
}

/** Who did something. */
export function authorName(author: Author, names: Names): string {
  switch (author.kind) {
    case "visitor":
      return names.customer;
    case "agent":
      return author.agent_id === names.me ? "You" : names.agent(author.agent_id);
    case "key":
      return names.key(author.key_id);
    case "ai":
      return "The assistant";
    case "system":
      return "Switchboard";
  }
}

/** An event of the log as a sentence. */
export function eventText(entry: Entry, names: Names): string {
  const who = apart(authorName(entry.author, names));
  const { content } = entry;
  const name = (id: AgentId) => (id === names.me ? "you" : apart(names.agent(id)));
  switch (content.kind) {
    case "joined":
      return isAuthor(entry, content.agent_id) ? `${who} joined` : `${who} added ${name(content.agent_id)}`;
    case "left":
      return isAuthor(entry, content.agent_id) ? `${who} left` : `${who} removed ${name(content.agent_id)}`;
    case "assigned":
      if (!content.agent_id) return content.previous_id ? `${who} took this off ${name(content.previous_id)}` : `${who} unassigned this`;
      if (isAuthor(entry, content.agent_id)) return `${who} took this`;
      return `${who} assigned this to ${name(content.agent_id)}`;
    case "moved":
      return content.department_id ? `${who} moved this to another department` : `${who} took this out of its department`;
    case "snoozed":
      return `${who} snoozed this until ${soonText(content.until_ms, entry.sent_at_ms)}`;
    case "reopened":
      if (content.cause === "snooze_ended") return "Snooze ended; open again";
      if (content.cause === "visitor") return `${apart(names.customer)} wrote; open again`;
      return `${who} reopened this`;
    case "closed":
      return `${who} closed this`;
    case "prioritized":
      return `${who} set the priority to ${priorityName(content.priority)}`;
    case "spam_marked":
      return content.spam ? `${who} marked this as spam` : `${who} took the spam mark off`;
    case "visitor_blocked":
      return content.blocked ? `${who} blocked the visitor` : `${who} unblocked the visitor`;
    case "message":
    case "note":
    case "edited":
    case "deleted":
      return "";
    default:
      // A newer server tells of something this page does not know.
      return `${who} changed something`;
  }
}

/**
 * Whether the entry after it, of the same act, says it as well: who takes a conversation joins it, and who leaves
 * gives it back.
 */
export function isSaidByNext({ content, author, sent_at_ms }: Entry, next: Entry | undefined): boolean {
  if (author.kind !== "agent" || next?.author.kind !== "agent" || next.author.agent_id !== author.agent_id || next.sent_at_ms !== sent_at_ms) return false;
  const { content: then } = next;
  if (content.kind === "joined") return then.kind === "assigned" && then.agent_id === content.agent_id;
  return content.kind === "assigned" && !content.agent_id && then.kind === "left" && then.agent_id === content.previous_id;
}

function isAuthor(entry: Entry, agent_id: AgentId): boolean {
  return entry.author.kind === "agent" && entry.author.agent_id === agent_id;
}
