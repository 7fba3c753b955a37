//! What the server says: one tagged enum for visitors and one for agents, so that what only the team
//! may see has no place in a visitor's frame.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::agent::{Agent, AgentPresence};
use crate::command::Ack;
use crate::conversation::{Conversation, Marks, VisitorConversation};
use crate::entry::{Entry, VisitorEntry};
use crate::id::{AgentId, ConnectionId, ContactId, ConversationId, EntryId, VisitorId};
use crate::key::KeyName;
use crate::position::Position;
use crate::rejection::Problem;
use crate::text::ClientId;
use crate::view::{InboxCounts, InboxList, VisitorCounts, VisitorList};
use crate::visitor::{LiveVisitor, VisitorState};
use crate::widget::{Staff, WidgetConfig};

/// What a connection may count on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct ConnectionLimits {
    /// Bytes of one client frame.
    pub frame_bytes_max: u32,
    /// Bytes of a message body.
    pub body_bytes_max: u32,
    /// Silence after which the server beats.
    pub beat_ms: u64,
    /// Silence after which either side gives up.
    pub silence_ms_max: u64,
    /// How long the client keeps what it sent.
    pub resend_ms: u64,
    /// Bytes of one uploaded file.
    pub attachment_bytes_max: u64,
    /// Types of files that are taken, each as `image/png` or `image/*`; every type when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachment_types: Option<Vec<String>>,
}

/// What became of a conversation that the client wanted to go on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "protocol.ts")]
pub enum Continuity {
    /// The missing entries follow the client's position without a gap.
    Resumed,
    /// Forget what you have and take this newest page: the position is of another store, ahead of it,
    /// or too far behind. Send again what you sent in the last ten minutes and no longer find.
    Afresh,
}

/// The answer to `hello`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Welcome {
    /// This connection; frames of another one are to be dropped.
    pub connection_id: ConnectionId,
    /// The store's epoch.
    pub epoch: u64,
    /// The store's time.
    pub now_ms: u64,
    /// When the token stops being accepted, and this connection ends.
    pub token_expires_at_ms: u64,
    /// What may be counted on.
    pub limits: ConnectionLimits,
}

/// Entries of a conversation in number order: a replay, or the newest page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Batch<E> {
    /// Which conversation.
    pub conversation_id: ConversationId,
    /// Whether these follow what the client has, or replace it.
    pub continuity: Continuity,
    /// The entries; at most `PAGE_ENTRIES_MAX`, and of these as many as fit into `PAGE_BYTES_MAX`.
    pub entries: Vec<E>,
    /// Where the client stands after these; absent for an empty conversation.
    pub position: Option<Position>,
    /// Whether older entries exist before the first of these.
    pub older: bool,
}

/// A refused command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts")]
pub struct Rejected {
    /// The client's name for the command.
    pub client_id: ClientId,
    /// Why, and whether the same may be sent again.
    pub problem: Problem,
}

/// Frames of both directions' ends, the same for visitors and agents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct GoingAway {
    /// When to come back, in milliseconds from now.
    pub return_after_ms: u64,
}

/// What the server says to visitors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub enum VisitorNews {
    /// The connection is up.
    Welcome {
        /// What may be counted on.
        #[serde(flatten)]
        welcome: Welcome,
        /// Who this is.
        visitor_id: VisitorId,
        /// The open conversation, which the server follows for the client.
        conversation: Option<VisitorConversation>,
        /// Messages of the team not yet read.
        unread: u32,
        /// Whether an e-mail address of his is known: he need not be asked for one.
        reachable: bool,
        /// Who answers now.
        staff: Staff,
    },
    /// A command was done.
    Ack(Ack),
    /// A command was refused.
    Rejected(Rejected),
    /// A conversation began, or its facts changed.
    Conversation {
        /// As it is now.
        conversation: VisitorConversation,
    },
    /// A new entry. Its number is one more than the last, or the client must follow again.
    Entry {
        /// The entry.
        entry: VisitorEntry,
    },
    /// Entries in a row.
    Entries(Batch<VisitorEntry>),
    /// The team's side is typing.
    Typing {
        /// Where.
        conversation_id: ConversationId,
        /// Who, by the name shown to visitors.
        name: String,
        /// Whether it goes on.
        active: bool,
    },
    /// How far the team has got.
    Marks {
        /// Where.
        conversation_id: ConversationId,
        /// How far.
        marks: Marks,
    },
    /// Messages of the team not yet read; with the newest one's entry, so that the launcher can
    /// tell a new one from an old count.
    Unread {
        /// How many.
        count: u32,
        /// The newest of them.
        entry_id: Option<EntryId>,
    },
    /// Who answers has changed.
    Staff(Staff),
    /// The site's look has changed.
    Config(WidgetConfig),
    /// The server is still there. Answer with `beat`.
    Beat,
    /// The server goes away; come back then.
    GoingAway(GoingAway),
    /// A frame was refused; the connection stays.
    Error {
        /// Why.
        problem: Problem,
    },
}

/// What the server says to agents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub enum AgentNews {
    /// The connection is up.
    Welcome {
        /// What may be counted on.
        #[serde(flatten)]
        welcome: Welcome,
        /// Who this is.
        agent_id: AgentId,
    },
    /// A command was done.
    Ack(Ack),
    /// A command was refused.
    Rejected(Rejected),
    /// A new entry. Its `seq` is one more than the last, or the client must follow again.
    Entry {
        /// The entry.
        entry: Entry,
    },
    /// Entries in a row.
    Entries(Batch<Entry>),
    /// Somebody types.
    Typing {
        /// Where.
        conversation_id: ConversationId,
        /// Which agent; the customer when absent.
        agent_id: Option<AgentId>,
        /// What stands there so far, from customers.
        text: Option<String>,
        /// Whether it goes on.
        active: bool,
    },
    /// How far the customer has got.
    Marks {
        /// Where.
        conversation_id: ConversationId,
        /// How far.
        marks: Marks,
    },
    /// Who looks at a conversation.
    Viewing {
        /// Which.
        conversation_id: ConversationId,
        /// Who.
        agent_ids: Vec<AgentId>,
    },
    /// A followed conversation's facts; older versions are to be dropped.
    Conversation {
        /// As it is now.
        conversation: Conversation,
    },
    /// The list of the inbox, whole: the newest rows, sorted by `active_at_ms` downwards.
    Inbox {
        /// Which list.
        #[serde(flatten)]
        list: InboxList,
        /// Its first rows, at most `PAGE_ROWS_MAX`.
        rows: Vec<Conversation>,
        /// How far I have read each of them.
        read: BTreeMap<ConversationId, u64>,
        /// Where the list goes on: the `cursor` of its next page over HTTP; absent where this is all of it.
        cursor: Option<String>,
        /// How many there are.
        counts: InboxCounts,
    },
    /// What changed in it. A row that no longer belongs is in `gone`.
    InboxChanges {
        /// Which list.
        #[serde(flatten)]
        list: InboxList,
        /// New or changed rows.
        rows: Vec<Conversation>,
        /// Rows that no longer belong, with the version that took them out.
        gone: Vec<GoneRow>,
        /// How many there are; absent where they could not be counted: those told before hold until the next.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        counts: Option<InboxCounts>,
    },
    /// How far I have read, in another tab.
    Read {
        /// Where.
        conversation_id: ConversationId,
        /// Up to which `seq`.
        seq: u64,
    },
    /// The part of the list of visitors that is in sight, whole.
    Visitors {
        /// Which.
        #[serde(flatten)]
        list: VisitorList,
        /// Its rows, in the list's order: at most `PAGE_ROWS_MAX`, and as many as fit into `WINDOW_BYTES_MAX`.
        rows: Vec<LiveVisitor>,
        /// How many there are in the whole list.
        counts: VisitorCounts,
        /// The countries that the list may be narrowed to: of all whom the filter lets in, whichever country it names.
        countries: Vec<String>,
    },
    /// What changed in it.
    VisitorChanges {
        /// Which.
        #[serde(flatten)]
        list: VisitorList,
        /// New or changed rows.
        rows: Vec<LiveVisitor>,
        /// Who left, or is no longer in the list.
        gone: Vec<VisitorId>,
        /// Who is in the list, and no longer in this part of it.
        beyond: Vec<VisitorId>,
        /// How many there are.
        counts: VisitorCounts,
        /// The countries; absent where they did not change.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        countries: Option<Vec<String>>,
    },
    /// Whether visitors are here whom the client asked for: all of them at first, then those who came, left, or
    /// are otherwise there.
    VisitorPresence {
        /// Their states.
        states: Vec<VisitorState>,
        /// The row that was asked for, where he is here; absent where it did not change.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        row: Option<LiveVisitor>,
    },
    /// The team, whole: sent after `welcome` and when it changes.
    Team {
        /// The members.
        agents: Vec<Agent>,
        /// The programs that may speak for it or once did, the newest 1,000.
        keys: Vec<KeyName>,
        /// What the members do.
        presence: Vec<AgentPresence>,
    },
    /// What agents do has changed.
    TeamPresence {
        /// Those who changed.
        presence: Vec<AgentPresence>,
    },
    /// A contact was changed, merged or erased. The name stands in all rows of these contacts; what else
    /// is known is read again over HTTP.
    Contact {
        /// The contact, and those merged with it.
        contact_ids: Vec<ContactId>,
        /// What they are called now.
        name: String,
        /// As `contact_version` in rows: an older name must not come back.
        version: u64,
        /// Whether the contact was erased: forget what was read, written and searched of it.
        erased: bool,
    },
    /// Something was changed elsewhere; read it again over HTTP.
    Changed {
        /// Which part: `sites`, `workspace`, `keys`, `canned_responses`, `saved_views`, `blocked_addresses`, `todos`.
        part: String,
        /// The id of the record, where one is.
        id: Option<String>,
    },
    /// The server is still there. Answer with `beat`.
    Beat,
    /// The server goes away; come back then.
    GoingAway(GoingAway),
    /// A frame was refused; the connection stays.
    Error {
        /// Why.
        problem: Problem,
    },
}

/// A row that left a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts")]
pub struct GoneRow {
    /// Which conversation.
    pub id: ConversationId,
    /// The version that took it out; a row of an older version must not bring it back.
    pub version: u64,
}
