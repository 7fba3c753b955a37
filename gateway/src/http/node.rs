//! The nodes that serve an installation.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use protocol::node::{NodeSeen, NodeState};
use protocol::page::Page;
use protocol::permission::Permission;
use storage::node::Node;

use crate::Doors;
use crate::http::auth::Team;
use crate::http::extract::Json;
use crate::http::problem::Answer;
use crate::metric::Metric;

/// A node that has not renewed its lease for this long, in milliseconds, counts as gone; the others take it for dead
/// as soon. They renew each second.
const SILENT_MS_MAX: u64 = 3_500;

pub(crate) fn routes() -> Router<Doors> {
    Router::new().route("/nodes", get(list))
}

/// The nodes that serve the installation, the one that answers first and the others by when they started, for those
/// who may change settings. One that ended is no longer among them, one that died for ten seconds.
#[utoipa::path(get, path = "/api/v1/nodes", operation_id = "list_nodes", tag = "workspace",
    security(("session" = []), ("login_bearer" = []), ("key" = ["settings.write"])),
    responses((status = 200, body = Page<NodeSeen>)))]
pub(crate) async fn list(
    State(doors): State<Doors>,
    Team(actor): Team,
) -> Answer<Json<Page<NodeSeen>>> {
    actor.may(Permission::SettingsWrite)?;
    let nodes = storage::node::list(&doors.reader).await?;
    let own = own(&doors);
    let others = nodes.into_iter().filter(|node| node.id != own.id);
    let now_ms = own.seen_at_ms;
    let others = others.map(|node| seen(node, now_ms)).collect::<Vec<_>>();
    let items = std::iter::once(own).chain(others).collect();
    Ok(Json(Page {
        items,
        cursor: None,
    }))
}

/// This node, which needs no lease where the store is its own.
fn own(doors: &Doors) -> NodeSeen {
    let connections = doors.metrics.get(Metric::Connections);
    NodeSeen {
        id: doors.router.node_id(),
        name: doors.config.node_name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        state: match doors.is_ready() {
            true => NodeState::Ready,
            false => NodeState::Draining,
        },
        connection_count: u64::try_from(connections).unwrap_or_default(),
        started_at_ms: doors.opened_at_ms,
        seen_at_ms: doors.world.clock.now_ms(),
        answers: true,
    }
}

/// Another node, by its lease.
fn seen(node: Node, now_ms: u64) -> NodeSeen {
    let is_gone = now_ms.saturating_sub(node.renewed_at_ms) > SILENT_MS_MAX;
    NodeSeen {
        id: node.id,
        name: node.name,
        version: node.version,
        state: match (is_gone, node.load.is_draining) {
            (true, _) => NodeState::Gone,
            (false, true) => NodeState::Draining,
            (false, false) => NodeState::Ready,
        },
        connection_count: match is_gone {
            true => 0,
            false => node.load.connection_count,
        },
        started_at_ms: node.started_at_ms,
        seen_at_ms: node.renewed_at_ms,
        answers: false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use protocol::id::{Id, NodeId};
    use storage::node::{Company, Load};

    use super::*;

    /// What is shown, so long after a node said this of itself.
    fn check(is_draining: bool, after_ms: u64, expected: (NodeState, u64)) {
        let node = Node {
            id: NodeId::from_bits(1),
            name: "one".to_owned(),
            seat: String::new(),
            company: Company::Shared,
            bus: String::new(),
            files: String::new(),
            settings: BTreeMap::new(),
            version: "1".to_owned(),
            renewal: 1,
            started_at_ms: 5,
            renewed_at_ms: 10,
            load: Load {
                connection_count: 7,
                is_draining,
            },
        };
        let seen = seen(node, 10 + after_ms);
        assert_eq!((seen.state, seen.connection_count), expected);
    }

    #[test]
    fn a_silent_node_is_gone_whatever_it_said_last() {
        check(false, 0, (NodeState::Ready, 7));
        check(true, SILENT_MS_MAX, (NodeState::Draining, 7));
        check(true, SILENT_MS_MAX + 1, (NodeState::Gone, 0));
        check(false, SILENT_MS_MAX + 1, (NodeState::Gone, 0));
    }
}
