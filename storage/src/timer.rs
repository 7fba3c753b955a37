//! Timers: deadlines that fire commands. Written in the command's transaction, fired by router.

use protocol::id::{ConversationId, TimerId, WorkspaceId};

use crate::db::{Batch, Db, Reader, stmt};
use crate::error::{Error, Result};

/// What a timer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimerKind {
    /// It wakes a snoozed conversation.
    Snooze,
}

/// A deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    /// Its id: also the client id of the command it fires, so that it fires once.
    pub id: TimerId,
    /// Where.
    pub workspace_id: WorkspaceId,
    /// What it does.
    pub kind: TimerKind,
    /// To which conversation.
    pub conversation_id: ConversationId,
    /// When.
    pub due_at_ms: u64,
}

// Uses `timer_by_time`, over all workspaces: the node serves them all.
const LIST_DUE: &str = "
    SELECT workspace_id, timer_id, kind, conversation_id, due_at_ms
    FROM timer
    WHERE due_at_ms <= $1
    ORDER BY due_at_ms, timer_id
    LIMIT $2";

/// The timers that are due, earliest first, at most `limit`.
///
/// # Errors
/// The store's.
pub async fn due(reader: &Reader, now_ms: u64, limit: usize) -> Result<Vec<Timer>> {
    let rows = reader.rows(stmt!(LIST_DUE, now_ms, limit)).await?;
    rows.iter()
        .map(|row| {
            Ok(Timer {
                id: row.id("timer_id")?,
                workspace_id: row.id("workspace_id")?,
                kind: match row.text("kind")?.as_str() {
                    "snooze" => TimerKind::Snooze,
                    other => return Err(Error::Corrupt(format!("{other} is no kind of timer"))),
                },
                conversation_id: row.id("conversation_id")?,
                due_at_ms: row.number("due_at_ms")?,
            })
        })
        .collect()
}

// Uses `timer_by_time`.
const FIND_NEXT: &str = "
    /* reads all: no, the first of an index */
    SELECT due_at_ms FROM timer ORDER BY due_at_ms LIMIT 1";

/// When the next timer is due, whether past or to come.
///
/// # Errors
/// The store's.
pub async fn next_due_at_ms(reader: &Reader) -> Result<Option<u64>> {
    let row = reader.row(stmt!(FIND_NEXT)).await?;
    row.map(|row| row.number("due_at_ms")).transpose()
}

// By the primary key.
const DELETE_TIMER: &str = "
    DELETE FROM timer WHERE workspace_id = $1 AND timer_id = $2";

/// Removes a timer that no longer means anything. One that fired goes with what it did.
///
/// # Errors
/// The store's.
pub async fn remove(db: &Db, timer: &Timer) -> Result<()> {
    let mut batch = Batch::locking(vec![timer.conversation_id.to_string()]);
    batch.push(stmt!(DELETE_TIMER, timer.workspace_id, timer.id));
    db.batch(batch).await?;
    Ok(())
}
