//! Agents as a state: connected or not, willing or not.
//!
//! An agent is offline [`GRACE_MS`] after the last connection, so that a reload does not flicker.
//! Being away is a choice that lasts until it is taken back, also over connections.

use std::collections::{BTreeMap, BTreeSet};

use protocol::agent::{AgentPresence, Availability, Sight};
use protocol::id::{AgentId, ConnectionId, WorkspaceId};

use crate::GRACE_MS;
use crate::team::{Choice, Member};

#[derive(Debug)]
struct Presence {
    workspace_id: WorkspaceId,
    connections: BTreeSet<ConnectionId>,
    /// When the grace after the last connection ends.
    grace_until_ms: Option<u64>,
    choice: Choice,
    /// What connections have in sight, and which said so later.
    sights: BTreeMap<ConnectionId, (u64, Sight)>,
    /// What was last told of the agent.
    told: (Availability, Option<Sight>),
}

impl Presence {
    fn availability(&self) -> Availability {
        if self.connections.is_empty() && self.grace_until_ms.is_none() {
            Availability::Offline
        } else if self.choice.away {
            Availability::Away
        } else {
            Availability::Online
        }
    }

    /// What the newest word of a connection says.
    fn sight(&self) -> Option<Sight> {
        let newest = self.sights.values().max_by_key(|(number, _)| *number);
        newest.map(|(_, sight)| *sight)
    }

    fn tell(&mut self, agent_id: AgentId) -> Option<AgentPresence> {
        let now = (self.availability(), self.sight());
        let before = std::mem::replace(&mut self.told, now);
        (before != now).then(|| self.as_told(agent_id))
    }

    fn as_told(&self, agent_id: AgentId) -> AgentPresence {
        let (availability, sight) = self.told;
        AgentPresence::new(agent_id, availability, sight)
    }
}

/// The agents of one node.
#[derive(Debug, Default)]
pub struct Agents {
    agents: BTreeMap<AgentId, Presence>,
    /// How often a connection said what it has in sight.
    sight_count: u64,
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
            choice: Choice::default(),
            sights: BTreeMap::new(),
            told: (Availability::Offline, None),
        });
        presence.connections.insert(connection_id);
        presence.grace_until_ms = None;
        presence.tell(agent_id)
    }

    /// A connection of an agent closed. The agent is offline only after the grace, and has nothing in sight
    /// at once. Returns what changed.
    pub fn disconnect(
        &mut self,
        connection_id: ConnectionId,
        agent_id: AgentId,
        now_ms: u64,
    ) -> Option<AgentPresence> {
        let presence = self.agents.get_mut(&agent_id)?;
        let was_there = presence.connections.remove(&connection_id);
        if was_there && presence.connections.is_empty() {
            presence.grace_until_ms = Some(now_ms + GRACE_MS);
        }
        presence.sights.remove(&connection_id)?;
        presence.tell(agent_id)
    }

    /// A connection of an agent has this in sight, or nothing. Returns what changed.
    pub fn see(
        &mut self,
        connection_id: ConnectionId,
        agent_id: AgentId,
        sight: Option<Sight>,
    ) -> Option<AgentPresence> {
        let presence = self.agents.get_mut(&agent_id)?;
        if !presence.connections.contains(&connection_id) {
            return None;
        }
        self.sight_count += 1;
        match sight {
            Some(sight) => {
                let said = (self.sight_count, sight);
                presence.sights.insert(connection_id, said);
            }
            None => drop(presence.sights.remove(&connection_id)),
        }
        presence.tell(agent_id)
    }

    /// An agent chose to be reached or not, here or on another node; the later choice counts. Returns what
    /// changed.
    pub fn choose(&mut self, agent_id: AgentId, choice: Choice) -> Option<AgentPresence> {
        let presence = self.agents.get_mut(&agent_id)?;
        presence.choice = presence.choice.max(choice);
        presence.tell(agent_id)
    }

    /// What an agent chose last, as far as this node knows.
    #[must_use]
    pub fn choice(&self, agent_id: AgentId) -> Choice {
        let presence = self.agents.get(&agent_id);
        presence.map(|presence| presence.choice).unwrap_or_default()
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
            presence.told.0 != Availability::Offline || presence.choice.away
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
                is_here: presence.told.0 != Availability::Offline,
                choice: presence.choice,
                sight: presence.told.1,
            })
            .collect()
    }

    /// What the agents of a workspace do. Who is not in it is offline.
    #[must_use]
    pub fn list(&self, workspace_id: WorkspaceId) -> Vec<AgentPresence> {
        self.agents
            .iter()
            .filter(|(_, presence)| presence.workspace_id == workspace_id)
            .map(|(agent_id, presence)| presence.as_told(*agent_id))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use protocol::agent::Screen;
    use protocol::id::{ConversationId, Id};

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
        let chosen = agents.choice(agent());
        let away = agents.choose(agent(), chosen.then(true, 0)).unwrap();
        assert_eq!(away.availability, Availability::Away);
        agents.disconnect(ConnectionId::from_bits(1), agent(), 0);
        assert_eq!(
            agents.advance(GRACE_MS)[0].1.availability,
            Availability::Offline
        );
        assert_eq!(connect(&mut agents, 2), Some(Availability::Away));
        let chosen = agents.choice(agent());
        let back = agents.choose(agent(), chosen.then(false, 0)).unwrap();
        assert_eq!(back.availability, Availability::Online);
    }

    fn see(agents: &mut Agents, tab: u128, screen: Option<Screen>) -> Option<Option<Screen>> {
        let sight = Sight::of(screen, None, None);
        let change = agents.see(ConnectionId::from_bits(tab), agent(), sight);
        change.map(|change| change.screen)
    }

    #[test]
    fn who_goes_from_one_conversation_to_another_is_told_of() {
        let mut agents = Agents::new();
        connect(&mut agents, 1);
        let mut open = |bits| {
            let id = ConversationId::from_bits(bits);
            let sight = Sight::of(Some(Screen::Conversation), Some(id), None);
            let change = agents.see(ConnectionId::from_bits(1), agent(), sight);
            change.map(|change| change.conversation_id == Some(id))
        };
        assert_eq!([open(1), open(1), open(2)], [Some(true), None, Some(true)]);
    }

    #[test]
    fn the_screen_is_what_the_newest_word_of_a_connection_says() {
        let (inbox, visitors) = (Some(Screen::Inbox), Some(Screen::Visitors));
        let mut agents = Agents::new();
        assert_eq!(see(&mut agents, 1, inbox), None, "nobody is there");
        connect(&mut agents, 1);
        connect(&mut agents, 2);
        assert_eq!(see(&mut agents, 1, inbox), Some(inbox));
        assert_eq!(see(&mut agents, 1, inbox), None, "it is known");
        assert_eq!(see(&mut agents, 2, visitors), Some(visitors));
        let list = agents.list(WorkspaceId::from_bits(WORKSPACE));
        assert_eq!(list[0].screen, visitors);
        // The second tab is hidden; then it is closed, and nothing changes by that.
        assert_eq!(see(&mut agents, 2, None), Some(inbox));
        let closed = agents.disconnect(ConnectionId::from_bits(2), agent(), 0);
        assert_eq!(closed, None);
        assert_eq!(see(&mut agents, 2, visitors), None, "it is closed");
        let closed = agents.disconnect(ConnectionId::from_bits(1), agent(), 0);
        let closed = closed.unwrap();
        assert_eq!(
            (closed.availability, closed.screen),
            (Availability::Online, None)
        );
    }
}
