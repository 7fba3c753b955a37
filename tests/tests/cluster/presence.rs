//! Who is here, as agents of two nodes are told.

use std::collections::BTreeMap;

use loadtest::client::News;
use protocol::frame::Watch;
use protocol::id::VisitorId;
use protocol::news::AgentNews;
use protocol::visitor::PresenceState;
use tests::Agent;

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
