//! What agents have in sight, collected for a moment: people go from page to page faster than others care.

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::agent::{AgentPresence, Sight};
use protocol::id::{AgentId, ConnectionId, WorkspaceId};

use super::Actor;

/// How long changes of a team are collected.
const INTERVAL: Duration = Duration::from_secs(1);

/// What a connection of an agent has in sight now.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) agent_id: AgentId,
    pub(crate) connection_id: ConnectionId,
    pub(crate) sight: Option<Sight>,
}

/// Changes that were not told yet. Bounded by the agents there are: of each the latest waits.
#[derive(Debug, Default)]
pub(super) struct Screens(BTreeMap<WorkspaceId, Waiting>);

#[derive(Debug)]
struct Waiting {
    due: Duration,
    changes: BTreeMap<AgentId, AgentPresence>,
}

impl Screens {
    fn put(&mut self, now: Duration, workspace_id: WorkspaceId, change: AgentPresence) {
        let waiting = self.0.entry(workspace_id).or_insert_with(|| Waiting {
            due: now + INTERVAL,
            changes: BTreeMap::new(),
        });
        waiting.changes.insert(change.agent_id, change);
    }

    /// When something is to be told next.
    pub(super) fn due(&self) -> Option<Duration> {
        self.0.values().map(|waiting| waiting.due).min()
    }

    /// What is to be told by now.
    pub(super) fn take_due(&mut self, now: Duration) -> Vec<(WorkspaceId, Vec<AgentPresence>)> {
        let due = self.0.extract_if(.., |_, waiting| waiting.due <= now);
        due.map(|(workspace_id, waiting)| {
            let changes = waiting.changes.into_values();
            (workspace_id, changes.collect())
        })
        .collect()
    }

    /// An agent is told of now: what waited of him is older.
    pub(super) fn told(&mut self, workspace_id: WorkspaceId, changes: &[AgentPresence]) {
        if let Some(waiting) = self.0.get_mut(&workspace_id) {
            for change in changes {
                waiting.changes.remove(&change.agent_id);
            }
        }
    }
}

impl Actor {
    pub(super) fn see(&mut self, look: &Look) {
        let change = self
            .agents
            .see(look.connection_id, look.agent_id, look.sight);
        self.saw(look.workspace_id, change);
    }

    /// An agent has something else in sight: the team is told of it in a moment.
    pub(super) fn saw(&mut self, workspace_id: WorkspaceId, change: Option<AgentPresence>) {
        if let Some(change) = change {
            let now = self.router.world().clock.elapsed();
            self.screens.put(now, workspace_id, change);
            self.see_who_is_due();
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::agent::{Availability, Screen};
    use protocol::id::Id;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn team() -> WorkspaceId {
        WorkspaceId::from_bits(1)
    }

    fn saw(agent: u128, screen: Option<Screen>) -> AgentPresence {
        let agent_id = AgentId::from_bits(agent);
        let sight = Sight::of(screen, None, None);
        AgentPresence::new(agent_id, Availability::Online, sight)
    }

    #[test]
    fn of_all_that_an_agent_saw_in_a_second_the_last_is_told() {
        let mut screens = Screens::default();
        let (inbox, visitors) = (Some(Screen::Inbox), Some(Screen::Visitors));
        assert_eq!(screens.due(), None);
        screens.put(SECOND, team(), saw(1, inbox));
        screens.put(SECOND * 3 / 2, team(), saw(2, inbox));
        screens.put(SECOND * 3 / 2, team(), saw(1, visitors));
        assert_eq!(screens.due(), Some(2 * SECOND), "the first is not put off");
        assert!(screens.take_due(SECOND * 3 / 2).is_empty());
        let told = screens.take_due(2 * SECOND);
        assert_eq!(told, [(team(), vec![saw(1, visitors), saw(2, inbox)])]);
        assert_eq!(screens.due(), None);
    }

    #[test]
    fn what_was_told_at_once_is_not_told_again_as_it_was_before() {
        let mut screens = Screens::default();
        screens.put(SECOND, team(), saw(1, Some(Screen::Inbox)));
        screens.put(SECOND, team(), saw(2, Some(Screen::Inbox)));
        screens.told(team(), &[saw(1, None)]);
        let told = screens.take_due(2 * SECOND);
        assert_eq!(told, [(team(), vec![saw(2, Some(Screen::Inbox))])]);
    }
}
