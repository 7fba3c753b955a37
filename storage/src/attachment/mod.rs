//! Attachments: rows that name files. A file is bound to its uploader until a message claims it.
//!
//! Invariant: a file has a row of `blob` and one of `attachment` before it exists, and loses them after it is
//! gone. So neither a refusal nor a crash leaves a file that nobody knows of. Whoever adds a row and whoever
//! removes a file meet in the row of `blob`, which both lock by writing.

use protocol::attachment::Attachment;
use protocol::id::{AttachmentId, ConversationId, EntryId, WorkspaceId};
use protocol::limit;

use crate::db::{Batch, Db, Reader, Row, stmt};
use crate::error::{Error, Result};

pub use sweep::{Swept, remove_strays, sweep};

mod sweep;

/// An attachment's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentRow {
    /// What is shown.
    pub attachment: Attachment,
    /// Who uploaded it: `Actor::principal_key`.
    pub uploader: String,
    /// SHA-256 of the bytes, in hexadecimal: the file's name in `blob`.
    pub hash: String,
    /// The conversation whose message claimed it.
    pub conversation_id: Option<ConversationId>,
    /// The message's entry.
    pub entry_id: Option<EntryId>,
    /// Whether that entry is a note: visitors must not get it.
    pub internal: bool,
    /// When it was uploaded.
    pub created_at_ms: u64,
}

/// What came of asking for a place for a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It is kept: store the file, then say so with [`stored`].
    Kept,
    /// The uploader has `UNCLAIMED_ATTACHMENTS_MAX` that no message claimed.
    TooMany,
    /// The visitors of the workspace have as many bytes unclaimed as they may.
    Full,
    /// The same bytes are being removed just now: ask again in a moment.
    Leaving,
    /// The uploader was erased.
    Erased,
}

/// Uses `attachment_unclaimed`.
const INSERT_ATTACHMENT: &str = "
    INSERT INTO attachment (workspace_id, attachment_id, uploader, name, media_type, size_bytes, width,
        height, hash, created_at_ms)
    SELECT $1, $2, $3, $4, $5, CAST($6 AS BIGINT), CAST($7 AS BIGINT), CAST($8 AS BIGINT), $9,
        CAST($10 AS BIGINT)
    WHERE CAST($11 AS BIGINT) > (
            SELECT COUNT(*) FROM attachment a
            WHERE a.workspace_id = $1 AND a.uploader = $3 AND a.entry_id IS NULL
                AND a.deleted_at_ms IS NULL)
        AND (CAST($12 AS BIGINT) IS NULL OR CAST($12 AS BIGINT) >= (
            SELECT COALESCE(SUM(CASE WHEN a.size_bytes < $13 THEN $13 ELSE a.size_bytes END), 0)
            FROM attachment a
            WHERE a.workspace_id = $1 AND a.uploader > 'vis_' AND a.uploader < 'vis~'
                AND a.entry_id IS NULL AND a.deleted_at_ms IS NULL)
            + CASE WHEN $6 < $13 THEN $13 ELSE $6 END)
        AND NOT EXISTS (
            SELECT 1 FROM visitor v
            WHERE v.workspace_id = $1 AND v.visitor_id = $3 AND v.erased_at_ms IS NOT NULL)";

/// Locks the file by writing, so that it is either kept for this row, or this row sees that it leaves.
const TOUCH_BLOB: &str = "
    INSERT INTO blob (workspace_id, hash, touch_count)
    SELECT a.workspace_id, a.hash, 1 FROM attachment a
    WHERE a.workspace_id = $1 AND a.attachment_id = $2
    ON CONFLICT (workspace_id, hash) DO UPDATE SET touch_count = blob.touch_count + 1";

const DELETE_IF_LEAVING: &str = "
    DELETE FROM attachment
    WHERE workspace_id = $1 AND attachment_id = $2 AND EXISTS (
        SELECT 1 FROM blob b
        WHERE b.workspace_id = $1 AND b.hash = attachment.hash AND b.removing_at_ms IS NOT NULL)";

/// Uses `attachment_unclaimed`.
const COUNT_UNCLAIMED: &str = "
    SELECT COUNT(*) AS n,
        (SELECT v.erased_at_ms FROM visitor v WHERE v.workspace_id = $1 AND v.visitor_id = $2) AS erased_at_ms
    FROM attachment a
    WHERE a.workspace_id = $1 AND a.uploader = $2 AND a.entry_id IS NULL AND a.deleted_at_ms IS NULL";

/// Keeps a place for a file, before the file itself is stored: what is refused leaves no file, and what a
/// crash leaves is found by its row. Nobody gets to see the row until [`stored`].
///
/// The visitors of a workspace may have `visitor_bytes_max` unclaimed, where each file counts as
/// `UPLOAD_BYTES_MIN` at least; the team has no such bound.
///
/// # Errors
/// The store's.
pub async fn reserve(
    db: &Db,
    workspace_id: WorkspaceId,
    row: &AttachmentRow,
    visitor_bytes_max: u64,
) -> Result<Place> {
    let attachment = &row.attachment;
    let bytes_max = row
        .uploader
        .starts_with("vis_")
        .then_some(visitor_bytes_max);
    let mut batch = Batch::locking(vec![row.hash.clone(), row.uploader.clone()]);
    let inserted = batch.push(stmt!(
        INSERT_ATTACHMENT,
        workspace_id,
        attachment.id,
        row.uploader.as_str(),
        attachment.name.as_str(),
        attachment.media_type.as_str(),
        attachment.size_bytes,
        attachment.width,
        attachment.height,
        row.hash.as_str(),
        row.created_at_ms,
        limit::UNCLAIMED_ATTACHMENTS_MAX,
        bytes_max,
        limit::UPLOAD_BYTES_MIN
    ));
    batch.push(stmt!(TOUCH_BLOB, workspace_id, attachment.id));
    let leaving = batch.push(stmt!(DELETE_IF_LEAVING, workspace_id, attachment.id));
    let counted = batch.push(stmt!(COUNT_UNCLAIMED, workspace_id, row.uploader.as_str()));
    let answers = db.batch(batch).await?;
    if answers[leaving].changed == 1 {
        return Ok(Place::Leaving);
    }
    if answers[inserted].changed == 1 {
        return Ok(Place::Kept);
    }
    let counts = answers[counted].rows.first();
    let counts = counts.ok_or_else(|| Error::Fault("a count gave no row".to_owned()))?;
    if counts.maybe_number("erased_at_ms")?.is_some() {
        return Ok(Place::Erased);
    }
    Ok(
        if counts.number("n")? >= limit::UNCLAIMED_ATTACHMENTS_MAX as u64 {
            Place::TooMany
        } else {
            Place::Full
        },
    )
}

const SET_STORED: &str = "
    UPDATE attachment SET stored_at_ms = $3
    WHERE workspace_id = $1 AND attachment_id = $2 AND deleted_at_ms IS NULL";

/// Says that the file of a reserved row would survive a loss of power. Gives whether the row still waits
/// for it: an erasure, or a sweep after too long, may have taken it.
///
/// # Errors
/// The store's.
pub async fn stored(
    db: &Db,
    workspace_id: WorkspaceId,
    attachment_id: AttachmentId,
    at_ms: u64,
) -> Result<bool> {
    let mut batch = Batch::locking(vec![attachment_id.to_string()]);
    batch.push(stmt!(SET_STORED, workspace_id, attachment_id, at_ms));
    Ok(db.batch(batch).await?[0].changed == 1)
}

const GIVE_UP: &str = "
    UPDATE attachment SET name = '', deleted_at_ms = $3
    WHERE workspace_id = $1 AND attachment_id = $2 AND stored_at_ms IS NULL AND deleted_at_ms IS NULL";

/// Gives a reserved place back after the file could not be stored; a sweep removes what there is of it.
///
/// # Errors
/// The store's.
pub async fn give_up(
    db: &Db,
    workspace_id: WorkspaceId,
    attachment_id: AttachmentId,
    at_ms: u64,
) -> Result<()> {
    let mut batch = Batch::locking(vec![attachment_id.to_string()]);
    batch.push(stmt!(GIVE_UP, workspace_id, attachment_id, at_ms));
    db.batch(batch).await?;
    Ok(())
}

// By the primary keys.
const FIND_ATTACHMENT: &str = "
    SELECT a.attachment_id, a.uploader, a.conversation_id, a.entry_id, a.name, a.media_type, a.size_bytes,
        a.width, a.height, a.hash, a.created_at_ms, e.public_seq
    FROM attachment a
    LEFT JOIN entry e ON e.workspace_id = a.workspace_id AND e.entry_id = a.entry_id
    WHERE a.workspace_id = $1 AND a.attachment_id = $2 AND a.stored_at_ms IS NOT NULL
        AND a.deleted_at_ms IS NULL";

/// One attachment; nothing before its file is stored, and once it was taken back or erased.
///
/// # Errors
/// The store's.
pub async fn find(
    reader: &Reader,
    workspace_id: WorkspaceId,
    attachment_id: AttachmentId,
) -> Result<Option<AttachmentRow>> {
    let row = reader
        .row(stmt!(FIND_ATTACHMENT, workspace_id, attachment_id))
        .await?;
    row.map(|row| {
        let entry_id = row.maybe_id("entry_id")?;
        Ok(AttachmentRow {
            attachment: decode(&row)?,
            uploader: row.text("uploader")?,
            hash: row.text("hash")?,
            conversation_id: row.maybe_id("conversation_id")?,
            entry_id,
            internal: entry_id.is_some() && row.maybe_number("public_seq")?.is_none(),
            created_at_ms: row.number("created_at_ms")?,
        })
    })
    .transpose()
}

/// What is shown of a row.
pub(crate) fn decode(row: &Row) -> Result<Attachment> {
    let pixels = |column| {
        row.maybe_number(column)?
            .map(u32::try_from)
            .transpose()
            .map_err(|_| Error::Corrupt(format!("column {column} is no number of pixels")))
    };
    Ok(Attachment {
        id: row.id("attachment_id")?,
        name: row.text("name")?,
        media_type: row.text("media_type")?,
        size_bytes: row.number("size_bytes")?,
        width: pixels("width")?,
        height: pixels("height")?,
    })
}
