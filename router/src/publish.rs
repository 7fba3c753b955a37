//! From what was stored to frames: one for the team, one for the visitor, each encoded once and only
//! where somebody listens.

use std::sync::Arc;

use protocol::conversation::{Conversation, VisitorConversation};
use protocol::entry::{AgentNames, Entry};
use protocol::id::{ConversationId, EntryId, VisitorId};
use protocol::network::Network;
use protocol::news::{AgentNews, VisitorNews};
use protocol::rejection::CloseCode;

use crate::delivery::{Class, Delivery, Encoded, SignalKey};
use crate::hub::Hub;
use crate::topic::Topic;

impl Hub {
    /// Passes entries of one conversation on to both sides, each in its own counting. What a visitor may not
    /// see has no public number and makes no frame for him.
    pub(crate) async fn entries(&self, entries: &[Entry], names: &(dyn AgentNames + Sync)) {
        let Some(conversation_id) = entries.first().map(|entry| entry.conversation_id) else {
            return;
        };
        let durable = |number, entry_id| Class::Durable {
            conversation_id,
            number,
            entry_id,
        };
        let for_agents = |entry: &Entry| {
            let entry = entry.clone();
            let class = durable(entry.seq, entry.id);
            Encoded::new(&AgentNews::Entry { entry }, class)
        };
        self.publish_all(Topic::ConversationAgents(conversation_id), || {
            entries.iter().map(for_agents).collect()
        })
        .await;
        let for_visitor = |entry: &Entry| {
            let entry = entry.for_visitor(names)?;
            let class = durable(entry.number, entry.id);
            Some(Encoded::new(&VisitorNews::Entry { entry }, class))
        };
        self.publish_all(Topic::ConversationVisitor(conversation_id), || {
            entries.iter().filter_map(for_visitor).collect()
        })
        .await;
    }

    /// Tells those who follow a conversation what it is now.
    pub(crate) async fn facts(&self, conversation: &Conversation) {
        self.publish(Topic::ConversationAgents(conversation.id), || {
            let conversation = conversation.clone();
            Encoded::new(&AgentNews::Conversation { conversation }, Class::Row)
        })
        .await;
    }

    /// Tells a visitor that his conversation began, ended or goes on.
    pub(crate) async fn visitor_facts(
        &self,
        visitor_id: VisitorId,
        conversation: &VisitorConversation,
    ) {
        self.publish(Topic::Visitor(visitor_id), || {
            let conversation = conversation.clone();
            Encoded::new(&VisitorNews::Conversation { conversation }, Class::Row)
        })
        .await;
    }

    /// Lets all full connections of a visitor follow his new conversation.
    pub(crate) async fn follow(&self, visitor_id: VisitorId, conversation_id: ConversationId) {
        let topic = Topic::Visitor(visitor_id);
        self.send(
            topic,
            Delivery::Follow {
                topic,
                conversation_id,
            },
        )
        .await;
    }

    /// Lets all of the team who follow a conversation read its newest page again.
    pub(crate) async fn afresh(&self, conversation_id: ConversationId) {
        let topic = Topic::ConversationAgents(conversation_id);
        let delivery = Delivery::Afresh {
            topic,
            conversation_id,
        };
        self.send(topic, delivery).await;
    }

    /// Whether any tab of a visitor wants his unread count.
    pub(crate) fn wants_unread(&self, visitor_id: VisitorId) -> bool {
        self.is_followed(&Topic::VisitorLauncher(visitor_id))
            || self.is_followed(&Topic::Visitor(visitor_id))
    }

    /// Tells all tabs of a visitor how much he has not read.
    pub(crate) fn unread(&self, visitor_id: VisitorId, count: u32, entry_id: Option<EntryId>) {
        let key = SignalKey::Unread;
        let frame = Encoded::new(
            &VisitorNews::Unread { count, entry_id },
            Class::Signal { key },
        );
        for topic in [
            Topic::VisitorLauncher(visitor_id),
            Topic::Visitor(visitor_id),
        ] {
            self.signal(topic, || frame.clone());
        }
    }

    /// Ends all connections of a visitor.
    pub(crate) async fn close_visitor(&self, visitor_id: VisitorId, code: CloseCode) {
        for topic in [
            Topic::Visitor(visitor_id),
            Topic::VisitorLauncher(visitor_id),
        ] {
            self.close(topic, code).await;
        }
    }

    /// Ends the connections of a visitor from before somebody proved who he is: they come back as the person.
    pub(crate) async fn close_unproved(&self, visitor_id: VisitorId) {
        let code = CloseCode::IdentityChanged;
        for topic in [
            Topic::Visitor(visitor_id),
            Topic::VisitorLauncher(visitor_id),
        ] {
            self.send(topic, Delivery::CloseUnproved { topic, code })
                .await;
        }
    }

    /// Ends the connections on a topic that come from one of these networks.
    pub(crate) async fn close_blocked(&self, topic: Topic, networks: &Arc<[Network]>) {
        if !self.is_followed(&topic) {
            return;
        }
        let delivery = Delivery::CloseBlocked {
            topic,
            networks: Arc::clone(networks),
            code: CloseCode::Revoked,
        };
        self.send(topic, delivery).await;
    }

    /// Ends all connections on a topic.
    pub(crate) async fn close(&self, topic: Topic, code: CloseCode) {
        self.send(topic, Delivery::CloseTopic { topic, code }).await;
    }
}
