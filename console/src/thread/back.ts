/** The way back to how a conversation stood: what rested rests until the same time, while that is still to come. Pure. */
import type { Command, Conversation, State } from "@switchboard/protocol";

/** The commands, one after the other, that bring it from where it `is` to where it stood `before`. */
export function wayBack(before: Pick<Conversation, "id" | "state" | "snoozed_until_ms">, is: State, now_ms: number): readonly Command[] {
  const conversation_id = before.id;
  if (before.state === "closed") return is === "closed" ? [] : [{ do: "close", conversation_id }];
  const until_ms = before.state === "snoozed" ? (before.snoozed_until_ms ?? 0) : 0;
  const rests = until_ms > now_ms;
  // What is closed cannot be put to rest; what rests can, until another time.
  const opens = is === "closed" || (is === "snoozed" && !rests);
  return [...(opens ? [{ do: "reopen", conversation_id } as const] : []), ...(rests ? [{ do: "snooze", conversation_id, until_ms } as const] : [])];
}
