//! The audit log: who changed what. Values stand in a part that an erasure can empty.

use std::collections::BTreeMap;

use protocol::audit::{AuditEntry, Target};
use protocol::id::{AuditId, WorkspaceId};
use protocol::page::{Cursor, List, Page};
use protocol::permission::Scope;

use crate::called::called;
use crate::db::{Batch, Db, PRUNE_SLICE, Reader, Row, Stmt, stmt};
use crate::error::Result;
use crate::page::{After, page};

/// Who changes what: stored as a line of the audit log in the transaction of the change itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub workspace_id: WorkspaceId,
    /// Who: an id, or `system`.
    pub actor: String,
    /// What, dotted and in the past tense.
    pub action: &'static str,
    /// The id of what it is done to.
    pub target: String,
    /// The names of the fields that change.
    pub fields: Vec<&'static str>,
    /// From what to what: a JSON object of `field: [before, after]`.
    pub changes_json: Option<String>,
    /// The network address it comes from.
    pub address: Option<String>,
    /// The store's time now.
    pub at_ms: u64,
}

/// Uses `audit_entry_by_time`.
const LIST_ENTRIES: &str = "
    SELECT a.audit_id, a.at_ms, a.actor, a.action, a.target, a.fields_json, v.changes_json, v.address
    FROM audit_entry a
    LEFT JOIN audit_value v ON v.workspace_id = a.workspace_id AND v.audit_id = a.audit_id
    WHERE a.workspace_id = $1 AND (a.at_ms, a.audit_id) < ($2, $3)
    ORDER BY a.at_ms DESC, a.audit_id DESC
    LIMIT $4";

/// Uses `audit_entry_by_target`. All lines of a thing are put in order, and the values are read of those that are given.
const LIST_ENTRIES_OF_TARGET: &str = "
    SELECT told.audit_id, told.at_ms, told.actor, told.action, told.target, told.fields_json,
        v.changes_json, v.address
    FROM (
        SELECT workspace_id, audit_id, at_ms, actor, action, target, fields_json FROM audit_entry
        WHERE workspace_id = $1 AND (at_ms, audit_id) < ($2, $3) AND target = $5
        ORDER BY at_ms DESC, audit_id DESC
        LIMIT $4) told
    LEFT JOIN audit_value v ON v.workspace_id = told.workspace_id AND v.audit_id = told.audit_id
    ORDER BY told.at_ms DESC, told.audit_id DESC
    LIMIT $4";

/// The lines of the log about one thing, newest first.
///
/// # Errors
/// The store's.
pub async fn list_of(
    reader: &Reader,
    scope: &Scope,
    target: Target,
    cursor: Option<&Cursor<AuditId>>,
    limit: usize,
) -> Result<Page<AuditEntry>> {
    let after = After::of(cursor);
    let list = stmt!(
        LIST_ENTRIES_OF_TARGET,
        scope.workspace_id(),
        after.at_ms,
        after.id,
        limit + 1,
        target.to_string(),
    );
    lines(reader, scope, list, limit).await
}

/// The lines of the log, newest first.
///
/// # Errors
/// The store's.
pub async fn list(
    reader: &Reader,
    scope: &Scope,
    cursor: Option<&Cursor<AuditId>>,
    limit: usize,
) -> Result<Page<AuditEntry>> {
    let after = After::of(cursor);
    let list = stmt!(
        LIST_ENTRIES,
        scope.workspace_id(),
        after.at_ms,
        after.id,
        limit + 1
    );
    lines(reader, scope, list, limit).await
}

/// The lines that a statement finds, with what their ids are called.
async fn lines(
    reader: &Reader,
    scope: &Scope,
    list: Stmt,
    limit: usize,
) -> Result<Page<AuditEntry>> {
    let rows = reader.rows(list).await?;
    let mut lines = page(&rows, limit, entry, |entry| {
        let (at_ms, id) = (entry.at_ms, entry.id);
        Cursor { at_ms, id }.text(List::Audit)
    })?;
    let ids = lines.items.iter().flat_map(ids_of).collect();
    let names = called(reader, scope.workspace_id(), &ids).await?;
    for line in &mut lines.items {
        let ids = ids_of(line).into_iter();
        line.names = ids
            .filter_map(|id| names.get(&id).map(|name| (id, name.clone())))
            .collect();
    }
    Ok(lines)
}

/// The ids that a line holds: of the actor, the target, and among the changed values.
fn ids_of(line: &AuditEntry) -> Vec<String> {
    let changes = line.changes_json.as_deref().unwrap_or_default();
    // What is no JSON was not written by us, and names nothing.
    let changes = serde_json::from_str(changes).unwrap_or(serde_json::Value::Null);
    let mut ids = vec![line.actor.clone(), line.target.clone()];
    push_texts(&changes, &mut ids);
    ids
}

fn push_texts(value: &serde_json::Value, texts: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => texts.push(text.clone()),
        serde_json::Value::Array(values) => values.iter().for_each(|one| push_texts(one, texts)),
        serde_json::Value::Object(fields) => {
            fields.values().for_each(|one| push_texts(one, texts));
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

// Uses `audit_entry_by_time`.
const DELETE_OLD_VALUES: &str = "
    DELETE FROM audit_value WHERE (workspace_id, audit_id) IN (
        SELECT a.workspace_id, a.audit_id FROM audit_entry a
        WHERE a.workspace_id = $1 AND a.at_ms < $2 ORDER BY a.at_ms, a.audit_id LIMIT $3)";

// Uses `audit_entry_by_time`.
const DELETE_OLD_ENTRIES: &str = "
    DELETE FROM audit_entry WHERE (workspace_id, audit_id) IN (
        SELECT a.workspace_id, a.audit_id FROM audit_entry a
        WHERE a.workspace_id = $1 AND a.at_ms < $2 ORDER BY a.at_ms, a.audit_id LIMIT $3)";

/// Forgets lines of before `before_ms`, at most a slice; gives how many.
///
/// # Errors
/// The store's.
pub async fn prune(db: &Db, workspace_id: WorkspaceId, before_ms: u64) -> Result<u64> {
    let mut batch = Batch::locking(vec!["audit".to_owned()]);
    batch.push(stmt!(
        DELETE_OLD_VALUES,
        workspace_id,
        before_ms,
        PRUNE_SLICE
    ));
    let entries = batch.push(stmt!(
        DELETE_OLD_ENTRIES,
        workspace_id,
        before_ms,
        PRUNE_SLICE
    ));
    Ok(db.batch(batch).await?[entries].changed)
}

fn entry(row: &Row) -> Result<AuditEntry> {
    Ok(AuditEntry {
        id: row.id("audit_id")?,
        at_ms: row.number("at_ms")?,
        actor: row.text("actor")?,
        action: row.text("action")?,
        target: row.text("target")?,
        fields: row.json("fields_json")?,
        changes_json: row.maybe_text("changes_json")?,
        address: row.maybe_text("address")?,
        names: BTreeMap::new(),
    })
}
