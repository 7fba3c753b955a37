//! Nodes: the server processes of an installation, as admins see them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::conversation::words;
use crate::id::NodeId;

words! {
    /// What a node does.
    NodeState {
        /// It serves.
        Ready = "ready",
        /// It sends its clients away, to end.
        Draining = "draining",
        /// It was not heard of for seconds: it died, stands still, or does not reach the store.
        Gone = "gone",
    }
}

/// A node as it was seen last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export_to = "protocol.ts")]
pub struct NodeSeen {
    /// Which run of it.
    pub id: NodeId,
    /// What an operator knows it by: process, machine, data directory.
    pub name: String,
    /// Which program it runs.
    pub version: String,
    /// What it does.
    pub state: NodeState,
    /// Open sockets and streams.
    pub connection_count: u64,
    /// Since when it runs.
    pub started_at_ms: u64,
    /// When it was last heard of.
    pub seen_at_ms: u64,
    /// Whether it is the one that answers.
    pub answers: bool,
}
