//! The audit log: who changed what, when. Field names and ids; values only in a part that an erasure
//! can empty.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::id::AuditId;

/// A line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct AuditEntry {
    /// Its id.
    pub id: AuditId,
    /// When.
    pub at_ms: u64,
    /// Who: an agent's, visitor's or key's id, or `system`.
    pub actor: String,
    /// What, dotted and in the past tense: `site.changed`, `agent.deactivated`.
    pub action: String,
    /// The id of what it was done to.
    pub target: String,
    /// The names of the fields that changed.
    pub fields: Vec<String>,
    /// From what to what, as far as not erased: a JSON object of `field: [before, after]`.
    pub changes_json: Option<String>,
    /// The address it came from.
    pub address: Option<String>,
    /// What the things behind the ids of this line are called now, as far as known: the actor, the target,
    /// and ids among the changes.
    pub names: BTreeMap<String, String>,
}

/// A sign-in that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct FailedLogin {
    /// When.
    pub at_ms: u64,
    /// The address that was tried.
    pub email: String,
    /// The network address it came from.
    pub address: String,
    /// Its country, where known.
    pub country: Option<String>,
    /// The browser.
    pub user_agent: String,
    /// `wrong_password`, `locked`, `not_found`, `deactivated` or `blocked`.
    pub reason: String,
}
