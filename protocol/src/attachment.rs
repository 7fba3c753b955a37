//! Files: uploaded over HTTP first, then named in a message.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::id::AttachmentId;

/// A file of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Attachment {
    /// Its id; the file is at `/api/v1/attachments/{id}`.
    pub id: AttachmentId,
    /// Its name, made safe to show and save.
    pub name: String,
    /// Its type, found by looking at the bytes.
    pub media_type: String,
    /// Its size.
    pub size_bytes: u64,
    /// Pixels, for images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels, for images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
}
