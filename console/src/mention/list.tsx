/** The notes that name me, in the inbox: newest first, what I have not read by its weight. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useRef } from "react";
import type { Author, Mention } from "@switchboard/protocol";

import { errorText } from "../api/http.ts";
import { mentionsQuery } from "../api/query.ts";
import { ListSkeleton } from "../inbox/list.tsx";
import { keptSearch } from "../inbox/narrow.tsx";
import { reads, records } from "../live/record.ts";
import { foundAt, shownOrder } from "../live/selection.ts";
import { team, type Team } from "../live/session.ts";
import { Button } from "../part/control.tsx";
import { Icon } from "../part/icon.tsx";
import { Face } from "../part/lamp.tsx";
import { VirtualRows } from "../part/rows.tsx";
import { useStore } from "../part/store.ts";
import { Ago } from "../part/time.tsx";
import { isUnreadMention } from "./word.ts";

const ROW_HEIGHT = 68;

/** How many of those that are known here wait to be read. */
export function useUnreadMentions(): number {
  const found = useInfiniteQuery(mentionsQuery);
  const marks = useStore(reads);
  return found.data?.pages.flatMap((page) => page.items).filter((each) => isUnreadMention(each, marks.get(each.conversation_id))).length ?? 0;
}

/** What a writer of the team is called. */
export function writerName(author: Author, { agents, keys }: Team): string {
  if (author.kind === "agent") return agents.get(author.agent_id)?.name ?? "Somebody";
  return author.kind === "key" ? (keys.get(author.key_id) ?? "A program") : "Switchboard";
}

/** The list. */
export function MentionList({ chosen }: { chosen: string | undefined }) {
  const scroller = useRef<HTMLDivElement>(null);
  const found = useInfiniteQuery(mentionsQuery);
  const at = useSearch({ strict: false }).at;
  const rows = useMemo(() => new Map(found.data?.pages.flatMap((page) => page.items.map((each) => [each.entry_id, each] as const)) ?? []), [found.data]);
  const ids = useMemo(() => [...rows.keys()], [rows]);
  useEffect(() => {
    // Walked by conversation: the newest note of each is what one goes to.
    const newest = new Map([...rows.values()].reverse().map((each) => [each.conversation_id, each.seq] as const));
    shownOrder.set([...new Set([...rows.values()].map((each) => each.conversation_id))]);
    foundAt.set(newest);
    return () => foundAt.set(new Map());
  }, [rows]);
  const { hasNextPage, isFetching, fetchNextPage, isError } = found;
  const onEnd = useCallback(
    (last: number) => {
      if (hasNextPage && !isFetching && !isError && last >= ids.length - 8) void fetchNextPage();
    },
    [hasNextPage, isFetching, isError, fetchNextPage, ids.length],
  );
  if (found.isPending) return <ListSkeleton />;
  if (found.isError && ids.length === 0) {
    return (
      <div className="empty">
        <h2>Your mentions could not be read</h2>
        <p className="faint">{errorText(found.error)}</p>
        <Button onClick={() => void found.refetch()}>Try again</Button>
      </div>
    );
  }
  if (ids.length === 0) {
    return (
      <div className="empty">
        <h2>Nobody has named you yet</h2>
        <p className="faint">Where a note says @ and your name, it stands here, and you are told. You tell others the same way.</p>
      </div>
    );
  }
  const here = [...rows.values()].filter((each) => each.conversation_id === chosen);
  const open = here.find((each) => each.seq === at) ?? here[0];
  return (
    <div className="list">
      <VirtualRows
        scroller={scroller}
        ids={ids}
        label="Mentions"
        height={ROW_HEIGHT}
        measured
        chosen={open?.entry_id}
        more={hasNextPage}
        onEnd={onEnd}
        row={(id, tabIndex) => {
          const each = rows.get(id);
          return each && <MentionRow mention={each} chosen={id === open?.entry_id} tabIndex={tabIndex} />;
        }}
      />
    </div>
  );
}

function MentionRow({ mention, chosen, tabIndex }: { mention: Mention; chosen: boolean; tabIndex: 0 | -1 }) {
  const writer = useStore(team, (held) => writerName(mention.author, held));
  const mark = useStore(reads, (known) => known.get(mention.conversation_id));
  // What the customer is called may have changed since the list was read.
  const customer = useStore(records, (known) => known.get(mention.conversation_id)?.contact_name) ?? mention.contact_name;
  const unread = isUnreadMention(mention, mark);
  const seed = mention.author.kind === "agent" ? mention.author.agent_id : mention.author.kind;
  return (
    <Link
      to="/inbox/$list/$conversationId"
      params={{ list: "mentions", conversationId: mention.conversation_id }}
      search={(before: Record<string, unknown>) => ({ ...keptSearch(before), at: mention.seq })}
      className="row row-found row-mention"
      aria-current={chosen ? "true" : undefined}
      data-unread={unread || undefined}
      tabIndex={tabIndex}
      draggable={false}
    >
      <Face name={writer} seed={seed} size="small" />
      <span className="row-main">
        <span className="row-top">
          <span className="row-name cut">
            <bdi>{writer}</bdi>
            {unread && <span className="heard-only">, unread</span>}
          </span>
          <span className="row-where cut">
            <bdi>{customer}</bdi>
          </span>
          <span className="row-time">
            <Ago at_ms={mention.at_ms} />
          </span>
        </span>
        <span className="row-match" data-place="note">
          <Icon name="note" size={13} />
          <bdi dir="auto">{mention.text || "A file"}</bdi>
        </span>
      </span>
    </Link>
  );
}
