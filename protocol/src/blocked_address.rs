//! Blocked addresses: networks from which nobody can chat, connect or use the console of a workspace.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::id::{AgentId, BlockedAddressId};

/// A network that is blocked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct BlockedAddress {
    /// Its id.
    pub id: BlockedAddressId,
    /// The network: `203.0.113.0/24`, `2001:db8::/32`, or a single address of either version.
    pub network: String,
    /// Why; may be empty.
    pub reason: String,
    /// The member who blocked it; absent where a program did.
    pub agent_id: Option<AgentId>,
    /// When.
    pub created_at_ms: u64,
}

/// Blocks a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts", optional_fields = nullable)]
pub struct NewBlockedAddress {
    /// The network: an address, or one with the number of bits that count behind `/`.
    #[schema(max_length = 64)]
    pub network: String,
    /// Why; nothing when absent.
    pub reason: Option<String>,
    /// Blocks the network also where the asker's own address belongs to it; refused when absent.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub including_me: bool,
}
