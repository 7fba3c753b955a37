//! What of the team's messages a visitor has not read.

use protocol::conversation::VisitorConversation;
use protocol::id::{ConversationId, EntryId, WorkspaceId};
use protocol::permission::VisitorActor;

use crate::conversation::{Newest, decode_newest, newest_stmt};
use crate::db::{Reader, Row, Stmt, stmt};
use crate::error::{Error, Result};

/// What of the team's messages a visitor has not read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unread {
    /// How many, at most 100.
    pub count: u32,
    /// The newest of them.
    pub entry_id: Option<EntryId>,
    /// In which conversation.
    pub conversation_id: Option<ConversationId>,
    /// Up to which number, in the visitor's counting, they were counted.
    pub number: u64,
}

// Uses `entry_by_public_seq`.
const LIST_UNREAD: &str = "
    SELECT e.entry_id, e.public_seq
    FROM entry e
    WHERE e.workspace_id = $1 AND e.conversation_id = $2 AND e.public_seq IS NOT NULL
        AND e.public_seq > $3 AND e.kind = 'message' AND e.author_kind <> 'visitor'
        AND NOT EXISTS (SELECT 1 FROM message m WHERE m.workspace_id = e.workspace_id
            AND m.entry_id = e.entry_id AND m.deleted_at_ms IS NOT NULL)
    ORDER BY e.public_seq DESC
    LIMIT 100";

/// What of the team's messages this visitor has not read, in the conversation that goes on or ended last.
///
/// # Errors
/// The store's.
pub async fn of_visitor(
    reader: &Reader,
    workspace_id: WorkspaceId,
    visitor: &VisitorActor,
) -> Result<Unread> {
    let (_, unread) = with_open(reader, workspace_id, visitor).await?;
    Ok(unread)
}

/// The conversation that goes on with this visitor, and what he has not read of the newest one. One read.
///
/// # Errors
/// The store's.
pub async fn with_open(
    reader: &Reader,
    workspace_id: WorkspaceId,
    visitor: &VisitorActor,
) -> Result<(Option<VisitorConversation>, Unread)> {
    let stmts = vec![
        newest_stmt(workspace_id, visitor),
        list_stmt(workspace_id, 0),
    ];
    let answers = reader.snapshot(stmts).await?;
    let [newest, not_read] = &answers[..] else {
        return Err(Error::Fault("two reads have two answers".to_owned()));
    };
    match newest.first() {
        Some(newest) => in_newest(decode_newest(newest)?, not_read),
        None => Ok((None, Unread::default())),
    }
}

/// The read of what a visitor has not read of his newest conversation, for [`in_newest`]. The read of that one stands
/// at this place of the same snapshot.
pub(crate) fn list_stmt(workspace_id: WorkspaceId, newest: usize) -> Stmt {
    let given = &[(1, "conversation_id"), (2, "visitor_read")];
    stmt!(LIST_UNREAD, workspace_id, "", 0_u64).after(newest, given)
}

/// A visitor's newest conversation where it goes on, and what he has not read of it: the rows of [`list_stmt`].
pub(crate) fn in_newest(
    newest: Newest,
    rows: &[Row],
) -> Result<(Option<VisitorConversation>, Unread)> {
    let conversation = newest.conversation;
    let unread = Unread {
        count: u32::try_from(rows.len()).unwrap_or(u32::MAX),
        entry_id: rows.first().map(|row| row.id("entry_id")).transpose()?,
        conversation_id: Some(conversation.id),
        number: rows
            .first()
            .map_or(Ok(conversation.number), |row| row.number("public_seq"))?
            .max(conversation.number),
    };
    Ok((Some(conversation).filter(|one| !one.closed), unread))
}
