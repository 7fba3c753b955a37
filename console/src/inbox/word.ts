/** Which lamp a conversation has, and what its ranks are called. Pure. */
import type { Conversation } from "@switchboard/protocol";

import type { LampState } from "../part/lamp.tsx";

/** The lamp of a conversation, with its name in words. */
export function lampOf(row: Conversation, here: boolean): { state: LampState; name: string } {
  if (row.contact_erased) return { state: "quiet", name: "Erased" };
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
