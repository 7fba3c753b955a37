//! Where a reader stands in a conversation's log.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::id::EntryId;

/// A position: the store's epoch, the last number seen, and the id of the entry at that number.
///
/// Agents count by `seq`, visitors by `public_seq`; the type is the same because a reader only ever
/// has one of the two. A node resumes only where the entry at that number has that id: otherwise the
/// store is another one, or lost commits, and the reader must read afresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export_to = "protocol.ts")]
pub struct Position {
    /// Which life of the store the number belongs to; a restored backup gets a new one.
    pub epoch: u64,
    /// The last number seen, from 1.
    pub number: u64,
    /// The entry at that number.
    pub entry_id: EntryId,
}
