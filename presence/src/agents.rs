//! Agents as a state: connected or not, willing or not.
//!
//! An agent is offline [`GRACE_MS`] after the last connection, so that a reload does not flicker.
//! Being away is a choice that lasts until it is taken back, also over connections.

use std::collections::{BTreeMap, BTreeSet};

use protocol::agent::{AgentPresence, Availability};
use protocol::id::{AgentId, ConnectionId, WorkspaceId};

use crate::GRACE_MS;
use crate::team::Member;

#[derive(Debug)]
struct Presence {
    workspace_id: WorkspaceId,
    connections: BTreeSet<ConnectionId>,
    /// When the grace after the last connection ends.
    grace_until_ms: Option<u64>,
    away: bool,
    /// What was last told of the agent.
    told: Availability,
}

impl Presence {
    fn availability(&self) -> Availability {
        if self.connections.is_empty() && self.grace_until_ms.is_none() {
            Availability::Offline
        } else if self.away {
            Availability::Away
        } else {
            Availability::Online
        }
    }

    fn tell(&mut self, agent_id: AgentId) -> Option<AgentPresence> {
        let availability = self.availability();
        let before = std::mem::replace(&mut self.told, availability);
        (before != availability).then_some(AgentPresence {
            agent_id,
            availability,
        })
    }
}

/// The agents of one node.
#[derive(Debug, Default)]
pub struct Agents {
    agents: BTreeMap<AgentId, Presence>,
}

impl Agents {
    /// Nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A connection of an agent opened. Returns what changed.
    pub fn connect(
        &mut self,
        connection_id: ConnectionId,
        workspace_id: WorkspaceId,
        agent_id: AgentId,
    ) -> Option<AgentPresence> {
        let presence = self.agents.entry(agent_id).or_insert_with(|| Presence {
            workspace_id,
            connections: BTreeSet::new(),
            grace_until_ms: None,
            away: false,
            told: Availability::Offline,
        });
        presence.connections.insert(connection_id);
        presence.grace_until_ms = None;
        presence.tell(agent_id)
    }

    /// A connection of an agent closed. The agent is offline only after the grace.
    pub fn disconnect(&mut self, connection_id: ConnectionId, agent_id: AgentId, now_ms: u64) {
        if let Some(presence) = self.agents.get_mut(&agent_id) {
            let was_there = presence.connections.remove(&connection_id);
            if was_there && presence.connections.is_empty() {
                presence.grace_until_ms = Some(now_ms + GRACE_MS);
            }
        }
    }

    /// An agent chose to be reached or not; `offline` means the same as `away` while connected.
    /// Returns what changed.
    pub fn choose(
        &mut self,
        agent_id: AgentId,
        availability: Availability,
    ) -> Option<AgentPresence> {
        let presence = self.agents.get_mut(&agent_id)?;
        presence.away = availability != Availability::Online;
        presence.tell(agent_id)
    }

    /// Lets the deadlines up to `now_ms` pass. Returns who went offline. Costs a walk over the agents.
    pub fn advance(&mut self, now_ms: u64) -> Vec<(WorkspaceId, AgentPresence)> {
        let mut changes = Vec::new();
        self.agents.retain(|agent_id, presence| {
            if presence
                .grace_until_ms
                .is_some_and(|until_ms| until_ms <= now_ms)
            {
                presence.grace_until_ms = None;
                let change = presence.tell(*agent_id);
                changes.extend(change.map(|change| (presence.workspace_id, change)));
            }
            // Having chosen to be away outlives the connections; all else is forgotten with them.
            presence.told != Availability::Offline || presence.away
        });
        changes
    }

    /// When [`Self::advance`] next has something to do.
    #[must_use]
    pub fn next_deadline_ms(&self) -> Option<u64> {
        self.agents
            .values()
            .filter_map(|presence| presence.grace_until_ms)
            .min()
    }

    /// The agents of a workspace for other nodes: who is here, and who chose to be away.
    #[must_use]
    pub fn members(&self, workspace_id: WorkspaceId) -> Vec<Member> {
        self.agents
            .iter()
            .filter(|(_, presence)| presence.workspace_id == workspace_id)
            .map(|(agent_id, presence)| Member {
                agent_id: *agent_id,
                is_here: presence.told != Availability::Offline,
                away: presence.away,
            })
            .collect()
    }

    /// What the agents of a workspace do. Who is not in it is offline.
    #[must_use]
    pub fn list(&self, workspace_id: WorkspaceId) -> Vec<AgentPresence> {
        self.agents
            .iter()
            .filter(|(_, presence)| presence.workspace_id == workspace_id)
            .map(|(agent_id, presence)| AgentPresence {
                agent_id: *agent_id,
                availability: presence.told,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use protocol::id::Id;

    use super::*;

    const WORKSPACE: u128 = 1;

    fn agent() -> AgentId {
        AgentId::from_bits(5)
    }

    fn connect(agents: &mut Agents, tab: u128) -> Option<Availability> {
        agents
            .connect(
                ConnectionId::from_bits(tab),
                WorkspaceId::from_bits(WORKSPACE),
                agent(),
            )
            .map(|change| change.availability)
    }

    #[test]
    fn a_reload_does_not_flicker() {
        let mut agents = Agents::new();
        assert_eq!(connect(&mut agents, 1), Some(Availability::Online));
        agents.disconnect(ConnectionId::from_bits(1), agent(), 0);
        assert_eq!(agents.next_deadline_ms(), Some(GRACE_MS));
        assert_eq!(connect(&mut agents, 2), None);
        assert!(agents.advance(GRACE_MS).is_empty());
    }

    #[test]
    fn the_last_connection_counts_and_offline_is_told_once() {
        let mut agents = Agents::new();
        connect(&mut agents, 1);
        connect(&mut agents, 2);
        agents.disconnect(ConnectionId::from_bits(1), agent(), 0);
        assert_eq!(agents.next_deadline_ms(), None);
        agents.disconnect(ConnectionId::from_bits(2), agent(), 5);
        assert!(agents.advance(GRACE_MS + 4).is_empty());
        assert_eq!(
            agents.advance(GRACE_MS + 5)[0].1.availability,
            Availability::Offline
        );
        assert!(agents.advance(u64::MAX).is_empty());
        assert!(agents.list(WorkspaceId::from_bits(WORKSPACE)).is_empty());
    }

    #[test]
    fn being_away_lasts_until_it_is_taken_back() {
        let mut agents = Agents::new();
        connect(&mut agents, 1);
        let away = agents.choose(agent(), Availability::Away).unwrap();
        assert_eq!(away.availability, Availability::Away);
        agents.disconnect(ConnectionId::from_bits(1), agent(), 0);
        assert_eq!(
            agents.advance(GRACE_MS)[0].1.availability,
            Availability::Offline
        );
        assert_eq!(connect(&mut agents, 2), Some(Availability::Away));
        let back = agents.choose(agent(), Availability::Online).unwrap();
        assert_eq!(back.availability, Availability::Online);
    }
}
