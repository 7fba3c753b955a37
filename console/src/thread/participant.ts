/** Who takes part in a conversation, as its log tells. Pure. */
import type { AgentId, Entry } from "@switchboard/protocol";

/** Whether an agent takes part; null where the entry that says so has not been read. */
export function takesPart(entries: readonly Entry[], older: boolean, me: AgentId): boolean | null {
  const last = entries.findLast(({ content }) => (content.kind === "joined" || content.kind === "left") && content.agent_id === me);
  if (last === undefined) return older ? null : false;
  return last.content.kind === "joined";
}
