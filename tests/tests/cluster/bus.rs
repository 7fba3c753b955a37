//! The bus is away: nodes are slower, never wrong, and say so.

use std::collections::BTreeMap;
use std::time::Duration;

use loadtest::client::News;
use protocol::command::Command;
use protocol::frame::Watch;
use protocol::id::VisitorId;
use protocol::news::AgentNews;
use protocol::trouble::TroubleKind;
use protocol::view::VisitorList;
use tests::cluster::Cluster;
use tests::{Agent, Visitor};

use crate::presence::they_are;
use crate::{PATIENCE, READY};

/// How many lines are said while it is away, and how late the median of them may come: a node looks into the log ten
/// times a second then, and once a second while it hears the others.
const LINES: usize = 20;
const LATE_MAX: Duration = Duration::from_millis(300);

const BLIND: &str = "ready, but the bus is out of reach: news of other nodes come late\n";

/// How long a node that is not heard must be away before it may be gone (3 s), and more.
const SILENCE: Duration = Duration::from_secs(4);

/// Says whether a node hears the others.
const BUS_UP: &str = "switchboard_bus_up";

pub(crate) async fn redis_is_killed_and_comes_back(mut cluster: Cluster) -> Cluster {
    let mut visitor = cluster.visitor(0).await;
    let mut agent = cluster.agent(1).await;
    visitor.says("hello").await;
    let id = visitor.conversation();
    agent.opens(id).await;
    let mut rude = cluster.visitor(0).await;
    rude.says("something rude").await;
    let mut gone = BTreeMap::new();
    let mut watcher = cluster.agent(1).await;
    let visitors = Watch::Visitors(VisitorList::default());
    watcher
        .client
        .watch(visitors)
        .await
        .expect("the line is up");
    they_are(2, &mut gone, &mut watcher).await;
    cluster.redis.kill().await.expect("it was running");
    for node in 0..2 {
        cluster.says(node, BLIND).await;
        let troubles = cluster.troubles(node).await;
        assert_eq!(troubles.len(), 1, "{troubles:?}");
        assert_eq!(troubles[0].kind, TroubleKind::BusUnreachable);
        assert!(!troubles[0].reason.is_empty());
        assert_eq!(cluster.metric(node, BUS_UP).await, 0);
    }
    they_talk(&cluster, &mut visitor, &mut agent).await;
    is_blocked(&cluster, &mut rude, &mut agent).await;
    is_shown_as_stale(visitor.id(), &mut gone, &mut watcher).await;
    nobody_is_told_gone(&cluster, &mut watcher).await;
    // It comes back, and wants a password that nobody here has; then it does no more.
    let options = ["--requirepass", "unheard"];
    let restarted = cluster.redis.restart_with(&cluster.world, &options);
    restarted.await.expect("it starts again");
    for node in 0..2 {
        cluster.complains(node, "refuses").await;
        cluster.says(node, BLIND).await;
    }
    let mended = ["AUTH unheard", "CONFIG SET requirepass \"\""];
    let mended = cluster.redis.tell(&mended).await;
    mended.expect("it takes the operator's word");
    for node in 0..2 {
        cluster.says(node, READY).await;
    }
    for node in 0..2 {
        assert_eq!(cluster.troubles(node).await, []);
        assert_eq!(cluster.metric(node, BUS_UP).await, 1);
    }
    visitor.says("and on").await;
    agent.sees(id, "and on").await;
    they_are(1, &mut gone, &mut watcher).await;
    assert_eq!(gone, BTreeMap::from([(rude.id(), 1)]), "he alone, and once");
    let people = &mut [&mut visitor.client, &mut agent.client];
    cluster.agree(1, id, people).await;
    cluster
}

/// What one says the other finds in the log.
async fn they_talk(cluster: &Cluster, visitor: &mut Visitor, agent: &mut Agent) {
    let id = visitor.conversation();
    let clock = &cluster.world.clock;
    let mut delays = Vec::new();
    for round in 0..LINES / 2 {
        let (answer, question) = (format!("answer {round}"), format!("question {round}"));
        agent.says(id, &answer).await;
        let said_at = clock.elapsed();
        visitor.sees(&answer).await;
        delays.push(clock.elapsed() - said_at);
        visitor.says(&question).await;
        let said_at = clock.elapsed();
        agent.sees(id, &question).await;
        delays.push(clock.elapsed() - said_at);
    }
    delays.sort_unstable();
    assert!(delays[LINES / 2] < LATE_MAX, "{delays:?}");
}

/// Rights end without it too.
async fn is_blocked(cluster: &Cluster, visitor: &mut Visitor, agent: &mut Agent) {
    let block = Command::BlockVisitor {
        conversation_id: visitor.conversation(),
        blocked: true,
    };
    agent.does(block).await;
    let ended = async { while visitor.client.next().await.is_ok() {} };
    let ended = cluster.world.clock.timeout(PATIENCE, ended).await;
    assert!(ended.is_some(), "a blocked visitor is out");
}

/// Listens for longer than a node may be silent.
async fn nobody_is_told_gone(cluster: &Cluster, watcher: &mut Agent) {
    let left = |news: &News| match news {
        News::Agent(AgentNews::VisitorChanges { gone, .. }) => {
            (!gone.is_empty()).then(|| gone.clone())
        }
        News::Agent(_) | News::Visitor(_) => None,
    };
    let left = Box::pin(watcher.client.hears("that somebody left", left));
    let left = cluster.world.clock.timeout(SILENCE, left).await;
    assert!(left.is_none(), "{left:?}");
}

/// Waits until a visitor of the other node is shown as one of whom no news come, and notes who is told gone.
async fn is_shown_as_stale(
    id: VisitorId,
    gone: &mut BTreeMap<VisitorId, u32>,
    watcher: &mut Agent,
) {
    let stale = |news: &News| match news {
        News::Agent(AgentNews::VisitorChanges {
            rows, gone: left, ..
        }) => {
            for id in left {
                *gone.entry(*id).or_default() += 1;
            }
            rows.iter()
                .any(|row| row.id == id && row.stale)
                .then_some(())
        }
        News::Agent(_) | News::Visitor(_) => None,
    };
    let stale = watcher.client.hears("that the row is stale", stale).await;
    stale.expect("it comes");
}
