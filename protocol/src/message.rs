//! What an entry says: the part that an edit replaces and an erasure empties.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::attachment::Attachment;
use crate::id::EntryId;

/// How a body is written. Never HTML.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "protocol.ts")]
pub enum Format {
    /// As it stands; addresses may be shown as links.
    #[default]
    Plain,
    /// CommonMark without HTML.
    Markdown,
}

impl Format {
    /// The word on the wire and in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Markdown => "markdown",
        }
    }

    /// The value of a stored word.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        match text {
            "plain" => Some(Self::Plain),
            "markdown" => Some(Self::Markdown),
            _ => None,
        }
    }
}

/// The words of a message or note, as they are today.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct Message {
    /// How `body` is written.
    pub format: Format,
    /// What was written; empty when `deleted_at_ms` is set, or when only files were sent.
    pub body: String,
    /// BCP 47 tag, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The entry this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to_id: Option<EntryId>,
    /// The files that came with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<Attachment>>", optional)]
    pub attachments: Vec<Attachment>,
    /// When it was last edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at_ms: Option<u64>,
    /// When it was deleted or erased: the body is gone, the entry stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at_ms: Option<u64>,
}

/// A body as plain text, for search and previews: Markdown's marks are taken off, the rest stays.
#[must_use]
pub fn plain_text(format: Format, body: &str) -> String {
    match format {
        Format::Plain => body.to_owned(),
        Format::Markdown => body
            .lines()
            .map(|line| {
                line.trim_start_matches(['#', '>', ' '])
                    .replace(['*', '_', '`'], "")
            })
            .collect::<Vec<_>>()
            .join("\n"),
    }
}
