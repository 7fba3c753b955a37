//! The bus within one process: what is published is heard at once.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;

use crate::Reach;
use crate::ear::{Ears, Follower};

/// The local bus. Clones are one bus.
#[derive(Debug, Clone)]
pub struct Local {
    ears: Ears,
    is_shared: bool,
    reach: Arc<watch::Sender<Reach>>,
}

impl Default for Local {
    fn default() -> Self {
        Self {
            ears: Ears::new(|_| {}),
            is_shared: false,
            reach: Arc::new(watch::Sender::new(Reach::Up)),
        }
    }
}

impl Local {
    pub(crate) fn shared() -> Self {
        Self {
            is_shared: true,
            ..Self::default()
        }
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.is_shared
    }

    pub(crate) fn publish(&self, topic: &str, news: &Bytes) {
        self.ears.tell(topic, news);
    }

    pub(crate) fn follow(&self, topic: &str) -> Follower {
        self.ears.follow(topic)
    }

    pub(crate) fn reach(&self) -> watch::Receiver<Reach> {
        self.reach.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_that_nobody_follows_any_more_is_forgotten() {
        let bus = Local::default();
        let followers = [bus.follow("a"), bus.follow("a")];
        assert_eq!(bus.ears.followed(), ["a"]);
        drop(followers);
        assert!(bus.ears.followed().is_empty());
        bus.publish("a", &Bytes::from_static(b"nobody hears this"));
    }
}
