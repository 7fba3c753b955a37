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

/// At most so many are counted.
const COUNTED_MAX: u32 = 100;

// Uses `entry_by_public_seq`. What takes a message back stands behind it, so that the messages themselves, each on a
// page of its own, need not be looked at: who comes back by the thousand asks for this. Of the newest 200 lines.
const LIST_UNREAD: &str = "
    SELECT entry_id, public_seq, target_id
    FROM entry
    WHERE workspace_id = $1 AND conversation_id = $2 AND public_seq IS NOT NULL
        AND public_seq > $3 AND (kind = 'message' AND author_kind <> 'visitor' OR kind = 'deleted')
    ORDER BY public_seq DESC
    LIMIT 200";

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
    let mut unread = Unread {
        conversation_id: Some(conversation.id),
        number: conversation.number,
        ..Unread::default()
    };
    let mut taken_back: Vec<EntryId> = Vec::new();
    for row in rows {
        if let Some(target_id) = row.maybe_id("target_id")? {
            taken_back.push(target_id);
            continue;
        }
        let entry_id = row.id("entry_id")?;
        if taken_back.contains(&entry_id) || unread.count == COUNTED_MAX {
            continue;
        }
        unread.count += 1;
        if unread.entry_id.is_none() {
            unread.entry_id = Some(entry_id);
            unread.number = row.number("public_seq")?.max(conversation.number);
        }
    }
    Ok((Some(conversation).filter(|one| !one.closed), unread))
}
