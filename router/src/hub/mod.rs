//! The hub: which shards there are, which topics they listen to, and the way from here to them.
//!
//! A shard tells when a topic gets its first listener and loses its last. A frame for a topic without
//! any is never encoded. Called by all that publishes; it knows nothing of what a frame says.

mod shard;

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use world::hash::State;
use world::{Clock, HashMap};

use crate::delivery::{Delivery, Encoded};
use crate::hub::shard::Shard;
use crate::topic::Topic;

/// What shards are guarded by. `model.rs` puts others in its place, which try every order.
mod sync {
    pub(super) use flume::Sender;
    pub(super) use std::sync::atomic::{AtomicBool, Ordering};
    pub(super) use std::sync::{Mutex, MutexGuard};
}

/// Shards that one node may have: a topic's listeners are one bit each.
pub const SHARDS_MAX: usize = 64;

/// Parts of the topic map, so that shards seldom meet at one lock.
const STRIPE_COUNT: usize = 16;

/// A registered shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShardId(usize);

/// The hub. Clones are one hub.
#[derive(Debug, Clone)]
pub(crate) struct Hub(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clock: Clock,
    shards: RwLock<Vec<Option<Arc<Shard>>>>,
    hasher: State,
    stripes: [RwLock<HashMap<Topic, u64>>; STRIPE_COUNT],
    lost_count: AtomicU64,
}

impl Hub {
    pub(crate) fn new(clock: Clock) -> Self {
        Self(Arc::new(Shared {
            clock,
            shards: RwLock::default(),
            hasher: State::default(),
            stripes: Default::default(),
            lost_count: AtomicU64::new(0),
        }))
    }

    /// Adds a shard.
    ///
    /// # Panics
    ///
    /// With more than 64 shards.
    pub(crate) fn register(&self, sender: flume::Sender<Delivery>) -> ShardId {
        let shard = Arc::new(Shard::new(sender));
        let mut shards = self
            .0
            .shards
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let index = shards.iter().position(Option::is_none).unwrap_or_else(|| {
            shards.push(None);
            shards.len() - 1
        });
        assert!(index < SHARDS_MAX, "a node has at most {SHARDS_MAX} shards");
        shards[index] = Some(shard);
        ShardId(index)
    }

    /// Removes a shard and all it listened to. Costs a walk over the topics.
    pub(crate) fn unregister(&self, shard: ShardId) {
        let mut shards = self
            .0
            .shards
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        shards[shard.0] = None;
        drop(shards);
        for stripe in &self.0.stripes {
            let mut topics = stripe.write().unwrap_or_else(PoisonError::into_inner);
            topics.retain(|_, listeners| {
                *listeners &= !(1 << shard.0);
                *listeners != 0
            });
        }
    }

    /// The shard listens from now on.
    pub(crate) fn subscribe(&self, shard: ShardId, topic: Topic) {
        let mut topics = self
            .stripe(&topic)
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *topics.entry(topic).or_default() |= 1 << shard.0;
    }

    /// The shard listens no longer.
    pub(crate) fn unsubscribe(&self, shard: ShardId, topic: Topic) {
        let mut topics = self
            .stripe(&topic)
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(listeners) = topics.get_mut(&topic) {
            *listeners &= !(1 << shard.0);
            if *listeners == 0 {
                topics.remove(&topic);
            }
        }
    }

    /// Whether anybody listens.
    pub(crate) fn is_followed(&self, topic: &Topic) -> bool {
        self.listeners(topic) != 0
    }

    /// Passes a frame on, encoding it only where somebody listens. Waits at most a second for each
    /// shard that is behind.
    pub(crate) async fn publish(&self, topic: Topic, frame: impl FnOnce() -> Encoded) {
        let listeners = self.listeners(&topic);
        if listeners != 0 {
            let frame = frame();
            self.deliver(listeners, &Delivery::Publish { topic, frame })
                .await;
        }
    }

    /// Passes frames on, in order, encoding them only where somebody listens. Waits like [`Self::publish`].
    pub(crate) async fn publish_all(&self, topic: Topic, frames: impl FnOnce() -> Vec<Encoded>) {
        let listeners = self.listeners(&topic);
        if listeners == 0 {
            return;
        }
        // All are encoded before the first is passed on: a shard then finds them together.
        for frame in frames() {
            self.deliver(listeners, &Delivery::Publish { topic, frame })
                .await;
        }
    }

    /// Passes a delivery on to those who listen. Waits like [`Self::publish`].
    pub(crate) async fn send(&self, topic: Topic, delivery: Delivery) {
        self.deliver(self.listeners(&topic), &delivery).await;
    }

    /// Passes a signal on to those shards that have room. Others get the latest that lasts once they have, and
    /// lose what expires.
    pub(crate) fn signal(&self, topic: Topic, frame: impl FnOnce() -> Encoded) {
        let listeners = self.listeners(&topic);
        if listeners == 0 {
            return;
        }
        let frame = frame();
        for shard in self.shards_of(listeners) {
            shard.signal(topic, frame.clone());
        }
    }

    /// Whether a shard lost something that it was not told of yet. It knows from here on, and is passed the signals
    /// that it had no room for.
    pub(crate) fn take_lost(&self, shard: ShardId) -> bool {
        let shards = self.0.shards.read().unwrap_or_else(PoisonError::into_inner);
        let Some(shard) = shards.get(shard.0).and_then(Option::as_ref) else {
            return false;
        };
        shard.take_lost()
    }

    /// How many deliveries were dropped because a shard was behind.
    pub(crate) fn lost_count(&self) -> u64 {
        self.0.lost_count.load(Ordering::Relaxed)
    }

    /// How many topics have listeners.
    pub(crate) fn topic_count(&self) -> usize {
        let count = |stripe: &RwLock<HashMap<Topic, u64>>| {
            let topics = stripe.read().unwrap_or_else(PoisonError::into_inner);
            topics.len()
        };
        self.0.stripes.iter().map(count).sum()
    }

    async fn deliver(&self, listeners: u64, delivery: &Delivery) {
        for shard in self.shards_of(listeners) {
            if !shard.push(&self.0.clock, delivery).await {
                self.0.lost_count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn shards_of(&self, listeners: u64) -> Vec<Arc<Shard>> {
        let shards = self.0.shards.read().unwrap_or_else(PoisonError::into_inner);
        shards
            .iter()
            .enumerate()
            .filter(|(index, _)| listeners & 1 << index != 0)
            .filter_map(|(_, shard)| shard.clone())
            .collect()
    }

    fn listeners(&self, topic: &Topic) -> u64 {
        let topics = self
            .stripe(topic)
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        topics.get(topic).copied().unwrap_or_default()
    }

    fn stripe(&self, topic: &Topic) -> &RwLock<HashMap<Topic, u64>> {
        let hash = self.0.hasher.hash_one(topic);
        let count = u64::try_from(STRIPE_COUNT).expect("a small number fits");
        let index = usize::try_from(hash % count).expect("below the number of stripes");
        &self.0.stripes[index]
    }
}

#[cfg(test)]
mod model;

#[cfg(test)]
mod tests {
    use protocol::id::{Id, WorkspaceId};

    use super::shard::{OWED_MAX, SHARD_WAIT};
    use super::*;
    use crate::delivery::{Class, SignalKey};

    fn topic(bits: u128) -> Topic {
        Topic::Team(WorkspaceId::from_bits(bits))
    }

    fn frame() -> Encoded {
        Encoded::new(&"frame", Class::Row)
    }

    fn hub() -> (Hub, Clock) {
        let clock = Clock::manual(0);
        (Hub::new(clock.clone()), clock)
    }

    #[tokio::test]
    async fn a_frame_reaches_only_the_shards_that_listen_and_is_encoded_once() {
        let (hub, _) = hub();
        let (first, at_first) = flume::bounded(4);
        let (second, at_second) = flume::bounded(4);
        let (third, at_third) = flume::bounded(4);
        let (first, second, third) = (
            hub.register(first),
            hub.register(second),
            hub.register(third),
        );
        hub.subscribe(first, topic(1));
        hub.subscribe(second, topic(1));
        hub.subscribe(third, topic(2));
        let mut encoded = 0;
        hub.publish(topic(1), || {
            encoded += 1;
            frame()
        })
        .await;
        assert_eq!(encoded, 1);
        assert_eq!((at_first.len(), at_second.len(), at_third.len()), (1, 1, 0));
    }

    #[tokio::test]
    async fn nothing_is_encoded_for_a_topic_that_nobody_listens_to() {
        let (hub, _) = hub();
        let (sender, receiver) = flume::bounded(4);
        let shard = hub.register(sender);
        hub.subscribe(shard, topic(1));
        hub.unsubscribe(shard, topic(1));
        hub.publish(topic(1), || unreachable!("nobody listens"))
            .await;
        hub.signal(topic(1), || unreachable!("nobody listens"));
        assert_eq!(hub.topic_count(), 0);
        assert!(receiver.is_empty());
    }

    #[tokio::test]
    async fn a_shard_that_takes_nothing_holds_a_publisher_for_a_second_and_learns_of_its_loss() {
        let (hub, clock) = hub();
        let (sender, receiver) = flume::bounded(2);
        let shard = hub.register(sender);
        hub.subscribe(shard, topic(1));
        hub.publish(topic(1), frame).await;
        hub.publish(topic(1), frame).await;
        let waiting = hub.clone();
        let late =
            world::Tracker::new().spawn(async move { waiting.publish(topic(1), frame).await });
        while !late.is_finished() {
            clock.advance(SHARD_WAIT);
            tokio::task::yield_now().await;
        }
        assert_eq!(hub.lost_count(), 1);
        // Nobody waits for it any more.
        hub.publish(topic(1), frame).await;
        assert_eq!(hub.lost_count(), 2);
        assert_eq!(receiver.drain().len(), 2);
        hub.publish(topic(1), frame).await;
        assert!(matches!(receiver.try_recv(), Ok(Delivery::Lost)));
        assert!(matches!(receiver.try_recv(), Ok(Delivery::Publish { .. })));
    }

    #[tokio::test]
    async fn a_shard_learns_of_its_loss_when_it_asks_and_nothing_more_is_published() {
        let (hub, clock) = hub();
        let (sender, receiver) = flume::bounded(1);
        let shard = hub.register(sender);
        hub.subscribe(shard, topic(1));
        hub.publish(topic(1), frame).await;
        assert!(!hub.take_lost(shard));
        let waiting = hub.clone();
        let late =
            world::Tracker::new().spawn(async move { waiting.publish(topic(1), frame).await });
        while !late.is_finished() {
            clock.advance(SHARD_WAIT);
            tokio::task::yield_now().await;
        }
        assert!(hub.take_lost(shard));
        assert!(!hub.take_lost(shard), "it knows");
        receiver.drain();
        hub.publish(topic(1), frame).await;
        assert!(matches!(receiver.try_recv(), Ok(Delivery::Publish { .. })));
    }

    /// What a shard finds, in order.
    fn found(receiver: &flume::Receiver<Delivery>) -> Vec<String> {
        let text = |delivery| match delivery {
            Delivery::Publish { frame, .. } => String::from_utf8(frame.text.to_vec()).unwrap(),
            Delivery::Follow { .. }
            | Delivery::Afresh { .. }
            | Delivery::CloseTopic { .. }
            | Delivery::CloseUnproved { .. }
            | Delivery::CloseBlocked { .. }
            | Delivery::Lost => "no frame".to_owned(),
        };
        receiver.drain().map(text).collect()
    }

    fn signal(hub: &Hub, key: SignalKey, text: &str) {
        hub.signal(topic(1), || Encoded::new(&text, Class::Signal { key }));
    }

    #[tokio::test]
    async fn a_signal_that_lasts_waits_for_a_full_shard_and_the_latest_counts() {
        let (hub, _) = hub();
        let (sender, receiver) = flume::bounded(2);
        let shard = hub.register(sender);
        hub.subscribe(shard, topic(1));
        hub.publish(topic(1), frame).await;
        signal(&hub, SignalKey::Staff, "nobody");
        signal(&hub, SignalKey::Typing(Id::from_bits(1), 0), "types");
        signal(&hub, SignalKey::Staff, "Mira");
        signal(&hub, SignalKey::Staff, "Mira and Jon");
        assert!(!hub.take_lost(shard));
        assert_eq!(found(&receiver), ["\"frame\"", "\"nobody\""]);
        // The shard asks now and then; then it finds the latest, once.
        assert!(!hub.take_lost(shard));
        assert_eq!(found(&receiver), ["\"Mira and Jon\""]);
        assert!(!hub.take_lost(shard));
        assert!(receiver.is_empty());
    }

    #[tokio::test]
    async fn a_later_signal_takes_the_place_of_one_that_waits() {
        let (hub, _) = hub();
        let (sender, receiver) = flume::bounded(1);
        let shard = hub.register(sender);
        hub.subscribe(shard, topic(1));
        hub.publish(topic(1), frame).await;
        signal(&hub, SignalKey::Staff, "Mira");
        assert_eq!(found(&receiver), ["\"frame\""]);
        signal(&hub, SignalKey::Staff, "nobody");
        assert_eq!(found(&receiver), ["\"nobody\""]);
        assert!(!hub.take_lost(shard));
        assert!(receiver.is_empty());
    }

    #[tokio::test]
    async fn more_signals_than_are_kept_are_a_loss_that_the_shard_learns_of() {
        let (hub, _) = hub();
        let (sender, _receiver) = flume::bounded(1);
        let shard = hub.register(sender);
        hub.subscribe(shard, topic(1));
        hub.publish(topic(1), frame).await;
        for bits in 0..=OWED_MAX {
            assert!(!hub.take_lost(shard));
            let id = Id::from_bits(u128::try_from(bits).unwrap());
            signal(&hub, SignalKey::Viewing(id), "they look");
        }
        assert!(hub.take_lost(shard));
    }

    #[tokio::test]
    async fn a_shard_that_is_gone_is_no_loss() {
        let (hub, _) = hub();
        let (sender, receiver) = flume::bounded(1);
        let shard = hub.register(sender);
        hub.subscribe(shard, topic(1));
        drop(receiver);
        hub.publish(topic(1), frame).await;
        assert_eq!(hub.lost_count(), 0);
        hub.unregister(shard);
        assert!(!hub.is_followed(&topic(1)));
    }
}
