/** What a search over all conversations finds, read over HTTP, with where it matched; older on scroll. */
import { infiniteQueryOptions, useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useRef } from "react";
import type { Conversation, Found, InboxFilter, Listing, Match, MatchPlace, TextPart } from "@switchboard/protocol";

import { call, errorText, queryText } from "../api/http.ts";
import { noteRecords, records } from "../live/record.ts";
import { foundAt, shownOrder } from "../live/selection.ts";
import { now } from "../part/clock.ts";
import { Button } from "../part/control.tsx";
import { Icon, type IconName } from "../part/icon.tsx";
import { Lamp } from "../part/lamp.tsx";
import { VirtualRows } from "../part/rows.tsx";
import { useStore } from "../part/store.ts";
import { Ago } from "../part/time.tsx";
import { ListSkeleton } from "./list.tsx";
import { narrowedBy, searchNarrowing } from "./narrow.ts";
import { useListSearch, useUnnarrow } from "./narrow.tsx";
import { previewText } from "./row.tsx";
import { lampOf } from "./word.ts";

const ROW_HEIGHT = 68;
const PAGE = 20;

/** The search learns words a moment after they were said: one that found nothing is asked again this often. */
const NOTHING_MS = 3_000;

/** The pages of what a search finds; the list and its head look at the same ones. */
const searchQuery = (text: string, narrowing: ReturnType<typeof searchNarrowing>) =>
  infiniteQueryOptions({
    queryKey: ["search", text, narrowing],
    queryFn: async ({ pageParam, signal }) => {
      const page = await call<Listing<Found>>(`search${queryText({ text, ...narrowing, cursor: pageParam, limit: PAGE })}`, { signal });
      noteRecords(page.items.map((found) => found.conversation));
      return page;
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.cursor ?? undefined,
    staleTime: 5_000,
    refetchInterval: ({ state }) => (state.data?.pages.every((page) => page.items.length === 0) ? NOTHING_MS : false),
  });

function useFound(text: string) {
  const narrowing = searchNarrowing(useListSearch(), now());
  return useInfiniteQuery({ ...searchQuery(text, narrowing), placeholderData: (before) => before });
}

/** The list of what was found. `onTop` leads back to the field. */
export function SearchList({ filter, search, chosen, onTop }: { filter: InboxFilter; search: string; chosen: string | undefined; onTop: () => void }) {
  const scroller = useRef<HTMLDivElement>(null);
  const found = useFound(search);
  const narrowed = narrowedBy(useListSearch()) > 0;
  const unnarrow = useUnnarrow();
  const rows = useMemo(() => new Map(found.data?.pages.flatMap((page) => page.items.map((each) => [each.conversation.id, each] as const)) ?? []), [found.data]);
  const ids = useMemo(() => [...rows.keys()], [rows]);
  useEffect(() => {
    shownOrder.set(ids);
    foundAt.set(new Map([...rows].flatMap(([id, { matches }]) => matches.flatMap((match) => (match.seq == null ? [] : [[id, match.seq] as const])))));
    return () => foundAt.set(new Map());
  }, [ids, rows]);
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
        <h2>The search did not work</h2>
        <p className="faint">{errorText(found.error)}</p>
        <Button onClick={() => void found.refetch()}>Try again</Button>
      </div>
    );
  }
  if (ids.length === 0 && narrowed) {
    return (
      <div className="empty">
        <h2>Nothing found that fits the filters</h2>
        <p className="faint">
          No conversation that fits them holds “<bdi>{search}</bdi>”. Others may.
        </p>
        <Button onClick={unnarrow}>Search without filters</Button>
      </div>
    );
  }
  if (ids.length === 0) {
    return (
      <div className="empty">
        <h2>Nothing found</h2>
        <p className="faint">
          No conversation, open, closed or spam, holds “<bdi>{search}</bdi>” in a message, a note, a name or an address. A message is found by the beginnings of its words, an address by its own.
        </p>
      </div>
    );
  }
  return (
    <div className="list" data-stale={found.isPlaceholderData || undefined}>
      <VirtualRows
        scroller={scroller}
        ids={ids}
        label="Found conversations"
        height={ROW_HEIGHT}
        measured
        chosen={chosen}
        more={hasNextPage}
        onEnd={onEnd}
        onTop={onTop}
        row={(id, tabIndex) => {
          const each = rows.get(id);
          return each && <FoundRow found={each} filter={filter} chosen={id === chosen} tabIndex={tabIndex} />;
        }}
      >
        {found.isError && (
          <div className="list-more">
            <span className="faint">{errorText(found.error)}</span>
            <Button size="small" onClick={() => void fetchNextPage()}>
              Try again
            </Button>
          </div>
        )}
      </VirtualRows>
    </div>
  );
}

/** How many were found, in words. */
export function FoundCount({ search }: { search: string }) {
  const narrowed = narrowedBy(useListSearch()) > 0;
  return (
    <span role="status">
      <FoundText search={search} /> {narrowed ? "among what fits the filters" : "in all conversations"}
    </span>
  );
}

/** How many it found, in words. */
export function FoundText({ search }: { search: string }) {
  const found = useFound(search);
  const count = found.data?.pages.reduce((sum, page) => sum + page.items.length, 0) ?? 0;
  return <>{found.isPending ? "Searching" : found.hasNextPage ? `More than ${count} found` : count === 1 ? "1 found" : `${count} found`}</>;
}

function FoundRow({ found, filter, chosen, tabIndex }: { found: Found; filter: InboxFilter; chosen: boolean; tabIndex: 0 | -1 }) {
  const heard = useStore(records, (known) => known.get(found.conversation.id));
  const row = heard ?? found.conversation;
  const lamp = lampOf(row, false);
  const said = found.matches.find((match) => match.seq != null);
  const name = found.matches.find((match) => match.place === "name" && textOf(match) === row.contact_name);
  // A name that has changed meanwhile is no match any more.
  const others = found.matches.filter((match) => match.place !== "name");
  return (
    <Link
      to="/inbox/$list/$conversationId"
      params={{ list: filter, conversationId: row.id }}
      search={(before: Record<string, unknown>) => ({ ...before, at: said?.seq ?? undefined })}
      className="row row-found"
      aria-current={chosen ? "true" : undefined}
      tabIndex={tabIndex}
      draggable={false}
    >
      <Lamp state={lamp.state} name={lamp.name} />
      <span className="row-main">
        <span className="row-top">
          <span className="row-name cut">
            <bdi>{name ? <Marked parts={name.parts} /> : row.contact_name}</bdi>
          </span>
          <span className="row-where">{whereText(row)}</span>
          <span className="row-time">
            <Ago at_ms={row.active_at_ms} />
          </span>
        </span>
        {others.map((match) => (
          <MatchLine key={`${match.place} ${match.entry_id ?? textOf(match)}`} match={match} />
        ))}
        {others.length === 0 && (
          <span className="row-bottom">
            <span className="row-preview cut" dir="auto">
              {previewText(row)}
            </span>
          </span>
        )}
      </span>
    </Link>
  );
}

const PLACES: Record<MatchPlace, { name: string; icon: IconName }> = {
  name: { name: "Name", icon: "visitors" },
  email: { name: "E-mail", icon: "visitors" },
  phone: { name: "Phone", icon: "visitors" },
  external_id: { name: "Customer id", icon: "visitors" },
  number: { name: "Number", icon: "log" },
  message: { name: "Message", icon: "chat" },
  note: { name: "Note", icon: "note" },
};

function MatchLine({ match }: { match: Match }) {
  const place = PLACES[match.place];
  return (
    <span className="row-match" data-place={match.place} title={`${place.name}${match.sent_at_ms == null ? "" : `, ${new Date(match.sent_at_ms).toLocaleString("en-US")}`}`}>
      <Icon name={place.icon} size={13} />
      <span className="heard-only">{place.name}: </span>
      <bdi dir="auto">
        <Marked parts={match.parts} />
      </bdi>
    </span>
  );
}

/** A text with what was searched for told apart. */
export function Marked({ parts }: { parts: readonly TextPart[] }) {
  return parts.map((part, index) => (part.hit ? <mark key={index}>{part.text}</mark> : part.text));
}

function textOf(match: Match): string {
  return match.parts.map((part) => part.text).join("");
}

/** In which list a conversation stands, where that is not the open one. */
function whereText(row: Conversation): string {
  if (row.contact_erased) return "Erased";
  if (row.spam) return "Spam";
  if (row.state === "closed") return "Closed";
  return row.state === "snoozed" ? "Snoozed" : "";
}
