//! Entries: the log of a conversation. Appending is one guarded batch; reading gives today's words.

mod append;
mod block;
mod guard;
mod read;
mod several;
pub(crate) mod write;

use protocol::conversation::{Conversation, State, VisitorConversation};
use protocol::entry::{Author, Entry, ReopenCause};
use protocol::id::{AgentId, AttachmentId, ConversationId, DepartmentId, EntryId, WorkspaceId};
use protocol::message::Format;
use protocol::permission::VisitorActor;

pub use append::append;
pub(crate) use append::{Reads, hold_files, outcome_of};
pub(crate) use read::author as author_of;
pub use read::{after, before, find, id_at};
pub(crate) use read::{after_stmts, before_stmts, decode_all, id_at_stmt};
pub use several::{Several, append_several};

use crate::command::{CommandKey, Receipt, Refusal};
use crate::contact::Shown;

/// Which of the two numberings a reader counts by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbering {
    /// Every entry: the team's.
    Team,
    /// What the visitor may see.
    Visitor,
}

/// The words of a new message or note.
#[derive(Debug, Clone, PartialEq)]
pub struct NewMessage {
    /// How it is written.
    pub format: Format,
    /// What is said; empty where only files are sent.
    pub body: String,
    /// BCP 47 tag, where known.
    pub language: Option<String>,
    /// The entry it answers.
    pub reply_to_id: Option<EntryId>,
    /// Files of the speaker that no message has claimed.
    pub attachment_ids: Vec<AttachmentId>,
    /// Members who are told of it; of notes alone.
    pub mentions: Vec<AgentId>,
}

/// What a new entry is.
#[derive(Debug, Clone, PartialEq)]
pub enum NewContent {
    /// Somebody says something to the other side.
    Message(NewMessage),
    /// Somebody says something to the team.
    Note(NewMessage),
    /// A message or note says something else from here on.
    Edited {
        /// Which.
        target_id: EntryId,
        /// What it says now.
        body: String,
    },
    /// A message or note is taken back: its words and files go.
    Deleted {
        /// Which.
        target_id: EntryId,
    },
    /// An agent takes part.
    Joined {
        /// Who.
        agent_id: AgentId,
    },
    /// An agent steps out.
    Left {
        /// Who.
        agent_id: AgentId,
    },
    /// The conversation gets another assignee; whose it was is read in the transaction.
    Assigned {
        /// To whom.
        agent_id: Option<AgentId>,
    },
    /// The conversation gets another department.
    Moved {
        /// Which.
        department_id: Option<DepartmentId>,
    },
    /// The conversation rests; the timer that wakes it is made with it.
    Snoozed {
        /// Until when.
        until_ms: u64,
    },
    /// The conversation is open again.
    Reopened {
        /// Why.
        cause: ReopenCause,
        /// What it was. To its visitor one that rests is simply open: he is told only where it was closed.
        from: State,
    },
    /// The conversation is over.
    Closed,
    /// The priority changes.
    Prioritized {
        /// 1 low to 4 urgent.
        priority: u8,
    },
    /// The conversation is marked as spam, or no longer.
    SpamMarked {
        /// Whether it is spam now.
        spam: bool,
    },
    /// The conversation's visitor is blocked, or no longer.
    VisitorBlocked {
        /// Whether he is blocked now.
        blocked: bool,
    },
}

impl NewContent {
    /// Whether the visitor may see it: it then takes a public number as well. Of an edit or deletion, whether
    /// he may see it if he may see its target.
    #[must_use]
    pub fn is_public(&self) -> bool {
        match self {
            Self::Message(_) | Self::Joined { .. } | Self::Left { .. } | Self::Closed => true,
            Self::Reopened { from, .. } => match from {
                State::Closed => true,
                State::Open | State::Snoozed => false,
            },
            // As public as its target; `append` looks it up, for an entry never changes its numbers.
            Self::Edited { .. } | Self::Deleted { .. } => true,
            Self::Note(_)
            | Self::Assigned { .. }
            | Self::Moved { .. }
            | Self::Snoozed { .. }
            | Self::Prioritized { .. }
            | Self::SpamMarked { .. }
            | Self::VisitorBlocked { .. } => false,
        }
    }
}

/// An entry to be.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEntry {
    /// Its id.
    pub id: EntryId,
    /// Who makes it.
    pub author: Author,
    /// What it is.
    pub content: NewContent,
}

/// What must hold, under the conversation's lock, for the entries to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// The states that allow it.
    pub states: Vec<State>,
    /// The pen's fence, for the assistant.
    pub fence: Option<u64>,
    /// The version that the decision saw, where it must still stand.
    pub version: Option<u64>,
    /// The visitor whose conversation it must be, not blocked; absent for the team.
    pub owner: Option<VisitorActor>,
}

impl Guard {
    /// The team may: in these states.
    #[must_use]
    pub fn team(states: &[State]) -> Self {
        Self {
            states: states.to_vec(),
            fence: None,
            version: None,
            owner: None,
        }
    }

    /// This visitor may, in a conversation of his: in this state.
    #[must_use]
    pub fn visitor(state: State, visitor: VisitorActor) -> Self {
        Self {
            owner: Some(visitor),
            ..Self::team(&[state])
        }
    }
}

/// Entries to append to a conversation, in one transaction. The last one is the one acknowledged; only this
/// one may be a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Append {
    /// Where.
    pub workspace_id: WorkspaceId,
    /// To which conversation.
    pub conversation_id: ConversationId,
    /// Under which name.
    pub key: CommandKey,
    /// What must hold.
    pub guard: Guard,
    /// What to append, at least one and at most four.
    pub entries: Vec<NewEntry>,
    /// The store's time now. An entry's time never goes back within its conversation.
    pub at_ms: u64,
    /// A time that the conversation has reached for certain, as far as the caller remembers one: it spares
    /// a look at the lists.
    pub reached_at_ms: Option<u64>,
    /// What the conversation's row shows of its contact, where the caller remembers it; it spares a read.
    pub contact: Option<Shown>,
}

/// What was stored: enough to publish it without another read.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The receipt.
    pub receipt: Receipt,
    /// The entries, in number order.
    pub entries: Vec<Entry>,
    /// The conversation after them.
    pub conversation: Conversation,
    /// The conversation as its visitor sees it, where it began, ended or goes on again.
    pub visitor_conversation: Option<VisitorConversation>,
    /// Whether the conversation was made by this.
    pub created: bool,
}

/// The outcome of a command that makes entries.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Stored now.
    Accepted(Box<Stored>),
    /// Stored before, under the same id: the first receipt.
    Replayed(Receipt),
    /// The id was used for something else.
    ClientIdReused,
    /// Nothing was stored.
    Refused(Refusal),
}
