//! Uploaded files, for the stories of attachments.

use std::path::Path;

use bytes::Bytes;
use protocol::attachment::Attachment;
use protocol::id::WorkspaceId;
use storage::attachment::{self, AttachmentRow, Place};
use storage::blob::{self, BlobConfig, Blobs};

use super::talk::Talk;
use super::{NOW_MS, Store};

/// What the visitors of a workspace may have unclaimed, in the stories.
pub(crate) const VISITOR_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// The files of a store, in which faults can be planted.
pub(crate) fn blobs(store: &Store) -> Blobs {
    let directory = BlobConfig::Directory(store.directory.path().join("files"));
    let blobs = blob::open(&directory).expect("a directory for files");
    blobs.with_faults(store.world.faults.clone())
}

/// A row for a file that says this.
pub(crate) fn row(talk: &Talk<'_>, uploader: impl ToString, text: &str) -> AttachmentRow {
    AttachmentRow {
        attachment: Attachment {
            id: talk.store.world.ids.next(),
            name: "zanzibar.png".to_owned(),
            media_type: "image/png".to_owned(),
            size_bytes: text.len() as u64,
            width: Some(3),
            height: Some(4),
        },
        uploader: uploader.to_string(),
        hash: blob::hash(text.as_bytes()),
        conversation_id: None,
        entry_id: None,
        internal: false,
        created_at_ms: NOW_MS,
    }
}

/// Asks for a place for a file.
pub(crate) async fn reserve(talk: &Talk<'_>, row: &AttachmentRow) -> Place {
    let place = attachment::reserve(&talk.store.db, talk.workspace_id, row, VISITOR_BYTES_MAX);
    place.await.expect("the store works")
}

/// Stores the file of a row that has its place.
pub(crate) async fn put(talk: &Talk<'_>, blobs: &Blobs, row: &AttachmentRow, text: &str) {
    let bytes = Bytes::copy_from_slice(text.as_bytes());
    let put = blobs.put(talk.workspace_id, &row.hash, bytes).await;
    put.expect("the disk works");
    let stored =
        attachment::stored(&talk.store.db, talk.workspace_id, row.attachment.id, NOW_MS).await;
    assert!(stored.expect("the store works"), "the row is gone");
}

/// Uploads a file from beginning to end.
pub(crate) async fn upload(
    talk: &Talk<'_>,
    blobs: &Blobs,
    uploader: impl ToString,
    text: &str,
) -> AttachmentRow {
    let row = row(talk, uploader, text);
    assert_eq!(reserve(talk, &row).await, Place::Kept);
    put(talk, blobs, &row, text).await;
    row
}

/// Whether a file that says this is there.
pub(crate) async fn has(blobs: &Blobs, workspace_id: WorkspaceId, text: &str) -> bool {
    let found = blobs.get(workspace_id, &blob::hash(text.as_bytes())).await;
    found.expect("the disk works").is_some()
}

/// How many files there are in a directory and those below it.
pub(crate) fn count(directory: &Path) -> usize {
    let entries = std::fs::read_dir(directory).expect("it can be read");
    entries
        .map(|entry| entry.expect("it can be read").path())
        .map(|path| if path.is_dir() { count(&path) } else { 1 })
        .sum()
}
