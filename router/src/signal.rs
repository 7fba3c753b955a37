//! Signals: who types and who looks on. The latest counts, they expire, they may be lost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol::entry::Author;
use protocol::id::{AgentId, ConnectionId, ConversationId, Id, NodeId};
use protocol::limit::TYPING_MS;
use protocol::news::{AgentNews, VisitorNews};
use protocol::text::cut;
use tokio::sync::Notify;
use world::{Clock, HashMap};

use crate::delivery::{Class, Encoded, SignalKey};
use crate::hub::Hub;
use crate::topic::Topic;

/// Who types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Typist {
    /// The customer's side.
    Customer,
    /// A member of the team.
    Agent(AgentId),
}

impl Typist {
    /// Whose typing ends with a message of this author.
    pub(crate) fn of(author: Author) -> Option<Self> {
        match author {
            Author::Visitor { .. } => Some(Self::Customer),
            Author::Agent { agent_id } => Some(Self::Agent(agent_id)),
            Author::Key { .. } | Author::Ai | Author::System => None,
        }
    }

    fn key(self, conversation_id: ConversationId) -> SignalKey {
        match self {
            Self::Customer => SignalKey::Typing(conversation_id, 0),
            Self::Agent(agent_id) => SignalKey::Typing(conversation_id, agent_id.bits()),
        }
    }
}

/// How much typing a node had told when it heard of a message: what is told after that belongs to the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Heard(u64);

/// Somebody who types.
#[derive(Debug)]
struct Going {
    /// When it lapses.
    until: Duration,
    /// What visitors see of an agent.
    name: String,
    /// When it was told last.
    told: Heard,
}

/// Typing that goes on.
#[derive(Debug, Default)]
struct Typing {
    going: BTreeMap<(ConversationId, Typist), Going>,
    told: Heard,
}

impl Typing {
    /// Whether this is news of a beginning; typing that goes on is told too, for its text changes.
    fn go_on(&mut self, at: (ConversationId, Typist), name: String, now: Duration) {
        let until = now + Duration::from_millis(TYPING_MS);
        self.told.0 += 1;
        let told = self.told;
        self.going.insert(at, Going { until, name, told });
    }

    fn end(&mut self, at: (ConversationId, Typist)) -> Option<String> {
        self.going.remove(&at).map(|going| going.name)
    }

    /// Ends what was told before a message was heard of, and nothing that was told since.
    fn end_before(&mut self, at: (ConversationId, Typist), heard: Heard) -> Option<String> {
        let is_before = self.going.get(&at)?.told <= heard;
        is_before.then(|| self.end(at)).flatten()
    }

    fn next(&self) -> Option<Duration> {
        self.going.values().map(|going| going.until).min()
    }

    fn lapsed(&mut self, now: Duration) -> Vec<((ConversationId, Typist), String)> {
        let is_over = |_: &(ConversationId, Typist), going: &mut Going| going.until <= now;
        let lapsed = self.going.extract_if(.., is_over);
        lapsed.map(|(at, going)| (at, going.name)).collect()
    }
}

/// Who looks at which conversation. An agent may have several tabs; each looks at one at most.
#[derive(Debug, Default)]
struct Viewing {
    of_connection: HashMap<ConnectionId, (AgentId, ConversationId)>,
    connections: HashMap<ConversationId, BTreeSet<(AgentId, ConnectionId)>>,
    /// Those on other nodes.
    elsewhere: HashMap<ConversationId, BTreeMap<NodeId, Vec<AgentId>>>,
}

impl Viewing {
    /// Sets what a connection looks at. Gives the conversations whose viewers are others now.
    fn look(
        &mut self,
        connection_id: ConnectionId,
        agent_id: AgentId,
        conversation_id: Option<ConversationId>,
    ) -> Vec<ConversationId> {
        let before = match conversation_id {
            Some(id) => self.of_connection.insert(connection_id, (agent_id, id)),
            None => self.of_connection.remove(&connection_id),
        };
        let mut changed = Vec::new();
        if before.map(|(_, id)| id) == conversation_id {
            return changed;
        }
        if let Some((agent_id, old_id)) = before {
            if let Some(viewers) = self.connections.get_mut(&old_id) {
                viewers.remove(&(agent_id, connection_id));
                if viewers.is_empty() {
                    self.connections.remove(&old_id);
                }
            }
            changed.push(old_id);
        }
        if let Some(id) = conversation_id {
            let viewers = self.connections.entry(id).or_default();
            viewers.insert((agent_id, connection_id));
            changed.push(id);
        }
        changed
    }

    fn leave(&mut self, connection_id: ConnectionId) -> Option<ConversationId> {
        let (agent_id, _) = *self.of_connection.get(&connection_id)?;
        self.look(connection_id, agent_id, None).pop()
    }

    /// All who look at a conversation, here and elsewhere.
    fn agents(&self, conversation_id: ConversationId) -> Vec<AgentId> {
        let mut agents = self.agents_here(conversation_id);
        let elsewhere = self.elsewhere.get(&conversation_id);
        agents.extend(elsewhere.into_iter().flat_map(BTreeMap::values).flatten());
        agents.sort_unstable();
        agents.dedup();
        agents
    }

    fn agents_here(&self, conversation_id: ConversationId) -> Vec<AgentId> {
        let viewers = self.connections.get(&conversation_id);
        let viewers = viewers.into_iter().flatten();
        let mut agents: Vec<_> = viewers.map(|(agent_id, _)| *agent_id).collect();
        agents.dedup();
        agents
    }

    /// Sets who looks at a conversation on another node.
    fn look_elsewhere(
        &mut self,
        node_id: NodeId,
        conversation_id: ConversationId,
        agent_ids: Vec<AgentId>,
    ) {
        let nodes = self.elsewhere.entry(conversation_id).or_default();
        if agent_ids.is_empty() {
            nodes.remove(&node_id);
        } else {
            nodes.insert(node_id, agent_ids);
        }
        if nodes.is_empty() {
            self.elsewhere.remove(&conversation_id);
        }
    }

    /// A node is gone. Gives the conversations whose viewers are others now.
    fn forget(&mut self, node_id: NodeId) -> Vec<ConversationId> {
        let mut changed = Vec::new();
        self.elsewhere.retain(|conversation_id, nodes| {
            if nodes.remove(&node_id).is_some() {
                changed.push(*conversation_id);
            }
            !nodes.is_empty()
        });
        changed
    }
}

/// The signals of this node.
#[derive(Debug)]
pub(crate) struct Signals {
    hub: Hub,
    clock: Clock,
    typing: Mutex<Typing>,
    viewing: Mutex<Viewing>,
    bell: Notify,
}

impl Signals {
    pub(crate) fn new(hub: Hub, clock: Clock) -> Self {
        Self {
            hub,
            clock,
            typing: Mutex::default(),
            viewing: Mutex::default(),
            bell: Notify::new(),
        }
    }

    /// Somebody types. `name` is what visitors see of an agent; `text` is what a customer has so far.
    pub(crate) fn typing(
        &self,
        conversation_id: ConversationId,
        typist: Typist,
        name: &str,
        text: Option<&str>,
    ) {
        let now = self.clock.elapsed();
        let mut typing = lock(&self.typing);
        let is_first = typing.going.is_empty();
        typing.go_on((conversation_id, typist), name.to_owned(), now);
        // Told before anybody else can end it, so that the end is told last.
        self.tell(conversation_id, typist, name, Some(text));
        drop(typing);
        if is_first {
            // Of several, those who came before lapse before: who ends typing waits for them already.
            self.bell.notify_one();
        }
    }

    /// Somebody stopped typing.
    pub(crate) fn stopped(&self, conversation_id: ConversationId, typist: Typist) {
        let mut typing = lock(&self.typing);
        if let Some(name) = typing.end((conversation_id, typist)) {
            self.tell(conversation_id, typist, &name, None);
        }
    }

    /// How much typing was told so far.
    pub(crate) fn heard(&self) -> Heard {
        lock(&self.typing).told
    }

    /// Somebody said it: the typing before it is over, and the entry tells so. A message is passed on after what
    /// came before it, so its author may be at the next one by then.
    pub(crate) fn spoke(&self, conversation_id: ConversationId, typist: Typist, heard: Heard) {
        let mut typing = lock(&self.typing);
        if let Some(name) = typing.end_before((conversation_id, typist), heard) {
            self.tell(conversation_id, typist, &name, None);
        }
    }

    /// A connection of an agent looks at a conversation, or at none. Gives the conversations that others
    /// look at now.
    pub(crate) fn look(
        &self,
        connection_id: ConnectionId,
        agent_id: AgentId,
        conversation_id: Option<ConversationId>,
    ) -> Vec<ConversationId> {
        let mut viewing = lock(&self.viewing);
        let changed = viewing.look(connection_id, agent_id, conversation_id);
        for conversation_id in &changed {
            self.tell_viewers(&viewing, *conversation_id);
        }
        changed
    }

    /// A connection of an agent ended. Gives the conversation that it looked at.
    pub(crate) fn leave(&self, connection_id: ConnectionId) -> Option<ConversationId> {
        let mut viewing = lock(&self.viewing);
        let left = viewing.leave(connection_id)?;
        self.tell_viewers(&viewing, left);
        Some(left)
    }

    /// Another node says who looks at a conversation there.
    pub(crate) fn look_elsewhere(
        &self,
        node_id: NodeId,
        conversation_id: ConversationId,
        agent_ids: Vec<AgentId>,
    ) {
        let mut viewing = lock(&self.viewing);
        viewing.look_elsewhere(node_id, conversation_id, agent_ids);
        self.tell_viewers(&viewing, conversation_id);
    }

    /// Another node is gone, and with it those who looked on there.
    pub(crate) fn forget(&self, node_id: NodeId) {
        let mut viewing = lock(&self.viewing);
        for conversation_id in viewing.forget(node_id) {
            self.tell_viewers(&viewing, conversation_id);
        }
    }

    /// What a connection of an agent looks at.
    pub(crate) fn looked_at(&self, connection_id: ConnectionId) -> Option<ConversationId> {
        let viewing = lock(&self.viewing);
        let looked_at = viewing.of_connection.get(&connection_id);
        looked_at.map(|(_, conversation_id)| *conversation_id)
    }

    /// Passes on who looks at a conversation on this node. Nobody comes or turns away meanwhile, so that
    /// what is passed on last is how it is.
    pub(crate) fn pass_on_viewers(
        &self,
        conversation_id: ConversationId,
        pass_on: impl FnOnce(Vec<AgentId>),
    ) {
        let viewing = lock(&self.viewing);
        pass_on(viewing.agents_here(conversation_id));
    }

    /// Who looks at a conversation now.
    pub(crate) fn viewers(&self, conversation_id: ConversationId) -> Encoded {
        viewers(&lock(&self.viewing), conversation_id)
    }

    /// Ends typing that nobody went on with.
    pub(crate) async fn run(&self) {
        loop {
            let next = lock(&self.typing).next();
            let now = self.clock.elapsed();
            match next {
                Some(at) if at <= now => {
                    // Told before anybody goes on, so that it does not end what began after it.
                    let mut typing = lock(&self.typing);
                    for ((conversation_id, typist), name) in typing.lapsed(now) {
                        self.tell(conversation_id, typist, &name, None);
                    }
                }
                Some(at) => self.clock.sleep(at - now).await,
                None => self.bell.notified().await,
            }
        }
    }

    /// `text` is absent where typing ended. What a customer has written so far goes to the team only.
    fn tell(
        &self,
        conversation_id: ConversationId,
        typist: Typist,
        name: &str,
        text: Option<Option<&str>>,
    ) {
        let class = Class::Signal {
            key: typist.key(conversation_id),
        };
        let active = text.is_some();
        let (agent_id, preview) = match typist {
            Typist::Customer => (None, text.flatten()),
            Typist::Agent(agent_id) => (Some(agent_id), None),
        };
        self.hub
            .signal(Topic::ConversationAgents(conversation_id), || {
                let news = AgentNews::Typing {
                    conversation_id,
                    agent_id,
                    text: preview.map(|text| cut(text, protocol::limit::TYPING_BYTES_MAX)),
                    active,
                };
                Encoded::new(&news, class)
            });
        if agent_id.is_some() {
            self.hub
                .signal(Topic::ConversationVisitor(conversation_id), || {
                    let news = VisitorNews::Typing {
                        conversation_id,
                        name: name.to_owned(),
                        active,
                    };
                    Encoded::new(&news, class)
                });
        }
    }

    /// Told while nobody comes or turns away, so that what is told last is how it is.
    fn tell_viewers(&self, viewing: &MutexGuard<'_, Viewing>, conversation_id: ConversationId) {
        self.hub
            .signal(Topic::ConversationAgents(conversation_id), || {
                viewers(viewing, conversation_id)
            });
    }
}

fn viewers(viewing: &Viewing, conversation_id: ConversationId) -> Encoded {
    let news = AgentNews::Viewing {
        conversation_id,
        agent_ids: viewing.agents(conversation_id),
    };
    let key = SignalKey::Viewing(conversation_id);
    Encoded::new(&news, Class::Signal { key })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::Delivery;

    fn conversation(bits: u128) -> ConversationId {
        ConversationId::from_bits(bits)
    }

    fn agent(bits: u128) -> AgentId {
        AgentId::from_bits(bits)
    }

    fn tab(bits: u128) -> ConnectionId {
        ConnectionId::from_bits(bits)
    }

    #[test]
    fn typing_lapses_unless_it_goes_on() {
        let mut typing = Typing::default();
        let at = (conversation(1), Typist::Customer);
        let limit = Duration::from_millis(TYPING_MS);
        typing.go_on(at, String::new(), Duration::ZERO);
        typing.go_on(at, String::new(), Duration::from_secs(1));
        assert!(typing.lapsed(limit).is_empty());
        let until = limit + Duration::from_secs(1);
        assert_eq!(typing.next(), Some(until));
        assert_eq!(typing.lapsed(until).len(), 1);
        assert_eq!(typing.next(), None);
    }

    #[test]
    fn a_message_ends_the_typing_before_it_and_not_the_next() {
        let hub = Hub::new(Clock::manual(0));
        let (shard, told) = flume::bounded(16);
        let shard = hub.register(shard);
        let signals = Signals::new(hub.clone(), Clock::manual(0));
        let (here, typist) = (conversation(1), Typist::Customer);
        hub.subscribe(shard, Topic::ConversationAgents(here));
        let told = || {
            let mut active = Vec::new();
            for delivery in told.drain() {
                if let Delivery::Publish { frame, .. } = delivery {
                    active.push(String::from_utf8_lossy(&frame.text).contains("\"active\":true"));
                }
            }
            active
        };
        signals.typing(here, typist, "", Some("hel"));
        let heard = signals.heard();
        // The message waits in its lane; its author is at the next one when it is passed on.
        signals.typing(here, typist, "", Some("a"));
        signals.spoke(here, typist, heard);
        assert_eq!(told(), [true, true]);
        signals.spoke(here, typist, signals.heard());
        signals.spoke(here, typist, signals.heard());
        assert_eq!(told(), [false]);
    }

    #[test]
    fn an_agent_with_two_tabs_looks_on_until_the_second_one_turns_away() {
        let mut viewing = Viewing::default();
        let here = conversation(1);
        assert_eq!(viewing.look(tab(1), agent(7), Some(here)), [here]);
        assert_eq!(viewing.look(tab(2), agent(7), Some(here)), [here]);
        assert_eq!(viewing.agents(here), [agent(7)]);
        assert!(viewing.look(tab(1), agent(7), Some(here)).is_empty());
        let there = conversation(2);
        assert_eq!(viewing.look(tab(1), agent(7), Some(there)), [here, there]);
        assert_eq!(viewing.agents(here), [agent(7)]);
        assert_eq!(viewing.leave(tab(2)), Some(here));
        assert!(viewing.agents(here).is_empty());
        assert_eq!(viewing.leave(tab(2)), None);
        viewing.leave(tab(1));
        assert!(viewing.of_connection.is_empty() && viewing.connections.is_empty());
    }

    #[test]
    fn of_two_who_come_at_once_the_last_telling_names_both() {
        const ROUNDS: u128 = 2_000;
        let hub = Hub::new(Clock::manual(0));
        let (shard, told) = flume::bounded(16_384);
        let shard = hub.register(shard);
        let signals = Signals::new(hub.clone(), Clock::manual(0));
        for round in 0..ROUNDS {
            hub.subscribe(shard, Topic::ConversationAgents(conversation(round)));
        }
        let both = std::sync::Barrier::new(2);
        std::thread::scope(|scope| {
            for bits in [1, 2] {
                let (signals, both) = (&signals, &both);
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        both.wait();
                        signals.look(tab(bits), agent(bits), Some(conversation(round)));
                    }
                });
            }
        });
        let mut last = std::collections::BTreeMap::new();
        for delivery in told.drain() {
            if let Delivery::Publish { topic, frame } = delivery {
                last.insert(format!("{topic:?}"), frame.text);
            }
        }
        let name = |bits| agent(bits).to_string();
        for round in 0..ROUNDS {
            let topic = Topic::ConversationAgents(conversation(round));
            let text = String::from_utf8_lossy(&last[&format!("{topic:?}")]);
            let count = usize::from(text.contains(&name(1))) + usize::from(text.contains(&name(2)));
            assert_eq!(count, if round + 1 == ROUNDS { 2 } else { 0 }, "{text}");
        }
    }
}
