//! What a search over all conversations finds, and where the words stand.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::conversation::{Conversation, words};
use crate::id::EntryId;

words! {
    /// Where a search was matched.
    MatchPlace {
        /// What the contact is called.
        Name = "name",
        /// An e-mail address of the contact.
        Email = "email",
        /// A telephone number of the contact.
        Phone = "phone",
        /// The site's own id for the contact.
        ExternalId = "external_id",
        /// The conversation's number.
        Number = "number",
        /// A message.
        Message = "message",
        /// A note.
        Note = "note",
    }
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts")]
pub struct TextPart {
    /// Its letters.
    pub text: String,
    /// Whether it is what was searched for.
    pub hit: bool,
}

/// Where a conversation holds what was searched for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Match {
    /// Where.
    pub place: MatchPlace,
    /// The text there, or the part of it around the words: the pieces in order.
    pub parts: Vec<TextPart>,
    /// The message or note.
    pub entry_id: Option<EntryId>,
    /// Its number.
    pub seq: Option<u64>,
    /// When it was said.
    pub sent_at_ms: Option<u64>,
}

/// A conversation that a search found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts")]
pub struct Found {
    /// The conversation, in whichever list it stands.
    pub conversation: Conversation,
    /// Where it matched: of messages and notes the newest. Empty where the match has gone meanwhile.
    pub matches: Vec<Match>,
}
