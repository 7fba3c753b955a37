/** Members of the team in the composer of a note: offered after `@`. */
import type { RefObject } from "react";
import type { AgentId } from "@switchboard/protocol";

import { membership, team } from "../live/session.ts";
import { Face, type LampState } from "../part/lamp.tsx";
import { insertText } from "../part/insert.ts";
import { useStore } from "../part/store.ts";
import type { Offer } from "../thread/suggest.tsx";
import { memberAskedAt, membersFitting } from "./word.ts";

const LAMPS: Record<string, LampState> = { online: "live", away: "away" };

/** What is offered for what stands before the caret. */
export function useMemberOffer(text: string, caret: number | null, field: RefObject<HTMLTextAreaElement | null>, onPick: (id: AgentId) => void): Offer | null {
  const held = useStore(team);
  const me = useStore(membership, (member) => member?.agent_id ?? "");
  const asked = caret === null ? null : memberAskedAt(text, caret);
  if (!asked) return null;
  const fitting = membersFitting(held.agents.values(), me, asked.query);
  const choices = fitting.map(({ id, name, email }) => {
    const has_twin = fitting.some((other) => other.id !== id && other.name.toLowerCase() === name.toLowerCase());
    const presence = held.presence.get(id) ?? "offline";
    return {
      id,
      mark: <Face name={name} seed={id} size="small" lamp={LAMPS[presence] ?? "quiet"} lampName={presence} />,
      name,
      text: has_twin && email ? `${email}, ${presence}` : presence,
      take() {
        onPick(id);
        if (field.current) insertText(field.current, `@${name} `, asked);
      },
    };
  });
  return { at: asked.start, label: "Mention somebody", choices, none: null };
}
