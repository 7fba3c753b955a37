//! What the connection of a visitor begins with: who he is, the conversation that goes on, his last visit.

use protocol::conversation::VisitorConversation;
use protocol::id::WorkspaceId;
use protocol::permission::VisitorActor;

use crate::conversation::{decode_newest, newest_stmt};
use crate::db::Reader;
use crate::error::{Error, Result};
use crate::unread::{self, Unread};
use crate::visit::{self, LastVisit};
use crate::visitor::{self, VisitorRow};

/// What the connection of a visitor begins with. Large: it is handed on in boxes.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrival {
    /// Who he is.
    pub row: Box<VisitorRow>,
    /// The conversation that goes on.
    pub conversation: Option<VisitorConversation>,
    /// What he has not read of the newest one.
    pub unread: Unread,
    /// His last visit.
    pub last: Option<LastVisit>,
}

/// What the connection of a visitor begins with; nothing for one whom the store does not know. One read, all of
/// one moment, and none at all for a newcomer.
///
/// # Errors
/// The store's.
pub async fn find(
    reader: &Reader,
    workspace_id: WorkspaceId,
    visitor: &VisitorActor,
) -> Result<Option<Box<Arrival>>> {
    if let Some(row) = reader.take_newcomer(visitor.visitor_id) {
        let is_his = row.workspace_id == workspace_id && visitor.contact_id.is_none();
        if is_his {
            return Ok(Some(Box::new(Arrival {
                row,
                conversation: None,
                unread: Unread::default(),
                last: None,
            })));
        }
    }
    let visitor_id = visitor.visitor_id;
    let mut stmts = vec![
        visitor::find_stmt(workspace_id, visitor_id),
        newest_stmt(workspace_id, visitor),
        visit::last_stmt(workspace_id, visitor_id),
        unread::list_stmt(workspace_id, 1),
    ];
    stmts.extend(visit::trace_stmts(workspace_id, visitor_id, 2));
    let answers = reader.snapshot(stmts).await?;
    let [found, newest, visit, not_read, trace @ ..] = &answers[..] else {
        return Err(Error::Fault("each read has an answer".to_owned()));
    };
    let Some(row) = found.first().map(visitor::decode).transpose()? else {
        return Ok(None);
    };
    let (conversation, unread) = match newest.first() {
        Some(newest) => unread::in_newest(decode_newest(newest)?, not_read)?,
        None => (None, Unread::default()),
    };
    let last = visit.first();
    let last = last.map(|visit| visit::decode_last(visit, trace));
    Ok(Some(Box::new(Arrival {
        row: Box::new(row),
        conversation,
        unread,
        last: last.transpose()?,
    })))
}
