//! Blocked addresses: networks from which nobody may come into a workspace.

use protocol::blocked_address::BlockedAddress;
use protocol::event::EventType;
use protocol::id::{BlockedAddressId, WorkspaceId};
use protocol::limit;
use protocol::network::Network;
use protocol::permission::Scope;

use crate::agent::LOCK_WORKSPACE;
use crate::audit::Change;
use crate::change::{Stamp, insert_audit_where_stamped};
use crate::db::{Db, Reader, Row, stmt};
use crate::error::{Error, Result, Written};

/// Uses the primary key: at most as many as a workspace may block.
const LIST_BLOCKED_ADDRESSES: &str = "
    SELECT blocked_address_id, network, reason, agent_id, created_at_ms
    FROM blocked_address
    WHERE workspace_id = $1
    ORDER BY created_at_ms DESC, blocked_address_id DESC
    LIMIT $2";

/// What is blocked, newest first.
///
/// # Errors
/// The store's.
pub async fn list(reader: &Reader, scope: &Scope) -> Result<Vec<BlockedAddress>> {
    let rows = reader
        .rows(stmt!(
            LIST_BLOCKED_ADDRESSES,
            scope.workspace_id(),
            limit::BLOCKED_ADDRESSES_MAX
        ))
        .await?;
    rows.iter().map(decode).collect()
}

/// Uses `blocked_address_by_network`.
const LIST_NETWORKS: &str = "
    SELECT network FROM blocked_address WHERE workspace_id = $1
    ORDER BY network
    LIMIT $2";

/// The networks alone, for those who ask at each door.
///
/// # Errors
/// The store's.
pub async fn networks(reader: &Reader, workspace_id: WorkspaceId) -> Result<Vec<Network>> {
    let list = stmt!(LIST_NETWORKS, workspace_id, limit::BLOCKED_ADDRESSES_MAX);
    let network = |row: &Row| {
        let text = row.text("network")?;
        let network = text.parse::<Network>();
        network.map_err(|error| Error::Corrupt(error.to_string()))
    };
    reader.rows(list).await?.iter().map(network).collect()
}

/// Uses the primary key.
const FIND_BLOCKED_ADDRESS: &str = "
    SELECT blocked_address_id, network, reason, agent_id, created_at_ms
    FROM blocked_address
    WHERE workspace_id = $1 AND blocked_address_id = $2";

/// One of them.
///
/// # Errors
/// The store's.
pub async fn find(
    reader: &Reader,
    workspace_id: WorkspaceId,
    id: BlockedAddressId,
) -> Result<Option<BlockedAddress>> {
    let find = stmt!(FIND_BLOCKED_ADDRESS, workspace_id, id);
    reader.rows(find).await?.first().map(decode).transpose()
}

/// Uses `blocked_address_by_network`.
const INSERT_BLOCKED_ADDRESS: &str = "
    INSERT INTO blocked_address
        (workspace_id, blocked_address_id, change_id, network, reason, agent_id, created_at_ms)
    SELECT $1, $2, $3, $4, $5, CAST($6 AS TEXT), CAST($7 AS BIGINT)
    FROM workspace
    WHERE workspace_id = $1
        AND (SELECT COUNT(*) FROM blocked_address WHERE workspace_id = $1) < $8
        AND NOT EXISTS (SELECT 1 FROM blocked_address WHERE workspace_id = $1 AND network = $4)";

const AUDIT_BLOCKED_ADDRESS: &str =
    insert_audit_where_stamped!("blocked_address", "blocked_address_id");

/// Stores one. `AlreadyExists` for a network that is blocked, `TooMany` over what a workspace may block.
///
/// # Errors
/// The store's.
pub async fn create(db: &Db, new: &BlockedAddress, change: &Change) -> Result<Written<()>> {
    let workspace_id = change.workspace_id;
    let stamp = Stamp::new(db, change);
    let mut batch = stamp.batch();
    batch.locks.insert(0, workspace_id.to_string());
    batch.push(stmt!(LOCK_WORKSPACE, workspace_id));
    let insert = batch.push(stmt!(
        INSERT_BLOCKED_ADDRESS,
        workspace_id,
        new.id,
        stamp.id,
        new.network.as_str(),
        new.reason.as_str(),
        new.agent_id,
        new.created_at_ms,
        limit::BLOCKED_ADDRESSES_MAX,
    ));
    batch.push(stamp.audit_where_stamped(AUDIT_BLOCKED_ADDRESS, new.id));
    batch.push(stamp.value());
    batch.push(stamp.event(EventType::BlockedAddressChanged, 1));
    match db.batch(batch).await {
        Ok(answers) if answers[insert].changed == 1 => Ok(Written::Done(())),
        Ok(_) if is_blocked(db, workspace_id, &new.network).await? => Ok(Written::AlreadyExists),
        Ok(_) => Ok(Written::TooMany),
        Err(Error::Unique(_)) => Ok(Written::AlreadyExists),
        Err(error) => Err(error),
    }
}

/// Uses `blocked_address_by_network`.
const FIND_NETWORK: &str = "
    SELECT blocked_address_id FROM blocked_address WHERE workspace_id = $1 AND network = $2 LIMIT 1";

async fn is_blocked(reader: &Reader, workspace_id: WorkspaceId, network: &str) -> Result<bool> {
    let find = stmt!(FIND_NETWORK, workspace_id, network);
    Ok(!reader.rows(find).await?.is_empty())
}

const STAMP_BLOCKED_ADDRESS: &str = "
    UPDATE blocked_address SET change_id = $3
    WHERE workspace_id = $1 AND blocked_address_id = $2";

/// Takes away what carries the stamp.
const DELETE_BLOCKED_ADDRESS: &str = "
    DELETE FROM blocked_address WHERE workspace_id = $1 AND blocked_address_id = $2 AND change_id = $3";

/// Lets a network in again; gives whether it was blocked.
///
/// # Errors
/// The store's.
pub async fn remove(db: &Db, id: BlockedAddressId, change: &Change) -> Result<bool> {
    let workspace_id = change.workspace_id;
    let stamp = Stamp::new(db, change);
    let mut batch = stamp.batch();
    let update = batch.push(stmt!(STAMP_BLOCKED_ADDRESS, workspace_id, id, stamp.id));
    batch.push(stamp.audit_where_stamped(AUDIT_BLOCKED_ADDRESS, id));
    batch.push(stamp.value());
    batch.push(stamp.event(EventType::BlockedAddressChanged, change.at_ms));
    batch.push(stmt!(DELETE_BLOCKED_ADDRESS, workspace_id, id, stamp.id));
    Ok(db.batch(batch).await?[update].changed == 1)
}

fn decode(row: &Row) -> Result<BlockedAddress> {
    Ok(BlockedAddress {
        id: row.id("blocked_address_id")?,
        network: row.text("network")?,
        reason: row.text("reason")?,
        agent_id: row.maybe_id("agent_id")?,
        created_at_ms: row.number("created_at_ms")?,
    })
}
