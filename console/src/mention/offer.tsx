/** Members of the team in the composer of a note: offered after `@`. */
import type { RefObject } from "react";

import { membership, team } from "../live/session.ts";
import { Face, type LampState } from "../part/lamp.tsx";
import { insertText } from "../part/insert.ts";
import { useStore } from "../part/store.ts";
import type { Offer } from "../thread/suggest.tsx";
import { memberAskedAt, membersFitting } from "./word.ts";

const LAMPS: Record<string, LampState> = { online: "live", away: "away" };

/** What is offered for what stands before the caret. */
export function useMemberOffer(text: string, caret: number | null, field: RefObject<HTMLTextAreaElement | null>): Offer | null {
  const held = useStore(team);
  const me = useStore(membership, (member) => member?.agent_id ?? "");
  const asked = caret === null ? null : memberAskedAt(text, caret);
  if (!asked) return null;
  const choices = membersFitting(held.agents.values(), me, asked.query).map(({ id, name }) => {
    const presence = held.presence.get(id) ?? "offline";
    return {
      id,
      mark: <Face name={name} seed={id} size="small" lamp={LAMPS[presence] ?? "quiet"} lampName={presence} />,
      name,
      text: presence,
      take() {
        if (field.current) insertText(field.current, `@${name} `, asked);
      },
    };
  });
  return { at: asked.start, label: "Mention somebody", choices, none: null };
}
