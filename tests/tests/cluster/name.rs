//! Nodes of one name, as containers have that are alike: a name is for who reads it, and decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use protocol::frame::Watch;
use protocol::id::NodeId;
use protocol::node::{NodeSeen, NodeState};
use protocol::view::VisitorList;
use tests::cluster::Cluster;

use crate::READY;
use crate::presence::they_are;

const NAME: &str = "process 1 on app with the data directory /data";

/// A third node comes with the name of the two that are there, works with them, is killed, and comes back. Each is listed,
/// and told from the others by its id.
pub(crate) async fn nodes_have_one_name(mut cluster: Cluster) -> Cluster {
    let owner = cluster.owner(0).await;
    cluster.are_all_called(NAME).await;
    cluster.grows().await;
    let ready = |count: u64| (NodeState::Ready, count);
    for node in 0..3 {
        cluster.lists(node, &owner, &[ready(0); 3]).await;
        cluster.says(node, READY).await;
    }
    let (here, there) = (
        cluster.listed(0, &owner).await,
        cluster.listed(2, &owner).await,
    );
    for listed in [&here, &there] {
        // Who answers tells of himself what he knows, and of the others what is stored.
        let mut others = listed.iter().filter(|node| !node.answers);
        assert!(others.all(|node| node.name == NAME), "{listed:?}");
        assert_eq!(answering(listed).len(), 1, "{listed:?}");
    }
    let ids: BTreeSet<_> = here.iter().map(|node| node.id).collect();
    assert_eq!(ids.len(), 3, "{here:?}");
    assert_ne!(answering(&here), answering(&there));

    let mut visitor = cluster.visitor(0).await;
    let mut agent = cluster.agent(1).await;
    let mut ghost = cluster.visitor(2).await;
    visitor.says("hello").await;
    let id = visitor.conversation();
    agent.opens(id).await;
    agent.says(id, "welcome").await;
    visitor.sees("welcome").await;
    ghost.says("I shall be gone").await;
    let visitors = Watch::Visitors(VisitorList::default());
    agent.client.watch(visitors).await.expect("the line is up");
    let mut gone = BTreeMap::new();
    they_are(2, &mut gone, &mut agent).await;

    // Who is taken for dead is the one that died, and nobody else.
    cluster.loses(2).await;
    they_are(1, &mut gone, &mut agent).await;
    assert_eq!(gone, BTreeMap::from([(ghost.id(), 1)]));
    cluster.lists(1, &owner, &[ready(1), ready(1)]).await;
    visitor.says("still here").await;
    agent.sees(id, "still here").await;
    cluster.regains(2).await;
    cluster
        .lists(1, &owner, &[ready(1), ready(1), ready(0)])
        .await;
    let again = cluster.listed(1, &owner).await;
    let new = again.iter().filter(|node| !ids.contains(&node.id));
    assert_eq!(new.count(), 1, "{again:?}");
    ghost.connects().await;
    they_are(2, &mut gone, &mut agent).await;
    let people = &mut [&mut visitor.client, &mut agent.client];
    cluster.agree(2, id, people).await;
    cluster
}

fn answering(listed: &[NodeSeen]) -> Vec<NodeId> {
    let answering = listed.iter().filter(|node| node.answers);
    answering.map(|node| node.id).collect()
}
