//! The bus between nodes: what this node publishes goes to Redis, what others publish comes from there.
//!
//! Here is what lives as long as the node: followers, numbers, figures. `link` is one connection after the
//! other. What this node publishes, its own followers hear at once and whether or not Redis is in reach.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::watch;
use world::{Faults, World};

use crate::ear::{Ears, Follower, Turned};
use crate::envelope::{self, Envelope, Seal, Unreadable};
use crate::link;
use crate::url::RedisConfig;
use crate::{NEWS_BYTES_MAX, Problem, Reach};

/// News that may wait for the connection; more are lost, and the nodes that miss them notice the gap.
const OUTBOX_LENGTH: usize = 16_384;

/// Topics whose numbers are remembered. Past that the node goes on as another sender.
const TOPICS_MAX: usize = 100_000;

/// Senders whose numbers are remembered for a topic. Past that all are met anew.
const SENDERS_MAX: usize = 1_000;

/// Figures for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// News that were sent.
    pub published_count: u64,
    /// Round trips in which they were sent.
    pub batch_count: u64,
    /// News of other nodes.
    pub heard_count: u64,
    /// News that were not sent: Redis was out of reach, or too many waited.
    pub lost_count: u64,
    /// Gaps noticed in what came from other nodes.
    pub gap_count: u64,
    /// What came and could not be read: cut, forged, or a newer program's.
    pub unreadable_count: u64,
    /// Topics that this node follows.
    pub topic_count: u64,
}

/// The bus over Redis. Clones are one bus.
#[derive(Debug, Clone)]
pub struct Redis(Arc<Shared>);

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: RedisConfig,
    pub(crate) seal: Seal,
    pub(crate) ears: Ears,
    /// Topics whose first follower came or whose last one went, for the connection.
    pub(crate) turned: Arc<Turned>,
    pub(crate) reach: watch::Sender<Reach>,
    pub(crate) counts: Counts,
    problem: Mutex<Option<Problem>>,
    outbox: flume::Sender<Outgoing>,
    numbers: Mutex<Numbers>,
    heard: Mutex<HashMap<String, HashMap<u128, u64>>>,
    faults: Faults,
    world: World,
}

/// Something on its way to Redis.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) topic: String,
    pub(crate) envelope: Envelope,
}

/// The numbers that this node gave out.
#[derive(Debug)]
struct Numbers {
    sender: u128,
    last: HashMap<String, u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) published: AtomicU64,
    pub(crate) batches: AtomicU64,
    heard: AtomicU64,
    pub(crate) lost: AtomicU64,
    gaps: AtomicU64,
    unreadable: AtomicU64,
}

impl Redis {
    pub(crate) fn start(world: &World, config: RedisConfig, key: &[u8]) -> Self {
        let turned = Arc::<Turned>::default();
        let ears = {
            let turned = Arc::clone(&turned);
            Ears::new(move |topic| turned.put(topic))
        };
        // Bounded; what finds it full is lost, and counted.
        let (outbox, outgoing) = flume::bounded(OUTBOX_LENGTH);
        let shared = Arc::new(Shared {
            config,
            seal: Seal::new(key),
            ears,
            turned,
            reach: watch::Sender::new(Reach::Down),
            counts: Counts::default(),
            problem: Mutex::default(),
            outbox,
            numbers: Mutex::new(Numbers {
                sender: u128::from_be_bytes(world.ids.bytes()),
                last: HashMap::new(),
            }),
            heard: Mutex::default(),
            faults: world.faults.clone(),
            world: world.clone(),
        });
        let task = link::run(world.clone(), Arc::clone(&shared), outgoing);
        world.tracker.spawn(task);
        Self(shared)
    }

    pub(crate) fn publish(&self, topic: &str, news: &Bytes) {
        self.0.ears.tell(topic, news);
        self.0.put(topic, news);
    }

    pub(crate) fn publish_elsewhere(&self, topic: &str, news: &Bytes) {
        self.0.put(topic, news);
    }

    pub(crate) fn follow(&self, topic: &str) -> Follower {
        self.0.ears.follow(topic)
    }

    pub(crate) fn reach(&self) -> watch::Receiver<Reach> {
        self.0.reach.subscribe()
    }

    pub(crate) fn problem(&self) -> Option<Problem> {
        self.0.lock_problem().clone()
    }

    pub(crate) fn stats(&self) -> Stats {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let counts = &self.0.counts;
        Stats {
            published_count: read(&counts.published),
            batch_count: read(&counts.batches),
            heard_count: read(&counts.heard),
            lost_count: read(&counts.lost),
            gap_count: read(&counts.gaps),
            unreadable_count: read(&counts.unreadable),
            topic_count: u64::try_from(self.0.ears.followed().len()).unwrap_or(u64::MAX),
        }
    }
}

impl Shared {
    /// The connection came up.
    pub(crate) fn rise(&self) {
        *self.lock_problem() = None;
        self.reach.send_replace(Reach::Up);
    }

    /// There is no connection. Says whether this is news.
    pub(crate) fn fall(&self, problem: String) -> bool {
        let is_first = {
            let mut held = self.lock_problem();
            let since_ms = held.as_ref().map(|before| before.since_ms);
            *held = Some(Problem {
                since_ms: since_ms.unwrap_or_else(|| self.world.clock.now_ms()),
                text: problem,
            });
            since_ms.is_none()
        };
        self.reach.send_replace(Reach::Down) == Reach::Up || is_first
    }

    /// The channel of a topic.
    pub(crate) fn channel(&self, topic: &str) -> String {
        format!("{}:{topic}", self.config.prefix)
    }

    /// Puts news on their way. What cannot be sent burns its number, so that others notice the gap.
    fn put(&self, topic: &str, news: &Bytes) {
        // Held until the news wait, so that they wait in the order of their numbers.
        let mut numbers = self.lock_numbers();
        if numbers.last.len() >= TOPICS_MAX && !numbers.last.contains_key(topic) {
            numbers.last.clear();
            numbers.sender = u128::from_be_bytes(self.world.ids.bytes());
        }
        let sender = numbers.sender;
        let number = numbers.last.entry(topic.to_owned()).or_default();
        *number += 1;
        let outgoing = Outgoing {
            topic: topic.to_owned(),
            envelope: Envelope {
                sender,
                number: *number,
                news: news.clone(),
            },
        };
        let is_sent = *self.reach.borrow() == Reach::Up
            && news.len() <= NEWS_BYTES_MAX
            && self.faults.check("bus.publish").is_ok()
            && self.outbox.try_send(outgoing).is_ok();
        if !is_sent {
            self.counts.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes in what came on a channel.
    pub(crate) fn take(&self, channel: &[u8], bytes: Vec<u8>) {
        let topic = std::str::from_utf8(channel)
            .ok()
            .and_then(|channel| channel.strip_prefix(&self.config.prefix))
            .and_then(|rest| rest.strip_prefix(':'));
        let Some(topic) = topic else { return };
        // Its own come back as well: half of what comes, which needs no proof to be left where it is.
        if envelope::alleged_sender(&bytes) == Some(self.lock_numbers().sender) {
            return;
        }
        match self.seal.open(topic, bytes.into()) {
            Ok(envelope) => self.hear(topic, envelope),
            Err(Unreadable::Truncated | Unreadable::Newer | Unreadable::Forged) => {
                self.counts.unreadable.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn hear(&self, topic: &str, envelope: Envelope) {
        let mut heard = self.lock_heard();
        let senders = heard.entry(topic.to_owned()).or_default();
        if senders.len() >= SENDERS_MAX && !senders.contains_key(&envelope.sender) {
            senders.clear();
        }
        let last = senders.insert(envelope.sender, envelope.number);
        // Whoever is met for the first time with a later number than 1 may have said more since this node listens,
        // which was lost: nobody can tell that from what he said before.
        let expected = last.map_or(1, |last| last + 1);
        if envelope.number < expected {
            // Sent twice, or long ago.
            senders.insert(envelope.sender, expected - 1);
            return;
        }
        drop(heard);
        if envelope.number > expected {
            let is_known = last.is_some();
            self.counts
                .gaps
                .fetch_add(u64::from(is_known), Ordering::Relaxed);
            self.ears.lose(topic);
        }
        self.counts.heard.fetch_add(1, Ordering::Relaxed);
        self.ears.tell(topic, &envelope.news);
    }

    /// Forgets who was heard on a topic that nobody follows any more.
    pub(crate) fn forget(&self, topic: &str) {
        self.lock_heard().remove(topic);
    }

    fn lock_problem(&self) -> MutexGuard<'_, Option<Problem>> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_numbers(&self) -> MutexGuard<'_, Numbers> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_heard(&self) -> MutexGuard<'_, HashMap<String, HashMap<u128, u64>>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
