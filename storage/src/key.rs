//! API keys: for programs. Stored as a hash.

use protocol::event::EventType;
use protocol::id::{ApiKeyId, WorkspaceId};
use protocol::key::{ApiKey, KeyName};
use protocol::limit;
use protocol::permission::Scope;

use crate::audit::Change;
use crate::change::{Stamp, insert_audit_where_stamped};
use crate::db::{Batch, Db, PRUNE_SLICE, Reader, Row, stmt};
use crate::error::{Error, Result, Written};

const INSERT_KEY: &str = "
    INSERT INTO api_key
        (workspace_id, key_id, change_id, name, hint, scopes_json, key_hash, created_at_ms, expires_at_ms)
    SELECT $1, $2, $3, $4, $5, $6, $7, CAST($8 AS BIGINT), CAST($10 AS BIGINT)
    FROM workspace
    WHERE workspace_id = $1
        AND (SELECT COUNT(*) FROM api_key WHERE workspace_id = $1 AND archived_at_ms IS NULL) < $9";

const AUDIT_KEY: &str = insert_audit_where_stamped!("api_key", "key_id");

/// Stores a key, at most `API_KEYS_MAX` of a workspace.
///
/// # Errors
/// The store's.
pub async fn create(
    db: &Db,
    key: &ApiKey,
    key_hash: &[u8; 32],
    change: &Change,
) -> Result<Written<()>> {
    let stamp = Stamp::new(db, change);
    let mut batch = stamp.batch();
    let scopes =
        serde_json::to_string(&key.scopes).map_err(|error| Error::Fault(error.to_string()))?;
    let insert = batch.push(stmt!(
        INSERT_KEY,
        change.workspace_id,
        key.id,
        stamp.id,
        key.name.as_str(),
        key.hint.as_str(),
        scopes,
        *key_hash,
        key.created_at_ms,
        limit::API_KEYS_MAX,
        key.expires_at_ms,
    ));
    batch.push(stamp.audit_where_stamped(AUDIT_KEY, key.id));
    batch.push(stamp.value());
    batch.push(stamp.event(EventType::KeyChanged, 1));
    let done = db.batch(batch).await?[insert].changed == 1;
    Ok(if done {
        Written::Done(())
    } else {
        Written::TooMany
    })
}

/// Uses the primary key.
const LIST_KEYS: &str = "
    SELECT workspace_id, key_id, name, hint, scopes_json, created_at_ms, used_at_ms, expires_at_ms
    FROM api_key
    WHERE workspace_id = $1 AND archived_at_ms IS NULL
    ORDER BY created_at_ms DESC, key_id DESC
    LIMIT 1000";

/// The keys that were not revoked, newest first, also those that have expired.
///
/// # Errors
/// The store's.
pub async fn list(reader: &Reader, scope: &Scope) -> Result<Vec<ApiKey>> {
    let rows = reader.rows(stmt!(LIST_KEYS, scope.workspace_id())).await?;
    rows.iter().map(decode).collect()
}

const ARCHIVE_KEY: &str = "
    UPDATE api_key SET archived_at_ms = $3, change_id = $4
    WHERE workspace_id = $1 AND key_id = $2 AND archived_at_ms IS NULL";

/// Revokes a key; gives whether it was alive.
///
/// # Errors
/// The store's.
pub async fn revoke(db: &Db, key_id: ApiKeyId, change: &Change) -> Result<bool> {
    let stamp = Stamp::new(db, change);
    let mut batch = stamp.batch();
    let archive = batch.push(stmt!(
        ARCHIVE_KEY,
        change.workspace_id,
        key_id,
        change.at_ms,
        stamp.id,
    ));
    batch.push(stamp.audit_where_stamped(AUDIT_KEY, key_id));
    batch.push(stamp.value());
    batch.push(stamp.event(EventType::KeyChanged, 2));
    Ok(db.batch(batch).await?[archive].changed == 1)
}

/// Uses the primary key.
const LIST_NAMES: &str = "
    SELECT key_id, name FROM api_key WHERE workspace_id = $1
    ORDER BY created_at_ms DESC, key_id DESC
    LIMIT 1000";

/// What the keys are called, newest first, also the revoked ones: what they wrote still stands.
///
/// # Errors
/// The store's.
pub async fn names(reader: &Reader, workspace_id: WorkspaceId) -> Result<Vec<KeyName>> {
    let rows = reader.rows(stmt!(LIST_NAMES, workspace_id)).await?;
    let name = |row: &Row| {
        Ok(KeyName {
            id: row.id("key_id")?,
            name: row.text("name")?,
        })
    };
    rows.iter().map(name).collect()
}

/// Uses `api_key_by_hash`.
const FIND_KEY_BY_HASH: &str = "
    SELECT workspace_id, key_id, name, hint, scopes_json, created_at_ms, used_at_ms, expires_at_ms
    FROM api_key
    WHERE key_hash = $1 AND archived_at_ms IS NULL AND (expires_at_ms IS NULL OR expires_at_ms > $2)";

/// The key with this hash that is accepted now, and its workspace.
///
/// # Errors
/// The store's.
pub async fn by_hash(
    reader: &Reader,
    key_hash: &[u8; 32],
    now_ms: u64,
) -> Result<Option<(WorkspaceId, ApiKey)>> {
    let rows = reader
        .rows(stmt!(FIND_KEY_BY_HASH, *key_hash, now_ms))
        .await?;
    rows.first()
        .map(|row| Ok((row.id("workspace_id")?, decode(row)?)))
        .transpose()
}

const TOUCH_KEY: &str = "
    UPDATE api_key SET used_at_ms = $3
    WHERE workspace_id = $1 AND key_id = $2 AND COALESCE(used_at_ms, 0) < $3";

/// Notes when a key was used.
///
/// # Errors
/// The store's.
pub async fn touch(
    db: &Db,
    workspace_id: WorkspaceId,
    key_id: ApiKeyId,
    used_at_ms: u64,
) -> Result<()> {
    let mut batch = Batch::locking(vec![key_id.to_string()]);
    batch.push(stmt!(TOUCH_KEY, workspace_id, key_id, used_at_ms));
    db.batch(batch).await?;
    Ok(())
}

/// Uses `api_key_by_expiry`. What a key wrote goes on to name it, so its row stays.
const ARCHIVE_LAPSED: &str = "
    UPDATE api_key SET archived_at_ms = expires_at_ms
    WHERE (workspace_id, key_id) IN (
        SELECT k.workspace_id, k.key_id FROM api_key k
        WHERE k.expires_at_ms < $1 AND k.archived_at_ms IS NULL ORDER BY k.expires_at_ms LIMIT $2)";

/// Takes keys off the list that lapsed before `before_ms`, at most a slice; gives how many.
///
/// # Errors
/// The store's.
pub async fn prune(db: &Db, before_ms: u64) -> Result<u64> {
    let mut batch = Batch::locking(vec!["api_key".to_owned()]);
    batch.push(stmt!(ARCHIVE_LAPSED, before_ms, PRUNE_SLICE));
    Ok(db.batch(batch).await?[0].changed)
}

fn decode(row: &Row) -> Result<ApiKey> {
    Ok(ApiKey {
        id: row.id("key_id")?,
        name: row.text("name")?,
        hint: row.text("hint")?,
        scopes: row.json("scopes_json")?,
        key: None,
        created_at_ms: row.number("created_at_ms")?,
        used_at_ms: row.maybe_number("used_at_ms")?,
        expires_at_ms: row.maybe_number("expires_at_ms")?,
    })
}
