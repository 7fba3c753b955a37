//! Users: persons who sign in, possibly to several workspaces. Their table is `account`, for `user` is
//! a word of SQL.

use protocol::id::{LoginSessionId, UserId, WorkspaceId};

use crate::change::Stamp;
use crate::db::{Batch, Db, Reader, Row, Stmt, stmt};
use crate::error::{Result, Written};
use crate::fold::fold;
use crate::session;

/// A user's row. Holds a secret, so it never goes on a wire.
#[derive(Clone, PartialEq, Eq)]
pub struct UserRow {
    /// Its id.
    pub id: UserId,
    /// The address to sign in with.
    pub email: String,
    /// The hash of the password.
    pub password_hash: String,
    /// When it was made.
    pub created_at_ms: u64,
}

impl std::fmt::Debug for UserRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserRow")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Uses `account_by_email`.
const FIND_USER_BY_EMAIL: &str = "
    SELECT user_id, email, password_hash, created_at_ms FROM account WHERE email_folded = $1";

/// The user with this address, whatever its case.
///
/// # Errors
/// The store's.
pub async fn by_email(reader: &Reader, email: &str) -> Result<Option<UserRow>> {
    let rows = reader.rows(stmt!(FIND_USER_BY_EMAIL, fold(email))).await?;
    rows.first().map(decode).transpose()
}

/// Uses the primary key.
const FIND_USER: &str = "
    SELECT user_id, email, password_hash, created_at_ms FROM account WHERE user_id = $1";

/// One user.
///
/// # Errors
/// The store's.
pub async fn find(reader: &Reader, user_id: UserId) -> Result<Option<UserRow>> {
    let rows = reader.rows(stmt!(FIND_USER, user_id)).await?;
    rows.first().map(decode).transpose()
}

const INSERT_USER: &str = "
    INSERT INTO account (user_id, email, email_folded, password_hash, created_at_ms)
    SELECT $3, $4, $5, $6, CAST($7 AS BIGINT) FROM audit_entry
    WHERE workspace_id = $1 AND audit_id = $2";

/// Stores a user where the audit line stands. An address that exists breaks `account_by_email`, and with
/// it the batch.
pub(crate) fn insert_where_audited(
    user: &UserRow,
    stamp: &Stamp<'_>,
    workspace_id: WorkspaceId,
) -> Stmt {
    stmt!(
        INSERT_USER,
        workspace_id,
        stamp.id,
        user.id,
        user.email.as_str(),
        fold(&user.email),
        user.password_hash.as_str(),
        user.created_at_ms,
    )
}

const UPDATE_PASSWORD: &str = "
    UPDATE account SET password_hash = $2
    WHERE user_id = $1 AND (CAST($3 AS TEXT) IS NULL OR password_hash = $3)";

/// Sets a password and ends the user's sessions but `keep`; `Refused` where another one was checked than he has.
///
/// # Errors
/// The store's.
pub async fn set_password(
    db: &Db,
    user_id: UserId,
    password_hash: &str,
    checked: Option<&str>,
    keep: Option<LoginSessionId>,
    at_ms: u64,
) -> Result<Written<()>> {
    let mut batch = Batch::locking(vec![user_id.to_string()]);
    let checked = checked.map(str::to_owned);
    let set = batch.push(stmt!(UPDATE_PASSWORD, user_id, password_hash, checked));
    session::push_ending_of_before(&mut batch, user_id, keep, password_hash, at_ms);
    Ok(match db.batch(batch).await?[set].changed {
        0 => Written::Refused,
        _ => Written::Done(()),
    })
}

fn decode(row: &Row) -> Result<UserRow> {
    Ok(UserRow {
        id: row.id("user_id")?,
        email: row.text("email")?,
        password_hash: row.text("password_hash")?,
        created_at_ms: row.number("created_at_ms")?,
    })
}
