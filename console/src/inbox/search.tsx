/** Conversations that hold a text, read over HTTP, older ones on scroll. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef } from "react";
import type { Conversation, InboxFilter, Listing } from "@switchboard/protocol";

import { call, errorText, queryText } from "../api/http.ts";
import { noteRecords } from "../live/record.ts";
import { shownOrder } from "../live/selection.ts";
import { Button } from "../part/control.tsx";
import { ListSkeleton, Rows } from "./list.tsx";

/** The list of what a search found. */
export function SearchList({ filter, search, chosen }: { filter: InboxFilter; search: string; chosen: string | undefined }) {
  const scroller = useRef<HTMLDivElement>(null);
  const found = useInfiniteQuery({
    queryKey: ["search", filter, search],
    queryFn: async ({ pageParam, signal }) => {
      const page = await call<Listing<Conversation>>(
        `conversations${queryText({ filter, search, cursor: pageParam, limit: 50 })}`,
        { signal },
      );
      noteRecords(page.items);
      return page;
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.cursor ?? undefined,
    staleTime: 5_000,
    placeholderData: (before) => before,
  });
  const ids = useMemo(() => [...new Set(found.data?.pages.flatMap((page) => page.items.map((row) => row.id)) ?? [])], [found.data]);
  useEffect(() => shownOrder.set(ids), [ids]);
  if (found.isError) {
    return (
      <div className="empty">
        <h2>The search did not work</h2>
        <p className="faint">{errorText(found.error)}</p>
        <Button onClick={() => void found.refetch()}>Try again</Button>
      </div>
    );
  }
  if (found.isPending) return <ListSkeleton />;
  if (ids.length === 0) {
    return (
      <div className="empty">
        <h2>Nothing found</h2>
        <p className="faint">No conversation in this list holds “{search}” in a name, an address or a message.</p>
      </div>
    );
  }
  return (
    <div className="list">
      <Rows
        scroller={scroller}
        ids={ids}
        gone={() => false}
        chosen={chosen}
        filter={filter}
        more={found.hasNextPage}
        onMore={() => found.fetchNextPage()}
        onScrolled={() => undefined}
      />
    </div>
  );
}
