//! Sites, and the secrets that sign identities for them.

use protocol::event::EventType;
use protocol::id::{SiteId, SiteSecretId, WorkspaceId};
use protocol::limit;
use protocol::permission::Scope;
use protocol::site::{AfterClose, SecretKind, Site, SiteChange, SiteSecret};

use crate::audit::Change;
use crate::change::{Stamp, insert_audit_where_stamped};
use crate::db::{Batch, Db, PRUNE_SLICE, Reader, Row, Stmt, stmt};
use crate::error::{Error, Result, Written};

/// A secret's row. Holds the secret itself, for a signature must be computed again; never goes on a wire.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretRow {
    /// Its id.
    pub id: SiteSecretId,
    /// What it is for.
    pub kind: SecretKind,
    /// The secret.
    pub secret: Vec<u8>,
    /// The last characters, to tell secrets apart.
    pub hint: String,
    /// When it was made.
    pub created_at_ms: u64,
    /// When it stops being accepted.
    pub expires_at_ms: Option<u64>,
}

impl std::fmt::Debug for SecretRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretRow")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl SecretRow {
    /// What may be shown of it.
    #[must_use]
    pub fn shown(&self) -> SiteSecret {
        SiteSecret {
            id: self.id,
            kind: self.kind,
            hint: self.hint.clone(),
            secret: None,
            created_at_ms: self.created_at_ms,
            expires_at_ms: self.expires_at_ms,
        }
    }
}

/// Uses `site_by_key`.
const FIND_SITE_BY_KEY: &str = "
    SELECT workspace_id, site_id, version, name, domain, description, allowed_origins_json, theme_json,
        after_close, reopen_within_ms, identity_required, overrides_json, archived_at_ms,
        created_at_ms
    FROM site WHERE site_id = $1";

/// The site with this key, whatever its workspace: what a widget begins with. Archived ones too.
///
/// # Errors
/// The store's.
pub async fn by_key(reader: &Reader, site_id: SiteId) -> Result<Option<(WorkspaceId, Site)>> {
    let rows = reader.rows(stmt!(FIND_SITE_BY_KEY, site_id)).await?;
    rows.first()
        .map(|row| Ok((row.id("workspace_id")?, decode(row)?)))
        .transpose()
}

/// Uses the primary key.
const FIND_SITE: &str = "
    SELECT site_id, version, name, domain, description, allowed_origins_json, theme_json,
        after_close, reopen_within_ms, identity_required, overrides_json, archived_at_ms,
        created_at_ms
    FROM site WHERE workspace_id = $1 AND site_id = $2";

/// One site.
///
/// # Errors
/// The store's.
pub async fn find(
    reader: &Reader,
    workspace_id: WorkspaceId,
    site_id: SiteId,
) -> Result<Option<Site>> {
    let rows = reader.rows(find_stmt(workspace_id, site_id)).await?;
    rows.first().map(decode).transpose()
}

/// The read of one site.
pub(crate) fn find_stmt(workspace_id: WorkspaceId, site_id: SiteId) -> Stmt {
    stmt!(FIND_SITE, workspace_id, site_id)
}

/// Uses the primary key.
const LIST_SITES: &str = "
    SELECT site_id, version, name, domain, description, allowed_origins_json, theme_json,
        after_close, reopen_within_ms, identity_required, overrides_json, archived_at_ms,
        created_at_ms
    FROM site WHERE workspace_id = $1
    ORDER BY created_at_ms, site_id
    LIMIT 2000";

/// All sites, oldest first, also the archived: at most 2,000.
///
/// # Errors
/// The store's.
pub async fn list(reader: &Reader, scope: &Scope) -> Result<Vec<Site>> {
    let rows = reader.rows(stmt!(LIST_SITES, scope.workspace_id())).await?;
    rows.iter().map(decode).collect()
}

const INSERT_SITE: &str = "
    INSERT INTO site
        (workspace_id, site_id, version, change_id, name, domain, description, allowed_origins_json,
        theme_json, after_close, reopen_within_ms, identity_required, created_at_ms, overrides_json)
    SELECT $1, $2, 1, $3, $4, $5, $6, $7, $8, $9, CAST($10 AS BIGINT), CAST($11 AS BOOLEAN),
        CAST($12 AS BIGINT), $14
    FROM workspace
    WHERE workspace_id = $1
        AND (SELECT COUNT(*) FROM site WHERE workspace_id = $1 AND archived_at_ms IS NULL) < $13";

/// Stores a site where fewer than `SITES_MAX` are active.
pub(crate) fn insert(site: &Site, stamp: &Stamp<'_>, workspace_id: WorkspaceId) -> Result<Stmt> {
    Ok(stmt!(
        INSERT_SITE,
        workspace_id,
        site.id,
        stamp.id,
        site.name.as_str(),
        site.domain.as_str(),
        site.description.as_str(),
        json(&site.allowed_origins)?,
        json(&site.theme)?,
        site.after_close.as_str(),
        site.reopen_within_ms,
        site.identity_required,
        site.created_at_ms,
        limit::SITES_MAX,
        json(&site.overrides)?,
    ))
}

/// Stored where the audit line is, so only with what it belongs to.
const INSERT_SECRET: &str = "
    INSERT INTO site_secret
        (workspace_id, site_id, secret_id, kind, secret, hint, created_at_ms, expires_at_ms)
    SELECT $1, $3, $4, $9, $5, $6, CAST($7 AS BIGINT), CAST($8 AS BIGINT) FROM audit_entry
    WHERE workspace_id = $1 AND audit_id = $2";

/// Stores a secret, where the audit line stands.
pub(crate) fn insert_secret(
    secret: &SecretRow,
    stamp: &Stamp<'_>,
    workspace_id: WorkspaceId,
    site_id: SiteId,
) -> Stmt {
    stmt!(
        INSERT_SECRET,
        workspace_id,
        stamp.id,
        site_id,
        secret.id,
        secret.secret.clone(),
        secret.hint.as_str(),
        secret.created_at_ms,
        secret.expires_at_ms,
        secret.kind.as_str(),
    )
}

/// The audit line of a change of a site.
pub(crate) const AUDIT_SITE: &str = insert_audit_where_stamped!("site", "site_id");

/// Stores a site with its first secrets; at most `SITES_MAX` active ones.
///
/// # Errors
/// The store's.
pub async fn create(
    db: &Db,
    site: &Site,
    secrets: &[SecretRow],
    change: &Change,
) -> Result<Written<Site>> {
    let workspace_id = change.workspace_id;
    let stamp = Stamp::new(db, change);
    let mut batch = stamp.batch();
    let insert = batch.push(insert(site, &stamp, workspace_id)?);
    batch.push(stamp.audit_where_stamped(AUDIT_SITE, site.id));
    for secret in secrets {
        batch.push(insert_secret(secret, &stamp, workspace_id, site.id));
    }
    batch.push(stamp.value());
    batch.push(stamp.event(EventType::SiteChanged, 1));
    if db.batch(batch).await?[insert].changed == 0 {
        return Ok(Written::TooMany);
    }
    let site = find(db, workspace_id, site.id).await?;
    Ok(site.map_or(Written::NotFound, Written::Done))
}

/// Archiving keeps the time of the first archiving; taking back clears it, where the limit allows another.
const UPDATE_SITE: &str = "
    UPDATE site SET
        version = version + 1,
        change_id = $4,
        name = COALESCE($5, name),
        domain = COALESCE($6, domain),
        description = COALESCE($7, description),
        allowed_origins_json = COALESCE($8, allowed_origins_json),
        theme_json = COALESCE($9, theme_json),
        after_close = COALESCE($10, after_close),
        reopen_within_ms = COALESCE($11, reopen_within_ms),
        identity_required = COALESCE($12, identity_required),
        overrides_json = COALESCE($15, overrides_json),
        archived_at_ms = CASE
            WHEN CAST($13 AS BOOLEAN) IS NULL THEN archived_at_ms
            WHEN CAST($13 AS BOOLEAN) THEN COALESCE(archived_at_ms, CAST($14 AS BIGINT))
            ELSE NULL END
    WHERE workspace_id = $1 AND site_id = $2 AND version = $3
        AND (archived_at_ms IS NULL OR COALESCE(CAST($13 AS BOOLEAN), TRUE)
            OR (SELECT COUNT(*) FROM site other
                WHERE other.workspace_id = $1 AND other.archived_at_ms IS NULL) < $16)";

/// Changes a site; what is absent stays. `TooMany` where it would be one active site past `SITES_MAX`.
///
/// # Errors
/// The store's.
pub async fn change(
    db: &Db,
    site_id: SiteId,
    version: u64,
    new: &SiteChange,
    change: &Change,
) -> Result<Written<Site>> {
    let workspace_id = change.workspace_id;
    let stamp = Stamp::new(db, change);
    let mut batch = stamp.batch();
    let update = batch.push(stmt!(
        UPDATE_SITE,
        workspace_id,
        site_id,
        version,
        stamp.id,
        new.name.as_ref().map(|name| name.as_str().to_owned()),
        new.domain.clone(),
        new.description.clone(),
        new.allowed_origins.as_ref().map(json).transpose()?,
        new.theme.as_ref().map(json).transpose()?,
        new.after_close.map(AfterClose::as_str),
        new.reopen_within_ms,
        new.identity_required,
        new.archived,
        change.at_ms,
        new.overrides.as_ref().map(json).transpose()?,
        limit::SITES_MAX,
    ));
    batch.push(stamp.audit_where_stamped(AUDIT_SITE, site_id));
    batch.push(stamp.value());
    batch.push(stamp.event(EventType::SiteChanged, version + 1));
    let changed = db.batch(batch).await?[update].changed;
    match (find(db, workspace_id, site_id).await?, changed) {
        (Some(site), 1) => Ok(Written::Done(site)),
        (Some(site), _) if site.version == version => Ok(Written::TooMany),
        (Some(_), _) => Ok(Written::VersionConflict),
        (None, _) => Ok(Written::NotFound),
    }
}

/// Uses the primary key.
const LIST_SECRETS: &str = "
    SELECT secret_id, kind, secret, hint, created_at_ms, expires_at_ms FROM site_secret
    WHERE workspace_id = $1 AND site_id = $2 AND (expires_at_ms IS NULL OR expires_at_ms > $3)
    ORDER BY created_at_ms DESC, secret_id DESC
    LIMIT 40";

/// The secrets of all kinds that are accepted now, newest first.
///
/// # Errors
/// The store's.
pub async fn secrets(
    reader: &Reader,
    workspace_id: WorkspaceId,
    site_id: SiteId,
    now_ms: u64,
) -> Result<Vec<SecretRow>> {
    let rows = reader
        .rows(stmt!(LIST_SECRETS, workspace_id, site_id, now_ms))
        .await?;
    rows.iter().map(decode_secret).collect()
}

/// The secrets of one kind that are accepted now, newest first.
///
/// # Errors
/// The store's.
pub async fn secrets_of(
    reader: &Reader,
    workspace_id: WorkspaceId,
    site_id: SiteId,
    kind: SecretKind,
    now_ms: u64,
) -> Result<Vec<SecretRow>> {
    let mut rows = secrets(reader, workspace_id, site_id, now_ms).await?;
    rows.retain(|row| row.kind == kind);
    Ok(rows)
}

const STAMP_SITE_WITH_ROOM: &str = "
    UPDATE site SET version = version + 1, change_id = $3
    WHERE workspace_id = $1 AND site_id = $2
        AND (SELECT COUNT(*) FROM site_secret
            WHERE workspace_id = $1 AND site_id = $2 AND kind = $4
                AND (expires_at_ms IS NULL OR expires_at_ms > $5)) < $6";

/// Ends the others at `$4`, where the audit line is; none lives longer by it.
const EXPIRE_SECRETS: &str = "
    UPDATE site_secret SET expires_at_ms = $4
    WHERE workspace_id = $1 AND site_id = $2 AND secret_id <> $3 AND kind = $5
        AND (expires_at_ms IS NULL OR expires_at_ms > $4)
        AND EXISTS (SELECT 1 FROM audit_entry WHERE workspace_id = $1 AND audit_id = $6)";

/// Adds a secret and lets the others of its kind lapse at `old_expire_at_ms`. `TooMany` over
/// `SITE_SECRETS_MAX` of its kind.
///
/// # Errors
/// The store's.
pub async fn rotate(
    db: &Db,
    site_id: SiteId,
    secret: &SecretRow,
    old_expire_at_ms: u64,
    change: &Change,
) -> Result<Written<SiteSecret>> {
    let workspace_id = change.workspace_id;
    let stamp = Stamp::new(db, change);
    let mut batch = stamp.batch();
    let update = batch.push(stmt!(
        STAMP_SITE_WITH_ROOM,
        workspace_id,
        site_id,
        stamp.id,
        secret.kind.as_str(),
        change.at_ms,
        limit::SITE_SECRETS_MAX,
    ));
    batch.push(stamp.audit_where_stamped(AUDIT_SITE, site_id));
    batch.push(insert_secret(secret, &stamp, workspace_id, site_id));
    batch.push(stmt!(
        EXPIRE_SECRETS,
        workspace_id,
        site_id,
        secret.id,
        old_expire_at_ms,
        secret.kind.as_str(),
        stamp.id,
    ));
    batch.push(stamp.value());
    batch.push(stamp.event(EventType::SiteChanged, change.at_ms));
    if db.batch(batch).await?[update].changed == 1 {
        return Ok(Written::Done(secret.shown()));
    }
    Ok(match find(db, workspace_id, site_id).await? {
        Some(_) => Written::TooMany,
        None => Written::NotFound,
    })
}

/// The newest secret of its kind stays: the others lapse by themselves.
const STAMP_SITE_WITH_OTHER_SECRET: &str = "
    UPDATE site SET version = version + 1, change_id = $4
    WHERE workspace_id = $1 AND site_id = $2
        AND EXISTS (
            SELECT 1 FROM site_secret s
            JOIN site_secret o ON o.workspace_id = s.workspace_id AND o.site_id = s.site_id
                AND o.kind = s.kind AND o.secret_id <> s.secret_id
            WHERE s.workspace_id = $1 AND s.site_id = $2 AND s.secret_id = $3
                AND o.expires_at_ms IS NULL)";

const DELETE_SECRET: &str = "
    DELETE FROM site_secret
    WHERE workspace_id = $1 AND site_id = $2 AND secret_id = $3
        AND EXISTS (SELECT 1 FROM audit_entry WHERE workspace_id = $1 AND audit_id = $4)";

/// Removes a secret at once; `Refused` for the newest of its kind, `NotFound` where there is none.
///
/// # Errors
/// The store's.
pub async fn drop_secret(
    db: &Db,
    site_id: SiteId,
    secret_id: SiteSecretId,
    change: &Change,
) -> Result<Written<()>> {
    let workspace_id = change.workspace_id;
    let stamp = Stamp::new(db, change);
    let mut batch = stamp.batch();
    let update = batch.push(stmt!(
        STAMP_SITE_WITH_OTHER_SECRET,
        workspace_id,
        site_id,
        secret_id,
        stamp.id,
    ));
    batch.push(stamp.audit_where_stamped(AUDIT_SITE, site_id));
    batch.push(stmt!(
        DELETE_SECRET,
        workspace_id,
        site_id,
        secret_id,
        stamp.id
    ));
    batch.push(stamp.value());
    batch.push(stamp.event(EventType::SiteChanged, change.at_ms));
    if db.batch(batch).await?[update].changed == 1 {
        return Ok(Written::Done(()));
    }
    let left = secrets(db, workspace_id, site_id, change.at_ms).await?;
    let exists = left.iter().any(|secret| secret.id == secret_id);
    Ok(if exists {
        Written::Refused
    } else {
        Written::NotFound
    })
}

/// Uses `site_secret_by_expiry`.
const DELETE_LAPSED_SECRETS: &str = "
    DELETE FROM site_secret WHERE (workspace_id, site_id, secret_id) IN (
        SELECT s.workspace_id, s.site_id, s.secret_id FROM site_secret s
        WHERE s.expires_at_ms < $1 ORDER BY s.expires_at_ms LIMIT $2)";

/// Forgets secrets that lapsed before `before_ms`, at most a slice; gives how many.
///
/// # Errors
/// The store's.
pub async fn prune_secrets(db: &Db, before_ms: u64) -> Result<u64> {
    let mut batch = Batch::locking(vec!["site_secret".to_owned()]);
    batch.push(stmt!(DELETE_LAPSED_SECRETS, before_ms, PRUNE_SLICE));
    Ok(db.batch(batch).await?[0].changed)
}

pub(crate) fn decode(row: &Row) -> Result<Site> {
    Ok(Site {
        id: row.id("site_id")?,
        version: row.number("version")?,
        name: row.text("name")?,
        domain: row.text("domain")?,
        description: row.text("description")?,
        allowed_origins: row.json("allowed_origins_json")?,
        theme: row.json("theme_json")?,
        after_close: row.word("after_close", AfterClose::of)?,
        reopen_within_ms: row.number("reopen_within_ms")?,
        identity_required: row.flag("identity_required")?,
        overrides: row.json("overrides_json")?,
        archived: row.maybe_number("archived_at_ms")?.is_some(),
        created_at_ms: row.number("created_at_ms")?,
    })
}

fn decode_secret(row: &Row) -> Result<SecretRow> {
    Ok(SecretRow {
        id: row.id("secret_id")?,
        kind: row.word("kind", SecretKind::of)?,
        secret: row.bytes("secret")?,
        hint: row.text("hint")?,
        created_at_ms: row.number("created_at_ms")?,
        expires_at_ms: row.maybe_number("expires_at_ms")?,
    })
}

fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Fault(error.to_string()))
}
