//! Followers of topics on this node, and the map in which they are found.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;
use world::HashMap;

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
    sender: flume::Sender<Bytes>,
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

/// Hears what is published on one topic; dropping it ends that.
#[derive(Debug)]
pub struct Follower {
    ears: Ears,
    topic: String,
    id: u64,
    receiver: flume::Receiver<Bytes>,
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
        // Bounded; a full one marks the follower as one who lost news.
        let (sender, receiver) = flume::bounded(FOLLOWER_NEWS_MAX);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watcher_hears_of_the_first_follower_and_of_the_last() {
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let ears = {
            let heard = Arc::clone(&heard);
            Ears::new(move |topic| heard.lock().expect("no panic").push(topic.to_owned()))
        };
        let followers = [ears.follow("a"), ears.follow("a"), ears.follow("b")];
        assert_eq!(*heard.lock().expect("no panic"), ["a", "b"]);
        drop(followers);
        assert_eq!(*heard.lock().expect("no panic"), ["a", "b", "a", "b"]);
        assert!(ears.followed().is_empty());
    }

    #[tokio::test]
    async fn a_loss_wakes_a_follower_that_waits() {
        let ears = Ears::new(|_| {});
        let follower = ears.follow("a");
        let (heard, ()) = tokio::join!(follower.hear(), async { ears.lose("a") });
        assert_eq!(heard, Heard::Lost);
        ears.lose("b");
        ears.tell("a", &Bytes::from_static(b"news"));
        assert_eq!(
            follower.hear().await,
            Heard::News(Bytes::from_static(b"news"))
        );
    }
}
