//! How a member is told that what is asked of him changed. The list is the store's.

use protocol::id::AgentId;
use protocol::news::AgentNews;

use crate::delivery::{Class, Encoded};
use crate::router::Router;
use crate::topic::Topic;

/// Tells a member's consoles to read again what is asked of him.
pub(crate) async fn tell(router: &Router, agent_id: AgentId) {
    let news = AgentNews::Changed {
        part: "todos".to_owned(),
        id: None,
    };
    router
        .hub()
        .publish(Topic::Agent(agent_id), || Encoded::new(&news, Class::Row))
        .await;
}
