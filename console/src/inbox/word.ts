/** How a conversation is named, and which lamp it has. Pure. */
import type { Conversation, LiveVisitor } from "@switchboard/protocol";

import type { LampState } from "../part/lamp.tsx";

/** The customer's name, or what there is instead. */
export function titleOf(row: Pick<Conversation, "contact_name" | "number">): string {
  return row.contact_name || `Visitor #${row.number}`;
}

/** The lamp of a conversation, with its name in words. */
export function lampOf(row: Conversation, here: boolean): { state: LampState; name: string } {
  if (row.spam) return { state: "quiet", name: "Spam" };
  switch (row.state) {
    case "closed":
      return { state: "quiet", name: "Closed" };
    case "snoozed":
      return { state: "held", name: "Snoozed" };
    case "open":
      if (row.handler === "ai") return { state: "assistant", name: "The assistant answers" };
      if (row.waiting_on === "agent") return { state: "ringing", name: "Waits for us" };
      return here ? { state: "live", name: "Answered, customer is here" } : { state: "held", name: "Waits for the customer" };
  }
}

/** Names of the ranks. */
export const PRIORITIES = ["", "Low", "Normal", "High", "Urgent"] as const;

/** A rank's name. */
export function priorityName(priority: number): string {
  return PRIORITIES[priority] ?? "Normal";
}

/** A live visitor's name, or what there is instead. */
export function visitorName(visitor: Pick<LiveVisitor, "name" | "id">): string {
  return visitor.name || `Visitor ${visitor.id.slice(-4)}`;
}
