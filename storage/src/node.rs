//! Nodes: running server processes, as rows that are leases. A node that shares no bus with others needs the
//! store for itself alone; nodes on one bus share it, where they keep uploaded files in one place.
//!
//! Whoever enters, and whoever takes the place of one that died, locks the same row of `meta` by writing, so one
//! decides after the other. Who is dead, a watcher finds out by his own clock: the same renewal for a whole term.

use std::collections::BTreeMap;

use protocol::id::NodeId;

use crate::db::{Batch, Db, Reader, Row, stmt};
use crate::error::{Error, Result};

/// With whom a node may be in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Company {
    /// With nobody: it has no bus.
    Alone,
    /// With others that are on the same bus.
    Shared,
}

/// What a node says of itself each time that it renews its lease beside others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Open sockets and streams.
    pub connection_count: u64,
    /// Whether it sends its clients away, to end.
    pub is_draining: bool,
}

/// A running process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its id: the incarnation.
    pub id: NodeId,
    /// What an operator knows it by: machine, process, data directory.
    pub name: String,
    /// What only one process at a time can hold, whichever else it is: another node with the same seat is dead.
    pub seat: String,
    /// With whom it may be here.
    pub company: Company,
    /// What names the topics of its bus begin with; nodes with others cannot hear each other. Empty for a
    /// node that is alone.
    pub bus: String,
    /// Where it keeps uploaded files, in words that are compared: nodes that look elsewhere would lose them.
    pub files: String,
    /// What all nodes should have alike, each key with its value. No secret is among them.
    pub settings: BTreeMap<String, String>,
    /// Which program it runs.
    pub version: String,
    /// Grows while it lives.
    pub renewal: u64,
    /// When it started.
    pub started_at_ms: u64,
    /// When it last renewed its lease.
    pub renewed_at_ms: u64,
    /// What it said of itself then; nothing yet of one that is alone.
    pub load: Load,
}

impl Node {
    /// Whether two nodes cannot be here at the same time.
    fn excludes(&self, other: &Self) -> bool {
        self.company == Company::Alone
            || other.company == Company::Alone
            || self.bus != other.bus
            || self.files != other.files
    }
}

const LOCK_NODES: &str = "
    INSERT INTO meta (name, value) VALUES ('node', $1)
    ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value";

const DELETE_SEAT: &str = "DELETE FROM node WHERE seat = $1";

const DELETE_DEAD: &str = "DELETE FROM node WHERE node_id = $1 AND renewal = $2";

const INSERT_NODE: &str = "
    INSERT INTO node (
        node_id, name, seat, is_alone, bus, version, renewal, started_at_ms, renewed_at_ms, files, settings_json)
    SELECT $1, $2, $3, $4, $5, $6, CAST($7 AS BIGINT), CAST($8 AS BIGINT), CAST($9 AS BIGINT), $10, $11
    WHERE NOT EXISTS (SELECT 1 FROM node n WHERE n.is_alone OR $4 OR n.bus <> $5 OR n.files <> $10)";

/// Walks the whole table, which holds running processes.
const LIST_NODES: &str = "
    SELECT node_id, name, seat, is_alone, bus, version, renewal, started_at_ms, renewed_at_ms, files, settings_json,
        connection_count, is_draining
    FROM node ORDER BY started_at_ms, node_id LIMIT 1000";

/// Enters the store, in the place of those that are known to be dead. Gives the nodes that are in the way;
/// with none it is in.
///
/// # Errors
/// The store's.
pub async fn enter(db: &Db, node: &Node, dead: &[Node]) -> Result<Vec<Node>> {
    let mut batch = Batch::locking(vec!["node".to_owned()]);
    let settings_json = serde_json::to_string(&node.settings);
    let settings_json = settings_json.map_err(|error| Error::Fault(error.to_string()))?;
    batch.push(stmt!(LOCK_NODES, node.seat.as_bytes().to_vec()));
    batch.push(stmt!(DELETE_SEAT, node.seat.as_str()));
    for one in dead {
        batch.push(stmt!(DELETE_DEAD, one.id, one.renewal));
    }
    let inserted = batch.push(stmt!(
        INSERT_NODE,
        node.id,
        node.name.as_str(),
        node.seat.as_str(),
        node.company == Company::Alone,
        node.bus.as_str(),
        node.version.as_str(),
        node.renewal,
        node.started_at_ms,
        node.renewed_at_ms,
        node.files.as_str(),
        settings_json,
    ));
    let listed = batch.push(stmt!(LIST_NODES));
    let answers = db.batch(batch).await?;
    if answers[inserted].changed == 1 {
        return Ok(Vec::new());
    }
    let others = answers[listed].rows.iter().map(decode);
    let mut others = others.collect::<Result<Vec<_>>>()?;
    others.retain(|other| node.excludes(other));
    Ok(others)
}

const RENEW_NODE: &str = "
    UPDATE node SET renewal = renewal + 1, renewed_at_ms = $2 WHERE node_id = $1";

/// Renews a lease; gives whether it still was the node's.
///
/// # Errors
/// The store's.
pub async fn renew(db: &Db, node_id: NodeId, at_ms: u64) -> Result<bool> {
    let mut batch = Batch::locking(vec![node_id.to_string()]);
    batch.push(stmt!(RENEW_NODE, node_id, at_ms));
    let (is_same, renewed) = tokio::join!(db.look_again(), db.batch(batch));
    is_same?;
    match renewed {
        Ok(answers) => Ok(answers[0].changed == 1),
        Err(Error::Replaced) => Ok(false),
        Err(error) => Err(error),
    }
}

const BEAT_NODE: &str = "
    UPDATE node SET renewal = renewal + 1, renewed_at_ms = $2, connection_count = $3, is_draining = $4
    WHERE node_id = $1";

/// Renews a lease with what the node says of itself, removes nodes that are known to be dead with the renewal at which
/// they are, and gives all that are in the store now; nothing where the lease was the node's no longer.
///
/// # Errors
/// The store's.
pub async fn beat(
    db: &Db,
    node_id: NodeId,
    load: Load,
    dead: &[(NodeId, u64)],
    at_ms: u64,
) -> Result<Option<Vec<Node>>> {
    let mut batch = Batch::locking(vec!["node".to_owned()]);
    let (connection_count, is_draining) = (load.connection_count, load.is_draining);
    let renewed = batch.push(stmt!(
        BEAT_NODE,
        node_id,
        at_ms,
        connection_count,
        is_draining
    ));
    for (dead_id, renewal) in dead {
        batch.push(stmt!(DELETE_DEAD, *dead_id, *renewal));
    }
    let listed = batch.push(stmt!(LIST_NODES));
    let (is_same, answers) = tokio::join!(db.look_again(), db.batch(batch));
    is_same?;
    let answers = answers?;
    if answers[renewed].changed == 0 {
        return Ok(None);
    }
    let nodes = answers[listed].rows.iter().map(decode);
    Ok(Some(nodes.collect::<Result<_>>()?))
}

const DELETE_NODE: &str = "DELETE FROM node WHERE node_id = $1";

/// Gives a lease back: the node stops.
///
/// # Errors
/// The store's.
pub async fn leave(db: &Db, node_id: NodeId) -> Result<()> {
    let mut batch = Batch::locking(vec![node_id.to_string()]);
    batch.push(stmt!(DELETE_NODE, node_id));
    db.batch(batch).await?;
    Ok(())
}

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
        name: row.text("name")?,
        seat: row.text("seat")?,
        company: if row.flag("is_alone")? {
            Company::Alone
        } else {
            Company::Shared
        },
        bus: row.text("bus")?,
        files: row.text("files")?,
        settings: serde_json::from_str(&row.text("settings_json")?)
            .map_err(|error| Error::Corrupt(format!("a node's settings: {error}")))?,
        version: row.text("version")?,
        renewal: row.number("renewal")?,
        started_at_ms: row.number("started_at_ms")?,
        renewed_at_ms: row.number("renewed_at_ms")?,
        load: Load {
            connection_count: row.number("connection_count")?,
            is_draining: row.flag("is_draining")?,
        },
    })
}
