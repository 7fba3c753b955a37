//! The log of a conversation: every entry takes the next number, and keeps it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::id::{
    AgentId, ApiKeyId, ContactId, ConversationId, DepartmentId, EntryId, PictureId, VisitorId,
};
use crate::message::Message;
use crate::text::ClientId;

/// Who made an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(export_to = "protocol.ts")]
pub enum Author {
    /// The customer's side.
    Visitor {
        /// The browser it came from.
        visitor_id: VisitorId,
        /// The person behind it when it was written.
        contact_id: ContactId,
    },
    /// A member of the team.
    Agent {
        /// Who.
        agent_id: AgentId,
    },
    /// A program, by an API key.
    Key {
        /// Which; `team` says what it is called.
        key_id: ApiKeyId,
    },
    /// The assistant.
    Ai,
    /// Switchboard itself: timers and rules.
    System,
}

/// Why a conversation came back to life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "protocol.ts")]
pub enum ReopenCause {
    /// The team said so.
    Agent,
    /// The customer wrote.
    Visitor,
    /// The snooze ended.
    SnoozeEnded,
}

/// What an entry is. What the system says is a kind with parameters, never a sentence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub enum Content {
    /// Somebody said something to the other side.
    Message {
        /// The words of today.
        message: Message,
    },
    /// Only the team sees this. It has no public number and never reaches a visitor.
    Note {
        /// The words of today.
        message: Message,
    },
    /// A message or note says something else from here on.
    Edited {
        /// Which.
        target_id: EntryId,
        /// Its words of today.
        message: Message,
    },
    /// A message or note was taken back.
    Deleted {
        /// Which.
        target_id: EntryId,
    },
    /// An agent took part.
    Joined {
        /// Who.
        agent_id: AgentId,
    },
    /// An agent stepped out.
    Left {
        /// Who.
        agent_id: AgentId,
    },
    /// The conversation has another assignee.
    Assigned {
        /// To whom; nobody when absent.
        agent_id: Option<AgentId>,
        /// Whose it was.
        previous_id: Option<AgentId>,
    },
    /// The conversation belongs to another department.
    Moved {
        /// To which; none when absent.
        department_id: Option<DepartmentId>,
    },
    /// The conversation rests until a time.
    Snoozed {
        /// Until when.
        until_ms: u64,
    },
    /// The conversation is open again.
    Reopened {
        /// Why.
        cause: ReopenCause,
    },
    /// The conversation is over.
    Closed,
    /// The priority changed.
    Prioritized {
        /// The new rank, 1 low to 4 urgent.
        priority: u8,
    },
    /// The conversation was marked as spam, or no longer is.
    SpamMarked {
        /// Whether it is spam now.
        spam: bool,
    },
    /// The visitor was blocked, or no longer is.
    VisitorBlocked {
        /// Whether he is blocked now.
        blocked: bool,
    },
}

impl Content {
    /// The word in the store.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Message { .. } => "message",
            Self::Note { .. } => "note",
            Self::Edited { .. } => "edited",
            Self::Deleted { .. } => "deleted",
            Self::Joined { .. } => "joined",
            Self::Left { .. } => "left",
            Self::Assigned { .. } => "assigned",
            Self::Moved { .. } => "moved",
            Self::Snoozed { .. } => "snoozed",
            Self::Reopened { .. } => "reopened",
            Self::Closed => "closed",
            Self::Prioritized { .. } => "prioritized",
            Self::SpamMarked { .. } => "spam_marked",
            Self::VisitorBlocked { .. } => "visitor_blocked",
        }
    }
}

/// A line of the log, as the team sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Entry {
    /// Its id.
    pub id: EntryId,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// Its number: dense from 1 in the conversation.
    pub seq: u64,
    /// Its number among what the visitor may see; absent for what he may not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_seq: Option<u64>,
    /// When it was stored; never goes back within a conversation.
    pub sent_at_ms: u64,
    /// Who made it.
    pub author: Author,
    /// The author's name for the command, so that the author knows it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// What it is.
    pub content: Content,
}

/// Who speaks, as a visitor sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub enum VisitorAuthor {
    /// The visitor's own side.
    You,
    /// A member of the team, by the name shown to visitors.
    Agent {
        /// Tells two agents apart.
        agent_id: AgentId,
        /// The name shown to visitors.
        name: String,
        /// The picture of now, at `/api/v1/pictures/{id}`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        picture: Option<PictureId>,
    },
    /// The team, by a program: no name and no id.
    Team,
    /// The assistant.
    Ai,
    /// Switchboard itself.
    System,
}

/// What an entry is, as a visitor sees it: exactly these kinds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub enum VisitorContent {
    /// Somebody said something.
    Message {
        /// The words of today.
        message: Message,
    },
    /// A message says something else from here on.
    Edited {
        /// Which.
        target_id: EntryId,
        /// Its words of today.
        message: Message,
    },
    /// A message was taken back.
    Deleted {
        /// Which.
        target_id: EntryId,
    },
    /// The author, an agent, took part.
    Joined,
    /// The author, an agent, stepped out.
    Left,
    /// The conversation is open again.
    Reopened,
    /// The conversation is over.
    Closed,
}

/// A line of the log as a visitor sees it. It has one number, and no gap shows where a note stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct VisitorEntry {
    /// Its id.
    pub id: EntryId,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// Its number: dense from 1 among what the visitor may see.
    pub number: u64,
    /// When it was stored.
    pub sent_at_ms: u64,
    /// Who made it.
    pub author: VisitorAuthor,
    /// The author's name for the command, on the visitor's own entries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// What it is.
    pub content: VisitorContent,
}

/// Gives the name and the picture that visitors see for an agent.
pub trait AgentNames {
    /// The name, or a neutral one where the agent is unknown.
    fn name_of(&self, agent_id: AgentId) -> String;

    /// The picture, where there is one.
    fn picture_of(&self, agent_id: AgentId) -> Option<PictureId>;
}

impl Entry {
    /// What a visitor may see of this entry; nothing for notes and inner affairs.
    ///
    /// The one way from an entry to a visitor: whatever reaches one was made here.
    // Invariant: an entry has a public number exactly where this returns something.
    #[must_use]
    pub fn for_visitor(&self, names: &dyn AgentNames) -> Option<VisitorEntry> {
        let number = self.public_seq?;
        let content = match &self.content {
            Content::Message { message } => VisitorContent::Message {
                message: message.clone(),
            },
            Content::Edited { target_id, message } => VisitorContent::Edited {
                target_id: *target_id,
                message: message.clone(),
            },
            Content::Deleted { target_id } => VisitorContent::Deleted {
                target_id: *target_id,
            },
            Content::Joined { .. } => VisitorContent::Joined,
            Content::Left { .. } => VisitorContent::Left,
            Content::Reopened { .. } => VisitorContent::Reopened,
            Content::Closed => VisitorContent::Closed,
            Content::Note { .. }
            | Content::Assigned { .. }
            | Content::Moved { .. }
            | Content::Snoozed { .. }
            | Content::Prioritized { .. }
            | Content::SpamMarked { .. }
            | Content::VisitorBlocked { .. } => return None,
        };
        let author = match self.author {
            Author::Visitor { .. } => VisitorAuthor::You,
            Author::Agent { agent_id } => VisitorAuthor::Agent {
                agent_id,
                name: names.name_of(agent_id),
                picture: names.picture_of(agent_id),
            },
            Author::Key { .. } => VisitorAuthor::Team,
            Author::Ai => VisitorAuthor::Ai,
            Author::System => VisitorAuthor::System,
        };
        let client_id = match self.author {
            Author::Visitor { .. } => self.client_id.clone(),
            Author::Agent { .. } | Author::Key { .. } | Author::Ai | Author::System => None,
        };
        Some(VisitorEntry {
            id: self.id,
            conversation_id: self.conversation_id,
            number,
            sent_at_ms: self.sent_at_ms,
            author,
            client_id,
            content,
        })
    }
}
