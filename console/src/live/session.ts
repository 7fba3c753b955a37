/**
 * The live side of the console: one connection for one member of one workspace. Takes news in, puts
 * them where they belong, and is the way for commands and signals out.
 */
import { createAgentClient, ProblemError, StopError, type Client, type Status } from "@switchboard/client";
import type {
  Ack,
  Agent,
  AgentId,
  AgentNews,
  ApiKeyId,
  Availability,
  Command,
  Conversation,
  ConversationId,
  Entry,
  InboxList,
  Listing,
  Me,
  Membership,
  Permission,
  Problem,
  Screen,
  SettingsPage,
  SocketToken,
  VisitorList,
} from "@switchboard/protocol";

import { call, queryText, Refused, setWorkspace } from "../api/http.ts";
import { queries, refreshChanged, refreshContacts } from "../api/query.ts";
import { dropBegun } from "../part/begun.ts";
import { now, setServerNow } from "../part/clock.ts";
import { pictures } from "../part/lamp.tsx";
import { createKeptStore, createStore } from "../part/store.ts";
import { watchUnsaved } from "../part/unsaved.ts";
import { dropDrafts, isDraftOf } from "../thread/draft.ts";
import { dropUploads, fileLimits } from "../thread/upload.ts";
import { emptyInbox, isOf, withChanges, withOlder, withSnapshot, type Inbox } from "./inbox.ts";
import { noNames, noPresence, presence, withNames, withPresence, type Names } from "./presence.ts";
import { forgetRecords, mergeReads, noteNames, noteRecords, reads, records } from "./record.ts";
import { CUSTOMER, forgetSignals, noteTyping, noteViewing } from "./signal.ts";
import { filterKey, isSameList, isSamePart, listOf, noVisitors, withVisitorChanges, withVisitors, type Visitors } from "./visitors.ts";

/** The client that speaks for an agent. */
export type AgentClient = Client<AgentNews, Entry>;

/** What somebody has in sight. */
export interface Sight {
  screen: Screen;
  /** Of a conversation, which one. */
  conversation_id: ConversationId | null;
  /** Of the settings, which page. */
  settings_page: SettingsPage | null;
}

/** The team as last heard of. */
export interface Team {
  ready: boolean;
  agents: ReadonlyMap<AgentId, Agent>;
  /** What the API keys are called. */
  keys: ReadonlyMap<ApiKeyId, string>;
  presence: ReadonlyMap<AgentId, Availability>;
  /** What they have in sight, where they have anything. */
  sights: ReadonlyMap<AgentId, Sight>;
}

function noTeam(): Team {
  return { ready: false, agents: new Map(), keys: new Map(), presence: new Map(), sights: new Map() };
}

/** Who is signed in here. */
export const membership = createStore<Membership | null>(null);

/** The connection's state. */
export const status = createStore<Status>({ name: "off" });

/** The inbox list that is watched. */
export const inbox = createStore<Inbox>(emptyInbox({ filter: "all" }));

/** Who is on the sites. */
export const visitors = createStore<Visitors>(noVisitors);

/** The part of which list of them is asked for. */
export const visitorList = createStore<VisitorList>({});

/** Of whom {@link presence} tells. */
export const presenceNames = createStore<Names>(noNames);

/** The team. */
export const team = createStore<Team>(noTeam());

/** What I want to be: kept, for a reload is no reason to be online again. */
export const availability = createKeptStore<Availability>(
  "switchboard.availability",
  "online",
  (value): value is Availability => value === "online" || value === "away",
);

/** The list whose news call me, if anything is to. */
let notices: InboxList | null = null;

/** What I have in sight. */
let sight: Sight | null = null;

let live: AgentClient | null = null;

/** The client of the present session. */
export function client(): AgentClient {
  if (live === null) throw new Error("no session has begun");
  return live;
}

/** Words that still wait to be stored, and would not go out of the next page. */
function isWaitingHere(): boolean {
  return live !== null && live.outbox.some((item) => item.keep && (item.state === "waiting" || item.state === "sent") && !live?.keeps(item));
}

watchUnsaved(() => "A message that waits to go out", () => isWaitingHere() && "lost");

/** Begins a session; ends the one before. */
export function beginSession(member: Membership): void {
  if (membership.get()?.agent_id === member.agent_id && live !== null) {
    membership.set(member);
    return;
  }
  forgetSession();
  setWorkspace(member.workspace_id);
  membership.set(member);
  const started = createAgentClient({
    base: "",
    purpose: "full",
    storage: keptStorage(),
    credentials: async () => {
      try {
        const { token } = await call<SocketToken>("socket-token", { method: "POST" });
        return { token, principal: member.agent_id };
      } catch (error) {
        if (error instanceof Refused && error.problem.retry === "never") throw new StopError(error.problem);
        throw error;
      }
    },
  });
  live = started;
  started.onNews((news) => take(started, news));
  started.subscribe(() => status.set(started.status));
  started.watch({ view: "inbox", ...inbox.get().list });
  if (notices) started.watch({ view: "notices", ...notices });
  started.watch({ view: "visitors", ...visitorList.get() });
  watchPresence(presenceNames.get());
  started.signal({ type: "availability", availability: availability.get() });
  started.signal({ type: "screen", screen: null, ...sight });
  started.start();
}

/** Ends the session, for who sits here may be another one, and forgets what it knew. */
export function endSession(): void {
  forgetSession();
  dropUploads(() => true);
}

/** What is on its way up goes on: it is of the same person, in another workspace. */
function forgetSession(): void {
  live?.stop();
  live = null;
  membership.set(null);
  setWorkspace(null);
  status.set({ name: "off" });
  inbox.set(emptyInbox({ filter: "all" }));
  visitors.set(noVisitors);
  presenceNames.set(noNames);
  presence.set(noPresence);
  team.set(noTeam());
  pictures.set(new Map());
  forgetRecords();
  forgetSignals();
}

function keptStorage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

/** How often my rights were asked for, and which of the answers is known. */
const rights = { asked: 0, known: 0 };

/** Reads what I may do now. Where that fails, the rights of before are shown, and the server refuses. */
async function readMyRights(): Promise<void> {
  const asked = (rights.asked += 1);
  const me = await call<Me>("me").catch(() => null);
  // Of two answers that cross, the later question's stays.
  if (me === null || asked < rights.known) return;
  rights.known = asked;
  queries.setQueryData(["me"], me);
  const now = me.memberships.find((each) => each.agent_id === membership.get()?.agent_id);
  if (now) membership.set(now);
}

/** Puts a piece of news where it belongs. */
function take(from: AgentClient, news: AgentNews): void {
  if (from !== live) return;
  switch (news.type) {
    case "welcome":
      setServerNow(news.now_ms);
      fileLimits.set(news.limits);
      forgetSignals();
      // What the connection that broke off may have missed is read again when somebody looks at it; what I may do,
      // at once: other rights are what a connection may have ended for.
      void queries.invalidateQueries({ predicate: (query) => query.queryKey[0] !== "me" });
      void readMyRights();
      return;
    case "inbox":
      noteRecords(news.rows);
      reads.set((known) => mergeReads(known, news.read));
      inbox.set((held) => withSnapshot(held, news));
      return;
    case "inbox_changes":
      hear(news.rows);
      inbox.set((held) => withChanges(held, news));
      return;
    case "conversation":
      // What is open, or was a moment ago, comes by here first.
      hear([news.conversation]);
      return;
    case "read":
      reads.set((known) => mergeReads(known, { [news.conversation_id]: news.seq }));
      return;
    case "visitors":
      if (isSameList(news, visitorList.get())) visitors.set(withVisitors(news, now()));
      return;
    case "visitor_changes":
      visitors.set((held) => withVisitorChanges(held, news, now()));
      return;
    case "visitor_presence":
      presence.set((held) => withPresence(held, news, presenceNames.get()));
      return;
    case "team":
      // Who joined or was changed stands in what was read before, too; the first one of a connection changes nothing.
      if (team.get().ready) refreshChanged("team");
      team.set((held) => withTeam(held, news));
      pictures.set(picturesOf(news.agents));
      return;
    case "team_presence":
      team.set((held) => withTeam(held, news));
      return;
    case "typing":
      noteTyping(news.conversation_id, news.agent_id ?? CUSTOMER, news.text ?? "", news.active);
      return;
    case "viewing":
      noteViewing(news.conversation_id, news.agent_ids);
      return;
    case "entry":
      if (news.entry.content.kind === "visitor_blocked") void queries.invalidateQueries({ queryKey: ["visitor"] });
      // What was typed is said now.
      noteTyping(
        news.entry.conversation_id,
        news.entry.author.kind === "agent" ? news.entry.author.agent_id : CUSTOMER,
        "",
        false,
      );
      return;
    case "contact":
      takeContact(news);
      return;
    case "changed":
      refreshChanged(news.part);
      return;
    case "ack":
    case "rejected":
    case "entries":
    case "marks":
    case "beat":
    case "going_away":
    case "error":
      // The client's own part.
      return;
    default:
      // A newer server may say more than this page knows; it is skipped.
      return;
  }
}

/** A name that changed, or a person who was erased: then also what this browser kept is forgotten. */
function takeContact({ contact_ids, name, version, erased }: Extract<AgentNews, { type: "contact" }>): void {
  noteNames(contact_ids.map((id) => [id, { name, version, erased }]));
  refreshContacts(contact_ids, erased);
  if (!erased) return;
  const of_them = [...records.get().values()].filter((row) => contact_ids.includes(row.contact_id));
  const ids = of_them.map((row) => row.id);
  dropUploads((draft_key) => isDraftOf(draft_key, ids));
  dropDrafts(ids);
  const here = [...visitors.get().rows.values()].filter((row) => row.contact_id != null && contact_ids.includes(row.contact_id));
  dropBegun([...contact_ids, ...ids, ...here.map((row) => row.id)]);
}

function picturesOf(agents: readonly Agent[]): Map<string, string> {
  return new Map(agents.flatMap(({ id, picture }) => (picture ? [[id, `/api/v1/pictures/${picture}`]] : [])));
}

function withTeam(held: Team, news: Extract<AgentNews, { type: "team" | "team_presence" }>): Team {
  const presence = new Map(news.type === "team" ? [] : held.presence);
  const sights = new Map(news.type === "team" ? [] : held.sights);
  for (const each of news.presence) {
    presence.set(each.agent_id, each.availability);
    if (each.screen == null) sights.delete(each.agent_id);
    else sights.set(each.agent_id, { screen: each.screen, conversation_id: each.conversation_id ?? null, settings_page: each.settings_page ?? null });
  }
  if (news.type === "team_presence") return { ...held, presence, sights };
  return {
    ready: true,
    agents: new Map(news.agents.map((agent) => [agent.id, agent])),
    keys: new Map(news.keys.map((key) => [key.id, key.name])),
    presence,
    sights,
  };
}

/** Watches another list of the inbox. */
export function watchInbox(list: InboxList): void {
  if (isOf(inbox.get(), list)) return;
  inbox.set((held) => emptyInbox(list, held));
  live?.watch({ view: "inbox", ...list });
}

/** Watches the list whose news call me, whichever other one is open. */
export function watchNotices(list: InboxList | null): void {
  if (list?.filter === notices?.filter) return;
  notices = list;
  if (list) live?.watch({ view: "notices", ...list });
  else live?.unwatch("notices");
}

/** Watches other visitors, or another part of them. What is known stays until they come, unless they are others. */
export function watchVisitors({ filter, order, first }: VisitorList): void {
  const before = visitorList.get();
  const list = listOf(filter, order, first);
  if (isSamePart(before, list)) return;
  visitorList.set(list);
  if (filterKey(before.filter) !== filterKey(list.filter)) visitors.set((held) => ({ ...noVisitors, counts: held.counts, countries: held.countries }));
  live?.watch({ view: "visitors", ...list });
}

/** Asks whether others are here. */
export function watchPresence(names: Names): void {
  presenceNames.set(names);
  presence.set((held) => withNames(held, names));
  // Whoever may not see the list is not told of single ones either.
  if (may("visitors.read")) live?.watch({ view: "presence", visitor_ids: [...names.visitor_ids], row_id: names.row_id });
}

/** Reads the next page of the list. */
export async function loadOlder(): Promise<void> {
  const { list, cursor, ready } = inbox.get();
  if (!ready || cursor === null) return;
  const page = await call<Listing<Conversation>>(`conversations${queryText({ ...list, cursor, limit: 100 })}`);
  noteRecords(page.items);
  inbox.set((held) => withOlder(held, list, cursor, page.items, page.cursor ?? null));
}

const change_listeners = new Set<(rows: readonly Conversation[]) => void>();

/** Tells of conversations that changed, each against what was known of it, and keeps what they are now. */
function hear(rows: readonly Conversation[]): void {
  for (const listener of change_listeners) listener(rows);
  noteRecords(rows);
}

/** Tells of rows that changed, in any list that is watched, before they are known here; the result ends that. */
export function onInboxChanges(listener: (rows: readonly Conversation[]) => void): () => void {
  change_listeners.add(listener);
  return () => change_listeners.delete(listener);
}

/** Says whether I can be reached. */
export function setAvailability(next: Availability): void {
  availability.set(next);
  live?.signal({ type: "availability", availability: next });
}

/** Says what I have in sight. */
export function setScreen(next: Sight | null): void {
  if (next?.screen === sight?.screen && next?.conversation_id === sight?.conversation_id && next?.settings_page === sight?.settings_page) return;
  sight = next;
  live?.signal({ type: "screen", screen: null, ...next });
}

/** Says that I read up to a number. */
export function markRead(conversation_id: ConversationId, seq: number): void {
  const known = reads.get();
  const merged = mergeReads(known, { [conversation_id]: seq });
  if (merged === known) return;
  reads.set(merged);
  live?.signal({ type: "read", conversation_id, number: seq });
}

/** Sends a command; the promise ends with the server's word. */
export function command(what: Command): Promise<Ack> {
  return client().send(what).done;
}

/** Whether this member may do something. What is hidden here is refused by the server too. */
export function may(permission: Permission): boolean {
  return membership.get()?.permissions.includes(permission) ?? false;
}

/** The problem behind an error of the client, where there is one. */
export function problemOf(error: unknown): Problem | null {
  if (error instanceof ProblemError) return error.problem;
  if (error instanceof Refused) return error.problem;
  return null;
}
