/** Canned responses in the composer: what is offered at the caret, and what taking one puts there. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { RefObject } from "react";
import type { Conversation } from "@switchboard/protocol";

import { cannedQuery, contactQuery, workspaceQuery } from "../api/query.ts";
import { membership, team } from "../live/session.ts";
import { Icon } from "../part/icon.tsx";
import { insertText } from "../part/insert.ts";
import { useStore } from "../part/store.ts";
import type { Offer } from "../thread/suggest.tsx";
import { askedAt, fill, fitting, type Facts } from "./word.ts";

/** What is offered for what stands before the caret. */
export function useCannedOffer(row: Conversation, text: string, caret: number | null, field: RefObject<HTMLTextAreaElement | null>): Offer | null {
  const all = useQuery(cannedQuery).data;
  const facts = useFacts(row);
  const asked = caret === null ? null : askedAt(text, caret);
  if (!asked || !all) return null;
  const choices = fitting(all, asked).map((each) => {
    const filled = fill(each.body, facts);
    return {
      id: each.id,
      mark: <Icon name="canned" />,
      name: each.nickname === "" ? "" : `\\${each.nickname}`,
      // As it will stand there.
      text: filled.text,
      ...(each.agent_id == null ? {} : { hint: "Only you" }),
      take() {
        if (field.current) insertText(field.current, filled.text, asked, filled);
      },
    };
  });
  // What was meant as a text of its own is not talked into.
  const none = asked.query === "" ? <NoneYet some={all.length > 0} /> : null;
  return { at: asked.start, label: "Canned responses", choices, none };
}

function NoneYet({ some }: { some: boolean }) {
  return (
    <>
      {some ? "None has a nickname. Two strokes find them by their text. " : "There are none yet. What you write often, you write once. "}
      <Link to="/settings/$page" params={{ page: "canned" }}>
        {some ? "Give them one" : "Make one"}
      </Link>
    </>
  );
}

/** What is known to be filled in here. */
function useFacts(row: Conversation): Facts {
  const me = useStore(membership, (member) => member?.agent_id ?? "");
  const agent_name = useStore(team, (held) => held.agents.get(me)?.name ?? "");
  // What the list calls somebody may be an address or a handle; neither is how one is greeted.
  const customer_name = useQuery(contactQuery(row.contact_id)).data?.name ?? "";
  const department_signature = useQuery(workspaceQuery).data?.name ?? "";
  return { customer_name, agent_name, ticket_id: String(row.number), department_signature };
}

