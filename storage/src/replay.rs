//! Replay: what a reader of a conversation is told first. One read, all of one moment: who comes back by the
//! thousand asks for it.

use protocol::conversation::{Conversation, Marks, VisitorConversation};
use protocol::entry::Entry;
use protocol::id::{ConversationId, EntryId, WorkspaceId};
use protocol::permission::VisitorActor;

use crate::conversation;
use crate::db::{Reader, Row, Stmt};
use crate::entry::{self, Numbering};
use crate::error::{Error, Result};
use crate::log::STEP;
use crate::participant;

/// What a reader is told first of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct First<C> {
    /// The conversation, as this reader sees it.
    pub conversation: C,
    /// Its first entries for this reader.
    pub span: Span,
    /// How far the other side got, in the numbering of this one.
    pub marks: Marks,
}

/// Entries in a row, at most as many as a log reads at first: [`crate::log::after_with`] and
/// [`crate::log::newest_with`] make a page of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The number behind which they stand; nothing where they are the newest.
    pub after: Option<u64>,
    /// The entry that has this number.
    pub at: Option<EntryId>,
    /// They, in number order.
    pub entries: Vec<Entry>,
}

/// A reader's part of a log.
struct Part {
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    numbering: Numbering,
    after: Option<u64>,
}

/// What a visitor is told first, behind a number or of the newest; nothing for a conversation that is not his.
///
/// # Errors
/// The store's.
pub async fn of_visitor(
    reader: &Reader,
    workspace_id: WorkspaceId,
    visitor: &VisitorActor,
    conversation_id: ConversationId,
    after: Option<u64>,
) -> Result<Option<First<VisitorConversation>>> {
    let conversation = conversation::find_of_visitor_stmt(workspace_id, visitor, conversation_id);
    let marks = participant::team_marks_stmt(workspace_id, conversation_id);
    let part = Part {
        workspace_id,
        conversation_id,
        numbering: Numbering::Visitor,
        after,
    };
    let decode = conversation::decode_for_visitor;
    part.read(reader, conversation, marks, decode).await
}

/// What a member of the team is told first, behind a number or of the newest; nothing for another workspace's.
///
/// # Errors
/// The store's.
pub async fn of_team(
    reader: &Reader,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    after: Option<u64>,
) -> Result<Option<First<Conversation>>> {
    let conversation = conversation::find_stmt(workspace_id, conversation_id);
    let numbering = Numbering::Team;
    let marks = participant::customer_marks_stmt(workspace_id, conversation_id, numbering);
    let part = Part {
        workspace_id,
        conversation_id,
        numbering,
        after,
    };
    part.read(reader, conversation, marks, conversation::decode)
        .await
}

impl Part {
    async fn read<C>(
        &self,
        reader: &Reader,
        conversation: Stmt,
        marks: Stmt,
        decode: fn(&Row) -> Result<C>,
    ) -> Result<Option<First<C>>> {
        let mut stmts = vec![conversation];
        // Of a conversation that is not the reader's nothing is read.
        let his = |stmt: Stmt| stmt.after(0, &[(1, "conversation_id")]);
        stmts.extend([marks, self.at_stmt()].map(his));
        stmts.extend(self.entry_stmts().map(his));
        let answers = reader.snapshot(stmts).await?;
        let [conversation, marks, at, entries @ ..] = &answers[..] else {
            return Err(Error::Fault("each read has an answer".to_owned()));
        };
        let Some(conversation) = conversation.first() else {
            return Ok(None);
        };
        let at = at.first().map(|row| row.id("entry_id"));
        let mut entries = entry::decode_all(entries)?;
        if self.after.is_none() {
            entries.reverse();
        }
        Ok(Some(First {
            conversation: decode(conversation)?,
            span: Span {
                after: self.after,
                at: at.transpose()?,
                entries,
            },
            marks: participant::decode_marks(marks.first())?,
        }))
    }

    fn at_stmt(&self) -> Stmt {
        // Numbers begin at one: there is none before the newest.
        let number = self.after.unwrap_or(0);
        let (workspace_id, id) = (self.workspace_id, self.conversation_id);
        entry::id_at_stmt(workspace_id, id, self.numbering, number)
    }

    fn entry_stmts(&self) -> [Stmt; 2] {
        let (workspace_id, id) = (self.workspace_id, self.conversation_id);
        match self.after {
            Some(number) => entry::after_stmts(workspace_id, id, self.numbering, number, STEP),
            None => entry::before_stmts(workspace_id, id, self.numbering, None, STEP),
        }
    }
}
