//! Identity keys: the public keys that check a site's identity tokens.

use protocol::event::EventType;
use protocol::id::{IdentityKeyId, SiteId, WorkspaceId};
use protocol::identity_key::IdentityKey;
use protocol::limit;

use crate::audit::Change;
use crate::change::Stamp;
use crate::db::{Batch, Db, PRUNE_SLICE, Reader, Row, stmt};
use crate::error::{Result, Written};
use crate::site::AUDIT_SITE;

/// A key's row: what is shown of it, and the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// What is shown of it.
    pub shown: IdentityKey,
    /// The point on the curve, uncompressed (SEC 1, 2.3.3).
    pub point: Vec<u8>,
}

/// Uses the primary key.
const LIST_KEYS: &str = "
    SELECT identity_key_id, public_key, fingerprint, created_at_ms, expires_at_ms FROM identity_key
    WHERE workspace_id = $1 AND site_id = $2 AND (expires_at_ms IS NULL OR expires_at_ms > $3)
    ORDER BY created_at_ms DESC, identity_key_id DESC
    LIMIT 20";

/// The keys that are accepted now, newest first.
///
/// # Errors
/// The store's.
pub async fn list(
    reader: &Reader,
    workspace_id: WorkspaceId,
    site_id: SiteId,
    now_ms: u64,
) -> Result<Vec<StoredKey>> {
    let rows = reader
        .rows(stmt!(LIST_KEYS, workspace_id, site_id, now_ms))
        .await?;
    rows.iter().map(decode).collect()
}

/// Stands where the site has room for another key and does not have this one.
const STAMP_SITE_WITH_ROOM: &str = "
    UPDATE site SET version = version + 1, change_id = $3
    WHERE workspace_id = $1 AND site_id = $2
        AND (SELECT COUNT(*) FROM identity_key
            WHERE workspace_id = $1 AND site_id = $2 AND (expires_at_ms IS NULL OR expires_at_ms > $4)) < $5
        AND NOT EXISTS (SELECT 1 FROM identity_key
            WHERE workspace_id = $1 AND site_id = $2 AND fingerprint = $6
                AND (expires_at_ms IS NULL OR expires_at_ms > $4))";

/// Stored where the audit line is.
const INSERT_KEY: &str = "
    INSERT INTO identity_key
        (workspace_id, site_id, identity_key_id, public_key, fingerprint, created_at_ms)
    SELECT $1, $3, $4, $5, $6, CAST($7 AS BIGINT) FROM audit_entry
    WHERE workspace_id = $1 AND audit_id = $2";

/// Ends the others at `$5`, where the audit line is; none lives longer by it.
const EXPIRE_OTHER_KEYS: &str = "
    UPDATE identity_key SET expires_at_ms = $5
    WHERE workspace_id = $1 AND site_id = $2 AND identity_key_id <> $3
        AND (expires_at_ms IS NULL OR expires_at_ms > $5)
        AND EXISTS (SELECT 1 FROM audit_entry WHERE workspace_id = $1 AND audit_id = $4)";

/// Adds a key to a site that exists, and lets the others lapse at `others_expire_at_ms`, where that is
/// said. `TooMany` over `IDENTITY_KEYS_MAX`, `AlreadyExists` for one that is accepted now.
///
/// # Errors
/// The store's.
pub async fn add(
    db: &Db,
    site_id: SiteId,
    key: &StoredKey,
    others_expire_at_ms: Option<u64>,
    change: &Change,
) -> Result<Written<()>> {
    let workspace_id = change.workspace_id;
    let stamp = Stamp::new(db, change);
    let mut batch = stamp.batch();
    let update = batch.push(stmt!(
        STAMP_SITE_WITH_ROOM,
        workspace_id,
        site_id,
        stamp.id,
        change.at_ms,
        limit::IDENTITY_KEYS_MAX,
        key.shown.fingerprint.as_str(),
    ));
    batch.push(stamp.audit_where_stamped(AUDIT_SITE, site_id));
    batch.push(stmt!(
        INSERT_KEY,
        workspace_id,
        stamp.id,
        site_id,
        key.shown.id,
        key.point.clone(),
        key.shown.fingerprint.as_str(),
        key.shown.created_at_ms,
    ));
    if let Some(expire_at_ms) = others_expire_at_ms {
        batch.push(stmt!(
            EXPIRE_OTHER_KEYS,
            workspace_id,
            site_id,
            key.shown.id,
            stamp.id,
            expire_at_ms
        ));
    }
    batch.push(stamp.value());
    batch.push(stamp.event(EventType::SiteChanged, change.at_ms));
    if db.batch(batch).await?[update].changed == 1 {
        return Ok(Written::Done(()));
    }
    let living = list(db, workspace_id, site_id, change.at_ms).await?;
    let is_known = |known: &StoredKey| known.shown.fingerprint == key.shown.fingerprint;
    Ok(if living.iter().any(is_known) {
        Written::AlreadyExists
    } else if living.is_empty() {
        Written::NotFound
    } else {
        Written::TooMany
    })
}

const STAMP_SITE_WITH_KEY: &str = "
    UPDATE site SET version = version + 1, change_id = $4
    WHERE workspace_id = $1 AND site_id = $2
        AND EXISTS (SELECT 1 FROM identity_key
            WHERE workspace_id = $1 AND site_id = $2 AND identity_key_id = $3)";

const DELETE_KEY: &str = "
    DELETE FROM identity_key
    WHERE workspace_id = $1 AND site_id = $2 AND identity_key_id = $3
        AND EXISTS (SELECT 1 FROM audit_entry WHERE workspace_id = $1 AND audit_id = $4)";

/// Removes a key at once; `NotFound` where there is none.
///
/// # Errors
/// The store's.
pub async fn remove(
    db: &Db,
    site_id: SiteId,
    key_id: IdentityKeyId,
    change: &Change,
) -> Result<Written<()>> {
    let workspace_id = change.workspace_id;
    let stamp = Stamp::new(db, change);
    let mut batch = stamp.batch();
    let update = batch.push(stmt!(
        STAMP_SITE_WITH_KEY,
        workspace_id,
        site_id,
        key_id,
        stamp.id
    ));
    batch.push(stamp.audit_where_stamped(AUDIT_SITE, site_id));
    batch.push(stmt!(DELETE_KEY, workspace_id, site_id, key_id, stamp.id));
    batch.push(stamp.value());
    batch.push(stamp.event(EventType::SiteChanged, change.at_ms));
    Ok(if db.batch(batch).await?[update].changed == 1 {
        Written::Done(())
    } else {
        Written::NotFound
    })
}

/// Uses `identity_key_by_expiry`.
const DELETE_LAPSED: &str = "
    DELETE FROM identity_key WHERE (workspace_id, site_id, identity_key_id) IN (
        SELECT k.workspace_id, k.site_id, k.identity_key_id FROM identity_key k
        WHERE k.expires_at_ms < $1 ORDER BY k.expires_at_ms LIMIT $2)";

/// Forgets public keys that lapsed before `before_ms`, at most a slice; gives how many.
///
/// # Errors
/// The store's.
pub async fn prune(db: &Db, before_ms: u64) -> Result<u64> {
    let mut batch = Batch::locking(vec!["identity_key".to_owned()]);
    batch.push(stmt!(DELETE_LAPSED, before_ms, PRUNE_SLICE));
    Ok(db.batch(batch).await?[0].changed)
}

fn decode(row: &Row) -> Result<StoredKey> {
    Ok(StoredKey {
        shown: IdentityKey {
            id: row.id("identity_key_id")?,
            fingerprint: row.text("fingerprint")?,
            created_at_ms: row.number("created_at_ms")?,
            expires_at_ms: row.maybe_number("expires_at_ms")?,
        },
        point: row.bytes("public_key")?,
    })
}
