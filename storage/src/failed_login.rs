//! Sign-ins that failed: for the team to see, and for the lock-out to survive a restart.

use protocol::audit::FailedLogin;
use protocol::id::{EventId, WorkspaceId};
use protocol::page::{Cursor, List, Page};
use protocol::permission::Scope;

use crate::db::{Batch, Db, PRUNE_SLICE, Reader, Row, stmt};
use crate::error::Result;
use crate::fold::fold;
use crate::page::{After, page};

const INSERT_FAILED_LOGIN: &str = "
    INSERT INTO failed_login
        (failed_login_id, workspace_id, at_ms, email, email_folded, address, country, user_agent, reason)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// Stores a failed sign-in, with the workspace that may see it.
///
/// # Errors
/// The store's.
pub async fn create(
    db: &Db,
    workspace_id: Option<WorkspaceId>,
    failed: &FailedLogin,
) -> Result<()> {
    // The row needs an id to be paged by, and nobody names it: an event's form serves.
    let id: EventId = db.world().ids.next();
    let mut batch = Batch::locking(Vec::new());
    batch.push(stmt!(
        INSERT_FAILED_LOGIN,
        id,
        workspace_id,
        failed.at_ms,
        failed.email.as_str(),
        fold(&failed.email),
        failed.address.as_str(),
        failed.country.clone(),
        failed.user_agent.as_str(),
        failed.reason.as_str(),
    ));
    db.batch(batch).await?;
    Ok(())
}

/// Uses `failed_login_by_workspace`.
const LIST_FAILED_LOGINS: &str = "
    SELECT failed_login_id, at_ms, email, address, country, user_agent, reason
    FROM failed_login
    WHERE workspace_id = $1 AND (at_ms, failed_login_id) < ($2, $3)
    ORDER BY at_ms DESC, failed_login_id DESC
    LIMIT $4";

/// The failed sign-ins that this workspace may see, newest first.
///
/// # Errors
/// The store's.
pub async fn list(
    reader: &Reader,
    scope: &Scope,
    cursor: Option<&Cursor<EventId>>,
    limit: usize,
) -> Result<Page<FailedLogin>> {
    let after = After::of(cursor);
    let rows = reader
        .rows(stmt!(
            LIST_FAILED_LOGINS,
            scope.workspace_id(),
            after.at_ms,
            after.id,
            limit + 1,
        ))
        .await?;
    let found = page(
        &rows,
        limit,
        |row| Ok((row.id("failed_login_id")?, decode(row)?)),
        |(id, failed): &(EventId, FailedLogin)| {
            let (at_ms, id) = (failed.at_ms, *id);
            Cursor { at_ms, id }.text(List::FailedLogins)
        },
    )?;
    Ok(Page {
        items: found.items.into_iter().map(|(_, failed)| failed).collect(),
        cursor: found.cursor,
    })
}

fn decode(row: &Row) -> Result<FailedLogin> {
    Ok(FailedLogin {
        at_ms: row.number("at_ms")?,
        email: row.text("email")?,
        address: row.text("address")?,
        country: row.maybe_text("country")?,
        user_agent: row.text("user_agent")?,
        reason: row.text("reason")?,
    })
}

/// Failed attempts of late.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attempts {
    /// How many.
    pub count: u64,
    /// The newest.
    pub newest_at_ms: Option<u64>,
}

/// Uses `failed_login_by_address`. What was refused for a lock does not lengthen it.
const COUNT_BY_ADDRESS: &str = "
    SELECT COUNT(*) AS count, MAX(at_ms) AS newest_at_ms FROM failed_login
    WHERE address = $1 AND at_ms >= $2 AND reason <> 'locked'";

/// The attempts from a network address since a time, without those that met a lock.
///
/// # Errors
/// The store's.
pub async fn of_address(reader: &Reader, address: &str, since_ms: u64) -> Result<Attempts> {
    attempts(
        reader
            .rows(stmt!(COUNT_BY_ADDRESS, address, since_ms))
            .await?,
    )
}

/// Uses `failed_login_by_email`.
const COUNT_BY_EMAIL: &str = "
    SELECT COUNT(*) AS count, MAX(at_ms) AS newest_at_ms FROM failed_login
    WHERE email_folded = $1 AND at_ms >= $2 AND reason <> 'locked'";

/// The attempts with an e-mail address since a time, without those that met a lock.
///
/// # Errors
/// The store's.
pub async fn of_email(reader: &Reader, email: &str, since_ms: u64) -> Result<Attempts> {
    attempts(
        reader
            .rows(stmt!(COUNT_BY_EMAIL, fold(email), since_ms))
            .await?,
    )
}

fn attempts(rows: Vec<Row>) -> Result<Attempts> {
    rows.first().map_or(Ok(Attempts::default()), |row| {
        Ok(Attempts {
            count: row.number("count")?,
            newest_at_ms: row.maybe_number("newest_at_ms")?,
        })
    })
}

// Uses `failed_login_by_time`, and walks as many of its entries as are kept: for the hourly look alone.
const FIND_NEWEST_BEYOND: &str = "
    /* reads all: as many entries of an index as are kept, once an hour */
    SELECT at_ms FROM failed_login ORDER BY at_ms DESC LIMIT 1 OFFSET $1";

/// When the newest happened of those beyond a number, newest first; nothing where there are not so many.
///
/// # Errors
/// The store's.
pub async fn beyond(reader: &Reader, count: u64) -> Result<Option<u64>> {
    let rows = reader.rows(stmt!(FIND_NEWEST_BEYOND, count)).await?;
    rows.first().map(|row| row.number("at_ms")).transpose()
}

// Uses `failed_login_by_time`.
const DELETE_OLD: &str = "
    DELETE FROM failed_login WHERE failed_login_id IN (
        SELECT f.failed_login_id FROM failed_login f
        WHERE f.at_ms < $1 ORDER BY f.at_ms LIMIT $2)";

/// Forgets failed sign-ins of before `before_ms`, at most a slice; gives how many.
///
/// # Errors
/// The store's.
pub async fn prune(db: &Db, before_ms: u64) -> Result<u64> {
    let mut batch = Batch::locking(vec!["failed_login".to_owned()]);
    batch.push(stmt!(DELETE_OLD, before_ms, PRUNE_SLICE));
    Ok(db.batch(batch).await?[0].changed)
}
