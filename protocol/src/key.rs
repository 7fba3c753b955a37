//! API keys: for programs. Stored as a hash, shown once.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::id::ApiKeyId;
use crate::permission::Permission;
use crate::text::Name;

/// What every API key begins with.
pub const API_KEY_PREFIX: &str = "sbk_";

/// A key for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// What it is for.
    pub name: String,
    /// The first characters, to tell keys apart.
    pub hint: String,
    /// What it may do.
    pub scopes: Vec<Permission>,
    /// The key itself, only in the answer that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// When it was made.
    pub created_at_ms: u64,
    /// When it was last used, to the minute.
    pub used_at_ms: Option<u64>,
    /// When it stops being accepted; never by itself when absent.
    pub expires_at_ms: Option<u64>,
}

/// What a key is called: all that the whole team sees of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts")]
pub struct KeyName {
    /// Its id.
    pub id: ApiKeyId,
    /// What it is for.
    pub name: String,
}

/// Makes a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct NewApiKey {
    /// What it is for.
    pub name: Name,
    /// What it may do; only what its maker may.
    pub scopes: Vec<Permission>,
    /// When it shall stop being accepted, at least a minute ahead; never by itself when absent.
    pub expires_at_ms: Option<u64>,
}
