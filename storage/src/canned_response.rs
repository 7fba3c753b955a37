//! Canned responses: the team's, and those that a member keeps for himself.

use protocol::canned_response::{CannedResponse, CannedResponseChange};
use protocol::event::EventType;
use protocol::id::{AgentId, CannedResponseId, WorkspaceId};
use protocol::limit;
use protocol::permission::Scope;

use crate::agent::LOCK_WORKSPACE;
use crate::audit::Change;
use crate::change::{Stamp, insert_audit_where_stamped};
use crate::db::{Db, Reader, Row, stmt};
use crate::error::{Error, Result, Written};
use crate::fold::fold;

/// Whose one is, as it is stored: nobody's name stands for the team.
fn owner(agent_id: Option<AgentId>) -> String {
    agent_id.map_or_else(String::new, |id| id.to_string())
}

fn room(agent_id: Option<AgentId>) -> usize {
    match agent_id {
        Some(_) => limit::OWN_CANNED_RESPONSES_MAX,
        None => limit::CANNED_RESPONSES_MAX,
    }
}

/// Uses `canned_response_by_owner`: at most as many as a team and a member may have.
const LIST_CANNED_RESPONSES: &str = "
    SELECT canned_response_id, version, owner, nickname, body, created_at_ms, changed_at_ms
    FROM canned_response
    WHERE workspace_id = $1 AND owner IN ('', $2)
    ORDER BY nickname_folded, canned_response_id
    LIMIT $3";

/// The team's, and those of a member, by nickname; those without one come first.
///
/// # Errors
/// The store's.
pub async fn list(
    reader: &Reader,
    scope: &Scope,
    agent_id: Option<AgentId>,
) -> Result<Vec<CannedResponse>> {
    let rows = reader
        .rows(stmt!(
            LIST_CANNED_RESPONSES,
            scope.workspace_id(),
            owner(agent_id),
            limit::CANNED_RESPONSES_MAX + limit::OWN_CANNED_RESPONSES_MAX,
        ))
        .await?;
    rows.iter().map(decode).collect()
}

/// Uses the primary key.
const FIND_CANNED_RESPONSE: &str = "
    SELECT canned_response_id, version, owner, nickname, body, created_at_ms, changed_at_ms
    FROM canned_response
    WHERE workspace_id = $1 AND canned_response_id = $2";

/// One, whoever's it is.
///
/// # Errors
/// The store's.
pub async fn find(
    reader: &Reader,
    workspace_id: WorkspaceId,
    id: CannedResponseId,
) -> Result<Option<CannedResponse>> {
    let rows = reader
        .rows(stmt!(FIND_CANNED_RESPONSE, workspace_id, id))
        .await?;
    rows.first().map(decode).transpose()
}

/// Uses `canned_response_by_nickname`.
const INSERT_CANNED_RESPONSE: &str = "
    INSERT INTO canned_response
        (workspace_id, canned_response_id, version, change_id, owner, nickname, nickname_folded, body,
        created_at_ms, changed_at_ms)
    SELECT $1, $2, 1, $3, $4, $5, $6, $7, CAST($8 AS BIGINT), CAST($8 AS BIGINT)
    FROM workspace
    WHERE workspace_id = $1
        AND (SELECT COUNT(*) FROM canned_response WHERE workspace_id = $1 AND owner = $4) < $9
        AND NOT EXISTS (SELECT 1 FROM canned_response
            WHERE workspace_id = $1 AND owner = $4 AND nickname_folded = $6 AND nickname_folded <> '')";

const AUDIT_CANNED_RESPONSE: &str =
    insert_audit_where_stamped!("canned_response", "canned_response_id");

/// Stores one. `TooMany` over what the team or a member may have, `AlreadyExists` for a nickname that is taken.
///
/// # Errors
/// The store's.
pub async fn create(db: &Db, new: &CannedResponse, change: &Change) -> Result<Written<()>> {
    let workspace_id = change.workspace_id;
    let stamp = Stamp::new(db, change);
    let mut batch = stamp.batch();
    batch.locks.insert(0, workspace_id.to_string());
    batch.push(stmt!(LOCK_WORKSPACE, workspace_id));
    let insert = batch.push(stmt!(
        INSERT_CANNED_RESPONSE,
        workspace_id,
        new.id,
        stamp.id,
        owner(new.agent_id),
        new.nickname.as_str(),
        fold(&new.nickname),
        new.body.as_str(),
        new.created_at_ms,
        room(new.agent_id),
    ));
    batch.push(stamp.audit_where_stamped(AUDIT_CANNED_RESPONSE, new.id));
    batch.push(stamp.value());
    batch.push(stamp.event(EventType::CannedResponseChanged, 1));
    match db.batch(batch).await {
        Ok(answers) if answers[insert].changed == 1 => Ok(Written::Done(())),
        Ok(_) if is_taken(db, workspace_id, new.agent_id, &new.nickname).await? => {
            Ok(Written::AlreadyExists)
        }
        Ok(_) => Ok(Written::TooMany),
        Err(Error::Unique(_)) => Ok(Written::AlreadyExists),
        Err(error) => Err(error),
    }
}

/// Uses `canned_response_by_nickname`.
const FIND_NICKNAME: &str = "
    SELECT canned_response_id FROM canned_response
    WHERE workspace_id = $1 AND owner = $2 AND nickname_folded = $3 AND nickname_folded <> ''
    LIMIT 1";

async fn is_taken(
    reader: &Reader,
    workspace_id: WorkspaceId,
    agent_id: Option<AgentId>,
    nickname: &str,
) -> Result<bool> {
    let find = stmt!(FIND_NICKNAME, workspace_id, owner(agent_id), fold(nickname));
    Ok(!reader.rows(find).await?.is_empty())
}

const UPDATE_CANNED_RESPONSE: &str = "
    UPDATE canned_response SET
        version = version + 1,
        change_id = $4,
        nickname = COALESCE($5, nickname),
        nickname_folded = COALESCE($6, nickname_folded),
        body = COALESCE($7, body),
        changed_at_ms = $8
    WHERE workspace_id = $1 AND canned_response_id = $2 AND version = $3
        AND (CAST($6 AS TEXT) IS NULL OR $6 = '' OR NOT EXISTS (SELECT 1 FROM canned_response other
            WHERE other.workspace_id = $1 AND other.owner = canned_response.owner
                AND other.nickname_folded = $6 AND other.nickname_folded <> ''
                AND other.canned_response_id <> $2))";

/// Changes one; what is absent stays. `AlreadyExists` for a nickname that is taken.
///
/// # Errors
/// The store's.
pub async fn change(
    db: &Db,
    id: CannedResponseId,
    version: u64,
    new: &CannedResponseChange,
    change: &Change,
) -> Result<Written<CannedResponse>> {
    let workspace_id = change.workspace_id;
    let stamp = Stamp::new(db, change);
    let mut batch = stamp.batch();
    batch.locks.insert(0, workspace_id.to_string());
    batch.push(stmt!(LOCK_WORKSPACE, workspace_id));
    let update = batch.push(stmt!(
        UPDATE_CANNED_RESPONSE,
        workspace_id,
        id,
        version,
        stamp.id,
        new.nickname.clone(),
        new.nickname.as_deref().map(fold),
        new.body.as_ref().map(|body| body.as_str().to_owned()),
        change.at_ms,
    ));
    batch.push(stamp.audit_where_stamped(AUDIT_CANNED_RESPONSE, id));
    batch.push(stamp.value());
    batch.push(stamp.event(EventType::CannedResponseChanged, version + 1));
    let changed = match db.batch(batch).await {
        Ok(answers) => answers[update].changed,
        Err(Error::Unique(_)) => return Ok(Written::AlreadyExists),
        Err(error) => return Err(error),
    };
    match (find(db, workspace_id, id).await?, changed) {
        (Some(now), 1) => Ok(Written::Done(now)),
        (Some(now), _) if now.version == version => Ok(Written::AlreadyExists),
        (Some(_), _) => Ok(Written::VersionConflict),
        (None, _) => Ok(Written::NotFound),
    }
}

const STAMP_CANNED_RESPONSE: &str = "
    UPDATE canned_response SET version = version + 1, change_id = $3
    WHERE workspace_id = $1 AND canned_response_id = $2";

/// Takes away what carries the stamp.
const DELETE_CANNED_RESPONSE: &str = "
    DELETE FROM canned_response WHERE workspace_id = $1 AND canned_response_id = $2 AND change_id = $3";

/// Takes one away for good; gives whether it was there.
///
/// # Errors
/// The store's.
pub async fn remove(db: &Db, id: CannedResponseId, change: &Change) -> Result<bool> {
    let workspace_id = change.workspace_id;
    let stamp = Stamp::new(db, change);
    let mut batch = stamp.batch();
    let update = batch.push(stmt!(STAMP_CANNED_RESPONSE, workspace_id, id, stamp.id));
    batch.push(stamp.audit_where_stamped(AUDIT_CANNED_RESPONSE, id));
    batch.push(stamp.value());
    batch.push(stamp.event(EventType::CannedResponseChanged, change.at_ms));
    batch.push(stmt!(DELETE_CANNED_RESPONSE, workspace_id, id, stamp.id));
    Ok(db.batch(batch).await?[update].changed == 1)
}

fn decode(row: &Row) -> Result<CannedResponse> {
    let owner = row.text("owner")?;
    Ok(CannedResponse {
        id: row.id("canned_response_id")?,
        version: row.number("version")?,
        agent_id: match owner.as_str() {
            "" => None,
            _ => Some(row.id("owner")?),
        },
        nickname: row.text("nickname")?,
        body: row.text("body")?,
        created_at_ms: row.number("created_at_ms")?,
        changed_at_ms: row.number("changed_at_ms")?,
    })
}
