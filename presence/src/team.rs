//! Agents over all nodes: each can be reached where any of his connections can.
//!
//! A node says again what it said of its agents, also where nothing changed, so that what was lost is made good
//! without anybody knowing of the loss. Where it does not, though it is heard, it has nobody there any more.

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::agent::{AgentPresence, Availability, Sight};
use protocol::id::{AgentId, NodeId, WorkspaceId};
use serde::{Deserialize, Serialize};

use crate::GRACE_MS;

/// How often a node says who of a workspace is there, also where nothing changed.
pub const SAY_PERIOD: Duration = Duration::from_secs(10);

/// After how long without a word a node that is heard is asked, and after how long it has nobody there.
const ASK_AFTER: Duration = Duration::from_secs(20);
const TERM: Duration = Duration::from_secs(30);

/// What an agent chose last. Of two choices the greater one counts, on whichever node and in whichever order they
/// are heard of: so all nodes end with the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Choice {
    /// When, by the clock of the store; later than what the agent had chosen before. Zero where he never did.
    pub at_ms: u64,
    /// Whether to be away.
    pub away: bool,
}

impl Choice {
    /// What is chosen now, after this.
    #[must_use]
    pub fn then(self, away: bool, now_ms: u64) -> Self {
        let at_ms = now_ms.max(self.at_ms + 1);
        Self { at_ms, away }
    }
}

/// An agent as one node has him.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub agent_id: AgentId,
    /// Whether he is connected there.
    pub is_here: bool,
    /// What he chose.
    pub choice: Choice,
    /// What he has in sight there.
    pub sight: Option<Sight>,
}

/// What is shown of an agent who is here.
type Shown = (Availability, Option<Sight>);

#[derive(Debug, Default)]
struct Node {
    words: BTreeMap<WorkspaceId, Word>,
    /// Whether it is not heard: then nothing is known of those that it has.
    is_silent: bool,
    /// When its members go, where it said goodbye.
    goes_at_ms: Option<u64>,
}

/// What a node said last of a workspace.
// Invariant: `members` is not empty.
#[derive(Debug)]
struct Word {
    members: Vec<Member>,
    /// When; or when the node was heard again after that.
    said_at: Duration,
    /// Whether it was asked since.
    is_asked: bool,
}

/// What comes of words that are old.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Overdue {
    /// Workspaces of which the other nodes are to be asked.
    pub ask: Vec<WorkspaceId>,
    /// Workspaces of which a node has nobody any more.
    pub gone: Vec<WorkspaceId>,
}

/// The agents of the other nodes, and what was last told of all.
#[derive(Debug, Default)]
pub struct Team {
    nodes: BTreeMap<NodeId, Node>,
    told: BTreeMap<WorkspaceId, BTreeMap<AgentId, Shown>>,
}

impl Team {
    /// Nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Another node said who of a workspace is there.
    pub fn told(
        &mut self,
        node_id: NodeId,
        workspace_id: WorkspaceId,
        members: Vec<Member>,
        now: Duration,
    ) {
        let node = self.nodes.entry(node_id).or_default();
        node.goes_at_ms = None;
        if members.is_empty() {
            node.words.remove(&workspace_id);
            return;
        }
        let word = Word {
            members,
            said_at: now,
            is_asked: false,
        };
        node.words.insert(workspace_id, word);
    }

    /// Another node is not heard, or is heard again: it has time then to say what is so.
    pub fn doubt(&mut self, node_id: NodeId, is_silent: bool, now: Duration) {
        let Some(node) = self.nodes.get_mut(&node_id) else {
            return;
        };
        node.is_silent = is_silent;
        if !is_silent {
            for word in node.words.values_mut() {
                word.said_at = now;
                word.is_asked = false;
            }
        }
    }

    /// Looks for words that were not said again. Who was not heard is to be doubted before, or a node that stood
    /// still would take what waits for it as not said.
    pub fn look(&mut self, now: Duration) -> Overdue {
        let mut overdue = Overdue::default();
        for node in self.nodes.values_mut().filter(|node| !node.is_silent) {
            node.words.retain(|workspace_id, word| {
                let is_over = now >= word.said_at + TERM;
                if is_over {
                    overdue.gone.push(*workspace_id);
                } else if now >= word.said_at + ASK_AFTER
                    && !std::mem::replace(&mut word.is_asked, true)
                {
                    overdue.ask.push(*workspace_id);
                }
                !is_over
            });
        }
        overdue
    }

    /// Another node is gone. Gives the workspaces of which it had somebody.
    pub fn lose(&mut self, node_id: NodeId) -> Vec<WorkspaceId> {
        let node = self.nodes.remove(&node_id);
        node.into_iter()
            .flat_map(|node| node.words.into_keys())
            .collect()
    }

    /// Another node said goodbye: its agents have a while to come back to another one.
    pub fn part(&mut self, node_id: NodeId, now_ms: u64) {
        if let Some(node) = self.nodes.get_mut(&node_id) {
            node.goes_at_ms = Some(now_ms + GRACE_MS);
        }
    }

    /// Lets the goodbyes up to `now_ms` come true. Gives the workspaces that may have changed.
    pub fn advance(&mut self, now_ms: u64) -> Vec<WorkspaceId> {
        let is_over = |node: &Node| node.goes_at_ms.is_some_and(|at_ms| at_ms <= now_ms);
        let over = self.nodes.iter().filter(|(_, node)| is_over(node));
        let over: Vec<_> = over.map(|(id, _)| *id).collect();
        over.into_iter().flat_map(|id| self.lose(id)).collect()
    }

    /// An agent chose to be away or not, on whichever node: it counts on all.
    pub fn choose(&mut self, workspace_id: WorkspaceId, agent_id: AgentId, choice: Choice) {
        for node in self.nodes.values_mut() {
            let word = node.words.get_mut(&workspace_id);
            for member in word.into_iter().flat_map(|word| &mut word.members) {
                if member.agent_id == agent_id {
                    member.choice = member.choice.max(choice);
                }
            }
        }
    }

    /// What an agent chose, as other nodes have it.
    #[must_use]
    pub fn choice(&self, workspace_id: WorkspaceId, agent_id: AgentId) -> Choice {
        let members = self.elsewhere(workspace_id);
        let his = members.filter(|member| member.agent_id == agent_id);
        his.map(|member| member.choice).max().unwrap_or_default()
    }

    /// What the agents of a workspace do, with those of this node. Who is not in it is offline.
    #[must_use]
    pub fn list(&self, workspace_id: WorkspaceId, here: &[Member]) -> Vec<AgentPresence> {
        let union = self.union(workspace_id, here).into_iter();
        union
            .map(|(agent_id, shown)| presence(agent_id, shown))
            .collect()
    }

    /// What changed since this was last asked.
    pub fn changes(&mut self, workspace_id: WorkspaceId, here: &[Member]) -> Vec<AgentPresence> {
        let union = self.union(workspace_id, here);
        let told = self.told.remove(&workspace_id).unwrap_or_default();
        let gone = told
            .keys()
            .filter(|agent_id| !union.contains_key(agent_id))
            .map(|agent_id| (*agent_id, (Availability::Offline, None)));
        let new = union
            .iter()
            .filter(|(agent_id, now)| told.get(agent_id) != Some(now))
            .map(|(agent_id, now)| (*agent_id, *now));
        let changes = gone
            .chain(new)
            .map(|(agent_id, shown)| presence(agent_id, shown));
        let changes = changes.collect();
        if !union.is_empty() {
            self.told.insert(workspace_id, union);
        }
        changes
    }

    fn union(&self, workspace_id: WorkspaceId, here: &[Member]) -> BTreeMap<AgentId, Shown> {
        let all: Vec<_> = here.iter().chain(self.elsewhere(workspace_id)).collect();
        let mut union = BTreeMap::new();
        for member in all.iter().filter(|member| member.is_here) {
            let his = all.iter().filter(|other| other.agent_id == member.agent_id);
            let availability = match his.map(|other| other.choice).max() {
                Some(Choice { away: true, .. }) => Availability::Away,
                Some(Choice { away: false, .. }) | None => Availability::Online,
            };
            // Of several nodes the first counts that knows of something in sight.
            let (_, sight) = union
                .entry(member.agent_id)
                .or_insert((availability, member.sight));
            *sight = sight.or(member.sight);
        }
        union
    }

    fn elsewhere(&self, workspace_id: WorkspaceId) -> impl Iterator<Item = &Member> {
        self.nodes
            .values()
            .filter_map(move |node| node.words.get(&workspace_id))
            .flat_map(|word| &word.members)
    }
}

fn presence(agent_id: AgentId, (availability, sight): Shown) -> AgentPresence {
    AgentPresence::new(agent_id, availability, sight)
}

#[cfg(test)]
mod tests {
    use protocol::agent::Screen;
    use protocol::id::{ConnectionId, Id};

    use super::*;
    use crate::agents::Agents;

    fn workspace() -> WorkspaceId {
        WorkspaceId::from_bits(1)
    }

    fn member(is_here: bool, away: bool) -> Member {
        Member {
            agent_id: AgentId::from_bits(5),
            is_here,
            choice: Choice::default().then(away, u64::from(away)),
            sight: None,
        }
    }

    #[test]
    fn what_an_agent_has_in_sight_is_known_on_all_nodes() {
        let seeing = |screen| Member {
            sight: Sight::of(screen, None, None),
            ..member(true, false)
        };
        let mut team = Team::new();
        let mut screens = |other: Option<Screen>, here: &[Member]| {
            let members = vec![seeing(other)];
            team.told(NodeId::from_bits(2), workspace(), members, Duration::ZERO);
            let changes = team.changes(workspace(), here).into_iter();
            changes.map(|change| change.screen).collect::<Vec<_>>()
        };
        let (inbox, visitors) = (Some(Screen::Inbox), Some(Screen::Visitors));
        assert_eq!(screens(inbox, &[]), [inbox]);
        assert!(screens(inbox, &[seeing(None)]).is_empty());
        assert_eq!(screens(inbox, &[seeing(visitors)]), [visitors]);
        assert_eq!(screens(None, &[seeing(None)]), [None]);
    }

    fn changes(team: &mut Team, here: &[Member]) -> Vec<Availability> {
        let changes = team.changes(workspace(), here).into_iter();
        changes.map(|change| change.availability).collect()
    }

    #[test]
    fn an_agent_is_reached_wherever_he_is_and_told_of_once() {
        let mut team = Team::new();
        let other = NodeId::from_bits(2);
        assert_eq!(
            changes(&mut team, &[member(true, false)]),
            [Availability::Online]
        );
        team.told(
            other,
            workspace(),
            vec![member(true, false)],
            Duration::ZERO,
        );
        assert!(changes(&mut team, &[member(true, false)]).is_empty());
        assert!(changes(&mut team, &[]).is_empty(), "he is on the other one");
        assert_eq!(team.lose(other), [workspace()]);
        assert_eq!(changes(&mut team, &[]), [Availability::Offline]);
        assert!(changes(&mut team, &[]).is_empty());
    }

    #[test]
    fn who_is_away_on_one_node_is_away_on_all() {
        let mut team = Team::new();
        let other = NodeId::from_bits(2);
        team.told(
            other,
            workspace(),
            vec![member(false, true)],
            Duration::ZERO,
        );
        let agent_id = member(true, true).agent_id;
        let chosen = team.choice(workspace(), agent_id);
        assert!(chosen.away);
        assert_eq!(
            changes(&mut team, &[member(true, false)]),
            [Availability::Away]
        );
        // A node whose clock is behind chooses later all the same.
        team.choose(workspace(), agent_id, chosen.then(false, 0));
        assert_eq!(
            changes(&mut team, &[member(true, false)]),
            [Availability::Online]
        );
    }

    #[test]
    fn of_two_choices_at_once_both_nodes_keep_the_same() {
        let (workspace_id, agent_id) = (workspace(), member(true, false).agent_id);
        let connected = || {
            let mut agents = Agents::new();
            agents.connect(ConnectionId::from_bits(1), workspace_id, agent_id);
            agents
        };
        let check = |one: Choice, two: Choice, expected: Availability| {
            let (mut here, mut there) = (connected(), connected());
            // Each chose first what was chosen on it, and heard of the other after.
            for choice in [one, two] {
                here.choose(agent_id, choice);
            }
            for choice in [two, one] {
                there.choose(agent_id, choice);
            }
            for (agents, other) in [(&here, &there), (&there, &here)] {
                let mut team = Team::new();
                team.told(
                    NodeId::from_bits(2),
                    workspace_id,
                    other.members(workspace_id),
                    Duration::ZERO,
                );
                assert_eq!(agents.list(workspace_id)[0].availability, expected);
                let here = agents.members(workspace_id);
                assert_eq!(team.list(workspace_id, &here)[0].availability, expected);
            }
        };
        let (away, online) = (
            |at_ms| Choice::default().then(true, at_ms),
            |at_ms| Choice::default().then(false, at_ms),
        );
        check(away(5), online(6), Availability::Online);
        check(away(6), online(5), Availability::Away);
        check(away(5), online(5), Availability::Away);
    }

    #[test]
    fn a_goodbye_gives_agents_a_while() {
        let mut team = Team::new();
        let other = NodeId::from_bits(2);
        team.told(
            other,
            workspace(),
            vec![member(true, false)],
            Duration::ZERO,
        );
        changes(&mut team, &[]);
        team.part(other, 1_000);
        assert!(team.advance(1_000 + GRACE_MS - 1).is_empty());
        assert_eq!(team.advance(1_000 + GRACE_MS), [workspace()]);
        assert_eq!(changes(&mut team, &[]), [Availability::Offline]);
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    /// A team that heard of an agent on another node at second 100.
    fn heard() -> Team {
        let mut team = Team::new();
        let members = vec![member(true, false)];
        team.told(NodeId::from_bits(2), workspace(), members, seconds(100));
        assert_eq!(changes(&mut team, &[]), [Availability::Online]);
        team
    }

    fn look(team: &mut Team, second: u64) -> (usize, usize) {
        let overdue = team.look(seconds(second));
        (overdue.ask.len(), overdue.gone.len())
    }

    #[test]
    fn whose_leaving_was_lost_is_asked_for_and_then_not_there() {
        let mut team = heard();
        assert_eq!(look(&mut team, 119), (0, 0));
        assert_eq!(look(&mut team, 120), (1, 0), "it is asked");
        assert_eq!(look(&mut team, 129), (0, 0), "once");
        assert_eq!(look(&mut team, 130), (0, 1), "nobody answered");
        assert_eq!(changes(&mut team, &[]), [Availability::Offline]);
        assert_eq!(look(&mut team, 999), (0, 0));
    }

    #[test]
    fn who_is_said_again_stays() {
        let mut team = heard();
        for second in [110, 120, 139] {
            let members = vec![member(true, false)];
            team.told(NodeId::from_bits(2), workspace(), members, seconds(second));
            assert_eq!(look(&mut team, second), (0, 0));
        }
        assert_eq!(look(&mut team, 159), (1, 0), "the loss of one is borne");
        let members = vec![member(true, false)];
        team.told(NodeId::from_bits(2), workspace(), members, seconds(159));
        assert_eq!(look(&mut team, 178), (0, 0));
        assert!(changes(&mut team, &[]).is_empty());
    }

    #[test]
    fn nobody_of_a_node_that_is_not_heard_is_gone() {
        let mut team = heard();
        let other = NodeId::from_bits(2);
        team.doubt(other, true, seconds(103));
        assert_eq!(look(&mut team, 1_000), (0, 0));
        team.doubt(other, false, seconds(1_000));
        assert_eq!(look(&mut team, 1_019), (0, 0), "it has time to say so");
        assert_eq!(look(&mut team, 1_030), (0, 1));
    }
}
