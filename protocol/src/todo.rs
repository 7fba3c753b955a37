//! To do: what others ask of a member of the team, as he finds it: notes that name him, and conversations that
//! somebody else gave him. The team's own affair: no frame and no door of visitors holds one.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::conversation::{State, words};
use crate::entry::Author;
use crate::id::{ConversationId, EntryId};

words! {
    /// What asks.
    TodoKind {
        /// A note that names me.
        Mention = "mention",
        /// A conversation that somebody else gave me. It is asked of me while it is mine.
        Assignment = "assignment",
    }

    /// Which of them a list shows.
    TodoFilter {
        /// All that is not done.
        All = "all",
        /// What of it is not read.
        Unread = "unread",
        /// The notes of it that name me.
        Mentions = "mentions",
        /// What is done.
        Done = "done",
    }

    /// What is said of some of them.
    TodoMark {
        /// They are read.
        Read = "read",
        /// They are done, and so read.
        Done = "done",
        /// They are not done after all.
        Open = "open",
    }
}

/// Something that is asked of me.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts")]
pub struct Todo {
    /// The entry that asks: the note, or the assignment.
    pub entry_id: EntryId,
    /// What it is.
    pub kind: TodoKind,
    /// Where it stands.
    pub conversation_id: ConversationId,
    /// Its number there.
    pub seq: u64,
    /// Whether the conversation goes on.
    pub state: State,
    /// What the customer of the conversation is called.
    pub contact_name: String,
    /// Who wrote or assigned it.
    pub author: Author,
    /// How the note begins, or what was said last in the conversation, as plain text.
    pub text: String,
    /// When it was asked.
    pub at_ms: u64,
    /// Whether I have read as far as it, or said so.
    pub read: bool,
    /// Whether I have said that it is done.
    pub done: bool,
}

/// Says something of what is asked of me.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts")]
pub struct TodoMarking {
    /// Of which, by the entries that ask: at least one, at most 100.
    pub entry_ids: Vec<EntryId>,
    /// What.
    pub mark: TodoMark,
}
