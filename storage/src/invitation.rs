//! Invitations: one-time links into a team. The secret is stored as a hash.

use protocol::agent::{Agent, Invitation};
use protocol::event::EventType;
use protocol::id::{InvitationId, WorkspaceId};
use protocol::limit;
use protocol::permission::{Role, Scope};

use crate::audit::Change;
use crate::change::{Stamp, insert_audit_where_stamped};
use crate::db::{Batch, Db, PRUNE_SLICE, Reader, Row, stmt};
use crate::error::{Error, Result, Written};
use crate::fold::fold;
use crate::session::SessionRow;
use crate::setup::{Account, NewMember};
use crate::{agent, session, user};

/// An invitation's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationRow {
    /// What is shown.
    pub invitation: Invitation,
    /// Its workspace.
    pub workspace_id: WorkspaceId,
    /// SHA-256 of the link's secret.
    pub token_hash: [u8; 32],
}

const ARCHIVE_OPEN: &str = "
    UPDATE invitation SET archived_at_ms = $3, change_id = $4
    WHERE workspace_id = $1 AND email_folded = $2 AND archived_at_ms IS NULL";

const INSERT_INVITATION: &str = "
    INSERT INTO invitation
        (workspace_id, invitation_id, change_id, email, email_folded, role, token_hash, created_at_ms, expires_at_ms)
    SELECT $1, $2, $3, $4, $5, $6, $7, CAST($8 AS BIGINT), CAST($9 AS BIGINT)
    WHERE (SELECT COUNT(*) FROM invitation
        WHERE workspace_id = $1 AND archived_at_ms IS NULL AND expires_at_ms > $8) < $10";

/// Stores an invitation. An open one for the same address is replaced, so it is never `TooMany`, as one over
/// `INVITATIONS_MAX` is.
///
/// # Errors
/// The store's.
pub async fn create(db: &Db, row: &InvitationRow, change: &Change) -> Result<Written<()>> {
    let stamp = Stamp::new(db, change);
    let mut batch = stamp.batch();
    let invitation = &row.invitation;
    let email_folded = fold(&invitation.email);
    batch.locks = vec![row.workspace_id.to_string()];
    batch.push(stmt!(agent::LOCK_WORKSPACE, row.workspace_id));
    batch.push(stmt!(
        ARCHIVE_OPEN,
        row.workspace_id,
        email_folded.as_str(),
        change.at_ms,
        stamp.id,
    ));
    let insert = batch.push(stmt!(
        INSERT_INVITATION,
        row.workspace_id,
        invitation.id,
        stamp.id,
        invitation.email.as_str(),
        email_folded,
        invitation.role.as_str(),
        row.token_hash,
        change.at_ms,
        invitation.expires_at_ms,
        limit::INVITATIONS_MAX,
    ));
    batch.push(stamp.audit_where_stamped(AUDIT_INVITATION, invitation.id));
    batch.push(stamp.value());
    let done = db.batch(batch).await?[insert].changed == 1;
    Ok(if done {
        Written::Done(())
    } else {
        Written::TooMany
    })
}

/// Uses the primary key.
const LIST_INVITATIONS: &str = "
    SELECT workspace_id, invitation_id, email, role, token_hash, expires_at_ms FROM invitation
    WHERE workspace_id = $1 AND archived_at_ms IS NULL AND expires_at_ms > $2
    ORDER BY created_at_ms DESC, invitation_id DESC
    LIMIT 1000";

/// The open invitations, newest first.
///
/// # Errors
/// The store's.
pub async fn list(reader: &Reader, scope: &Scope, now_ms: u64) -> Result<Vec<Invitation>> {
    let rows = reader
        .rows(stmt!(LIST_INVITATIONS, scope.workspace_id(), now_ms))
        .await?;
    rows.iter().map(|row| Ok(decode(row)?.invitation)).collect()
}

/// Uses `invitation_by_token`.
const FIND_INVITATION_BY_TOKEN: &str = "
    SELECT workspace_id, invitation_id, email, role, token_hash, expires_at_ms FROM invitation
    WHERE token_hash = $1 AND archived_at_ms IS NULL AND expires_at_ms > $2";

/// The open invitation with this secret.
///
/// # Errors
/// The store's.
pub async fn by_token(
    reader: &Reader,
    token_hash: &[u8; 32],
    now_ms: u64,
) -> Result<Option<InvitationRow>> {
    let rows = reader
        .rows(stmt!(FIND_INVITATION_BY_TOKEN, *token_hash, now_ms))
        .await?;
    rows.first().map(decode).transpose()
}

const ARCHIVE_INVITATION: &str = "
    UPDATE invitation SET archived_at_ms = $3, change_id = $4
    WHERE workspace_id = $1 AND invitation_id = $2 AND archived_at_ms IS NULL AND expires_at_ms > $3";

/// The same, where the team has room for another member and the account, if there is one, the password that was
/// checked: an invitation that cannot be accepted stays open.
const TAKE_INVITATION: &str = "
    UPDATE invitation SET archived_at_ms = $3, change_id = $4
    WHERE workspace_id = $1 AND invitation_id = $2 AND archived_at_ms IS NULL AND expires_at_ms > $3
        AND (SELECT COUNT(*) FROM agent WHERE workspace_id = $1 AND deactivated_at_ms IS NULL) < $5
        AND (CAST($7 AS TEXT) IS NULL
            OR EXISTS (SELECT 1 FROM account WHERE user_id = $6 AND password_hash = $7))";

/// Uses the primary key.
const FIND_CHECKED_ACCOUNT: &str = "
    SELECT user_id FROM account WHERE user_id = $1 AND password_hash = $2";

/// Uses the primary key.
const FIND_OPEN_INVITATION: &str = "
    SELECT invitation_id FROM invitation
    WHERE workspace_id = $1 AND invitation_id = $2 AND archived_at_ms IS NULL AND expires_at_ms > $3";

const AUDIT_INVITATION: &str = insert_audit_where_stamped!("invitation", "invitation_id");

/// Revokes an open invitation; gives whether there was one.
///
/// # Errors
/// The store's.
pub async fn revoke(db: &Db, invitation_id: InvitationId, change: &Change) -> Result<bool> {
    let stamp = Stamp::new(db, change);
    let mut batch = stamp.batch();
    let archive = batch.push(stmt!(
        ARCHIVE_INVITATION,
        change.workspace_id,
        invitation_id,
        change.at_ms,
        stamp.id,
    ));
    batch.push(stamp.audit_where_stamped(AUDIT_INVITATION, invitation_id));
    batch.push(stamp.value());
    Ok(db.batch(batch).await?[archive].changed == 1)
}

/// Accepts an invitation once: account, member and session in one transaction. `NotFound` where it is no
/// longer open, `AlreadyExists` where the user is a member, `TooMany` past `AGENTS_MAX`, `Refused` where his
/// account has another password than it was read with.
///
/// # Errors
/// The store's.
pub async fn accept(
    db: &Db,
    invitation_id: InvitationId,
    account: &Account,
    member: &NewMember,
    session: &SessionRow,
    change: &Change,
) -> Result<Written<Agent>> {
    let stamp = Stamp::new(db, change);
    let user_id = account.user_id();
    let checked = match account {
        Account::Existing(user) => Some(user.password_hash.as_str()),
        Account::New(_) => None,
    };
    let mut batch = stamp.batch();
    let locks = [user_id.to_string(), change.workspace_id.to_string()];
    batch.locks.splice(0..0, locks);
    batch.push(stmt!(session::LOCK_ACCOUNT, user_id));
    batch.push(stmt!(agent::LOCK_WORKSPACE, change.workspace_id));
    let take = batch.push(stmt!(
        TAKE_INVITATION,
        change.workspace_id,
        invitation_id,
        change.at_ms,
        stamp.id,
        limit::AGENTS_MAX,
        user_id,
        checked.map(str::to_owned),
    ));
    batch.push(agent::insert_invited(
        member,
        user_id,
        invitation_id,
        &stamp,
        change,
    ));
    batch.push(stamp.audit_where_stamped(agent::AUDIT_AGENT, member.id));
    if let Account::New(row) = account {
        batch.push(user::insert_where_audited(row, &stamp, change.workspace_id));
    }
    batch.push(session::insert_where_audited(
        session,
        &stamp,
        change.workspace_id,
    ));
    session::push_ending_over(&mut batch, session);
    batch.push(stamp.value());
    batch.push(stamp.event(EventType::AgentChanged, 1));
    let open = batch.push(stmt!(
        FIND_OPEN_INVITATION,
        change.workspace_id,
        invitation_id,
        change.at_ms
    ));
    let same = batch.push(stmt!(
        FIND_CHECKED_ACCOUNT,
        user_id,
        checked.unwrap_or_default()
    ));
    match db.batch(batch).await {
        Ok(answers) if !answers[open].rows.is_empty() => {
            let is_changed = checked.is_some() && answers[same].rows.is_empty();
            Ok(if is_changed {
                Written::Refused
            } else {
                Written::TooMany
            })
        }
        Ok(answers) if answers[take].changed == 0 => Ok(Written::NotFound),
        Ok(_) => {
            let member = agent::find(db, change.workspace_id, member.id).await?;
            Ok(member.map_or(Written::NotFound, |member| Written::Done(member.agent)))
        }
        Err(Error::Unique(_)) => Ok(Written::AlreadyExists),
        Err(error) => Err(error),
    }
}

// Uses `invitation_by_expiry`.
const DELETE_LAPSED: &str = "
    DELETE FROM invitation WHERE (workspace_id, invitation_id) IN (
        SELECT i.workspace_id, i.invitation_id FROM invitation i
        WHERE i.expires_at_ms < $1 ORDER BY i.expires_at_ms LIMIT $2)";

/// Forgets invitations, used or not, that lapsed before `before_ms`, at most a slice; gives how many.
///
/// # Errors
/// The store's.
pub async fn prune(db: &Db, before_ms: u64) -> Result<u64> {
    let mut batch = Batch::locking(vec!["invitation".to_owned()]);
    batch.push(stmt!(DELETE_LAPSED, before_ms, PRUNE_SLICE));
    Ok(db.batch(batch).await?[0].changed)
}

fn decode(row: &Row) -> Result<InvitationRow> {
    Ok(InvitationRow {
        invitation: Invitation {
            id: row.id("invitation_id")?,
            email: row.text("email")?,
            role: row.word("role", Role::of)?,
            expires_at_ms: row.number("expires_at_ms")?,
            link: None,
        },
        workspace_id: row.id("workspace_id")?,
        token_hash: row
            .bytes("token_hash")?
            .try_into()
            .map_err(|_| Error::Corrupt("token_hash has not 32 bytes".to_owned()))?,
    })
}
