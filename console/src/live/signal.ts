/** What is true for a moment: who types, who looks. Latest wins, and expires. */
import type { AgentId, ConversationId } from "@switchboard/protocol";

import { createStore } from "../part/store.ts";

/** The customer's side of a typing signal, which has no agent. */
export const CUSTOMER = "customer";

/** Somebody who types. */
export interface Typist {
  who: AgentId | typeof CUSTOMER;
  text: string;
}

/** Who types, by conversation. */
export const typing = createStore<ReadonlyMap<ConversationId, readonly Typist[]>>(new Map());

/** Who looks, by conversation. */
export const viewing = createStore<ReadonlyMap<ConversationId, readonly AgentId[]>>(new Map());

/** How long typing is shown after its last news. */
const TYPING_MS = 6_000;

const timers = new Map<string, ReturnType<typeof setTimeout>>();

/** Takes a typing signal in; it ends by itself. */
export function noteTyping(conversation_id: ConversationId, who: Typist["who"], text: string, active: boolean): void {
  const key = `${conversation_id} ${who}`;
  clearTimeout(timers.get(key));
  timers.delete(key);
  typing.set((current) => {
    const others = (current.get(conversation_id) ?? []).filter((typist) => typist.who !== who);
    const next = new Map(current);
    const typists = active ? [...others, { who, text }] : others;
    if (typists.length > 0) next.set(conversation_id, typists);
    else next.delete(conversation_id);
    return next;
  });
  if (active) timers.set(key, setTimeout(() => noteTyping(conversation_id, who, "", false), TYPING_MS));
}

/** Takes in who looks at a conversation. */
export function noteViewing(conversation_id: ConversationId, agent_ids: readonly AgentId[]): void {
  viewing.set((current) => new Map(current).set(conversation_id, agent_ids));
}

/** Forgets everything: another connection, another truth. */
export function forgetSignals(): void {
  for (const timer of timers.values()) clearTimeout(timer);
  timers.clear();
  typing.set(new Map());
  viewing.set(new Map());
}
