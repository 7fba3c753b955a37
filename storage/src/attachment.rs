//! Attachments: rows that name files. A file is bound to its uploader until a message claims it.

use protocol::attachment::Attachment;
use protocol::id::{AttachmentId, ConversationId, EntryId, WorkspaceId};
use protocol::limit;

use crate::db::{Batch, Db, Reader, Row, stmt};
use crate::error::{Error, Result, Written};

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

/// Uses `attachment_unclaimed`.
const INSERT_ATTACHMENT: &str = "
    INSERT INTO attachment (workspace_id, attachment_id, uploader, name, media_type, size_bytes, width,
        height, hash, created_at_ms)
    SELECT $1, $2, $3, $4, $5, CAST($6 AS BIGINT), CAST($7 AS BIGINT), CAST($8 AS BIGINT), $9,
        CAST($10 AS BIGINT)
    WHERE CAST($11 AS BIGINT) > (
        SELECT COUNT(*) FROM attachment a
        WHERE a.workspace_id = $1 AND a.uploader = $3 AND a.entry_id IS NULL
            AND a.deleted_at_ms IS NULL)";

/// Stores a row, once its file is safely stored. `TooMany` where the uploader has
/// `UNCLAIMED_ATTACHMENTS_MAX` that no message claimed.
///
/// # Errors
/// The store's.
pub async fn create(
    db: &Db,
    workspace_id: WorkspaceId,
    row: &AttachmentRow,
) -> Result<Written<()>> {
    let mut batch = Batch::locking(vec![row.uploader.clone()]);
    let attachment = &row.attachment;
    batch.push(stmt!(
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
        limit::UNCLAIMED_ATTACHMENTS_MAX
    ));
    let stored = db.batch(batch).await?[0].changed == 1;
    Ok(if stored {
        Written::Done(())
    } else {
        Written::TooMany
    })
}

// By the primary keys.
const FIND_ATTACHMENT: &str = "
    SELECT a.attachment_id, a.uploader, a.conversation_id, a.entry_id, a.name, a.media_type, a.size_bytes,
        a.width, a.height, a.hash, a.created_at_ms, e.public_seq
    FROM attachment a
    LEFT JOIN entry e ON e.workspace_id = a.workspace_id AND e.entry_id = a.entry_id
    WHERE a.workspace_id = $1 AND a.attachment_id = $2 AND a.deleted_at_ms IS NULL";

/// One attachment; nothing once it was taken back or erased.
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

/// What a sweep removes: unclaimed for too long, or taken back.
const DELETE_SWEPT: &str = "
    DELETE FROM attachment WHERE (workspace_id, attachment_id) IN (
        SELECT workspace_id, attachment_id FROM attachment
        WHERE (entry_id IS NULL AND created_at_ms < $1) OR deleted_at_ms IS NOT NULL
        ORDER BY created_at_ms LIMIT 100)
    RETURNING workspace_id, hash";

// Uses `attachment_by_hash`.
const FIND_HASH: &str = "
    SELECT attachment_id FROM attachment
    WHERE workspace_id = $1 AND hash = $2
    LIMIT 1";

/// Removes rows that no message claimed before `before_ms`, and those taken back, at most 100; gives
/// workspace and hash of the files that nothing needs any more.
///
/// # Errors
/// The store's.
pub async fn sweep(db: &Db, before_ms: u64) -> Result<Vec<(WorkspaceId, String)>> {
    let mut batch = Batch::locking(vec!["attachment".to_owned()]);
    batch.push(stmt!(DELETE_SWEPT, before_ms));
    let mut gone = Vec::new();
    for row in &db.batch(batch).await?[0].rows {
        let (workspace_id, hash) = (row.id::<WorkspaceId>("workspace_id")?, row.text("hash")?);
        if !is_needed(db, workspace_id, &hash).await? {
            gone.push((workspace_id, hash));
        }
    }
    Ok(gone)
}

/// Whether any row still names a file.
async fn is_needed(reader: &Reader, workspace_id: WorkspaceId, hash: &str) -> Result<bool> {
    Ok(reader
        .row(stmt!(FIND_HASH, workspace_id, hash))
        .await?
        .is_some())
}
