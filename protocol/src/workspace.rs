//! The workspace and its settings.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::id::WorkspaceId;
use crate::text::Name;

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts")]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Grows with every change (`If-Match`).
    pub version: u64,
    /// The business's name.
    pub name: String,
    /// The IANA time zone.
    pub time_zone: String,
    /// Its settings.
    pub settings: Settings,
}

/// What a workspace may set; sites inherit it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[ts(export_to = "protocol.ts")]
pub struct Settings {
    /// A visit ends after so long without a page view (SET-02).
    pub session_timeout_ms: u64,
    /// A visitor counts as active so long after the last sign of life (RT-03).
    pub active_threshold_ms: u64,
    /// Whether stored addresses lose their last octet.
    pub anonymize_addresses: bool,
    /// Whether browsers that say Do Not Track are followed from page to page.
    pub respect_do_not_track: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            session_timeout_ms: 30 * 60 * 1_000,
            active_threshold_ms: 90 * 1_000,
            anonymize_addresses: false,
            respect_do_not_track: true,
        }
    }
}

/// What a change of a workspace may set; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct WorkspaceChange {
    /// A new name.
    pub name: Option<Name>,
    /// A new time zone.
    pub time_zone: Option<String>,
    /// New settings, whole.
    pub settings: Option<Settings>,
}
