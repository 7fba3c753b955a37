//! Removing files that nothing needs any more: first the file, then its rows. May end anywhere, and be begun
//! again: what is left is found by its rows.

use std::pin::pin;

use futures_util::StreamExt;
use protocol::id::WorkspaceId;

use crate::blob::Blobs;
use crate::db::{Batch, Db, Row, stmt};
use crate::error::Result;

/// Rows of one slice.
const SLICE: usize = 100;

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files that are gone now.
    pub removed_count: usize,
    /// Files that could not be removed. Their rows stay, and the next sweep tries again.
    pub failed_count: usize,
}

/// A file: its workspace and its hash.
type File = (WorkspaceId, String);

/// Uses `attachment_by_age`.
const DROP_UNCLAIMED: &str = "
    UPDATE attachment SET name = '', deleted_at_ms = $2
    WHERE entry_id IS NULL AND deleted_at_ms IS NULL AND (workspace_id, attachment_id) IN (
        SELECT a.workspace_id, a.attachment_id FROM attachment a
        WHERE a.entry_id IS NULL AND a.deleted_at_ms IS NULL AND a.created_at_ms < $1
        ORDER BY a.created_at_ms LIMIT $3)";

/// Uses `attachment_by_age`.
const DROP_UNSTORED: &str = "
    UPDATE attachment SET name = '', deleted_at_ms = $2
    WHERE stored_at_ms IS NULL AND deleted_at_ms IS NULL AND (workspace_id, attachment_id) IN (
        SELECT a.workspace_id, a.attachment_id FROM attachment a
        WHERE a.entry_id IS NULL AND a.deleted_at_ms IS NULL AND a.stored_at_ms IS NULL
            AND a.created_at_ms < $1
        ORDER BY a.created_at_ms LIMIT $3)";

// Uses `attachment_deleted`.
const LIST_DELETED: &str = "
    SELECT DISTINCT a.workspace_id, a.hash FROM attachment a
    WHERE a.deleted_at_ms IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM blob b
        WHERE b.workspace_id = a.workspace_id AND b.hash = a.hash AND b.removing_at_ms IS NOT NULL)
    ORDER BY a.workspace_id, a.hash LIMIT $1";

// Uses `blob_removing`.
const LIST_REMOVING: &str = "
    SELECT workspace_id, hash FROM blob
    WHERE removing_at_ms IS NOT NULL AND (workspace_id, hash) > ($1, $2)
    ORDER BY workspace_id, hash LIMIT $3";

/// Removes files of messages that were taken back or erased, of uploads before `unclaimed_before_ms` that no
/// message claimed, and of those before `unstored_before_ms` that never came to an end. One that cannot be
/// removed does not hinder the others.
///
/// # Errors
/// The store's.
pub async fn sweep(
    db: &Db,
    blobs: &Blobs,
    unclaimed_before_ms: u64,
    unstored_before_ms: u64,
) -> Result<Swept> {
    let at_ms = db.world().clock.now_ms();
    drop_rows(db, DROP_UNCLAIMED, unclaimed_before_ms, at_ms).await?;
    drop_rows(db, DROP_UNSTORED, unstored_before_ms, at_ms).await?;
    loop {
        let rows = db.rows(stmt!(LIST_DELETED, SLICE)).await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            let (workspace_id, hash) = file(row)?;
            mark(db, workspace_id, &hash, at_ms).await?;
        }
    }
    remove_marked(db, blobs).await
}

async fn drop_rows(db: &Db, sql: &'static str, before_ms: u64, at_ms: u64) -> Result<()> {
    loop {
        let mut batch = Batch::locking(vec!["attachment".to_owned()]);
        batch.push(stmt!(sql, before_ms, at_ms, SLICE));
        if db.batch(batch).await?[0].changed < SLICE as u64 {
            return Ok(());
        }
    }
}

/// Locks the file by writing: from here on, rows that others add are seen, or they see the mark.
const LOCK_BLOB: &str = "
    INSERT INTO blob (workspace_id, hash, touch_count) VALUES ($1, $2, 1)
    ON CONFLICT (workspace_id, hash) DO UPDATE SET touch_count = blob.touch_count + 1";

/// Uses `attachment_by_hash`.
const MARK_BLOB: &str = "
    UPDATE blob SET removing_at_ms = $3
    WHERE workspace_id = $1 AND hash = $2 AND removing_at_ms IS NULL AND NOT EXISTS (
        SELECT 1 FROM attachment a
        WHERE a.workspace_id = $1 AND a.hash = $2 AND a.deleted_at_ms IS NULL)";

/// Uses `attachment_deleted`. The file stays, for others need it.
const DELETE_ROWS: &str = "
    DELETE FROM attachment
    WHERE workspace_id = $1 AND hash = $2 AND deleted_at_ms IS NOT NULL AND EXISTS (
        SELECT 1 FROM blob b
        WHERE b.workspace_id = $1 AND b.hash = $2 AND b.removing_at_ms IS NULL)";

/// Marks a file that no row needs as one that is being removed; where rows need it, deletes only those that
/// do not.
async fn mark(db: &Db, workspace_id: WorkspaceId, hash: &str, at_ms: u64) -> Result<()> {
    let mut batch = Batch::locking(vec![hash.to_owned()]);
    batch.push(stmt!(LOCK_BLOB, workspace_id, hash));
    batch.push(stmt!(MARK_BLOB, workspace_id, hash, at_ms));
    batch.push(stmt!(DELETE_ROWS, workspace_id, hash));
    db.batch(batch).await?;
    Ok(())
}

/// Removes all marked files, each before its rows.
async fn remove_marked(db: &Db, blobs: &Blobs) -> Result<Swept> {
    let mut swept = Swept::default();
    let mut after = (String::new(), String::new());
    loop {
        let rows = db
            .rows(stmt!(LIST_REMOVING, after.0, after.1, SLICE))
            .await?;
        let Some(last) = rows.last() else {
            return Ok(swept);
        };
        after = (last.text("workspace_id")?, last.text("hash")?);
        for row in &rows {
            let (workspace_id, hash) = file(row)?;
            match remove(db, blobs, workspace_id, &hash).await {
                Ok(()) => swept.removed_count += 1,
                Err(error) => {
                    tracing::warn!(%error, workspace.id = %workspace_id, "a file could not be removed");
                    swept.failed_count += 1;
                }
            }
        }
    }
}

const DELETE_MARKED_ROWS: &str = "
    DELETE FROM attachment
    WHERE workspace_id = $1 AND hash = $2 AND deleted_at_ms IS NOT NULL AND EXISTS (
        SELECT 1 FROM blob b
        WHERE b.workspace_id = $1 AND b.hash = $2 AND b.removing_at_ms IS NOT NULL)";

const DELETE_MARKED: &str = "
    DELETE FROM blob WHERE workspace_id = $1 AND hash = $2 AND removing_at_ms IS NOT NULL";

async fn remove(db: &Db, blobs: &Blobs, workspace_id: WorkspaceId, hash: &str) -> Result<()> {
    blobs.remove(workspace_id, hash).await?;
    let mut batch = Batch::locking(vec![hash.to_owned()]);
    batch.push(stmt!(DELETE_MARKED_ROWS, workspace_id, hash));
    batch.push(stmt!(DELETE_MARKED, workspace_id, hash));
    db.batch(batch).await?;
    Ok(())
}

// By the primary keys.
const FIND_BLOB: &str = "
    SELECT w.workspace_id, b.hash FROM workspace w
    LEFT JOIN blob b ON b.workspace_id = w.workspace_id AND b.hash = $2
    WHERE w.workspace_id = $1";

/// Removes files that have no row, as a restored store or a loss of power may leave them, and halves of files
/// that a crash left. Files younger than `before_ms` stay, and so do those of workspaces that this store does
/// not know: they may be another installation's. Lists all files, so it is for once in a while.
///
/// # Errors
/// The store's, and that of listing.
pub async fn remove_strays(db: &Db, blobs: &Blobs, before_ms: u64) -> Result<Swept> {
    let at_ms = db.world().clock.now_ms();
    blobs.remove_halves(before_ms).await?;
    let mut slices = pin!(blobs.list(before_ms).chunks(SLICE));
    while let Some(slice) = slices.next().await {
        let files: Vec<File> = slice.into_iter().collect::<Result<_>>()?;
        let reads = files
            .iter()
            .map(|(workspace_id, hash)| stmt!(FIND_BLOB, *workspace_id, hash.as_str()));
        let found = db.snapshot(reads.collect()).await?;
        for ((workspace_id, hash), rows) in files.iter().zip(&found) {
            let is_stray = match rows.first() {
                Some(row) => row.maybe_text("hash")?.is_none(),
                None => false,
            };
            if is_stray {
                // The mark comes first here too: an upload of the same bytes may begin meanwhile.
                mark(db, *workspace_id, hash, at_ms).await?;
            }
        }
    }
    remove_marked(db, blobs).await
}

fn file(row: &Row) -> Result<File> {
    Ok((row.id("workspace_id")?, row.text("hash")?))
}
