/** Whether anybody ever wrote to this workspace: a new one is taught, an old one is not. */
import { useQuery } from "@tanstack/react-query";
import type { Conversation, Listing } from "@switchboard/protocol";

import { call, queryText } from "../api/http.ts";
import { records } from "../live/record.ts";
import { inbox } from "../live/session.ts";
import { useStore } from "../part/store.ts";

/** Says it where it is `asked`, once it is known: nothing before. */
export function useWasWritten(asked: boolean): boolean | undefined {
  const known = useStore(records, (held) => held.size > 0);
  const ready = useStore(inbox, (held) => held.ready);
  const closed = useQuery({
    queryKey: ["conversations", "first closed"],
    queryFn: ({ signal }) => call<Listing<Conversation>>(`conversations${queryText({ filter: "closed", limit: 1 })}`, { signal }),
    enabled: asked && ready && !known,
  });
  if (!asked || !ready) return undefined;
  return known || (closed.data && closed.data.items.length > 0);
}
