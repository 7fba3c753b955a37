//! Topics between nodes: who follows a topic hears what is published on it, as soon as the bus can.
//!
//! The bus only hurries. What it loses is found in the store's event log, so publishing never waits
//! and never fails: a follower who falls behind is told that something was lost, and looks there. The
//! local bus joins what runs in one process (one node, or several in a test); Redis gets a variant of
//! [`Bus`] beside it.

mod local;

use bytes::Bytes;

pub use local::Follower;

/// News that a follower may have waiting before it is told to look into the log instead.
pub const FOLLOWER_NEWS_MAX: usize = 256;

/// What a follower hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Something that was published.
    News(Bytes),
    /// News were lost, because the follower was slow or the bus was out of reach: check the log.
    Lost,
}

/// The bus of this node. Clones are one bus.
#[derive(Debug, Clone)]
pub enum Bus {
    /// Within this process.
    Local(local::Local),
}

impl Bus {
    /// A bus within this process.
    #[must_use]
    pub fn local() -> Self {
        Self::Local(local::Local::default())
    }

    /// Tells all who follow `topic`, also on this node. Does not wait.
    pub fn publish(&self, topic: &str, news: &Bytes) {
        match self {
            Self::Local(local) => local.publish(topic, news),
        }
    }

    /// Follows `topic` until the follower is dropped.
    #[must_use]
    pub fn follow(&self, topic: &str) -> Follower {
        match self {
            Self::Local(local) => local.follow(topic),
        }
    }
}
