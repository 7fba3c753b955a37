//! Mentions: notes that name a member of the team, as he finds them. The team's own affair: no frame and no
//! door of visitors holds one.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::entry::Author;
use crate::id::{ConversationId, EntryId};

/// A note that names me.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts")]
pub struct Mention {
    /// The note.
    pub entry_id: EntryId,
    /// Where it stands.
    pub conversation_id: ConversationId,
    /// Its number there.
    pub seq: u64,
    /// What the customer of the conversation is called.
    pub contact_name: String,
    /// Who wrote it.
    pub author: Author,
    /// How it begins, as plain text.
    pub text: String,
    /// When.
    pub at_ms: u64,
    /// Whether I have read as far as it.
    pub read: bool,
}
