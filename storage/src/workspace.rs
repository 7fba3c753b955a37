//! Workspaces: tenants, and their settings.

use protocol::event::EventType;
use protocol::id::WorkspaceId;
use protocol::support_hours::SupportHours;
use protocol::workspace::{Settings, Workspace, WorkspaceChange};

use crate::audit::Change;
use crate::change::{Stamp, insert_audit_where_stamped};
use crate::db::{Batch, Db, Reader, Row, Stmt, stmt};
use crate::error::{Error, Result, Written};
use crate::picture::{self, NewPicture};

/// Uses the primary keys.
const FIND_WORKSPACE: &str = "
    SELECT w.workspace_id, w.version, w.name, w.time_zone, w.industry, w.currency, w.support_hours_json,
        p.picture_id
    FROM workspace w
    LEFT JOIN workspace_picture p ON p.workspace_id = w.workspace_id
    WHERE w.workspace_id = $1";

/// Uses the primary key.
const FIND_SETTINGS: &str = "
    SELECT name, value_json FROM setting WHERE workspace_id = $1 ORDER BY name LIMIT 1000";

/// One workspace.
///
/// # Errors
/// The store's.
pub async fn find(reader: &Reader, workspace_id: WorkspaceId) -> Result<Option<Workspace>> {
    let answers = reader
        .snapshot(vec![
            stmt!(FIND_WORKSPACE, workspace_id),
            stmt!(FIND_SETTINGS, workspace_id),
        ])
        .await?;
    answers[0]
        .first()
        .map(|row| decode(row, &answers[1]))
        .transpose()
}

/// Workspaces that are read at a time.
const PAGE_LENGTH: usize = 500;

/// Uses the primary key.
const LIST_WORKSPACES: &str = "
    SELECT workspace_id FROM workspace WHERE workspace_id > $1 ORDER BY workspace_id LIMIT $2";

/// All workspaces, oldest first as their ids tell: for those who serve all of them. Costs a read for each.
///
/// # Errors
/// The store's.
pub async fn list(reader: &Reader) -> Result<Vec<Workspace>> {
    let mut workspaces = Vec::new();
    for workspace_id in ids(reader).await? {
        workspaces.extend(find(reader, workspace_id).await?);
    }
    Ok(workspaces)
}

/// The ids of all workspaces, a page at a time.
async fn ids(reader: &Reader) -> Result<Vec<WorkspaceId>> {
    let mut ids: Vec<WorkspaceId> = Vec::new();
    loop {
        let after = ids.last().map(ToString::to_string).unwrap_or_default();
        let rows = reader
            .rows(stmt!(LIST_WORKSPACES, after, PAGE_LENGTH))
            .await?;
        for row in &rows {
            ids.push(row.id("workspace_id")?);
        }
        if rows.len() < PAGE_LENGTH {
            return Ok(ids);
        }
    }
}

const INSERT_WORKSPACE: &str = "
    INSERT INTO workspace (workspace_id, version, change_id, name, time_zone, created_at_ms)
    SELECT $1, 1, $2, $3, $4, CAST($5 AS BIGINT)
    WHERE NOT EXISTS (SELECT 1 FROM workspace)";

/// Stores the first workspace, where there is none yet.
pub(crate) fn insert_first(workspace: &Workspace, stamp: &Stamp<'_>, at_ms: u64) -> Stmt {
    stmt!(
        INSERT_WORKSPACE,
        workspace.id,
        stamp.id,
        workspace.name.as_str(),
        workspace.time_zone.as_str(),
        at_ms,
    )
}

/// The audit line of a change of the workspace.
pub(crate) const AUDIT_WORKSPACE: &str = insert_audit_where_stamped!("workspace", "workspace_id");

const UPDATE_WORKSPACE: &str = "
    UPDATE workspace
    SET version = version + 1, change_id = $2, name = COALESCE($4, name), time_zone = COALESCE($5, time_zone),
        industry = COALESCE($6, industry), currency = COALESCE($7, currency),
        support_hours_json = COALESCE($8, support_hours_json)
    WHERE workspace_id = $1 AND version = $3";

const UPSERT_SETTING: &str = "
    INSERT INTO setting (workspace_id, name, value_json)
    SELECT $1, $3, $4 FROM audit_entry WHERE workspace_id = $1 AND audit_id = $2
    ON CONFLICT (workspace_id, name) DO UPDATE SET value_json = EXCLUDED.value_json";

/// Changes a workspace, but for its icon; what is absent stays.
///
/// # Errors
/// The store's.
pub async fn change(
    db: &Db,
    version: u64,
    new: &WorkspaceChange,
    change: &Change,
) -> Result<Written<Workspace>> {
    change_with_icon(db, version, new, None, change).await
}

/// Changes a workspace; `icon` is what the change says of it, checked.
///
/// # Errors
/// The store's.
pub async fn change_with_icon(
    db: &Db,
    version: u64,
    new: &WorkspaceChange,
    icon: Option<&NewPicture>,
    change: &Change,
) -> Result<Written<Workspace>> {
    let workspace_id = change.workspace_id;
    let stamp = Stamp::new(db, change);
    let mut batch = stamp.batch();
    let update = batch.push(stmt!(
        UPDATE_WORKSPACE,
        workspace_id,
        stamp.id,
        version,
        new.name.as_ref().map(|name| name.as_str().to_owned()),
        new.time_zone.clone(),
        new.industry.clone(),
        new.currency.clone(),
        new.support_hours.as_ref().map(hours_json),
    ));
    batch.push(stamp.audit_where_stamped(AUDIT_WORKSPACE, workspace_id));
    if let Some(icon) = icon {
        picture::push_icon(&mut batch, icon, &stamp, change);
    }
    if let Some(settings) = &new.settings {
        push_settings(&mut batch, workspace_id, &stamp, settings);
    }
    batch.push(stamp.value());
    batch.push(stamp.event(EventType::WorkspaceChanged, version + 1));
    let changed = db.batch(batch).await?[update].changed;
    match (find(db, workspace_id).await?, changed) {
        (Some(workspace), 1) => Ok(Written::Done(workspace)),
        (Some(_), _) => Ok(Written::VersionConflict),
        (None, _) => Ok(Written::NotFound),
    }
}

fn hours_json(hours: &SupportHours) -> String {
    serde_json::to_string(hours).expect("hours are JSON")
}

fn push_settings(
    batch: &mut Batch,
    workspace_id: WorkspaceId,
    stamp: &Stamp<'_>,
    settings: &Settings,
) {
    let value = serde_json::to_value(settings).expect("settings are JSON");
    for (name, value) in value.as_object().into_iter().flatten() {
        batch.push(stmt!(
            UPSERT_SETTING,
            workspace_id,
            stamp.id,
            name,
            value.to_string()
        ));
    }
}

fn decode(row: &Row, settings: &[Row]) -> Result<Workspace> {
    let mut values = serde_json::Map::new();
    for setting in settings {
        values.insert(setting.text("name")?, setting.json("value_json")?);
    }
    Ok(Workspace {
        id: row.id("workspace_id")?,
        version: row.number("version")?,
        name: row.text("name")?,
        time_zone: row.text("time_zone")?,
        industry: row.text("industry")?,
        currency: row.text("currency")?,
        support_hours: row.json("support_hours_json")?,
        icon: row.maybe_id("picture_id")?,
        settings: serde_json::from_value(values.into())
            .map_err(|error| Error::Corrupt(format!("settings: {error}")))?,
    })
}
