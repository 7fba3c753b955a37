//! Topics between nodes: who follows a topic hears what is published on it, as soon as the bus can.
//!
//! The bus only hurries. What it loses is found in the store's event log, so publishing never waits
//! and never fails: a follower who falls behind, or whose bus was out of reach, is told that something
//! was lost, and looks there. [`Bus::local`] joins what runs in one process; [`Bus::redis`] joins the
//! nodes of one installation. Called by `router`; wired by `server`.

mod ear;
#[cfg(test)]
mod ear_tests;
mod envelope;
mod link;
mod local;
#[cfg(test)]
mod model;
mod redis;
pub mod simulated;
mod tls;
mod url;

use bytes::Bytes;
use tokio::sync::watch;
use world::World;

pub use crate::redis::Stats;
pub use ear::Follower;
pub use url::{RedisConfig, UrlError};

/// What followers and publishers are guarded by. `model.rs` puts others in its place, which try every order.
mod sync {
    pub(crate) use flume::{Receiver, Sender, bounded};
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    pub(crate) use std::sync::{Mutex, MutexGuard};
    pub(crate) use tokio::sync::Notify;
}

/// News that a follower may have waiting before it is told to look into the log instead.
pub const FOLLOWER_NEWS_MAX: usize = 1_024;

/// Bytes of one piece of news, at most. Longer ones are not published and count as lost.
pub const NEWS_BYTES_MAX: usize = 1024 * 1024;

/// What a follower hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Something that was published.
    News(Bytes),
    /// News were lost, because the follower was slow or the bus was out of reach: check the log.
    Lost,
}

/// Whether news reach other nodes now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// They do, as far as this node can tell.
    Up,
    /// They do not: the log is looked at more often.
    Down,
}

/// Why other nodes are out of reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Since when, by the clock of the store.
    pub since_ms: u64,
    /// Why now, for the operator and without secrets.
    pub text: String,
}

/// The bus of this node. Clones are one bus.
#[derive(Debug, Clone)]
pub enum Bus {
    /// Within this process.
    Local(local::Local),
    /// Between nodes, over Redis.
    Redis(redis::Redis),
    /// Between the nodes of a simulation.
    Simulated(simulated::Seat),
}

impl Bus {
    /// A bus within this process, for a node that is alone.
    #[must_use]
    pub fn local() -> Self {
        Self::Local(local::Local::default())
    }

    /// A bus within this process that several nodes share: for tests and simulations.
    #[must_use]
    pub fn shared() -> Self {
        Self::Local(local::Local::shared())
    }

    /// A bus over Redis. Connects in the background, and again whenever the connection is lost, until the
    /// soft token. `key` proves to the nodes of one installation what comes from them.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    #[must_use]
    pub fn redis(world: &World, config: RedisConfig, key: &[u8]) -> Self {
        Self::Redis(redis::Redis::start(world, config, key))
    }

    /// Tells all who follow `topic`, also on this node. Does not wait.
    pub fn publish(&self, topic: &str, news: &Bytes) {
        match self {
            Self::Local(local) => local.publish(topic, news),
            Self::Redis(redis) => redis.publish(topic, news),
            Self::Simulated(seat) => seat.publish(topic, news),
        }
    }

    /// Tells all who follow `topic` on other nodes. Of what several nodes share within a process, this one hears it
    /// too. Does not wait.
    pub fn publish_elsewhere(&self, topic: &str, news: &Bytes) {
        match self {
            Self::Redis(redis) => redis.publish_elsewhere(topic, news),
            Self::Local(_) | Self::Simulated(_) => self.publish(topic, news),
        }
    }

    /// Follows `topic` until the follower is dropped. Over Redis it hears [`Heard::Lost`] once it really
    /// does, for what was published before that.
    #[must_use]
    pub fn follow(&self, topic: &str) -> Follower {
        match self {
            Self::Local(local) => local.follow(topic),
            Self::Redis(redis) => redis.follow(topic),
            Self::Simulated(seat) => seat.follow(topic),
        }
    }

    /// Whether other nodes may be on this bus. Without any, nothing needs to be told.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        match self {
            Self::Local(local) => local.is_shared(),
            Self::Redis(_) | Self::Simulated(_) => true,
        }
    }

    /// Whether other nodes are in reach, now and whenever that changes. A bus within one process is
    /// always up.
    #[must_use]
    pub fn reach(&self) -> watch::Receiver<Reach> {
        match self {
            Self::Local(local) => local.reach(),
            Self::Redis(redis) => redis.reach(),
            Self::Simulated(seat) => seat.reach(),
        }
    }

    /// Why other nodes are out of reach; nothing while they are in reach, or before the first try.
    #[must_use]
    pub fn problem(&self) -> Option<Problem> {
        match self {
            Self::Local(_) | Self::Simulated(_) => None,
            Self::Redis(redis) => redis.problem(),
        }
    }

    /// Figures for metrics.
    #[must_use]
    pub fn stats(&self) -> Stats {
        match self {
            Self::Local(_) | Self::Simulated(_) => Stats::default(),
            Self::Redis(redis) => redis.stats(),
        }
    }
}
