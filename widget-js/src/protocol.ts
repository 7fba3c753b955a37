// Made from the Rust crate `protocol` by its test `typescript`. Do not edit:
// SWITCHBOARD_WRITE=1 cargo test -p protocol --test typescript
// fixtures: 56797ef6d4435419

/** Accepts an invitation. */
export type AcceptInvitation = {
/** The link's secret. */
token: string,
/** The name to be seen. */
name: Name,
/** A new password, or that of the account that exists. */
password: string,
/** The IANA time zone of the browser. */
time_zone?: string | null, };

/** The outcome of an accepted command. A retry gets the same one. */
export type Ack = {
/** The client's name for the command. */
client_id: ClientId,
/** The conversation it went to; absent for `identify` before a first message. */
conversation_id?: ConversationId | null,
/** The entry it made; absent where nothing had to change (assigning to whom it is assigned). */
entry_id?: EntryId | null,
/** The entry's number in the author's own counting. */
number?: number | null,
/** When it was stored. */
sent_at_ms: number, };

/** What a message after the end does (C7). */
export type AfterClose = "start_new" | "reopen";

/** A member of the team. */
export type Agent = {
/** Its id. */
id: AgentId,
/** Grows with every change (`If-Match`). */
version: number,
/** The user behind it. */
user_id: UserId,
/** The name the team and visitors see. */
name: string,
/** The picture the team and visitors see, at `/api/v1/pictures/{id}`; initials where there is none. */
picture?: PictureId | null,
/** The address to sign in with. Never shown to visitors. */
email: string,
/** What the member may do. */
role: Role,
/** What the member may do besides, each right once and in the order of the documentation. */
grants: Array<Permission>,
/** The IANA time zone. */
time_zone: string,
/** Whether the member was deactivated; the name stays on what was said. */
deactivated: boolean,
/** When the member joined. */
created_at_ms: number, };

/** What a change of a member may set; what is absent stays. */
export type AgentChange = {
/** A new name. */
name?: Name | null,
/** A new picture: a square PNG or JPEG as a `data:` address, its bytes at most [`crate::limit::AGENT_PICTURE_BYTES_MAX`] and its
 * sides at most [`crate::limit::AGENT_PICTURE_SIDE_MAX`]; empty takes it away. */
picture?: string | null,
/** A new role. */
role?: Role | null,
/** New rights besides those of the role, whole: only such as the giver has, and never `owner`. */
grants?: Array<Permission> | null,
/** A new time zone. */
time_zone?: string | null,
/** Deactivate, or take back. */
deactivated?: boolean | null, };

/** A member of a workspace's team. */
export type AgentId = string;

/** What the server says to agents. */
export type AgentNews = { "type": "welcome",
/** Who this is. */
agent_id: AgentId,
/** This connection; frames of another one are to be dropped. */
connection_id: ConnectionId,
/** The store's epoch. */
epoch: number,
/** The store's time. */
now_ms: number,
/** When the token stops being accepted, and this connection ends. */
token_expires_at_ms: number,
/** What may be counted on. */
limits: ConnectionLimits, } | { "type": "ack" } & Ack | { "type": "rejected" } & Rejected | { "type": "entry",
/** The entry. */
entry: Entry, } | { "type": "entries" } & Batch<Entry> | { "type": "typing",
/** Where. */
conversation_id: ConversationId,
/** Which agent; the customer when absent. */
agent_id?: AgentId | null,
/** What stands there so far, from customers. */
text?: string | null,
/** Whether it goes on. */
active: boolean, } | { "type": "marks",
/** Where. */
conversation_id: ConversationId,
/** How far. */
marks: Marks, } | { "type": "viewing",
/** Which. */
conversation_id: ConversationId,
/** Who. */
agent_ids: Array<AgentId>, } | { "type": "conversation",
/** As it is now. */
conversation: Conversation, } | { "type": "inbox",
/** Its first rows, at most `PAGE_ROWS_MAX`. */
rows: Array<Conversation>,
/** How far I have read each of them. */
read: { [key in ConversationId]: number },
/** Where the list goes on: the `cursor` of its next page over HTTP; absent where this is all of it. */
cursor?: string | null,
/** How many there are. */
counts: InboxCounts,
/** Which. */
filter: InboxFilter,
/** Of one site; of all when absent. */
site_id?: SiteId | null,
/** Of one member of the team. */
assignee_id?: AgentId | null,
/** Of customers who speak one language, in any of its regions. */
language?: Language | null,
/** Of one priority, from 1 (low) to 4 (urgent). */
priority?: number | null,
/** Of this priority or a higher one. */
priority_min?: number | null,
/** Last active at this time or later. */
since_ms?: number | null,
/** Last active before this time. */
until_ms?: number | null,
/** What stands first; `newest` when absent. */
order?: InboxOrder, } | { "type": "inbox_changes",
/** New or changed rows. */
rows: Array<Conversation>,
/** Rows that no longer belong, with the version that took them out. */
gone: Array<GoneRow>,
/** How many there are; absent where they could not be counted: those told before hold until the next. */
counts?: InboxCounts | null,
/** Which. */
filter: InboxFilter,
/** Of one site; of all when absent. */
site_id?: SiteId | null,
/** Of one member of the team. */
assignee_id?: AgentId | null,
/** Of customers who speak one language, in any of its regions. */
language?: Language | null,
/** Of one priority, from 1 (low) to 4 (urgent). */
priority?: number | null,
/** Of this priority or a higher one. */
priority_min?: number | null,
/** Last active at this time or later. */
since_ms?: number | null,
/** Last active before this time. */
until_ms?: number | null,
/** What stands first; `newest` when absent. */
order?: InboxOrder, } | { "type": "read",
/** Where. */
conversation_id: ConversationId,
/** Up to which `seq`. */
seq: number, } | { "type": "visitors",
/** Its rows, in the list's order: at most `PAGE_ROWS_MAX`, and as many as fit into `WINDOW_BYTES_MAX`. */
rows: Array<LiveVisitor>,
/** How many there are in the whole list. */
counts: VisitorCounts,
/** The countries that the list may be narrowed to: of all whom the filter lets in, whichever country it names. */
countries: Array<string>,
/** Which. */
filter?: VisitorFilter,
/** What stands first; `active` when absent. */
order?: VisitorOrder,
/** How many rows of the list stand before the first one wanted, at most `ROWS_BEFORE_MAX`; none when absent. */
first?: number, } | { "type": "visitor_changes",
/** New or changed rows. */
rows: Array<LiveVisitor>,
/** Who left, or is no longer in the list. */
gone: Array<VisitorId>,
/** Who is in the list, and no longer in this part of it. */
beyond: Array<VisitorId>,
/** How many there are. */
counts: VisitorCounts,
/** The countries; absent where they did not change. */
countries?: Array<string> | null,
/** Which. */
filter?: VisitorFilter,
/** What stands first; `active` when absent. */
order?: VisitorOrder,
/** How many rows of the list stand before the first one wanted, at most `ROWS_BEFORE_MAX`; none when absent. */
first?: number, } | { "type": "visitor_presence",
/** Their states. */
states: Array<VisitorState>,
/** The row that was asked for, where he is here; absent where it did not change. */
row?: LiveVisitor | null, } | { "type": "team",
/** The members. */
agents: Array<Agent>,
/** The programs that may speak for it or once did, the newest 1,000. */
keys: Array<KeyName>,
/** What the members do. */
presence: Array<AgentPresence>, } | { "type": "team_presence",
/** Those who changed. */
presence: Array<AgentPresence>, } | { "type": "contact",
/** The contact, and those merged with it. */
contact_ids: Array<ContactId>,
/** What they are called now. */
name: string,
/** As `contact_version` in rows: an older name must not come back. */
version: number,
/** Whether the contact was erased: forget what was read, written and searched of it. */
erased: boolean, } | { "type": "changed",
/** Which part: `sites`, `workspace`, `keys`, `canned_responses`, `saved_views`, `blocked_addresses`, `todos`. */
part: string,
/** The id of the record, where one is. */
id?: string | null, } | { "type": "beat" } | { "type": "going_away" } & GoingAway | { "type": "error",
/** Why. */
problem: Problem, };

/** What an agent does right now. */
export type AgentPresence = {
/** Who. */
agent_id: AgentId,
/** Whether the agent can be reached. */
availability: Availability,
/** What the agent has in sight; absent where that is not known, or nothing. */
screen?: Screen | null,
/** Which conversation, where one is in sight. */
conversation_id?: ConversationId | null,
/** Which page of the settings, where one is in sight. */
settings_page?: SettingsPage | null, };

/** What an answer to a site's own question is. */
export type AnswerKind = "text" | "number" | "flag";

/** A key for programs. */
export type ApiKey = {
/** Its id. */
id: ApiKeyId,
/** What it is for. */
name: string,
/** The first characters, to tell keys apart. */
hint: string,
/** What it may do. */
scopes: Array<Permission>,
/** The key itself, only in the answer that made it. */
key?: string | null,
/** When it was made. */
created_at_ms: number,
/** When it was last used, to the minute. */
used_at_ms?: number | null,
/** When it stops being accepted; never by itself when absent. */
expires_at_ms?: number | null, };

/** A key for programs. */
export type ApiKeyId = string;

/** Whether something is asked before a first message. */
export type Ask = "never" | "optional" | "needed";

/** What is asked before a first message. The answers are claims, like those of a page. */
export type Asks = {
/** The name. */
name: Ask,
/** The e-mail address. */
email: Ask,
/** The telephone number. */
phone: Ask, };

/** A file of a message. */
export type Attachment = {
/** Its id; the file is at `/api/v1/attachments/{id}`. */
id: AttachmentId,
/** Its name, made safe to show and save. */
name: string,
/** Its type, found by looking at the bytes. */
media_type: string,
/** Its size. */
size_bytes: number,
/** Pixels, for images. */
width?: number | null,
/** Pixels, for images. */
height?: number | null, };

/** An uploaded file. */
export type AttachmentId = string;

/** How long a member was there. */
export type Attendance = {
/** Who. */
agent_id: AgentId,
/** Milliseconds, several browsers at once counted once. */
used_ms: number, };

/** A typed attribute's value. */
export type AttributeValue = boolean | number | string;

/** A line of the audit log. */
export type AuditEntry = {
/** Its id. */
id: AuditId,
/** When. */
at_ms: number,
/** Who: an agent's, visitor's or key's id, or `system`. */
actor: string,
/** What, dotted and in the past tense: `site.changed`, `agent.deactivated`. */
action: string,
/** The id of what it was done to. */
target: string,
/** The names of the fields that changed. */
fields: Array<string>,
/** From what to what, as far as not erased: a JSON object of `field: [before, after]`. Of a field that is a
 * record itself it holds what differs. */
changes_json?: string | null,
/** The address it came from. */
address?: string | null,
/** What the things behind the ids of this line are called now, as far as known: the actor, the target,
 * and ids among the changes. */
names: { [key in string]: string }, };

/** A line of the audit log. */
export type AuditId = string;

/** Who made an entry. */
export type Author = { "kind": "visitor",
/** The browser it came from. */
visitor_id: VisitorId,
/** The person behind it when it was written. */
contact_id: ContactId, } | { "kind": "agent",
/** Who. */
agent_id: AgentId, } | { "kind": "key",
/** Which; `team` says what it is called. */
key_id: ApiKeyId, } | { "kind": "ai" } | { "kind": "system" };

/** Whether an agent can be reached. */
export type Availability = "online" | "away" | "offline";

/** Entries of a conversation in number order: a replay, or the newest page. */
export type Batch<E> = {
/** Which conversation. */
conversation_id: ConversationId,
/** Whether these follow what the client has, or replace it. */
continuity: Continuity,
/** The entries; at most `PAGE_ENTRIES_MAX`, and of these as many as fit into `PAGE_BYTES_MAX`. */
entries: Array<E>,
/** Where the client stands after these; absent for an empty conversation. */
position?: Position | null,
/** Whether older entries exist before the first of these. */
older: boolean, };

/** A network that is blocked. */
export type BlockedAddress = {
/** Its id. */
id: BlockedAddressId,
/** The network: `203.0.113.0/24`, `2001:db8::/32`, or a single address of either version. */
network: string,
/** Why; may be empty. */
reason: string,
/** The member who blocked it; absent where a program did. */
agent_id?: AgentId | null,
/** When. */
created_at_ms: number, };

/** A network that is blocked. */
export type BlockedAddressId = string;

/** What a person wrote: not blank, no NUL, within [`limit::BODY_BYTES_MAX`]. Never HTML. */
export type Body = string;

/** How bright the widget is. */
export type Brightness = "system" | "light" | "dark";

/** What is known of the browser and its place. */
export type Browser = {
/** The form of the device. */
device: Device,
/** The browser's name. */
name: string,
/** The operating system's name. */
system: string,
/** The language, as a BCP 47 tag. */
language?: string | null,
/** The IANA time zone. */
time_zone?: string | null,
/** ISO 3166-1 alpha-2: of the address where a source for it is configured, else of the time zone. */
country?: string | null,
/** The city's name, where a source for it is configured. */
city?: string | null, };

/** A text that is written often. */
export type CannedResponse = {
/** Its id. */
id: CannedResponseId,
/** Grows with every change. */
version: number,
/** Whose it is; the team's when absent. */
agent_id?: AgentId | null,
/** What it is called by, after `\`; may be empty. Without regard to case, it is one of its kind among the
 * team's, and among one's own. */
nickname: string,
/** The text, in Markdown, with variables such as `{{customer_name}}` that are filled when it is used. */
body: string,
/** When it was made. */
created_at_ms: number,
/** When it was last changed. */
changed_at_ms: number, };

/** Changes a canned response; what is absent stays. An empty nickname takes it away. */
export type CannedResponseChange = {
/** What it is called by. */
nickname?: string | null,
/** The text. */
body?: Body | null, };

/** A text that is written often. */
export type CannedResponseId = string;

/** Where a conversation takes place. */
export type Channel = "chat" | "email" | "ticket";

/** What a page says of its visitor without proof: a claim, shown as such. */
export type Claim = {
/** The name. */
name?: string | null,
/** The e-mail address. */
email?: string | null,
/** The telephone number. */
phone?: string | null,
/** The site's own id for the customer. */
customer_id?: string | null,
/** The company. */
company?: string | null, } & ({ [key in string]: boolean | number | string });

/** What a client says. */
export type ClientFrame = { "type": "hello" } & Hello | { "type": "command",
/** The client's name for it: the same for every try. */
client_id: ClientId,
/** What. */
command: Command, } | { "type": "follow" } & Follow | { "type": "unfollow",
/** Which. */
conversation_id: ConversationId, } | { "type": "watch" } & Watch | { "type": "unwatch",
/** Which. */
view: ViewName, } | { "type": "typing",
/** Where; a visitor leaves it out before the first message. */
conversation_id?: ConversationId | null,
/** What stands there so far, from visitors, cut to `TYPING_BYTES_MAX`; agents leave it out. */
text?: string | null,
/** Whether typing goes on; `false` ends it at once. */
active: boolean, } | { "type": "viewing",
/** Which. */
conversation_id?: ConversationId | null, } | { "type": "read",
/** Where. */
conversation_id: ConversationId,
/** Up to which number, in the reader's own counting. */
number: number, } | { "type": "page" } & Page | { "type": "activity",
/** Whether somebody looks at it. */
visible: boolean, } | { "type": "track",
/** Its name, like `plan_selected`. */
name: string,
/** What belongs to it, at most `PROPERTIES_MAX`. */
properties: { [key in string]: AttributeValue }, } | { "type": "availability",
/** `online` or `away`. */
availability: Availability, } | { "type": "screen",
/** Which. */
screen?: Screen | null,
/** Of a conversation, which one. */
conversation_id?: ConversationId | null,
/** Of the settings, which page. */
settings_page?: SettingsPage | null, } | { "type": "beat",
/** The highest number received without a gap, by conversation. */
delivered: { [key in ConversationId]: number }, };

/** The client's own name for a command: the same id always means the same command. */
export type ClientId = string;

/** What can be asked. `do` names it on the wire. */
export type Command = { "do": "send_message",
/** Where; agents must say it. */
conversation_id?: ConversationId | null,
/** The text; may be absent where files are sent. */
body?: Body | null,
/** How it is written; plain when absent. Visitors write plain. */
format?: Format,
/** The entry it answers. */
reply_to_id?: EntryId | null,
/** Files uploaded before, by the same author. */
attachment_ids?: Array<AttachmentId>, } | { "do": "add_note",
/** Where. */
conversation_id: ConversationId,
/** Active members who are told of it, at most 20. One who writes tells himself nothing. */
mentions?: Array<AgentId>,
/** The text; may be absent where files are sent. */
body?: Body | null,
/** How it is written; plain when absent. Visitors write plain. */
format?: Format,
/** The entry it answers. */
reply_to_id?: EntryId | null,
/** Files uploaded before, by the same author. */
attachment_ids?: Array<AttachmentId>, } | { "do": "edit_message",
/** Where. */
conversation_id: ConversationId,
/** Which. */
entry_id: EntryId,
/** What it says now. */
body: Body, } | { "do": "delete_message",
/** Where. */
conversation_id: ConversationId,
/** Which. */
entry_id: EntryId, } | { "do": "identify",
/** The claim. */
claim: Claim, } | { "do": "start_conversation",
/** With whom. */
visitor_id: VisitorId,
/** The text; may be absent where files are sent. */
body?: Body | null,
/** How it is written; plain when absent. Visitors write plain. */
format?: Format,
/** The entry it answers. */
reply_to_id?: EntryId | null,
/** Files uploaded before, by the same author. */
attachment_ids?: Array<AttachmentId>, } | { "do": "assign",
/** Which. */
conversation_id: ConversationId,
/** To whom. */
agent_id?: AgentId | null, } | { "do": "move",
/** Which. */
conversation_id: ConversationId,
/** To which. */
department_id?: DepartmentId | null, } | { "do": "join",
/** Where. */
conversation_id: ConversationId, } | { "do": "leave",
/** Where. */
conversation_id: ConversationId, } | { "do": "snooze",
/** Which. */
conversation_id: ConversationId,
/** Until when. */
until_ms: number, } | { "do": "close",
/** Which. */
conversation_id: ConversationId, } | { "do": "reopen",
/** Which. */
conversation_id: ConversationId, } | { "do": "prioritize",
/** Which. */
conversation_id: ConversationId,
/** 1 low to 4 urgent. */
priority: number, } | { "do": "mark_spam",
/** Which. */
conversation_id: ConversationId,
/** Whether it is spam. */
spam: boolean, } | { "do": "block_visitor",
/** Whose visitor. */
conversation_id: ConversationId,
/** Whether he is blocked. */
blocked: boolean, };

/** A live connection, from `welcome` to its end. */
export type ConnectionId = string;

/** What a connection may count on. */
export type ConnectionLimits = {
/** Bytes of one client frame. */
frame_bytes_max: number,
/** Bytes of a message body. */
body_bytes_max: number,
/** Silence after which the server beats. */
beat_ms: number,
/** Silence after which either side gives up. */
silence_ms_max: number,
/** How long the client keeps what it sent. */
resend_ms: number,
/** Bytes of one uploaded file. */
attachment_bytes_max: number,
/** Types of files that are taken, each as `image/png` or `image/*`; every type when absent. */
attachment_types?: Array<string> | null, };

/** A person. */
export type Contact = {
/** Its id. */
id: ContactId,
/** Grows with every change (`If-Match`). */
version: number,
/** What the contact is to us. */
kind: ContactKind,
/** The name as far as known; empty otherwise. */
name: string,
/** What the contact is called wherever one is shown: the name, else the address, else a handle. */
shown_name: string,
/** The address that stands in the record, verified or claimed. */
email?: string | null,
/** The telephone number. */
phone?: string | null,
/** The company as the site names it. */
company?: string | null,
/** The language, as a BCP 47 tag. */
language?: string | null,
/** The IANA time zone. */
time_zone?: string | null,
/** How the contact is known. */
identities: Array<Identity>,
/** What the site or the team says about the contact. */
attributes: { [key in string]: AttributeValue },
/** The tags, sorted. */
tags: Array<string>,
/** Who looks after the contact. */
owner_id?: AgentId | null,
/** The record this one was merged into. */
merged_into_id?: ContactId | null,
/** When the contact was first seen. */
created_at_ms: number,
/** When somebody last spoke with the contact, or he was last on a site. */
seen_at_ms: number,
/** When the contact was erased: nothing but the record's ids is left. */
erased_at_ms?: number | null, };

/** What a change of a contact may set; what is absent stays. */
export type ContactChange = {
/** A new name; empty takes it away. */
name?: string | null,
/** A new address; empty takes it away. */
email?: string | null,
/** A new telephone number; empty takes it away. */
phone?: string | null,
/** A new company; empty takes it away. */
company?: string | null,
/** New attributes, by name, at most [`limit::PROPERTIES_MAX`] at once; an empty text takes one away. Those that are
 * not named stay. */
attributes?: { [key in string]: AttributeValue } | null, };

/** A person who is a customer or may become one. */
export type ContactId = string;

/** What a contact is to us. */
export type ContactKind = "lead" | "customer";

/** Merges a contact into another: from then on the other one speaks for both. */
export type ContactMerge = {
/** The contact that stays. */
into_id: ContactId, };

/** What an entry is. What the system says is a kind with parameters, never a sentence. */
export type Content = { "kind": "message",
/** The words of today. */
message: Message, } | { "kind": "note",
/** The words of today. */
message: Message, } | { "kind": "edited",
/** Which. */
target_id: EntryId,
/** Its words of today. */
message: Message, } | { "kind": "deleted",
/** Which. */
target_id: EntryId, } | { "kind": "joined",
/** Who. */
agent_id: AgentId, } | { "kind": "left",
/** Who. */
agent_id: AgentId, } | { "kind": "assigned",
/** To whom; nobody when absent. */
agent_id?: AgentId | null,
/** Whose it was. */
previous_id?: AgentId | null, } | { "kind": "moved",
/** To which; none when absent. */
department_id?: DepartmentId | null, } | { "kind": "snoozed",
/** Until when. */
until_ms: number, } | { "kind": "reopened",
/** Why. */
cause: ReopenCause, } | { "kind": "closed" } | { "kind": "prioritized",
/** The new rank, 1 low to 4 urgent. */
priority: number, } | { "kind": "spam_marked",
/** Whether it is spam now. */
spam: boolean, } | { "kind": "visitor_blocked",
/** Whether he is blocked now. */
blocked: boolean, };

/** What became of a conversation that the client wanted to go on with. */
export type Continuity = "resumed" | "afresh";

/** A conversation, as the team sees it: also the row of the inbox. */
export type Conversation = {
/** Its id. */
id: ConversationId,
/** Its number in the workspace, from 1. */
number: number,
/** Grows with every change; older news never overwrite newer. */
version: number,
/** Where it takes place. */
channel: Channel,
/** The site it came from. */
site_id: SiteId,
/** The customer. */
contact_id: ContactId,
/** What the customer is called: the name, else the e-mail address, else a handle (`Visitor 4F2A`). */
contact_name: string,
/** Grows with every change of the customer's record. The name may change while `version` stays: the
 * newest known of a `contact_id` counts in all rows; see the news `contact`. */
contact_version: number,
/** Whether the customer was erased: nothing more can be said here. */
contact_erased: boolean,
/** The browser it was started from, where there is one. */
visitor_id?: VisitorId | null,
/** Open, snoozed or closed. */
state: State,
/** Who is to answer. */
handler: Handler,
/** Whose it is. */
assignee_id?: AgentId | null,
/** Its department. */
department_id?: DepartmentId | null,
/** 1 low, 2 normal, 3 high, 4 urgent. */
priority: number,
/** The customer's language, as a BCP 47 tag. */
language?: string | null,
/** The conversation before this one. */
previous_id?: ConversationId | null,
/** Whose turn it is. */
waiting_on: WaitingOn,
/** Since when. */
waiting_since_at_ms: number,
/** When it wakes, while it is snoozed. */
snoozed_until_ms?: number | null,
/** Whether it was marked as spam. */
spam: boolean,
/** The number of its last entry. */
seq: number,
/** The number of the customer's last message; unread means my read mark is below it. */
customer_seq: number,
/** The last thing said. */
preview?: Preview | null,
/** When it began. */
created_at_ms: number,
/** When something was last said or done; lists are sorted by it. */
active_at_ms: number, };

/** A thread between contact and team. */
export type ConversationId = string;

/** Something of its own that a site reported of a visitor. */
export type CustomEvent = {
/** Its name. */
name: string,
/** What belongs to it. */
properties: { [key in string]: AttributeValue },
/** When it happened. */
at_ms: number, };

/** A department of a workspace. */
export type DepartmentId = string;

/** The form of a device. */
export type Device = "desktop" | "mobile" | "tablet" | "bot" | "unknown";

/** What is written: a body, files, or both. */
export type Draft = {
/** The text; may be absent where files are sent. */
body?: Body | null,
/** How it is written; plain when absent. Visitors write plain. */
format?: Format,
/** The entry it answers. */
reply_to_id?: EntryId | null,
/** Files uploaded before, by the same author. */
attachment_ids?: Array<AttachmentId>, };

/** An e-mail address: one `@`, no blanks, within [`limit::EMAIL_BYTES_MAX`]. Whether it exists only
 * mail can tell. */
export type Email = string;

/** A line of the log, as the team sees it. */
export type Entry = {
/** Its id. */
id: EntryId,
/** Its conversation. */
conversation_id: ConversationId,
/** Its number: dense from 1 in the conversation. */
seq: number,
/** Its number among what the visitor may see; absent for what he may not. */
public_seq?: number | null,
/** When it was stored; never goes back within a conversation. */
sent_at_ms: number,
/** Who made it. */
author: Author,
/** The author's name for the command, so that the author knows it again. */
client_id?: ClientId | null,
/** What it is. */
content: Content, };

/** A line of a conversation's log. */
export type EntryId = string;

/** Why something was refused. Stable; clients decide by it. */
export type ErrorCode = "malformed" | "invalid" | "too_large" | "too_long" | "too_many" | "empty" | "out_of_order" | "unauthenticated" | "token_expired" | "identity_invalid" | "wrong_credentials" | "forbidden" | "origin_refused" | "blocked" | "not_found" | "unknown_site" | "version_conflict" | "client_id_reused" | "already_exists" | "conversation_state" | "edit_window_over" | "last_owner" | "already_set_up" | "link_invalid" | "password_weak" | "file_type" | "rate_limited" | "too_slow" | "locked_out" | "unavailable" | "storage_full" | "internal";

/** Something that happened. */
export type Event = {
/** Its id. */
id: EventId,
/** Where. */
workspace_id: WorkspaceId,
/** What. */
event_type: EventType,
/** The id of what it happened to: a conversation, contact, visitor, site, agent, session, key, canned response,
 * saved view or blocked address. */
subject: string,
/** The number (`seq`) or version it reached. */
number: number,
/** When. */
at_ms: number, };

/** Something that happened, as other programs hear of it. */
export type EventId = string;

/** The types of events: dotted, in the past tense. */
export type EventType = "conversation.created" | "conversation.emptied" | "entry.added" | "contact.created" | "contact.changed" | "contact.erased" | "visitor.changed" | "site.changed" | "workspace.changed" | "agent.changed" | "agent.rights_changed" | "session.ended" | "key.changed" | "canned_response.changed" | "saved_view.changed" | "todo.changed" | "blocked_address.changed";

/** A sign-in that failed. */
export type FailedLogin = {
/** When. */
at_ms: number,
/** The address that was tried. */
email: string,
/** The network address it came from. */
address: string,
/** Its country, where known. */
country?: string | null,
/** The browser. */
user_agent: string,
/** `wrong_password`, `locked`, `not_found`, `deactivated` or `blocked`. */
reason: string, };

/** A conversation to follow, and from where. */
export type Follow = {
/** Which. */
conversation_id: ConversationId,
/** The last entry the client has; the newest page is sent when absent. */
position?: Position | null, };

/** How a body is written. Never HTML. */
export type Format = "plain" | "markdown";

/** A conversation that a search found. */
export type Found = {
/** The conversation, in whichever list it stands. */
conversation: Conversation,
/** Where it matched: of messages and notes the newest. Empty where the match has gone meanwhile. */
matches: Array<Match>, };

/** Frames of both directions' ends, the same for visitors and agents. */
export type GoingAway = {
/** When to come back, in milliseconds from now. */
return_after_ms: number, };

/** A row that left a list. */
export type GoneRow = {
/** Which conversation. */
id: ConversationId,
/** The version that took it out; a row of an older version must not bring it back. */
version: number, };

/** Who is to answer. */
export type Handler = "ai" | "queue" | "human";

/** The first frame of a connection. */
export type Hello = {
/** Who: a visitor's token, or an agent's socket token. */
token: string,
/** What the connection is for. */
purpose?: Purpose,
/** The page in sight, so that presence begins with it. */
page?: Page | null,
/** Conversations to go on with, at most `RESUMES_MAX`. */
resume?: Array<Follow>, };

/** A span of hours within one day. */
export type HoursSpan = {
/** From when, as `09:00`. */
from: TimeOfDay,
/** Until when, as `17:30`; at most `24:00`. */
to: TimeOfDay, };

/** A way to know a contact again. */
export type Identity = {
/** What it says. */
kind: IdentityKind,
/** The value. */
value: string,
/** When it was proved by a signed token or by mail; a claim, which links nothing, when absent. */
verified_at_ms?: number | null, };

/** A public key of a site. Several may be alive at a time. */
export type IdentityKey = {
/** Its id. */
id: IdentityKeyId,
/** SHA-256 of the key in DER, in hex: to tell keys apart, and to compare with what
 * `openssl pkey -pubin -in key.pem -outform der | sha256sum` says. */
fingerprint: string,
/** When it was added. */
created_at_ms: number,
/** When it stops being accepted, where a newer key took its place. */
expires_at_ms?: number | null, };

/** One of the public keys of a site that check identity tokens. */
export type IdentityKeyId = string;

/** What an identity says. */
export type IdentityKind = "visitor" | "email" | "external_id" | "phone";

/** How many conversations each list of the inbox holds, of what is asked for. Exact up to 1,000. */
export type InboxCounts = {
/** Open or snoozed. */
all: number,
/** Mine among them. */
mine: number,
/** Open and nobody's. */
unassigned: number,
/** Open, where the customer waits for us. */
waiting: number,
/** Mine in the whole workspace, whatever the list is narrowed to. */
mine_anywhere: number,
/** Those that wait in the whole workspace. */
waiting_anywhere: number, };

/** The lists of the inbox. */
export type InboxFilter = "all" | "mine" | "unassigned" | "waiting" | "snoozed" | "closed" | "spam";

/** A list of the inbox: which conversations, narrowed by what is not absent, and in which order. */
export type InboxList = {
/** Which. */
filter: InboxFilter,
/** Of one site; of all when absent. */
site_id?: SiteId | null,
/** Of one member of the team. */
assignee_id?: AgentId | null,
/** Of customers who speak one language, in any of its regions. */
language?: Language | null,
/** Of one priority, from 1 (low) to 4 (urgent). */
priority?: number | null,
/** Of this priority or a higher one. */
priority_min?: number | null,
/** Last active at this time or later. */
since_ms?: number | null,
/** Last active before this time. */
until_ms?: number | null,
/** What stands first; `newest` when absent. */
order?: InboxOrder, };

/** What stands first in a list of the inbox. */
export type InboxOrder = "newest" | "oldest" | "waiting";

/** An open invitation. */
export type Invitation = {
/** Its id. */
id: InvitationId,
/** For whom. */
email: string,
/** As what. */
role: Role,
/** When it lapses. */
expires_at_ms: number,
/** The link, only in the answer that made it. */
link?: string | null, };

/** An invitation to join a team. */
export type InvitationId = string;

/** Asks what an invitation offers. The secret is in the body, so that no log of addresses holds it. */
export type InvitationLookup = {
/** The link's secret. */
token: string, };

/** What an invitation's link shows before it is accepted. */
export type InvitationOffer = {
/** The workspace's name. */
workspace_name: string,
/** For whom. */
email: string,
/** As what. */
role: Role,
/** Whether the address has an account already, whose password is then asked. */
has_account: boolean, };

/** What a key is called: all that the whole team sees of it. */
export type KeyName = {
/** Its id. */
id: ApiKeyId,
/** What it is for. */
name: string, };

/** A language: the two or three letters that a BCP 47 tag begins with, small. */
export type Language = string;

/** The last custom event of a visitor who is here. What belongs to it stands in the store. */
export type LastEvent = {
/** Its name. */
name: string,
/** When it happened. */
at_ms: number, };

/** Where the launcher stands. */
export type LauncherSide = "end" | "start";

/** A page of a list. */
export type Listing<T> = {
/** The rows, in the list's order. */
items: Array<T>,
/** Where the next page begins; opaque, and absent at the end. */
cursor?: string | null, };

/** A visitor who is here now: a row of the live list. */
export type LiveVisitor = {
/** The browser. */
id: VisitorId,
/** Grows with every change while the visitor is here. */
version: number,
/** The site. */
site_id: SiteId,
/** Active, idle, or left. */
state: PresenceState,
/** The person, once one wrote or was identified. */
contact_id?: ContactId | null,
/** What the visitor is called: the name, else the e-mail address, else a handle (`Visitor 4F2A`). */
name: string,
/** The conversation that goes on. */
conversation_id?: ConversationId | null,
/** The page in sight. */
page?: PageView | null,
/** The addresses of the last pages, newest last, at most eight. */
trail: Array<string>,
/** Pages seen in this visit. */
page_count: number,
/** Custom events in this visit. */
event_count: number,
/** The last of them. */
last_event?: LastEvent | null,
/** Open tabs. */
tab_count: number,
/** Earlier visits. */
visit_count: number,
/** Where the visit came from. */
source: Source,
/** The browser and its place. */
browser: Browser,
/** When this visit began. */
entered_at_ms: number,
/** When the visitor last did something. */
active_at_ms: number,
/** Whether the news of this visitor's node are stale (its bus is out of reach). */
stale: boolean, };

/** The answer to signing in: who, where, and for programs the secret. */
export type LoggedIn = {
/** The session's secret, for `Authorization: Bearer`; only where `?bearer=true` asked for it, and
 * then no cookie is set. */
secret?: string | null,
/** The user. */
user_id: UserId,
/** The address. */
email: string,
/** The workspaces, with what the user is there. */
memberships: Array<Membership>, };

/** Signs in. */
export type Login = {
/** The address. */
email: Email,
/** The password. */
password: string,
/** The IANA time zone of the browser: says a country where nothing better does. One that does not exist counts
 * for nothing. */
time_zone?: string | null, };

/** A signed-in browser or program of the user. */
export type LoginSession = {
/** Its id. */
id: LoginSessionId,
/** Whether it is the one that asks. */
current: boolean,
/** The network address it was opened from. */
address: string,
/** ISO 3166-1 alpha-2, where known: of the address, else of the time zone that the browser said. */
country: string | null,
/** The browser, in its own words. */
user_agent: string,
/** When it was opened. */
created_at_ms: number,
/** When it was last used, to a few minutes. */
seen_at_ms: number,
/** When it ends, unless it is used before. */
expires_at_ms: number, };

/** A signed-in browser. */
export type LoginSessionId = string;

/** How far a side has got. Both only grow. */
export type Marks = {
/** The highest number that reached a device of the reader. */
delivered: number,
/** The highest number the reader has seen. */
read: number, };

/** Where a conversation holds what was searched for. */
export type Match = {
/** Where. */
place: MatchPlace,
/** The text there, or the part of it around the words: the pieces in order. */
parts: Array<TextPart>,
/** The message or note. */
entry_id?: EntryId | null,
/** Its number. */
seq?: number | null,
/** When it was said. */
sent_at_ms?: number | null, };

/** Where a search was matched. */
export type MatchPlace = "name" | "email" | "phone" | "external_id" | "number" | "message" | "note";

/** Who is signed in, and where. */
export type Me = {
/** The user. */
user_id: UserId,
/** The address. */
email: string,
/** The workspaces, with what the user is there. */
memberships: Array<Membership>, };

/** A user's place in a workspace. */
export type Membership = {
/** The workspace. */
workspace_id: WorkspaceId,
/** Its name. */
workspace_name: string,
/** The user as a member of it. */
agent_id: AgentId,
/** The name there. */
name: string,
/** The role there. */
role: Role,
/** What the role and the grants allow. */
permissions: Array<Permission>, };

/** The words of a message or note, as they are today. */
export type Message = {
/** How `body` is written. */
format: Format,
/** What was written; empty when `deleted_at_ms` is set, or when only files were sent. */
body: string,
/** BCP 47 tag, where known. */
language?: string | null,
/** The entry this one answers. */
reply_to_id?: EntryId | null,
/** The files that came with it. */
attachments?: Array<Attachment>,
/** When it was last edited. */
edited_at_ms?: number | null,
/** When it was deleted or erased: the body is gone, the entry stays. */
deleted_at_ms?: number | null, };

/** A one-line name: not blank, no control or text-direction characters, within [`limit::NAME_BYTES_MAX`]. */
export type Name = string;

/** Makes a key. */
export type NewApiKey = {
/** What it is for. */
name: Name,
/** What it may do; only what its maker may. */
scopes: Array<Permission>,
/** When it shall stop being accepted, at least a minute ahead; never by itself when absent. */
expires_at_ms?: number | null, };

/** Blocks a network. */
export type NewBlockedAddress = {
/** The network: an address, or one with the number of bits that count behind `/`. */
network: string,
/** Why; nothing when absent. */
reason?: string | null,
/** Blocks the network also where the asker's own address belongs to it; refused when absent. */
including_me?: boolean, };

/** Makes a canned response. */
export type NewCannedResponse = {
/** Who can use it. */
whose: Whose,
/** What it is called by: letters, digits, `-`, `_` and `.`, at most 40 bytes; nothing when absent. */
nickname?: string | null,
/** The text, at most 4,096 bytes. */
body: Body, };

/** Adds a public key to a site. */
export type NewIdentityKey = {
/** A public key of the curve P-256, as PEM (`-----BEGIN PUBLIC KEY-----`) or as a JSON Web Key. */
public_key: string,
/** Whether the keys of before stop after another 24 hours. */
replace?: boolean, };

/** Invites somebody. */
export type NewInvitation = {
/** Whom. */
email: Email,
/** As what. */
role: Role, };

/** Saves a view. */
export type NewSavedView = {
/** Who sees it. */
whose: Whose,
/** What it is called. */
name: Name,
/** What it shows. */
list: SavedList, };

/** Makes a site. */
export type NewSite = {
/** Its name. */
name: Name,
/** Its main domain. */
domain?: string,
/** The origins that may load the widget. */
allowed_origins: Array<string>,
/** How it looks; the default when absent. */
theme?: Theme | null, };

/** Begins or renews a visitor's session. Sent by the page's origin, or by the panel with a token. */
export type NewVisitorSession = {
/** The site key of the embed tag. */
site_key: SiteId,
/** The token of before, also an expired one: the same visitor goes on. */
token?: string | null,
/** A signed identity (WID-14 or JWT). */
identity?: string | null,
/** Begin as somebody new: `logout`, or another person on the same browser. */
fresh?: boolean,
/** The IANA time zone of the browser. */
time_zone?: string | null,
/** The language of the browser. */
language?: string | null,
/** The language that the widget speaks on this page: the page's, or what its tag says. */
locale?: string | null, };

/** A running server process. */
export type NodeId = string;

/** A node as it was seen last. */
export type NodeSeen = {
/** Which run of it. */
id: NodeId,
/** What an operator knows it by: process, machine, data directory. */
name: string,
/** Which program it runs. */
version: string,
/** What it does. */
state: NodeState,
/** Open sockets and streams. */
connection_count: number,
/** Since when it runs. */
started_at_ms: number,
/** When it was last heard of. */
seen_at_ms: number,
/** Whether it is the one that answers. */
answers: boolean, };

/** What a node does. */
export type NodeState = "ready" | "draining" | "gone";

/** A span of time in which the team is there by its hours. */
export type OpenSpan = {
/** From when, in milliseconds since 1970. */
from_at_ms: number,
/** Until when. */
to_at_ms: number, };

/** A page that came in sight, or a route change within one. */
export type Page = {
/** The address. */
url: string,
/** The title. */
title?: string,
/** Where the visitor came from. */
referrer?: string | null, };

/** A page that a visitor looked at. */
export type PageView = {
/** The address, without its fragment unless that is a route: `#/…` or `#!/…`. */
url: string,
/** The title. */
title: string,
/** When it came in sight. */
at_ms: number, };

/** Changes one's own password. All other login sessions of the user end. */
export type PasswordChange = {
/** The password of today. */
current: string,
/** The new one. */
new: string, };

/** What may be allowed; also the scopes of API keys. */
export type Permission = "conversations.read" | "conversations.write" | "visitors.read" | "contacts.read" | "contacts.write" | "contacts.erase" | "sites.write" | "team.write" | "settings.write" | "audit.read" | "keys.write" | "canned.write" | "owner";

/** A picture of a member: another one with each change. */
export type PictureId = string;

/** A position: the store's epoch, the last number seen, and the id of the entry at that number.
 *
 * Agents count by `seq`, visitors by `public_seq`; the type is the same because a reader only ever
 * has one of the two. A node resumes only where the entry at that number has that id: otherwise the
 * store is another one, or lost commits, and the reader must read afresh. */
export type Position = {
/** Which life of the store the number belongs to; a restored backup gets a new one. */
epoch: number,
/** The last number seen, from 1. */
number: number,
/** The entry at that number. */
entry_id: EntryId, };

/** How alive a visitor is (C11). */
export type PresenceState = "active" | "idle" | "left";

/** The last thing said, cut to one line. */
export type Preview = {
/** The entry it comes from. */
entry_id: EntryId,
/** Whether the customer said it; the team otherwise. */
from_customer: boolean,
/** At most 160 bytes of plain text; empty where only files were sent. */
text: string,
/** How many files came with it. */
attachment_count: number,
/** When it was said. */
sent_at_ms: number, };

/** A rejection as clients get it, over HTTP (RFC 9457) and inside frames. */
export type Problem = {
/** The stable code. */
code: ErrorCode,
/** One sentence for people. */
title: string,
/** The HTTP status, also inside frames. */
status: number,
/** Whether the same request may succeed later. */
retry: Retry,
/** The field at fault. */
field?: string | null,
/** When the same request may succeed, in milliseconds from now. */
retry_after_ms?: number | null,
/** The request's id in the server's log, for faults. */
request_id?: string | null, };

/** What a connection is for; it decides what a visitor's connection is sent. */
export type Purpose = "launcher" | "full";

/** A question of a site's own. Its answer is a part of the claim, under its name. */
export type Question = {
/** What the answer is called: small letters, digits and `_`, as `order_id`. */
name: string,
/** What the visitor reads. Empty only for [`Question::KNOWN`] names, which the widget says in the
 * visitor's language. */
label: string,
/** What an answer is. */
kind: AnswerKind,
/** Whether nothing is sent without an answer. */
needed: boolean, };

/** A refused command. */
export type Rejected = {
/** The client's name for the command. */
client_id: ClientId,
/** Why, and whether the same may be sent again. */
problem: Problem, };

/** Why a conversation came back to life. */
export type ReopenCause = "agent" | "visitor" | "snooze_ended";

/** Whether sending the same again can help. */
export type Retry = "never" | "later";

/** The built-in roles (C5). */
export type Role = "owner" | "admin" | "agent";

/** The list that a view shows: what an [`InboxList`] is narrowed to, with days in place of moments. */
export type SavedList = {
/** Which; `mine` is of whoever looks. */
filter: InboxFilter,
/** Of one site; of all when absent. */
site_id?: SiteId | null,
/** Of one member of the team. */
assignee_id?: AgentId | null,
/** Of customers who speak one language. */
language?: Language | null,
/** Of one priority, from 1 (low) to 4 (urgent). */
priority?: number | null,
/** Of this priority or a higher one. */
priority_min?: number | null,
/** Last active within these days. */
span?: Span | null,
/** What stands first; `newest` when absent. */
order?: InboxOrder | null, };

/** A list of the inbox with a name. */
export type SavedView = {
/** Its id. */
id: SavedViewId,
/** Grows with every change. */
version: number,
/** Whose it is; the team's when absent. */
agent_id?: AgentId | null,
/** What it is called. Without regard to case, it is one of its kind among the team's, and among one's own. */
name: string,
/** What it shows. */
list: SavedList, };

/** Changes a saved view; what is absent stays. */
export type SavedViewChange = {
/** What it is called. */
name?: Name | null,
/** What it shows. */
list?: SavedList | null, };

/** A list of the inbox that has a name. */
export type SavedViewId = string;

/** A page of the console. */
export type Screen = "inbox" | "todo" | "conversation" | "visitors" | "settings";

/** What a site secret is for. One that leaks does not open what the other guards. */
export type SecretKind = "identity" | "webhook";

/** What a workspace may set; sites inherit it, and may set it otherwise for themselves. */
export type Settings = {
/** A visit ends after so long without a page view (SET-02). */
session_timeout_ms: number,
/** A visitor counts as active so long after the last sign of life (RT-03). */
active_threshold_ms: number,
/** Whether stored addresses lose their last octet. */
anonymize_addresses: boolean,
/** Whether browsers that say Do Not Track are followed from page to page. */
respect_do_not_track: boolean,
/** Whether the team sees what a visitor writes before it is sent. The widget tells visitors so. */
typing_preview: boolean,
/** What the widget speaks to visitors whose own language is none of its own. English when absent. */
language: WidgetLanguage | null,
/** How many sessions the visitors of a site may begin in a minute, all together, at each node (SEC-02). What the
 * server allows when absent, which is the most in any case. */
sessions_per_minute: number | null,
/** How many commands one visitor may send in a minute at each node: messages, edits, claims. What the server
 * allows when absent, which is the most in any case. */
messages_per_minute: number | null,
/** How long changes of the visitor list are collected before consoles are told of them, in
 * milliseconds (C11); as short as the server's own interval when 0. Of the workspace alone. */
visitor_refresh_ms: number,
/** Whether there is one owner (C6): who becomes owner takes the place of the others, who stay as admins.
 * Only an owner sets it. Of the workspace alone. */
single_owner: boolean,
/** Whether the team has put away the list of what a new workspace still needs (SET-05). Of the workspace
 * alone. */
setup_put_away: boolean, };

/** A page of the settings. */
export type SettingsPage = "workspace" | "sites" | "team" | "canned" | "keys" | "audit" | "activity" | "system" | "security" | "notifications" | "profile";

/** Sets Switchboard up: the owner, the workspace and the first site, in one transaction. */
export type Setup = {
/** The secret of the one-time link that the server printed. */
token: string,
/** The owner's name. */
name: Name,
/** The owner's address. */
email: Email,
/** The owner's password. */
password: string,
/** The business's name. */
workspace_name: Name,
/** The IANA time zone of the browser. */
time_zone?: string | null,
/** The first site. */
site: NewSite, };

/** What set-up made. The answer also signs the owner in. */
export type SetupDone = {
/** The workspace. */
workspace_id: WorkspaceId,
/** The first site. */
site: Site, };

/** Whether this Switchboard was set up. */
export type SetupState = {
/** Whether an owner exists. */
done: boolean, };

/** A sign-in of a member, for those who look after the team. It opens nothing. */
export type SignIn = {
/** Its id. */
id: LoginSessionId,
/** Whose. */
agent_id: AgentId,
/** The network address it was opened from. */
address: string,
/** ISO 3166-1 alpha-2, where known: of the address, else of the time zone that the browser said. */
country?: string | null,
/** The browser, in its own words. */
user_agent: string,
/** When it was opened. */
created_at_ms: number,
/** When it was last used, to a few minutes. */
seen_at_ms: number,
/** When it ended or lapsed; absent while it lives. */
ended_at_ms?: number | null, };

/** An installation of the widget. */
export type Site = {
/** Its id, which is the public key in the embed tag. */
id: SiteId,
/** Grows with every change (`If-Match`). */
version: number,
/** Its name. */
name: string,
/** Its main domain, for people. */
domain: string,
/** What it is for. */
description: string,
/** The origins whose pages may load the widget, exactly: `https://www.example.com`. The word
 * `loopback` stands for every port of `localhost`, names below it, `127.0.0.1` and `[::1]`. */
allowed_origins: Array<string>,
/** How it looks. */
theme: Theme,
/** What a message after the end does. */
after_close: AfterClose,
/** How long a closed conversation may be reopened by its visitor. */
reopen_within_ms: number,
/** Whether a signed identity is required before anybody may write. */
identity_required: boolean,
/** What the site sets otherwise than its workspace. */
overrides: SiteOverrides,
/** Whether the site was archived: its widget no longer loads, its conversations stay. */
archived: boolean,
/** When it was made. */
created_at_ms: number, };

/** What a change of a site may set; what is absent stays. */
export type SiteChange = {
/** A new name. */
name?: Name | null,
/** A new domain. */
domain?: string | null,
/** A new description. */
description?: string | null,
/** New origins. */
allowed_origins?: Array<string> | null,
/** A new look. */
theme?: Theme | null,
/** What a message after the end does. */
after_close?: AfterClose | null,
/** How long a closed conversation may be reopened by its visitor. */
reopen_within_ms?: number | null,
/** Whether a signed identity is required. */
identity_required?: boolean | null,
/** What it sets otherwise than its workspace, whole. */
overrides?: SiteOverrides | null,
/** Archive, or take back. */
archived?: boolean | null, };

/** An installation of the widget. Public: it is the site key in the embed tag, and names the site only. */
export type SiteId = string;

/** What a site sets otherwise than its workspace; what is absent is as the workspace says. */
export type SiteOverrides = {
/** A visit ends after so long without a page view. */
session_timeout_ms?: number | null,
/** A visitor counts as active so long after the last sign of life. */
active_threshold_ms?: number | null,
/** Whether stored addresses lose their last octet. */
anonymize_addresses?: boolean | null,
/** Whether browsers that say Do Not Track are followed from page to page. */
respect_do_not_track?: boolean | null,
/** Whether the team sees what a visitor writes before it is sent. */
typing_preview?: boolean | null,
/** What the widget speaks to visitors whose own language is none of its own. */
language?: WidgetLanguage | null,
/** How many sessions the site's visitors may begin in a minute, all together, at each node. */
sessions_per_minute?: number | null,
/** How many commands one visitor may send in a minute at each node. */
messages_per_minute?: number | null, };

/** A secret that a site shares with its own server. Two of a kind may be alive at a time, so that the
 * server can change over. */
export type SiteSecret = {
/** Its id. */
id: SiteSecretId,
/** What it is for. */
kind: SecretKind,
/** The last characters, to tell secrets apart. */
hint: string,
/** The secret itself, only in the answer that made it. */
secret?: string | null,
/** When it was made. */
created_at_ms: number,
/** When it stops being accepted; set for the old ones by a rotation. */
expires_at_ms?: number | null, };

/** One of the secrets of a site that sign identity tokens. */
export type SiteSecretId = string;

/** Where a site's widget was seen last. */
export type SiteSeen = {
/** The page, of the newest 2,000 visits of all sites; absent where it is on none of them. The server's own demo
 * pages do not count. */
page?: PageView | null, };

/** A short-lived token for one kind of connection. */
export type SocketToken = {
/** The token for `hello`. */
token: string,
/** When it stops being accepted. */
expires_at_ms: number, };

/** Where a visit came from, taken from the first page of it. */
export type Source = {
/** The address of the page that led here, of another site; absent for direct visits. */
referrer?: string | null,
/** The `utm_…` parameters of the first page, without the prefix. */
utm?: { [key in string]: string }, };

/** When what a view shows was last active: `today`, `7d` or `30d`, reckoned when one looks, or days as
 * `2026-11-01..2026-11-05`, of which one end may be open. */
export type Span = string;

/** Who answers, as visitors see it. */
export type Staff = {
/** Whether somebody is online. */
online: boolean,
/** Those online, at most three. */
people: Array<StaffMember>, };

/** One of those who answer, as visitors see him. */
export type StaffMember = {
/** The name shown to visitors. */
name: string,
/** The picture, at `/api/v1/pictures/{id}`. */
picture?: PictureId | null, };

/** Whether a conversation is alive. Everything else is a fact beside it (C3). */
export type State = "open" | "snoozed" | "closed";

/** The body of `POST /api/v1/stream`: a connection over plain HTTP. Changing what is followed or
 * watched means a new request. */
export type StreamRequest = {
/** The same as the first frame of a socket. */
hello: Hello,
/** The lists to watch. */
watch?: Array<Watch>,
/** Answer once with what there is after at most so long, for proxies that hold streams back. */
wait_ms?: number | null, };

/** When the team is there, day by day: each has spans in order that do not overlap. Where no day has one, no
 * hours are stated. */
export type SupportHours = {
/** On Mondays. */
monday: Array<HoursSpan>,
/** On Tuesdays. */
tuesday: Array<HoursSpan>,
/** On Wednesdays. */
wednesday: Array<HoursSpan>,
/** On Thursdays. */
thursday: Array<HoursSpan>,
/** On Fridays. */
friday: Array<HoursSpan>,
/** On Saturdays. */
saturday: Array<HoursSpan>,
/** On Sundays. */
sunday: Array<HoursSpan>, };

/** A piece of a text. */
export type TextPart = {
/** Its letters. */
text: string,
/** Whether it is what was searched for. */
hit: boolean, };

/** How the widget looks and what it says first. */
export type Theme = {
/** The brand colour, `#rrggbb`. What stands on it is computed, at 4.5:1 at least. */
color: string,
/** The name in the header; the site's name when empty. */
title: string,
/** The picture in the header: a small PNG, JPEG or WebP as a `data:` address; initials when empty. */
logo: string,
/** The picture of members who have none of their own, likewise; their initials when empty. */
avatar: string,
/** The first words in an empty thread; the widget's own, in the visitor's language, when empty. */
greeting: string,
/** Where the launcher stands. */
launcher_side: LauncherSide,
/** How far the launcher stands from the edges of the page, in its pixels, at most
 * [`crate::limit::LAUNCHER_GAP_PX_MAX`]. */
launcher_gap_px: number,
/** What stands on the launcher beside its sign; nothing when empty. */
launcher_text: string,
/** How bright it is. */
brightness: Brightness,
/** What is asked before a first message. */
asks: Asks,
/** What else is asked before a first message, at most [`crate::limit::QUESTIONS_MAX`]. */
questions: Array<Question>,
/** What a visitor agrees to before a first message, as the markup of messages; nothing when empty. */
consent: string,
/** Whether a conversation asks an unknown visitor for an e-mail address while nobody answers. */
asks_email_later: boolean,
/** Whether the quiet line with our name is shown. */
show_brand: boolean, };

/** A time by the clock on the wall, as `09:00`; `24:00` is the end of the day. */
export type TimeOfDay = string;

/** Something that is asked of me. */
export type Todo = {
/** The entry that asks: the note, or the assignment. */
entry_id: EntryId,
/** What it is. */
kind: TodoKind,
/** Where it stands. */
conversation_id: ConversationId,
/** Its number there. */
seq: number,
/** Whether the conversation goes on. */
state: State,
/** What the customer of the conversation is called. */
contact_name: string,
/** Who wrote or assigned it. */
author: Author,
/** How the note begins, or what was said last in the conversation, as plain text. */
text: string,
/** When it was asked. */
at_ms: number,
/** Whether I have read as far as it, or said so. */
read: boolean,
/** Whether I have said that it is done. */
done: boolean, };

/** Which of them a list shows. */
export type TodoFilter = "all" | "unread" | "mentions" | "done";

/** What asks. */
export type TodoKind = "mention" | "assignment";

/** What is said of some of them. */
export type TodoMark = "read" | "done" | "open";

/** Says something of what is asked of me. */
export type TodoMarking = {
/** Of which, by the entries that ask: at least one, at most 100. */
entry_ids: Array<EntryId>,
/** What. */
mark: TodoMark, };

/** Something that does not work, since when, and why. */
export type Trouble = {
/** What. */
kind: TroubleKind,
/** Since when. */
since_at_ms: number,
/** Why, in the words of whatever failed: for the operator, without secrets. */
reason: string, };

/** What does not work. */
export type TroubleKind = "backup_failed" | "bus_unreachable" | "settings_differ";

/** A person who can sign in, possibly to several workspaces. */
export type UserId = string;

/** The live lists. */
export type ViewName = "inbox" | "visitors" | "presence" | "notices";

/** A stay on a site. */
export type Visit = {
/** Its id. */
id: VisitId,
/** Where it came from. */
source: Source,
/** When it began. */
started_at_ms: number,
/** When something last happened. */
active_at_ms: number,
/** The pages, oldest first, at most the last hundred. */
pages: Array<PageView>,
/** The custom events, oldest first, at most the last fifty. */
events: Array<CustomEvent>, };

/** One stay of a visitor: page views with no gap over the session timeout. */
export type VisitId = string;

/** A visitor as the side panel shows him: from the store, whether here or not. */
export type Visitor = {
/** The browser. */
id: VisitorId,
/** The site. */
site_id: SiteId,
/** The person. */
contact_id?: ContactId | null,
/** What the visitor is called: the name, else the e-mail address, else a handle (`Visitor 4F2A`). */
name: string,
/** Whether the team blocked him. */
blocked: boolean,
/** Whether he was erased. */
erased: boolean,
/** The browser and its place, as last seen. */
browser: Browser,
/** When first seen. */
created_at_ms: number,
/** When last seen. */
seen_at_ms: number,
/** The last visits, newest first. */
visits: Array<Visit>, };

/** Who speaks, as a visitor sees it. */
export type VisitorAuthor = { "kind": "you" } | { "kind": "agent",
/** Tells two agents apart. */
agent_id: AgentId,
/** The name shown to visitors. */
name: string,
/** The picture of now, at `/api/v1/pictures/{id}`. */
picture?: PictureId | null, } | { "kind": "team" } | { "kind": "ai" } | { "kind": "system" };

/** What an entry is, as a visitor sees it: exactly these kinds. */
export type VisitorContent = { "kind": "message",
/** The words of today. */
message: Message, } | { "kind": "edited",
/** Which. */
target_id: EntryId,
/** Its words of today. */
message: Message, } | { "kind": "deleted",
/** Which. */
target_id: EntryId, } | { "kind": "joined" } | { "kind": "left" } | { "kind": "reopened" } | { "kind": "closed" };

/** A conversation as its visitor sees it. */
export type VisitorConversation = {
/** Its id. */
id: ConversationId,
/** Grows with every change that the visitor may see. */
version: number,
/** Whether it is over; a snoozed one is simply open to the visitor. */
closed: boolean,
/** The number of its last visible entry. */
number: number,
/** How far the visitor has read. */
read_number: number,
/** When it began. */
created_at_ms: number, };

/** How many visitors are here. */
export type VisitorCounts = {
/** Whom the filter lists. */
listed: number,
/** Active, on all sites. */
active: number,
/** Idle, on all sites. */
idle: number, };

/** A line of the log as a visitor sees it. It has one number, and no gap shows where a note stands. */
export type VisitorEntry = {
/** Its id. */
id: EntryId,
/** Its conversation. */
conversation_id: ConversationId,
/** Its number: dense from 1 among what the visitor may see. */
number: number,
/** When it was stored. */
sent_at_ms: number,
/** Who made it. */
author: VisitorAuthor,
/** The author's name for the command, on the visitor's own entries. */
client_id?: ClientId | null,
/** What it is. */
content: VisitorContent, };

/** Which visitors are listed; what is absent does not matter. */
export type VisitorFilter = {
/** Of one site. */
site_id?: SiteId | null,
/** In one state. */
state?: PresenceState | null,
/** From one country. */
country?: string | null,
/** On one kind of device. */
device?: Device | null,
/** Whose page, referrer or name holds this text, without regard to case. */
search?: string | null,
/** Whose page in sight holds this text in its address or its title, without regard to case. */
page?: string | null,
/** Who came from an address or through a campaign that holds this text, without regard to case; `direct` is where
 * those came from who came from nowhere. */
source?: string | null, };

/** A page of a visitor's thread: his conversations in one scroll, newest first. */
export type VisitorHistory = {
/** The conversations, newest first. */
conversations: Array<VisitorThread>,
/** Where the next page begins; absent at the end. */
cursor?: string | null, };

/** A browser on a site. */
export type VisitorId = string;

/** A part of the list of visitors: which are listed, in which order, and where the part begins. */
export type VisitorList = {
/** Which. */
filter?: VisitorFilter,
/** What stands first; `active` when absent. */
order?: VisitorOrder,
/** How many rows of the list stand before the first one wanted, at most `ROWS_BEFORE_MAX`; none when absent. */
first?: number, };

/** What the server says to visitors. */
export type VisitorNews = { "type": "welcome",
/** Who this is. */
visitor_id: VisitorId,
/** The open conversation, which the server follows for the client. */
conversation?: VisitorConversation | null,
/** Messages of the team not yet read. */
unread: number,
/** Whether an e-mail address of his is known: he need not be asked for one. */
reachable: boolean,
/** Who answers now. */
staff: Staff,
/** This connection; frames of another one are to be dropped. */
connection_id: ConnectionId,
/** The store's epoch. */
epoch: number,
/** The store's time. */
now_ms: number,
/** When the token stops being accepted, and this connection ends. */
token_expires_at_ms: number,
/** What may be counted on. */
limits: ConnectionLimits, } | { "type": "ack" } & Ack | { "type": "rejected" } & Rejected | { "type": "conversation",
/** As it is now. */
conversation: VisitorConversation, } | { "type": "entry",
/** The entry. */
entry: VisitorEntry, } | { "type": "entries" } & Batch<VisitorEntry> | { "type": "typing",
/** Where. */
conversation_id: ConversationId,
/** Who, by the name shown to visitors. */
name: string,
/** Whether it goes on. */
active: boolean, } | { "type": "marks",
/** Where. */
conversation_id: ConversationId,
/** How far. */
marks: Marks, } | { "type": "unread",
/** How many. */
count: number,
/** The newest of them. */
entry_id?: EntryId | null, } | { "type": "staff" } & Staff | { "type": "config" } & WidgetConfig | { "type": "beat" } | { "type": "going_away" } & GoingAway | { "type": "error",
/** Why. */
problem: Problem, };

/** What stands first in the list of visitors. */
export type VisitorOrder = "active" | "newest" | "longest" | "pages";

/** A visitor's session. */
export type VisitorSession = {
/** Who this browser is. Changes with the identity; what waits to be sent goes only under the id
 * it was written as. */
visitor_id: VisitorId,
/** The token for sockets and HTTP. */
token: string,
/** When sockets stop accepting it; renew before. */
expires_at_ms: number,
/** The server's clock, before `unread` was read: what comes later is news to the page. */
now_ms: number,
/** How the widget looks and who is there. */
config: WidgetConfig,
/** Messages of the team that the visitor has not read. */
unread: number,
/** Whether a signed identity stands behind this visitor. */
identified: boolean,
/** What the launcher says, in the language asked for or the one that the site falls back to; nothing from a server without the web apps. */
words: { [key in string]: string }, };

/** How alive a visitor is whom somebody asked for. */
export type VisitorState = {
/** Who. */
visitor_id: VisitorId,
/** Active, idle, or left. */
state: PresenceState, };

/** A conversation of a visitor with the newest page of its entries. */
export type VisitorThread = {
/** The conversation. */
conversation: VisitorConversation,
/** The store's epoch, for positions. */
epoch: number,
/** Its newest entries in number order, as many as fit into a page. */
entries: Array<VisitorEntry>,
/** How far the team has got. */
team_marks: Marks, };

/** Whose turn it is. */
export type WaitingOn = "agent" | "customer";

/** A list to watch live. */
export type Watch = { "view": "inbox" } & InboxList | { "view": "notices" } & InboxList | { "view": "visitors" } & VisitorList | { "view": "presence",
/** Which, at most `PAGE_ROWS_MAX`. */
visitor_ids: Array<VisitorId>,
/** One whose row is told too. */
row_id?: VisitorId | null, };

/** Who can use a canned response. */
export type Whose = "team" | "own";

/** How a site's widget looks and who is there. */
export type WidgetConfig = {
/** Grows with every change of the site. */
version: number,
/** The site's name. */
site_name: string,
/** How it looks. */
theme: Theme,
/** Whether a signed identity is needed to write. */
identity_required: boolean,
/** Whether a browser that says Do Not Track keeps its pages and events to itself. */
respect_do_not_track: boolean,
/** Whether the team sees what is written before it is sent. Visitors MUST be told where they write. */
typing_preview: boolean,
/** What the widget speaks to visitors whose own language is none of its own; English when absent. */
language?: WidgetLanguage | null,
/** Who answers. */
staff: Staff,
/** When the team is there by its support hours: the spans of the next days that are not over, in order and
 * apart. Absent where no hours are stated. */
open?: Array<OpenSpan>,
/** How long the site's visitors usually waited for a first answer in the last days, in milliseconds, rounded up to
 * minutes; absent where it is not known, or too few wrote. */
first_answer_ms?: number | null, };

/** A language that the widget speaks, by its code. */
export type WidgetLanguage = "en" | "uk" | "de" | "fr" | "es" | "pt" | "pl" | "tr" | "ja" | "ar";

/** A tenant. */
export type Workspace = {
/** Its id. */
id: WorkspaceId,
/** Grows with every change (`If-Match`). */
version: number,
/** The business's name. */
name: string,
/** The IANA time zone. */
time_zone: string,
/** What the business does, in a few words; may be empty. */
industry: string,
/** The ISO 4217 code of the currency it counts in; empty where none was chosen. */
currency: string,
/** When the team is there, in the workspace's time zone. */
support_hours: SupportHours,
/** What consoles show as the icon of their tab, at `/api/v1/pictures/{id}`; absent for the usual one. */
icon?: PictureId | null,
/** Its settings. */
settings: Settings, };

/** What a change of a workspace may set; what is absent stays. */
export type WorkspaceChange = {
/** A new name. */
name?: Name | null,
/** A new time zone. */
time_zone?: string | null,
/** What the business does; empty takes it away. */
industry?: string | null,
/** Another currency; empty takes it away. */
currency?: string | null,
/** Other hours, whole; none on any day takes them away. */
support_hours?: SupportHours | null,
/** Another icon: a square PNG or JPEG as a `data:` address, bounded as a member's picture is; empty takes it away. */
icon?: string | null,
/** New settings, whole. */
settings?: Settings | null, };

/** A tenant: a team, its sites and settings. */
export type WorkspaceId = string;

/** Limits on what a client sends. */
export const limit = {
  frame_bytes_max: 65536,
  body_bytes_max: 16384,
  attachments_max: 10,
  attachment_bytes_max: 20971520,
  file_name_bytes_max: 255,
  resumes_max: 64,
  page_entries_max: 200,
  page_rows_max: 100,
  rows_before_max: 1000000,
  properties_max: 32,
  url_bytes_max: 2048,
  title_bytes_max: 300,
  canned_body_bytes_max: 4096,
  mentions_max: 20,
  todo_marks_max: 100,
  nickname_bytes_max: 40,
  launcher_gap_px_max: 200,
  logo_bytes_max: 6144,
  agent_picture_bytes_max: 32768,
  questions_max: 10,
  hours_spans_max: 6,
  visitor_edit_window_ms: 900000,
  password_length_min: 12,
  search_bytes_max: 200,
  silence_ms_max: 60000,
  hello_ms_max: 10000,
  resend_ms: 600000,
  typing_ms: 6000,
  typing_bytes_max: 1024,
} as const;

/** Why the server ends a connection. The range says what to do. */
export const closeCode = {
  going_away: 4000,
  too_slow: 4001,
  silent: 4002,
  unavailable: 4003,
  token_expired: 4100,
  identity_changed: 4101,
  replaced: 4102,
  protocol_error: 4200,
  unauthenticated: 4201,
  origin_refused: 4202,
  revoked: 4203,
  flooding: 4204,
} as const;

/** One sentence for each error code. */
export const errorMessage: Record<ErrorCode, string> = {
  malformed: "This request is not of the documented form.",
  invalid: "A value is not allowed here.",
  too_large: "This is larger than the limit.",
  too_long: "This text is longer than the limit.",
  too_many: "There are more items than the limit allows.",
  empty: "This text is empty.",
  out_of_order: "This was not expected now.",
  unauthenticated: "Sign in to do this.",
  token_expired: "This token has expired. Get a new one.",
  identity_invalid: "This identity token is not valid for this site.",
  wrong_credentials: "E-mail address or password is wrong.",
  forbidden: "You may not do this.",
  origin_refused: "This page's origin is not allowed for the site.",
  blocked: "This conversation cannot be continued.",
  not_found: "This does not exist.",
  unknown_site: "No site has this key.",
  version_conflict: "Somebody changed this in the meantime. Read it again.",
  client_id_reused: "This client id was used for something else.",
  already_exists: "This exists already.",
  conversation_state: "The conversation's state does not allow this.",
  edit_window_over: "This message can no longer be changed.",
  last_owner: "A workspace needs at least one owner.",
  already_set_up: "This Switchboard is set up already.",
  link_invalid: "This link is no longer valid. Ask for a new one.",
  password_weak: "Use at least 12 characters that are not easy to guess.",
  file_type: "Files of this type are not accepted.",
  rate_limited: "Too many requests. Wait a moment.",
  too_slow: "This came too slowly. It is safe to send it again.",
  locked_out: "Too many failed attempts. Try again later.",
  unavailable: "This could not be stored right now. It is safe to send it again.",
  storage_full: "The server has no space left.",
  internal: "Something went wrong on our side. It is safe to try again.",
};

/** Currencies that money is paid in, by their ISO 4217 codes. */
export const currencies: readonly string[] = [
  "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BHD", "BIF", "BMD",
  "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CLP", "CNY", "COP", "CRC",
  "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL",
  "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD", "IRR",
  "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT", "LAK", "LBP",
  "LKR", "LRD", "LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK",
  "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR",
  "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE",
  "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD",
  "TZS", "UAH", "UGX", "USD", "UYU", "UZS", "VES", "VND", "VUV", "WST", "XAF", "XCD", "XCG", "XOF", "XPF",
  "YER", "ZAR", "ZMW", "ZWG",
];

/** How files begin, in hexadecimal with a point for any digit, and the type that each is found to have; none for programs, which are never taken. */
export const fileMarks: readonly (readonly [string, string])[] = [
  ["4d5a", ""],
  ["7f454c46", ""],
  ["2321", ""],
  ["89504e47", "image/png"],
  ["ffd8ff", "image/jpeg"],
  ["474946", "image/gif"],
  ["52494646........57454250", "image/webp"],
  ["........6674797061766966", "image/avif"],
  ["........6674797068656963", "image/heif"],
  ["........6674797068656978", "image/heif"],
  ["25504446", "application/pdf"],
];
