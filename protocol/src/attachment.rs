//! Files: uploaded over HTTP first, then named in a message.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::id::AttachmentId;

/// How files begin that are told from their first bytes alone: in hexadecimal, a point for any digit, and the type that
/// each is found to have. Programs have none, for they are never taken. What begins otherwise is looked at more closely.
pub const FILE_MARKS: &[(&str, &str)] = &[
    ("4d5a", ""),
    ("7f454c46", ""),
    ("2321", ""),
    ("89504e47", "image/png"),
    ("ffd8ff", "image/jpeg"),
    ("474946", "image/gif"),
    ("52494646........57454250", "image/webp"),
    ("........6674797061766966", "image/avif"),
    ("........6674797068656963", "image/heif"),
    ("........6674797068656978", "image/heif"),
    ("25504446", "application/pdf"),
];

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
