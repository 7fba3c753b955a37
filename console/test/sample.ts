/** Believable records for unit tests. */
import type { Conversation, Entry, InboxCounts, LiveVisitor } from "@switchboard/protocol";

/** A conversation with what a test cares about. */
export function conversation(id: string, facts: Partial<Conversation> = {}): Conversation {
  return {
    id,
    number: 12,
    version: 1,
    channel: "chat",
    site_id: "site_1",
    contact_id: "con_ana",
    contact_name: "Ana Kovač",
    contact_version: 1,
    contact_erased: false,
    visitor_id: "vis_ana",
    state: "open",
    handler: "queue",
    assignee_id: null,
    department_id: null,
    priority: 2,
    language: "sl",
    previous_id: null,
    waiting_on: "agent",
    waiting_since_at_ms: 0,
    snoozed_until_ms: null,
    spam: false,
    seq: 4,
    customer_seq: 4,
    preview: { entry_id: "ent_4", from_customer: true, text: "Is there a yearly plan?", attachment_count: 0, sent_at_ms: 0 },
    created_at_ms: 0,
    active_at_ms: 0,
    ...facts,
  };
}

/** Counts of which only one matters. */
export function counts(all: number): InboxCounts {
  return { all, mine: 0, unassigned: all, waiting: 0, mine_anywhere: 0, waiting_anywhere: 0 };
}

/** A message of the customer, or of agent `agt_1`. */
export function message(seq: number, from: "visitor" | "agent", facts: Partial<Entry> = {}): Entry {
  return {
    id: `ent_${seq}`,
    conversation_id: "cnv_a",
    seq,
    public_seq: seq,
    sent_at_ms: 1_700_000_000_000 + seq * 1_000,
    author: from === "visitor" ? { kind: "visitor", visitor_id: "vis_ana", contact_id: "con_ana" } : { kind: "agent", agent_id: "agt_1" },
    content: { kind: "message", message: { format: "plain", body: `line ${seq}` } },
    ...facts,
  };
}

/** A visitor who is here. */
export function visitor(id: string, facts: Partial<LiveVisitor> = {}): LiveVisitor {
  return {
    id,
    version: 1,
    site_id: "site_1",
    state: "active",
    contact_id: null,
    name: "Visitor 4F2A",
    conversation_id: null,
    page: { url: "https://shop.example/pricing?plan=yearly#top", title: "Pricing", at_ms: 5 },
    trail: ["https://shop.example/", "https://shop.example/pricing"],
    page_count: 2,
    event_count: 0,
    tab_count: 1,
    visit_count: 0,
    source: {},
    browser: { device: "desktop", name: "Firefox", system: "macOS", language: "sl", time_zone: "Europe/Ljubljana", country: null, city: null },
    entered_at_ms: 1,
    active_at_ms: 5,
    stale: false,
    ...facts,
  };
}
