//! Commands: what a client asks to be done once, whatever the network does.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::id::{AgentId, AttachmentId, ConversationId, DepartmentId, EntryId, VisitorId};
use crate::message::Format;
use crate::text::{Body, ClientId};
use crate::visitor::Claim;

/// What is written: a body, files, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Draft {
    /// The text; may be absent where files are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// How it is written; plain when absent. Visitors write plain.
    #[serde(default)]
    #[ts(as = "Option<Format>", optional)]
    pub format: Format,
    /// The entry it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to_id: Option<EntryId>,
    /// Files uploaded before, by the same author.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<AttachmentId>>", optional)]
    pub attachment_ids: Vec<AttachmentId>,
}

/// What can be asked. `do` names it on the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub enum Command {
    /// Say something. A visitor leaves the conversation out: his open one is meant, or a new one begins.
    SendMessage {
        /// Where; agents must say it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conversation_id: Option<ConversationId>,
        /// What.
        #[serde(flatten)]
        draft: Draft,
    },
    /// Write a note that only the team sees.
    AddNote {
        /// Where.
        conversation_id: ConversationId,
        /// What.
        #[serde(flatten)]
        draft: Draft,
        /// Active members who are told of it, at most 20. One who writes tells himself nothing.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[ts(as = "Option<Vec<AgentId>>", optional)]
        mentions: Vec<AgentId>,
    },
    /// Say something else instead. One's own messages and notes only; visitors within a time.
    EditMessage {
        /// Where.
        conversation_id: ConversationId,
        /// Which.
        entry_id: EntryId,
        /// What it says now.
        body: Body,
    },
    /// Take back what one said. Visitors within a time; admins may take back any agent's.
    DeleteMessage {
        /// Where.
        conversation_id: ConversationId,
        /// Which.
        entry_id: EntryId,
    },
    /// Say who one is, without proof.
    Identify {
        /// The claim.
        claim: Claim,
    },
    /// Begin a conversation with a visitor who is on the site.
    StartConversation {
        /// With whom.
        visitor_id: VisitorId,
        /// The first words.
        #[serde(flatten)]
        draft: Draft,
    },
    /// Give a conversation to a member, or to nobody.
    Assign {
        /// Which.
        conversation_id: ConversationId,
        /// To whom.
        agent_id: Option<AgentId>,
    },
    /// Give a conversation to a department, or to none.
    Move {
        /// Which.
        conversation_id: ConversationId,
        /// To which.
        department_id: Option<DepartmentId>,
    },
    /// Take part.
    Join {
        /// Where.
        conversation_id: ConversationId,
    },
    /// Step out.
    Leave {
        /// Where.
        conversation_id: ConversationId,
    },
    /// Let a conversation rest.
    Snooze {
        /// Which.
        conversation_id: ConversationId,
        /// Until when.
        until_ms: u64,
    },
    /// End a conversation. Visitors may end their own.
    Close {
        /// Which.
        conversation_id: ConversationId,
    },
    /// Open a closed or snoozed conversation again.
    Reopen {
        /// Which.
        conversation_id: ConversationId,
    },
    /// Change the priority.
    Prioritize {
        /// Which.
        conversation_id: ConversationId,
        /// 1 low to 4 urgent.
        priority: u8,
    },
    /// Mark as spam, or take that back.
    MarkSpam {
        /// Which.
        conversation_id: ConversationId,
        /// Whether it is spam.
        spam: bool,
    },
    /// Block the conversation's visitor, or take that back.
    BlockVisitor {
        /// Whose visitor.
        conversation_id: ConversationId,
        /// Whether he is blocked.
        blocked: bool,
    },
}

impl Command {
    /// The word on the wire, for logs and metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::SendMessage { .. } => "send_message",
            Self::AddNote { .. } => "add_note",
            Self::EditMessage { .. } => "edit_message",
            Self::DeleteMessage { .. } => "delete_message",
            Self::Identify { .. } => "identify",
            Self::StartConversation { .. } => "start_conversation",
            Self::Assign { .. } => "assign",
            Self::Move { .. } => "move",
            Self::Join { .. } => "join",
            Self::Leave { .. } => "leave",
            Self::Snooze { .. } => "snooze",
            Self::Close { .. } => "close",
            Self::Reopen { .. } => "reopen",
            Self::Prioritize { .. } => "prioritize",
            Self::MarkSpam { .. } => "mark_spam",
            Self::BlockVisitor { .. } => "block_visitor",
        }
    }
}

/// The outcome of an accepted command. A retry gets the same one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Ack {
    /// The client's name for the command.
    pub client_id: ClientId,
    /// The conversation it went to; absent for `identify` before a first message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// The entry it made; absent where nothing had to change (assigning to whom it is assigned).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_id: Option<EntryId>,
    /// The entry's number in the author's own counting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// When it was stored.
    pub sent_at_ms: u64,
}
