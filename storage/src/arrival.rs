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

/// What the connection of a visitor begins with.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrival {
    /// Who he is.
    pub row: VisitorRow,
    /// The conversation that goes on.
    pub conversation: Option<VisitorConversation>,
    /// What he has not read of the newest one.
    pub unread: Unread,
    /// His last visit.
    pub last: Option<LastVisit>,
}

/// What the connection of a visitor begins with; nothing for one whom the store does not know. Two reads, each of
/// one moment: one for who was never here before, and none at all for a newcomer.
///
/// # Errors
/// The store's.
pub async fn find(
    reader: &Reader,
    workspace_id: WorkspaceId,
    visitor: &VisitorActor,
) -> Result<Option<Arrival>> {
    if let Some(row) = reader.take_newcomer(visitor.visitor_id) {
        let is_his = row.workspace_id == workspace_id && visitor.contact_id.is_none();
        if is_his {
            return Ok(Some(Arrival {
                row,
                conversation: None,
                unread: Unread::default(),
                last: None,
            }));
        }
    }
    let visitor_id = visitor.visitor_id;
    let stmts = vec![
        visitor::find_stmt(workspace_id, visitor_id),
        newest_stmt(workspace_id, visitor),
        visit::last_stmt(workspace_id, visitor_id),
    ];
    let answers = reader.snapshot(stmts).await?;
    let [found, newest, visit] = &answers[..] else {
        return Err(Error::Fault("three reads have three answers".to_owned()));
    };
    let Some(row) = found.first().map(visitor::decode).transpose()? else {
        return Ok(None);
    };
    let newest = newest.first().map(decode_newest).transpose()?;
    let visit = visit.first();
    let mut stmts = match visit {
        Some(visit) => visit::trace_stmts(workspace_id, visitor_id, visit)?,
        None => Vec::new(),
    };
    let trace_count = stmts.len();
    stmts.extend(
        newest
            .iter()
            .map(|newest| unread::list_stmt(workspace_id, newest)),
    );
    let answers = match stmts.is_empty() {
        true => Vec::new(),
        false => reader.snapshot(stmts).await?,
    };
    let (trace, not_read) = answers.split_at(trace_count.min(answers.len()));
    let (conversation, unread) = match newest.zip(not_read.first()) {
        Some((newest, rows)) => unread::in_newest(newest, rows)?,
        None => (None, Unread::default()),
    };
    let last = visit
        .map(|visit| visit::decode_last(visit, trace))
        .transpose()?;
    Ok(Some(Arrival {
        row,
        conversation,
        unread,
        last,
    }))
}
