//! Who is here, as agents of two nodes are told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use loadtest::client::{News, Server};
use protocol::frame::Watch;
use protocol::id::VisitorId;
use protocol::news::AgentNews;
use protocol::view::VisitorList;
use protocol::visitor::PresenceState;
use tests::Agent;
use tests::cluster::Cluster;
use world::tracker::Task;

use crate::PATIENCE;

/// How long who was cut off waits before he comes to the other node.
const PAUSE: Duration = Duration::from_millis(100);

/// Whoever shows a conversation learns of its visitor, on whichever node he is.
pub(crate) async fn is_here_on_the_other_node(agent: &mut Agent, id: VisitorId) {
    let named = Watch::Presence {
        visitor_ids: vec![id],
        row_id: Some(id),
    };
    agent.client.watch(named).await.expect("the line is up");
    let here = |news: &News| match news {
        News::Agent(AgentNews::VisitorPresence { states, row }) => {
            let is_active = states.iter().any(|one| one.state == PresenceState::Active);
            let is_his = row.as_ref().is_some_and(|row| row.id == id);
            (is_active && is_his).then_some(())
        }
        News::Agent(_) | News::Visitor(_) => None,
    };
    let here = agent.client.hears("that the visitor is here", here).await;
    here.expect("it comes");
}

/// Waits until the list counts so many visitors, and notes who leaves meanwhile, and how often.
pub(crate) async fn they_are(
    wanted: usize,
    gone: &mut BTreeMap<VisitorId, u32>,
    agent: &mut Agent,
) {
    let counted = |news: &News| {
        let counts = match news {
            News::Agent(AgentNews::VisitorChanges {
                gone: left, counts, ..
            }) => {
                for id in left {
                    *gone.entry(*id).or_default() += 1;
                }
                counts
            }
            News::Agent(AgentNews::Visitors { counts, .. }) => counts,
            News::Agent(_) | News::Visitor(_) => return None,
        };
        let count = usize::try_from(counts.active + counts.idle).expect("few");
        (count == wanted).then_some(())
    };
    let counted = agent.client.hears("a count of visitors", counted).await;
    counted.expect("it comes");
}

/// A member of the team who has the list of visitors open, at whichever node there is, until somebody is gone.
pub(crate) struct Lookout(Task<Told>);

/// What he was told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// Who is here.
    pub(crate) here: BTreeSet<VisitorId>,
    /// Who is gone, as often as it was told.
    pub(crate) gone: Vec<VisitorId>,
}

impl Lookout {
    /// Begins at a node of two; ends once this visitor is told as gone.
    pub(crate) async fn begins(cluster: &Cluster, node: usize, until: VisitorId) -> Self {
        let mut agent = cluster.agent(node).await;
        let visitors = Watch::Visitors(VisitorList::default());
        agent.client.watch(visitors).await.expect("the line is up");
        let servers = [cluster.server(0).await, cluster.server(1).await];
        let looking = look_on(agent, servers, node, until);
        Self(cluster.world.tracker.spawn(looking))
    }

    /// What was told, in the end.
    pub(crate) async fn told(self, cluster: &Cluster) -> Told {
        let told = cluster.world.clock.timeout(PATIENCE, self.0).await;
        told.expect("it ends").expect("he does not panic")
    }
}

async fn look_on(
    mut agent: Agent,
    servers: [Server; 2],
    mut node: usize,
    until: VisitorId,
) -> Told {
    let mut told = Told::default();
    while !told.gone.contains(&until) {
        match agent.client.next().await {
            Ok(News::Agent(AgentNews::Visitors { rows, .. })) => {
                told.here.extend(rows.iter().map(|row| row.id));
            }
            Ok(News::Agent(AgentNews::VisitorChanges { rows, gone, .. })) => {
                told.here.extend(rows.iter().map(|row| row.id));
                told.gone.extend(gone);
            }
            Ok(News::Agent(_) | News::Visitor(_)) => {}
            Err(_) => {
                agent.client.clock().sleep(PAUSE).await;
                node = 1 - node;
                agent.client.move_to(servers[node].clone());
                // Where that one is away as well, the next look finds no connection either.
                let _ = agent.client.connect().await;
            }
        }
    }
    told
}
