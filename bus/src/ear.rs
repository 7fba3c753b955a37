//! Followers of topics on this node, and the map in which they are found.
//!
//! Publishers, followers and the connection to other nodes meet here, each thread for itself; `model.rs` tries every
//! order in which they can. No tests are in here, so that it can be read a second time there.

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use world::{HashMap, HashSet};

use super::sync::{
    AtomicBool, AtomicU64, Mutex, MutexGuard, Notify, Ordering, Receiver, Sender, bounded,
};
use crate::{FOLLOWER_NEWS_MAX, Heard};

/// Called after the first follower of a topic came, or the last one went.
type Watcher = Box<dyn Fn(&str) + Send + Sync>;

/// The followers of this node. Clones are one map.
#[derive(Clone)]
pub(crate) struct Ears(Arc<Shared>);

struct Shared {
    topics: Mutex<HashMap<String, Vec<Ear>>>,
    next_id: AtomicU64,
    watcher: Watcher,
}

/// The bus's end of a follower.
struct Ear {
    id: u64,
    sender: Sender<Bytes>,
    loss: Arc<Loss>,
}

/// Whether a follower lost something that it does not know of yet.
#[derive(Debug, Default)]
struct Loss {
    has_lost: AtomicBool,
    bell: Notify,
}

impl Loss {
    fn mark(&self) {
        self.has_lost.store(true, Ordering::Release);
        self.bell.notify_one();
    }
}

/// Topics whose first follower came or whose last one went since they were taken: for the connection to look at.
#[derive(Debug, Default)]
pub(crate) struct Turned {
    topics: Mutex<HashSet<String>>,
    /// Rung where there are any.
    pub(crate) bell: Notify,
}

impl Turned {
    pub(crate) fn put(&self, topic: &str) {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        topics.insert(topic.to_owned());
        self.bell.notify_one();
    }

    pub(crate) fn take(&self) -> HashSet<String> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *topics)
    }
}

/// Hears what is published on one topic; dropping it ends that.
#[derive(Debug)]
pub struct Follower {
    ears: Ears,
    topic: String,
    id: u64,
    receiver: Receiver<Bytes>,
    loss: Arc<Loss>,
}

impl std::fmt::Debug for Ears {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ears").finish_non_exhaustive()
    }
}

impl Ears {
    /// Nobody. `watcher` is called with a topic whenever its first follower came or its last one went.
    pub(crate) fn new(watcher: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(Shared {
            topics: Mutex::default(),
            next_id: AtomicU64::new(0),
            watcher: Box::new(watcher),
        }))
    }

    /// Hands news to the followers of a topic. One whose mailbox is full is told that it lost something.
    pub(crate) fn tell(&self, topic: &str, news: &Bytes) {
        for ear in self.topics().get(topic).into_iter().flatten() {
            if ear.sender.try_send(news.clone()).is_err() {
                ear.loss.mark();
            }
        }
    }

    /// Tells the followers of a topic that something was lost.
    pub(crate) fn lose(&self, topic: &str) {
        for ear in self.topics().get(topic).into_iter().flatten() {
            ear.loss.mark();
        }
    }

    /// Adds a follower.
    pub(crate) fn follow(&self, topic: &str) -> Follower {
        self.follow_with_room(topic, FOLLOWER_NEWS_MAX)
    }

    /// Adds a follower for whom so many news may wait.
    pub(crate) fn follow_with_room(&self, topic: &str, news_max: usize) -> Follower {
        // Bounded; a full one marks the follower as one who lost news.
        let (sender, receiver) = bounded(news_max);
        let id = self.0.next_id.fetch_add(1, Ordering::Relaxed);
        let loss = Arc::<Loss>::default();
        let ear = Ear {
            id,
            sender,
            loss: Arc::clone(&loss),
        };
        let mut topics = self.topics();
        let ears = topics.entry(topic.to_owned()).or_default();
        ears.push(ear);
        let is_first = ears.len() == 1;
        drop(topics);
        if is_first {
            (self.0.watcher)(topic);
        }
        Follower {
            ears: self.clone(),
            topic: topic.to_owned(),
            id,
            receiver,
            loss,
        }
    }

    /// Whether anybody follows a topic.
    pub(crate) fn is_followed(&self, topic: &str) -> bool {
        self.topics().contains_key(topic)
    }

    /// All topics that somebody follows.
    pub(crate) fn followed(&self) -> Vec<String> {
        self.topics().keys().cloned().collect()
    }

    fn topics(&self) -> MutexGuard<'_, HashMap<String, Vec<Ear>>> {
        self.0.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Follower {
    /// Waits for the next news. Cancel-safe: what was not returned is heard by the next call.
    pub async fn hear(&self) -> Heard {
        loop {
            if self.loss.has_lost.swap(false, Ordering::AcqRel) {
                return Heard::Lost;
            }
            tokio::select! {
                // A loss is told before what came after it.
                biased;
                () = self.loss.bell.notified() => {}
                news = self.receiver.recv_async() => {
                    let news = news.expect("the bus keeps the sender until the follower is dropped");
                    return Heard::News(news);
                }
            }
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let mut topics = self.ears.topics();
        let Some(ears) = topics.get_mut(&self.topic) else {
            return;
        };
        ears.retain(|ear| ear.id != self.id);
        let was_last = ears.is_empty();
        if was_last {
            topics.remove(&self.topic);
        }
        drop(topics);
        if was_last {
            (self.ears.0.watcher)(&self.topic);
        }
    }
}
