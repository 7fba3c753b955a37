//! The bus within one process: a map from topic to followers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::{FOLLOWER_NEWS_MAX, Heard};

/// The local bus. Clones are one bus.
#[derive(Debug, Clone, Default)]
pub struct Local(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    topics: Mutex<HashMap<String, Vec<Ear>>>,
    next_id: AtomicU64,
}

/// The bus's end of a follower.
#[derive(Debug)]
struct Ear {
    id: u64,
    sender: flume::Sender<Bytes>,
    lost: Arc<AtomicBool>,
}

/// Hears what is published on one topic; dropping it ends that.
#[derive(Debug)]
pub struct Follower {
    bus: Local,
    topic: String,
    id: u64,
    receiver: flume::Receiver<Bytes>,
    lost: Arc<AtomicBool>,
}

impl Local {
    pub(crate) fn publish(&self, topic: &str, news: &Bytes) {
        for ear in self.topics().get(topic).into_iter().flatten() {
            // A full mailbox means: look into the log. The mark is read before the next news.
            if ear.sender.try_send(news.clone()).is_err() {
                ear.lost.store(true, Ordering::Release);
            }
        }
    }

    pub(crate) fn follow(&self, topic: &str) -> Follower {
        // Bounded; a full one marks the follower as one who lost news.
        let (sender, receiver) = flume::bounded(FOLLOWER_NEWS_MAX);
        let id = self.0.next_id.fetch_add(1, Ordering::Relaxed);
        let lost = Arc::new(AtomicBool::new(false));
        let ear = Ear {
            id,
            sender,
            lost: Arc::clone(&lost),
        };
        self.topics().entry(topic.to_owned()).or_default().push(ear);
        Follower {
            bus: self.clone(),
            topic: topic.to_owned(),
            id,
            receiver,
            lost,
        }
    }

    fn topics(&self) -> MutexGuard<'_, HashMap<String, Vec<Ear>>> {
        self.0.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Follower {
    /// Waits for the next news. Cancel-safe: what was not returned is heard by the next call.
    pub async fn hear(&self) -> Heard {
        if self.lost.swap(false, Ordering::AcqRel) {
            return Heard::Lost;
        }
        let news = self.receiver.recv_async().await;
        Heard::News(news.expect("the bus keeps the sender until the follower is dropped"))
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let mut topics = self.bus.topics();
        if let Some(ears) = topics.get_mut(&self.topic) {
            ears.retain(|ear| ear.id != self.id);
            if ears.is_empty() {
                topics.remove(&self.topic);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Bus, FOLLOWER_NEWS_MAX, Heard};

    use super::*;

    fn news(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[tokio::test]
    async fn every_follower_of_a_topic_hears_it_and_nobody_else() {
        let bus = Bus::local();
        let (first, second, other) = (bus.follow("a"), bus.clone().follow("a"), bus.follow("b"));
        bus.publish("a", &news("one"));
        bus.publish("b", &news("two"));
        assert_eq!(first.hear().await, Heard::News(news("one")));
        assert_eq!(second.hear().await, Heard::News(news("one")));
        assert_eq!(other.hear().await, Heard::News(news("two")));
    }

    #[tokio::test]
    async fn a_slow_follower_is_told_that_it_lost_news_and_hears_the_rest() {
        let bus = Bus::local();
        let slow = bus.follow("a");
        for _ in 0..=FOLLOWER_NEWS_MAX {
            bus.publish("a", &news("again"));
        }
        assert_eq!(slow.hear().await, Heard::Lost);
        for _ in 0..FOLLOWER_NEWS_MAX {
            assert_eq!(slow.hear().await, Heard::News(news("again")));
        }
        bus.publish("a", &news("new"));
        assert_eq!(slow.hear().await, Heard::News(news("new")));
    }

    #[test]
    fn a_topic_that_nobody_follows_any_more_is_forgotten() {
        let bus = Local::default();
        let followers = [bus.follow("a"), bus.follow("a")];
        assert_eq!(bus.topics().len(), 1);
        drop(followers);
        assert!(bus.topics().is_empty());
        bus.publish("a", &news("nobody hears this"));
    }
}
