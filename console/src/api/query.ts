/** What is read over HTTP, under one set of keys, so that news of a change can ask for it again. */
import { infiniteQueryOptions, QueryClient, queryOptions } from "@tanstack/react-query";
import type {
  Agent,
  ApiKey,
  Attendance,
  AuditEntry,
  BlockedAddress,
  CannedResponse,
  Contact,
  Conversation,
  FailedLogin,
  IdentityKey,
  Invitation,
  Listing,
  LoginSession,
  Me,
  NodeSeen,
  SavedView,
  SignIn,
  Site,
  SiteSeen,
  SiteSecret,
  Todo,
  TodoFilter,
  Trouble,
  Visitor,
  Workspace,
} from "@switchboard/protocol";

import { now } from "../part/clock.ts";
import { call, isSignedOut, queryText, Refused } from "./http.ts";

/** The one cache of HTTP answers. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      retry: (count, error) => !(error instanceof Refused && error.problem.retry === "never") && !isSignedOut(error) && count < 3,
    },
  },
});

/** Rows that are read of a list at most, where all of it is shown at once. */
export const WHOLE_MAX = 1_000;

/** All pages of a short list in one. */
async function whole<T>(path: string, signal: AbortSignal, asked: Parameters<typeof queryText>[0] = {}): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null | undefined;
  do {
    const page: Listing<T> = await call(`${path}${queryText({ ...asked, cursor })}`, { signal });
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor && items.length < WHOLE_MAX);
  return items;
}

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) => call<Me>("me", { signal }),
  staleTime: 60_000,
});

export const workspaceQuery = queryOptions({
  queryKey: ["workspace"],
  queryFn: ({ signal }) => call<Workspace>("workspace", { signal }),
});

/** What does not work is looked at this often, and whenever somebody comes back to the window. */
const TROUBLES_MS = 20_000;

export const troublesQuery = queryOptions({
  queryKey: ["troubles"],
  queryFn: ({ signal }) => whole<Trouble>("troubles", signal),
  staleTime: 0,
  refetchInterval: TROUBLES_MS,
  retry: false,
});

/** Servers are looked at this often while they are shown. */
const NODES_MS = 3_000;

export const nodesQuery = queryOptions({
  queryKey: ["nodes"],
  queryFn: ({ signal }) => whole<NodeSeen>("nodes", signal),
  staleTime: 0,
  refetchInterval: NODES_MS,
});

export const sitesQuery = queryOptions({
  queryKey: ["sites"],
  queryFn: ({ signal }) => whole<Site>("sites", signal),
});

export const agentsQuery = queryOptions({
  queryKey: ["agents"],
  queryFn: ({ signal }) => whole<Agent>("agents", signal),
});

export const invitationsQuery = queryOptions({
  queryKey: ["invitations"],
  queryFn: ({ signal }) => whole<Invitation>("invitations", signal),
});

export const keysQuery = queryOptions({
  queryKey: ["keys"],
  queryFn: ({ signal }) => whole<ApiKey>("keys", signal),
});

/** The team's canned responses and one's own. Who writes has them at hand. */
export const cannedQuery = queryOptions({
  queryKey: ["canned_responses"],
  queryFn: ({ signal }) => whole<CannedResponse>("canned-responses", signal),
  staleTime: 300_000,
});

/** The team's saved views and one's own. */
export const savedViewsQuery = queryOptions({
  queryKey: ["saved_views"],
  queryFn: ({ signal }) => whole<SavedView>("saved-views", signal),
  staleTime: 300_000,
});

/** What others ask of me, newest first; the server says when that changes. */
export const todosQuery = (filter: TodoFilter) =>
  infiniteQueryOptions({
    queryKey: ["todos", filter],
    queryFn: ({ pageParam, signal }) => call<Listing<Todo>>(`todos${queryText({ filter, cursor: pageParam, limit: 50 })}`, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.cursor ?? undefined,
    staleTime: 300_000,
  });

export const sessionsQuery = queryOptions({
  queryKey: ["sessions"],
  queryFn: ({ signal }) => whole<LoginSession>("sessions", signal),
});

const daysAgo = (days: number) => Math.max(0, Math.floor(now() - days * 86_400_000));

/** Sign-ins of the team or of one member that were used in the last so many days, newest first. */
export const signInsQuery = (agent_id: string | null, days: number) =>
  queryOptions({
    queryKey: ["sign-ins", agent_id, days],
    queryFn: ({ signal }) => whole<SignIn>("sign-ins", signal, { agent_id, since_ms: daysAgo(days), limit: 100 }),
  });

/** How long each member was there in the last so many days. */
export const attendanceQuery = (days: number) =>
  queryOptions({
    queryKey: ["attendance", days],
    queryFn: ({ signal }) => whole<Attendance>("attendance", signal, { since_ms: daysAgo(days) }),
  });

/** Lines of the log about one thing that are read at a time. */
const CHANGES_AT_ONCE = 20;

/** What the team changed of a contact. Under the contact's own key: whatever changes it asks for this again. */
export const contactAuditQuery = (contact_id: string) =>
  queryOptions({
    queryKey: ["contact", contact_id, "audit"],
    queryFn: ({ signal }) => call<Listing<AuditEntry>>(`audit${queryText({ target: contact_id, limit: CHANGES_AT_ONCE })}`, { signal }),
  });

/** Who changed one thing, newest first. Whatever is changed is asked for this again. */
export const changesQuery = (target: string) =>
  infiniteQueryOptions({
    queryKey: ["changes", target],
    queryFn: ({ pageParam, signal }) => call<Listing<AuditEntry>>(`audit${queryText({ target, cursor: pageParam, limit: CHANGES_AT_ONCE })}`, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.cursor ?? undefined,
  });

export const blockedQuery = queryOptions({
  queryKey: ["blocked_addresses"],
  queryFn: ({ signal }) => whole<BlockedAddress>("blocked-addresses", signal),
});

export const secretsQuery = (site_id: string) =>
  queryOptions({
    queryKey: ["secrets", site_id],
    queryFn: ({ signal }) => whole<SiteSecret>(`sites/${site_id}/secrets`, signal),
  });

/** A site's pages are looked for this often while it was seen on none, and this often afterwards. */
const NOT_SEEN_MS = 3_000;
const SEEN_MS = 20_000;

/** Where a site's widget was seen last. */
export const siteSeenQuery = (site_id: string) =>
  queryOptions({
    queryKey: ["seen", site_id],
    queryFn: ({ signal }) => call<SiteSeen>(`sites/${site_id}/seen`, { signal }),
    staleTime: 0,
    refetchInterval: ({ state }) => (state.data?.page ? SEEN_MS : NOT_SEEN_MS),
  });

export const identityKeysQuery = (site_id: string) =>
  queryOptions({
    queryKey: ["identity-keys", site_id],
    queryFn: ({ signal }) => whole<IdentityKey>(`sites/${site_id}/identity-keys`, signal),
  });

/** How many merges lead to the record that speaks for a contact, at most. */
const MERGES_MAX = 10;

/** The record that speaks for a contact: its own, or the one it was merged into. */
export const contactQuery = (contact_id: string) =>
  queryOptions({
    queryKey: ["contact", contact_id],
    queryFn: async ({ signal }) => {
      let contact = await call<Contact>(`contacts/${contact_id}`, { signal });
      for (let step = 0; contact.merged_into_id && step < MERGES_MAX; step += 1) {
        contact = await call<Contact>(`contacts/${contact.merged_into_id}`, { signal });
      }
      return contact;
    },
  });

/** The conversations of a person, active last first, a page at a time. */
export const contactConversationsQuery = (contact_id: string) =>
  infiniteQueryOptions({
    queryKey: ["contact", contact_id, "conversations"],
    queryFn: ({ pageParam, signal }) => call<Listing<Conversation>>(`contacts/${contact_id}/conversations${queryText({ cursor: pageParam, limit: 20 })}`, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.cursor ?? undefined,
  });

export const visitorQuery = (visitor_id: string) =>
  queryOptions({
    queryKey: ["visitor", visitor_id],
    queryFn: ({ signal }) => call<Visitor>(`visitors/${visitor_id}`, { signal }),
    staleTime: 5_000,
  });

export const conversationQuery = (conversation_id: string) =>
  queryOptions({
    queryKey: ["conversation", conversation_id],
    queryFn: ({ signal }) => call<Conversation>(`conversations/${conversation_id}`, { signal }),
  });

/** A page of the audit log, of all or of one thing. */
export const auditPage = (target: string | undefined, cursor: string | undefined, signal: AbortSignal) =>
  call<Listing<AuditEntry>>(`audit${queryText({ target, cursor, limit: 50 })}`, { signal });

/** A page of the failed sign-ins. */
export const failedLoginPage = (cursor: string | undefined, signal: AbortSignal) =>
  call<Listing<FailedLogin>>(`failed-logins${queryText({ cursor, limit: 50 })}`, { signal });

/** What the server says was changed is read again, with who did it; what nobody looks at waits until asked for. */
export function refreshChanged(part: string): void {
  void queries.invalidateQueries({ queryKey: ["changes"] });
  if (part === "sites") {
    void queries.invalidateQueries({ queryKey: ["sites"] });
    void queries.invalidateQueries({ queryKey: ["secrets"] });
    void queries.invalidateQueries({ queryKey: ["identity-keys"] });
  } else if (part === "team" || part === "agents") {
    void queries.invalidateQueries({ queryKey: ["agents"] });
    void queries.invalidateQueries({ queryKey: ["invitations"] });
  } else void queries.invalidateQueries({ queryKey: [part] });
}

/** What was read of contacts is read again; of the erased, what was found and shown of them is dropped. */
export function refreshContacts(contact_ids: readonly string[], erased: boolean): void {
  for (const id of contact_ids) void queries.invalidateQueries({ queryKey: ["contact", id] });
  if (!erased) return;
  for (const key of ["search", "visitor", "audit", "conversation"]) void queries.resetQueries({ queryKey: [key] });
}
