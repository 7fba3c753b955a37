//! Events: what happened, as other nodes, jobs, webhooks and `since` cursors hear of it. They carry
//! ids, never bodies.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::conversation::words;
use crate::id::{EventId, WorkspaceId};

words! {
    /// The types of events: dotted, in the past tense.
    EventType {
        /// A conversation began.
        ConversationCreated = "conversation.created",
        /// What a conversation says was erased.
        ConversationEmptied = "conversation.emptied",
        /// An entry was added to a conversation.
        EntryAdded = "entry.added",
        /// A contact was made.
        ContactCreated = "contact.created",
        /// A contact's facts changed.
        ContactChanged = "contact.changed",
        /// A contact was erased.
        ContactErased = "contact.erased",
        /// A visitor was tied to a contact, or blocked, or logged out.
        VisitorChanged = "visitor.changed",
        /// A site was made or changed.
        SiteChanged = "site.changed",
        /// The workspace's settings changed.
        WorkspaceChanged = "workspace.changed",
        /// A member joined or changed.
        AgentChanged = "agent.changed",
        /// A member's role or grants changed, or he was deactivated or taken back.
        AgentRightsChanged = "agent.rights_changed",
        /// A login session ended.
        SessionEnded = "session.ended",
        /// An API key was made or revoked.
        KeyChanged = "key.changed",
        /// A canned response was made, changed or taken away.
        CannedResponseChanged = "canned_response.changed",
        /// A saved view was made, changed or taken away.
        SavedViewChanged = "saved_view.changed",
        /// Something is asked of a member, or no longer, or he read it or did it. The member is the subject.
        TodoChanged = "todo.changed",
        /// A network was blocked, or let in again.
        BlockedAddressChanged = "blocked_address.changed",
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts")]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// Where.
    pub workspace_id: WorkspaceId,
    /// What.
    pub event_type: EventType,
    /// The id of what it happened to: a conversation, contact, visitor, site, agent, session, key, canned response,
    /// saved view or blocked address.
    pub subject: String,
    /// The number (`seq`) or version it reached.
    pub number: u64,
    /// When.
    pub at_ms: u64,
}
