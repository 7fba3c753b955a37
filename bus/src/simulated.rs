//! The bus of a simulation: several nodes in one process, whose news take their time.
//!
//! What one node publishes arrives at another in order; what two publish overtakes each other. A node that is
//! cut off hears nothing and is not heard. It learns of that some seconds later, as it would of a Redis that
//! went silent, and when it is back all that it follows may have lost something. A gap in what a node heard
//! of another is noticed at the next news.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use world::World;

use crate::ear::{Ears, Follower};
use crate::{Bus, Reach};

/// Milliseconds that news take, at most.
const DELAY_MS_MAX: u64 = 8;

/// Milliseconds until a subscription is made, at most.
const SUBSCRIBE_MS_MAX: u64 = 20;

/// Milliseconds until a node learns that it is cut off, or back, at most.
const NOTICE_MS_MAX: u64 = 3_000;

/// News under way from one node to another. More are lost, and the gap is noticed.
const UNDER_WAY_MAX: usize = 65_536;

/// The bus that the nodes of a simulation share. Clones are one.
#[derive(Debug, Clone, Default)]
pub struct Network(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    next_number: u64,
    nodes: BTreeMap<u64, Arc<Node>>,
}

/// A node's place on it.
#[derive(Debug, Clone)]
pub struct Seat {
    node: Arc<Node>,
    network: Network,
}

#[derive(Debug)]
struct Node {
    number: u64,
    world: World,
    ears: Ears,
    reach: watch::Sender<Reach>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    is_cut: bool,
    /// Grows with each cut and each mending.
    turn: u64,
    /// What this node really hears.
    subscribed: BTreeSet<String>,
    /// How many of the next news of this node are lost.
    losing: u64,
    /// The number of the last news that this node published, by topic.
    published: BTreeMap<String, u64>,
    /// The number of the last news that was heard here, by sender and topic.
    heard: BTreeMap<(u64, String), u64>,
    /// News on their way to here, by sender.
    ways: BTreeMap<u64, flume::Sender<News>>,
}

#[derive(Debug)]
struct News {
    at: Duration,
    topic: String,
    number: u64,
    bytes: Bytes,
}

impl Network {
    /// A node's bus. The node leaves with [`Seat::leave`].
    #[must_use]
    pub fn join(&self, world: &World) -> Bus {
        let mut state = self.lock();
        state.next_number += 1;
        let number = state.next_number;
        // Bounded; a topic that finds no room is told once the next news come.
        let (turned, turns) = flume::bounded::<String>(UNDER_WAY_MAX);
        let node = Arc::new(Node {
            number,
            world: world.clone(),
            ears: Ears::new(move |topic| {
                let _ = turned.try_send(topic.to_owned());
            }),
            reach: watch::Sender::new(Reach::Up),
            inner: Mutex::default(),
        });
        state.nodes.insert(number, Arc::clone(&node));
        world.tracker.spawn(subscribe(Arc::clone(&node), turns));
        Bus::Simulated(Seat {
            node,
            network: self.clone(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes and ends subscriptions, each after a while.
async fn subscribe(node: Arc<Node>, turns: flume::Receiver<String>) {
    while let Ok(topic) = turns.recv_async().await {
        let delay_ms = node.world.ids.below(SUBSCRIBE_MS_MAX);
        let delay = Duration::from_millis(delay_ms);
        node.world.clock.sleep(delay).await;
        if node.ears.is_followed(&topic) {
            if !node.lock().is_cut {
                node.lock().subscribed.insert(topic.clone());
                node.ears.lose(&topic);
            }
        } else {
            node.lock().forget(&topic);
        }
    }
}

/// Takes in what one node sends to another.
async fn carry(node: Arc<Node>, from: u64, news: flume::Receiver<News>) {
    while let Ok(news) = news.recv_async().await {
        let now = node.world.clock.elapsed();
        let rest = news.at.saturating_sub(now);
        node.world.clock.sleep(rest).await;
        let is_whole = {
            let mut inner = node.lock();
            if inner.is_cut || !inner.subscribed.contains(&news.topic) {
                continue;
            }
            let place = (from, news.topic.clone());
            let last = inner.heard.insert(place, news.number);
            last.unwrap_or_default() + 1 == news.number
        };
        if !is_whole {
            node.ears.lose(&news.topic);
        }
        node.ears.tell(&news.topic, &news.bytes);
    }
}

impl Inner {
    fn forget(&mut self, topic: &str) {
        self.subscribed.remove(topic);
        self.heard.retain(|(_, heard), _| heard != topic);
    }
}

impl Node {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts news on their way to here.
    fn send(self: &Arc<Self>, from: u64, topic: &str, number: u64, bytes: &Bytes) {
        let mut inner = self.lock();
        if inner.is_cut {
            return;
        }
        let way = inner.ways.entry(from).or_insert_with(|| {
            // Bounded; what finds no room is a gap.
            let (sender, receiver) = flume::bounded(UNDER_WAY_MAX);
            let task = carry(Arc::clone(self), from, receiver);
            self.world.tracker.spawn(task);
            sender
        });
        let delay_ms = self.world.ids.below(DELAY_MS_MAX);
        let delay = Duration::from_millis(delay_ms);
        let news = News {
            at: self.world.clock.elapsed() + delay,
            topic: topic.to_owned(),
            number,
            bytes: bytes.clone(),
        };
        let _ = way.try_send(news);
    }
}

impl Seat {
    pub(crate) fn publish(&self, topic: &str, bytes: &Bytes) {
        let number = {
            let mut inner = self.node.lock();
            let number = inner.published.entry(topic.to_owned()).or_default();
            *number += 1;
            let number = *number;
            let is_lost = inner.losing > 0;
            inner.losing = inner.losing.saturating_sub(1);
            if is_lost || inner.is_cut {
                return;
            }
            number
        };
        let nodes: Vec<_> = self.network.lock().nodes.values().cloned().collect();
        for node in nodes {
            node.send(self.node.number, topic, number, bytes);
        }
    }

    pub(crate) fn follow(&self, topic: &str) -> Follower {
        self.node.ears.follow(topic)
    }

    pub(crate) fn reach(&self) -> watch::Receiver<Reach> {
        self.node.reach.subscribe()
    }

    /// Cuts the node off. It learns of that a while later.
    pub fn cut(&self) {
        self.turn(true);
    }

    /// Ends the cut. The node learns of that a while later, and that it may have lost something.
    pub fn mend(&self) {
        self.turn(false);
    }

    /// Loses the next news of this node, on whatever topic, for all.
    pub fn lose(&self, count: u64) {
        self.node.lock().losing += count;
    }

    /// The node is gone: it was killed.
    pub fn leave(&self) {
        self.network.lock().nodes.remove(&self.node.number);
    }

    fn turn(&self, is_cut: bool) {
        let turn = {
            let mut inner = self.node.lock();
            if inner.is_cut == is_cut {
                return;
            }
            inner.is_cut = is_cut;
            inner.turn += 1;
            inner.subscribed.clear();
            inner.heard.clear();
            inner.turn
        };
        let node = Arc::clone(&self.node);
        let world = node.world.clone();
        world.tracker.spawn(async move {
            let delay = Duration::from_millis(node.world.ids.below(NOTICE_MS_MAX));
            node.world.clock.sleep(delay).await;
            let topics = {
                let mut inner = node.lock();
                if inner.turn != turn {
                    return;
                }
                if is_cut {
                    drop(inner);
                    node.reach.send_replace(Reach::Down);
                    return;
                }
                let topics = node.ears.followed();
                inner.subscribed.extend(topics.iter().cloned());
                topics
            };
            node.reach.send_replace(Reach::Up);
            for topic in topics {
                node.ears.lose(&topic);
            }
        });
    }
}
