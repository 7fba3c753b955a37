//! The event log: what happened, by ids. Appended by every batch that changes something; tailed by nodes.

use protocol::event::{Event, EventType};

use crate::db::{Batch, Db, Reader, stmt};
use crate::error::{Error, Result};

/// Where a reader of the log stands. Positions are not given in commit order on Postgres, so the
/// transaction's number comes first and nothing is read that a running transaction might precede.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventCursor {
    /// The transaction.
    pub transaction: u64,
    /// The position within it.
    pub position: u64,
}

/// What stands in the log after a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// The events in order, with where each stands. Types that a newer program wrote are skipped.
    pub events: Vec<(EventCursor, Event)>,
    /// Where the reader stands after them, and after those that were skipped.
    pub end: EventCursor,
    /// Whether there may be more that can be read now.
    pub more: bool,
    /// Whether there are events that a running transaction might precede: they can be read once it has ended,
    /// and nobody tells when that is.
    pub waits: bool,
}

// Uses `event_by_transaction`. What is behind the horizon comes last.
const TAIL_EVENTS: &str = "
    SELECT transaction_number, position, event_id, workspace_id, event_type, subject, number, at_ms,
        transaction_number < transaction_horizon() AS settled
    FROM event
    WHERE (transaction_number, position) > ($1, $2)
    ORDER BY transaction_number, position
    LIMIT $3";

/// Reads on after a cursor, at most `limit` events.
///
/// # Errors
/// The store's.
pub async fn tail(reader: &Reader, cursor: EventCursor, limit: usize) -> Result<Tail> {
    let rows = reader
        .rows(stmt!(
            TAIL_EVENTS,
            cursor.transaction,
            cursor.position,
            limit
        ))
        .await?;
    let mut tail = Tail {
        events: Vec::with_capacity(rows.len()),
        end: cursor,
        more: rows.len() >= limit,
        waits: false,
    };
    for row in rows {
        if !row.flag("settled")? {
            (tail.more, tail.waits) = (false, true);
            break;
        }
        let at = EventCursor {
            transaction: row.number("transaction_number")?,
            position: row.number("position")?,
        };
        tail.end = at;
        let Some(event_type) = EventType::of(&row.text("event_type")?) else {
            continue;
        };
        tail.events.push((
            at,
            Event {
                id: row.id("event_id")?,
                workspace_id: row.id("workspace_id")?,
                event_type,
                subject: row.text("subject")?,
                number: row.number("number")?,
                at_ms: row.number("at_ms")?,
            },
        ));
    }
    Ok(tail)
}

// Uses `event_by_transaction`.
const FIND_END: &str = "
    SELECT transaction_number, position
    FROM event
    WHERE transaction_number < transaction_horizon()
    ORDER BY transaction_number DESC, position DESC
    LIMIT 1";

/// Where the log ends now. What a running transaction appends comes after it.
///
/// # Errors
/// The store's.
pub async fn end(reader: &Reader) -> Result<EventCursor> {
    let row = reader.row(stmt!(FIND_END)).await?;
    row.map_or(Ok(EventCursor::default()), |row| {
        Ok(EventCursor {
            transaction: row.number("transaction_number")?,
            position: row.number("position")?,
        })
    })
}

// By the primary key: positions grow with time, nearly.
const DELETE_OLD: &str = "
    /* reads all: no, the first thousand by the primary key */
    DELETE FROM event WHERE at_ms < $1 AND position IN (
        SELECT position FROM event ORDER BY position LIMIT 1000)";

/// Removes events older than `before_ms`, at most 1,000; gives how many.
///
/// # Errors
/// The store's.
pub async fn prune(db: &Db, before_ms: u64) -> Result<u64> {
    let mut batch = Batch::locking(vec!["event".to_owned()]);
    batch.push(stmt!(DELETE_OLD, before_ms));
    let answers = db.batch(batch).await?;
    let answer = answers.first();
    Ok(answer
        .ok_or_else(|| Error::Fault("a statement gave no answer".to_owned()))?
        .changed)
}
