//! Nodes: running server processes, as rows with leases.

use protocol::id::NodeId;

use crate::db::{Batch, Db, Reader, Row, stmt};
use crate::error::Result;

/// A running process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its id: the incarnation.
    pub id: NodeId,
    /// When it started.
    pub started_at_ms: u64,
    /// When it last renewed its lease.
    pub renewed_at_ms: u64,
}

const UPSERT_NODE: &str = "
    INSERT INTO node (node_id, started_at_ms, renewed_at_ms) VALUES ($1, $2, $3)
    ON CONFLICT (node_id) DO UPDATE SET renewed_at_ms = EXCLUDED.renewed_at_ms";

/// Stores or renews a node.
///
/// # Errors
/// The store's.
pub async fn renew(db: &Db, node: &Node) -> Result<()> {
    let mut batch = Batch::locking(vec![node.id.to_string()]);
    batch.push(stmt!(
        UPSERT_NODE,
        node.id,
        node.started_at_ms,
        node.renewed_at_ms
    ));
    db.batch(batch).await?;
    Ok(())
}

const DELETE_NODE: &str = "DELETE FROM node WHERE node_id = $1";

/// Removes a node that stops.
///
/// # Errors
/// The store's.
pub async fn remove(db: &Db, node_id: NodeId) -> Result<()> {
    let mut batch = Batch::locking(vec![node_id.to_string()]);
    batch.push(stmt!(DELETE_NODE, node_id));
    db.batch(batch).await?;
    Ok(())
}

/// Walks the whole table, which holds running processes.
const LIST_NODES: &str = "
    SELECT node_id, started_at_ms, renewed_at_ms FROM node ORDER BY started_at_ms, node_id LIMIT 1000";

/// All nodes, oldest first, at most 1,000.
///
/// # Errors
/// The store's.
pub async fn list(reader: &Reader) -> Result<Vec<Node>> {
    reader
        .rows(stmt!(LIST_NODES))
        .await?
        .iter()
        .map(decode)
        .collect()
}

fn decode(row: &Row) -> Result<Node> {
    Ok(Node {
        id: row.id("node_id")?,
        started_at_ms: row.number("started_at_ms")?,
        renewed_at_ms: row.number("renewed_at_ms")?,
    })
}
