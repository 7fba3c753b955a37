//! What an admin must see to: parts of an installation that do not work, while they do not.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::conversation::words;

words! {
    /// What does not work.
    TroubleKind {
        /// The last backup was not written.
        BackupFailed = "backup_failed",
        /// Nodes do not hear each other: news come a moment later.
        BusUnreachable = "bus_unreachable",
        /// Nodes have other settings than the one that is asked.
        SettingsDiffer = "settings_differ",
    }
}

/// Something that does not work, since when, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts")]
pub struct Trouble {
    /// What.
    pub kind: TroubleKind,
    /// Since when.
    pub since_at_ms: u64,
    /// Why, in the words of whatever failed: for the operator, without secrets.
    pub reason: String,
}
