//! Whose turn the daily backup is: of all nodes that share a store one writes it. The turn that was taken last stands
//! in the store; whoever takes the next one puts his in its place, and of several who try one is in time.

use serde::{Deserialize, Serialize};

use crate::db::{Batch, Db, Reader, stmt};
use crate::error::{Error, Result};

/// Under which name it stands in the store.
const NAME: &str = "backup_turn";

/// A node that writes backups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its machine and data directory, which stay the same over restarts.
    pub place: String,
    /// Its seat among the nodes of the store: [`crate::node::Node::seat`].
    pub seat: String,
}

/// A turn at the daily backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Whose.
    pub holder: Holder,
    /// When the backup was due.
    pub due_at_ms: u64,
    /// When the turn was taken.
    pub taken_at_ms: u64,
    /// What became of it.
    pub state: TurnState,
}

/// What became of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnState {
    /// It is being written, or its node died meanwhile.
    Taken,
    /// The backup is there.
    Written,
    /// It could not be written.
    Failed,
}

/// A turn as it stands in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// It.
    pub turn: Turn,
    /// As what.
    bytes: Vec<u8>,
}

// By the primary key.
const FIND_TURN: &str = "
    SELECT value FROM meta WHERE name = $1";

const INSERT_TURN: &str = "
    INSERT INTO meta (name, value) VALUES ($1, $2)
    ON CONFLICT (name) DO NOTHING";

const REPLACE_TURN: &str = "
    UPDATE meta SET value = $2 WHERE name = $1 AND value = $3";

/// The turn that was taken last.
///
/// # Errors
/// The store's.
pub async fn find(reader: &Reader) -> Result<Option<Stored>> {
    let Some(row) = reader.row(stmt!(FIND_TURN, NAME)).await? else {
        return Ok(None);
    };
    let bytes = row.bytes("value")?;
    let turn = serde_json::from_slice(&bytes)
        .map_err(|error| Error::Corrupt(format!("whose turn a backup is: {error}")))?;
    Ok(Some(Stored { turn, bytes }))
}

/// Puts a turn in the place of the last one; gives nothing where that is no longer the last.
///
/// # Errors
/// The store's.
pub async fn put(db: &Db, last: Option<&Stored>, turn: Turn) -> Result<Option<Stored>> {
    let bytes = serde_json::to_vec(&turn).map_err(|error| Error::Fault(error.to_string()))?;
    let mut batch = Batch::locking(vec![format!("meta {NAME}")]);
    batch.push(match last {
        Some(last) => stmt!(REPLACE_TURN, NAME, bytes.clone(), last.bytes.clone()),
        None => stmt!(INSERT_TURN, NAME, bytes.clone()),
    });
    let answers = db.batch(batch).await?;
    Ok((answers[0].changed == 1).then_some(Stored { turn, bytes }))
}
