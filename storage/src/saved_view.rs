//! Saved views: the team's, and those that a member keeps for himself.

use protocol::event::EventType;
use protocol::id::{AgentId, SavedViewId, WorkspaceId};
use protocol::limit;
use protocol::permission::Scope;
use protocol::saved_view::{SavedList, SavedView, SavedViewChange};

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
        Some(_) => limit::OWN_SAVED_VIEWS_MAX,
        None => limit::SAVED_VIEWS_MAX,
    }
}

/// Uses `saved_view_by_name`: at most as many as a team and a member may have.
const LIST_SAVED_VIEWS: &str = "
    SELECT saved_view_id, version, owner, name, list_json
    FROM saved_view
    WHERE workspace_id = $1 AND owner IN ('', $2)
    ORDER BY name_folded, saved_view_id
    LIMIT $3";

/// The team's, and those of a member, by name.
///
/// # Errors
/// The store's.
pub async fn list(
    reader: &Reader,
    scope: &Scope,
    agent_id: Option<AgentId>,
) -> Result<Vec<SavedView>> {
    let rows = reader
        .rows(stmt!(
            LIST_SAVED_VIEWS,
            scope.workspace_id(),
            owner(agent_id),
            limit::SAVED_VIEWS_MAX + limit::OWN_SAVED_VIEWS_MAX,
        ))
        .await?;
    rows.iter().map(decode).collect()
}

/// Uses the primary key.
const FIND_SAVED_VIEW: &str = "
    SELECT saved_view_id, version, owner, name, list_json
    FROM saved_view
    WHERE workspace_id = $1 AND saved_view_id = $2";

/// One, whoever's it is.
///
/// # Errors
/// The store's.
pub async fn find(
    reader: &Reader,
    workspace_id: WorkspaceId,
    id: SavedViewId,
) -> Result<Option<SavedView>> {
    let rows = reader
        .rows(stmt!(FIND_SAVED_VIEW, workspace_id, id))
        .await?;
    rows.first().map(decode).transpose()
}

/// Uses `saved_view_by_name`.
const INSERT_SAVED_VIEW: &str = "
    INSERT INTO saved_view
        (workspace_id, saved_view_id, version, change_id, owner, name, name_folded, list_json)
    SELECT $1, $2, 1, $3, $4, $5, $6, $7
    FROM workspace
    WHERE workspace_id = $1
        AND (SELECT COUNT(*) FROM saved_view WHERE workspace_id = $1 AND owner = $4) < $8
        AND NOT EXISTS (SELECT 1 FROM saved_view
            WHERE workspace_id = $1 AND owner = $4 AND name_folded = $6)";

const AUDIT_SAVED_VIEW: &str = insert_audit_where_stamped!("saved_view", "saved_view_id");

/// Stores one. `TooMany` over what the team or a member may have, `AlreadyExists` for a name that is taken.
///
/// # Errors
/// The store's.
pub async fn create(db: &Db, new: &SavedView, change: &Change) -> Result<Written<()>> {
    let workspace_id = change.workspace_id;
    let stamp = Stamp::new(db, change);
    let mut batch = stamp.batch();
    batch.locks.insert(0, workspace_id.to_string());
    batch.push(stmt!(LOCK_WORKSPACE, workspace_id));
    let insert = batch.push(stmt!(
        INSERT_SAVED_VIEW,
        workspace_id,
        new.id,
        stamp.id,
        owner(new.agent_id),
        new.name.as_str(),
        fold(&new.name),
        json(&new.list),
        room(new.agent_id),
    ));
    batch.push(stamp.audit_where_stamped(AUDIT_SAVED_VIEW, new.id));
    batch.push(stamp.value());
    batch.push(stamp.event(EventType::SavedViewChanged, 1));
    match db.batch(batch).await {
        Ok(answers) if answers[insert].changed == 1 => Ok(Written::Done(())),
        Ok(_) if is_taken(db, workspace_id, new.agent_id, &new.name).await? => {
            Ok(Written::AlreadyExists)
        }
        Ok(_) => Ok(Written::TooMany),
        Err(Error::Unique(_)) => Ok(Written::AlreadyExists),
        Err(error) => Err(error),
    }
}

/// Uses `saved_view_by_name`.
const FIND_NAME: &str = "
    SELECT saved_view_id FROM saved_view
    WHERE workspace_id = $1 AND owner = $2 AND name_folded = $3
    LIMIT 1";

async fn is_taken(
    reader: &Reader,
    workspace_id: WorkspaceId,
    agent_id: Option<AgentId>,
    name: &str,
) -> Result<bool> {
    let find = stmt!(FIND_NAME, workspace_id, owner(agent_id), fold(name));
    Ok(!reader.rows(find).await?.is_empty())
}

const UPDATE_SAVED_VIEW: &str = "
    UPDATE saved_view SET
        version = version + 1,
        change_id = $4,
        name = COALESCE($5, name),
        name_folded = COALESCE($6, name_folded),
        list_json = COALESCE($7, list_json)
    WHERE workspace_id = $1 AND saved_view_id = $2 AND version = $3
        AND (CAST($6 AS TEXT) IS NULL OR NOT EXISTS (SELECT 1 FROM saved_view other
            WHERE other.workspace_id = $1 AND other.owner = saved_view.owner
                AND other.name_folded = $6 AND other.saved_view_id <> $2))";

/// Changes one; what is absent stays. `AlreadyExists` for a name that is taken.
///
/// # Errors
/// The store's.
pub async fn change(
    db: &Db,
    id: SavedViewId,
    version: u64,
    new: &SavedViewChange,
    change: &Change,
) -> Result<Written<SavedView>> {
    let workspace_id = change.workspace_id;
    let stamp = Stamp::new(db, change);
    let mut batch = stamp.batch();
    batch.locks.insert(0, workspace_id.to_string());
    batch.push(stmt!(LOCK_WORKSPACE, workspace_id));
    let name = new.name.as_ref().map(|name| name.as_str().to_owned());
    let update = batch.push(stmt!(
        UPDATE_SAVED_VIEW,
        workspace_id,
        id,
        version,
        stamp.id,
        name.clone(),
        name.as_deref().map(fold),
        new.list.as_ref().map(json),
    ));
    batch.push(stamp.audit_where_stamped(AUDIT_SAVED_VIEW, id));
    batch.push(stamp.value());
    batch.push(stamp.event(EventType::SavedViewChanged, version + 1));
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

const STAMP_SAVED_VIEW: &str = "
    UPDATE saved_view SET version = version + 1, change_id = $3
    WHERE workspace_id = $1 AND saved_view_id = $2";

/// Takes away what carries the stamp.
const DELETE_SAVED_VIEW: &str = "
    DELETE FROM saved_view WHERE workspace_id = $1 AND saved_view_id = $2 AND change_id = $3";

/// Takes one away for good; gives whether it was there.
///
/// # Errors
/// The store's.
pub async fn remove(db: &Db, id: SavedViewId, change: &Change) -> Result<bool> {
    let workspace_id = change.workspace_id;
    let stamp = Stamp::new(db, change);
    let mut batch = stamp.batch();
    let update = batch.push(stmt!(STAMP_SAVED_VIEW, workspace_id, id, stamp.id));
    batch.push(stamp.audit_where_stamped(AUDIT_SAVED_VIEW, id));
    batch.push(stamp.value());
    batch.push(stamp.event(EventType::SavedViewChanged, change.at_ms));
    batch.push(stmt!(DELETE_SAVED_VIEW, workspace_id, id, stamp.id));
    Ok(db.batch(batch).await?[update].changed == 1)
}

fn json(list: &SavedList) -> String {
    serde_json::to_string(list).expect("a list is words and ids")
}

fn decode(row: &Row) -> Result<SavedView> {
    let owner = row.text("owner")?;
    Ok(SavedView {
        id: row.id("saved_view_id")?,
        version: row.number("version")?,
        agent_id: match owner.as_str() {
            "" => None,
            _ => Some(row.id("owner")?),
        },
        name: row.text("name")?,
        list: row.json("list_json")?,
    })
}
