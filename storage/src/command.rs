//! Commands: what was asked under which client id, and what came of it. Remembered for 90 days at least.

use protocol::conversation::State;
use protocol::id::{ConversationId, EntryId, WorkspaceId};
use protocol::text::ClientId;

use crate::db::{Batch, Db, PRUNE_SLICE, Reader, Row, Stmt, stmt};
use crate::error::{Error, Result};

/// The name of a command: who asks, under which id, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandKey {
    /// Who asks: `Actor::principal_key`.
    pub principal: String,
    /// The asker's name for the command.
    pub client_id: ClientId,
    /// SHA-256 of what is asked, so that another command under the same id is noticed.
    pub digest: [u8; 32],
}

/// What came of an accepted command. A retry gets the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Where it went.
    pub conversation_id: Option<ConversationId>,
    /// The entry it made; the last one where it made several.
    pub entry_id: Option<EntryId>,
    /// The entry's number for the team.
    pub seq: Option<u64>,
    /// The entry's number for the visitor, where he may see it.
    pub public_seq: Option<u64>,
    /// When it was stored.
    pub sent_at_ms: u64,
}

/// Why a guarded write changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The conversation, visitor or target does not exist, or is not the speaker's.
    NotFound,
    /// The conversation is in this state, which does not allow it.
    State(State),
    /// The visitor is blocked.
    Blocked,
    /// The pen has another fence by now.
    Fence,
    /// The conversation has another version by now: decide again.
    Stale,
    /// A file is not the speaker's, does not exist, or belongs to a message already.
    Attachment,
    /// The time for changing the message is over.
    WindowOver,
    /// There is no room for more in this field.
    TooMany(&'static str),
    /// The visitor has another open conversation on the site.
    OtherOpen(ConversationId),
}

/// What is remembered under a command's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// This very attempt was accepted.
    Mine(Receipt),
    /// The same command was accepted before.
    Before(Receipt),
    /// Another command was accepted under the name.
    Other,
}

/// The outcome of a command that makes no entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remembered {
    /// Done now.
    Accepted(Receipt),
    /// Done before, under the same id: the first receipt.
    Replayed(Receipt),
    /// The id was used for something else.
    ClientIdReused,
    /// Nothing was changed.
    Refused(Refusal),
}

// By the primary key.
const FIND_COMMAND: &str = "
    SELECT digest, attempt_id, conversation_id, entry_id, seq, public_seq, sent_at_ms
    FROM command
    WHERE workspace_id = $1 AND principal = $2 AND client_id = $3";

/// The read of a command's row.
pub(crate) fn find_stmt(workspace_id: WorkspaceId, key: &CommandKey) -> Stmt {
    stmt!(
        FIND_COMMAND,
        workspace_id,
        key.principal.as_str(),
        key.client_id.as_str()
    )
}

/// What a command's row says to an attempt under a key.
pub(crate) fn decode(row: &Row, key: &CommandKey, attempt_id: Option<EntryId>) -> Result<Found> {
    let receipt = Receipt {
        conversation_id: row.maybe_id("conversation_id")?,
        entry_id: row.maybe_id("entry_id")?,
        seq: row.maybe_number("seq")?,
        public_seq: row.maybe_number("public_seq")?,
        sent_at_ms: row.number("sent_at_ms")?,
    };
    if attempt_id.is_some() && row.maybe_id("attempt_id")? == attempt_id {
        return Ok(Found::Mine(receipt));
    }
    Ok(if row.bytes("digest")? == key.digest {
        Found::Before(receipt)
    } else {
        Found::Other
    })
}

/// Looks up what came of a command: nothing if it was never accepted.
///
/// # Errors
/// The store's.
pub async fn find(
    reader: &Reader,
    workspace_id: WorkspaceId,
    key: &CommandKey,
) -> Result<Option<Found>> {
    let row = reader.row(find_stmt(workspace_id, key)).await?;
    row.map(|row| decode(&row, key, None)).transpose()
}

const INSERT_COMMAND: &str = "
    INSERT INTO command (workspace_id, principal, client_id, digest, attempt_id, conversation_id,
        sent_at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (workspace_id, principal, client_id) DO NOTHING";

/// Remembers a command that had nothing to change, so that a retry gets the same answer.
///
/// # Errors
/// The store's.
pub async fn remember(
    db: &Db,
    workspace_id: WorkspaceId,
    key: &CommandKey,
    conversation_id: Option<ConversationId>,
    at_ms: u64,
) -> Result<Remembered> {
    let attempt_id = db.world().ids.next::<EntryId>();
    let mut batch = Batch::locking(vec![key.principal.clone()]);
    batch.push(stmt!(
        INSERT_COMMAND,
        workspace_id,
        key.principal.as_str(),
        key.client_id.as_str(),
        key.digest,
        attempt_id,
        conversation_id,
        at_ms
    ));
    let read = batch.push(find_stmt(workspace_id, key));
    let answers = db.batch(batch).await?;
    let row = answers[read].rows.first();
    let row = row.ok_or_else(|| Error::Corrupt("what was just stored is not there".to_owned()))?;
    Ok(match decode(row, key, Some(attempt_id))? {
        Found::Mine(receipt) => Remembered::Accepted(receipt),
        Found::Before(receipt) => Remembered::Replayed(receipt),
        Found::Other => Remembered::ClientIdReused,
    })
}

// Uses `command_by_time`.
const DELETE_OLD: &str = "
    DELETE FROM command WHERE (workspace_id, principal, client_id) IN (
        SELECT workspace_id, principal, client_id FROM command WHERE sent_at_ms < $1
        ORDER BY sent_at_ms LIMIT $2)";

/// Forgets commands older than `before_ms`, at most a slice; gives how many.
///
/// # Errors
/// The store's.
pub async fn prune(db: &Db, before_ms: u64) -> Result<u64> {
    let mut batch = Batch::locking(vec!["command".to_owned()]);
    batch.push(stmt!(DELETE_OLD, before_ms, PRUNE_SLICE));
    Ok(db.batch(batch).await?[0].changed)
}
