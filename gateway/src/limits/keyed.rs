//! A rate by key, with a bound on the keys that are remembered: newcomers who find no room are counted
//! together, and who is known goes on with an allowance of his own.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::RateLimiter;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::{DashMapStateStore, ShrinkableKeyedStateStore};
use governor::state::{InMemoryState, NotKeyed, StateStore};
use protocol::rejection::{ErrorCode, Rejection};

use crate::config::Rate;
use crate::limits::{Elapsed, limited, quota};

/// Keys that one rate remembers.
const KEYS_MAX: usize = 100_000;

/// What is remembered of the keys.
#[derive(Debug)]
struct Bounded<K: Hash + Eq + Clone> {
    by_key: DashMapStateStore<K>,
    keys_max: usize,
    /// Shared by all newcomers who find no room.
    rest: InMemoryState,
}

impl<K: Hash + Eq + Clone> StateStore for Bounded<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        if self.by_key.contains_key(key) || self.by_key.len() < self.keys_max {
            self.by_key.measure_and_replace(key, f)
        } else {
            self.rest.measure_and_replace(&NotKeyed::NonKey, f)
        }
    }
}

impl<K: Hash + Eq + Clone> ShrinkableKeyedStateStore<K> for Bounded<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        self.by_key.retain_recent(drop_below);
    }

    fn shrink_to_fit(&self) {
        self.by_key.shrink_to_fit();
    }

    fn len(&self) -> usize {
        self.by_key.len()
    }

    fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
}

/// A rate by key.
#[derive(Debug)]
pub(super) struct Keyed<K: Hash + Eq + Clone> {
    by_key: RateLimiter<K, Bounded<K>, Elapsed, NoOpMiddleware<Duration>>,
    clock: Elapsed,
}

impl<K: Hash + Eq + Clone> Keyed<K> {
    pub(super) fn new(rate: Rate, clock: &Elapsed) -> Self {
        Self::of(rate, KEYS_MAX, clock)
    }

    fn of(rate: Rate, keys_max: usize, clock: &Elapsed) -> Self {
        let store = Bounded {
            by_key: DashMapStateStore::default(),
            keys_max,
            rest: InMemoryState::default(),
        };
        Self {
            by_key: RateLimiter::new(quota(rate), store, clock.clone()),
            clock: clock.clone(),
        }
    }

    pub(super) fn check(&self, key: &K) -> Result<(), Rejection> {
        self.by_key
            .check_key(key)
            .map_err(|not_until| limited(self.clock.until(&not_until)))
    }

    /// Counts several at once; as `too_large` what is more than may ever come at once.
    pub(super) fn check_many(&self, key: &K, count: NonZeroU32) -> Result<(), Rejection> {
        self.by_key
            .check_key_n(key, count)
            .map_err(|_| ErrorCode::TooLarge)?
            .map_err(|not_until| limited(self.clock.until(&not_until)))
    }

    pub(super) fn forget_quiet(&self) {
        self.by_key.retain_recent();
        self.by_key.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyed(keys_max: usize, clock: &world::Clock) -> Keyed<u32> {
        Keyed::of(Rate::new(60, 2), keys_max, &Elapsed(clock.clone()))
    }

    #[test]
    fn quiet_keys_are_forgotten() {
        let clock = world::Clock::manual(0);
        let keyed = keyed(KEYS_MAX, &clock);
        for key in 0..1_000 {
            keyed.check(&key).unwrap();
        }
        assert_eq!(keyed.by_key.len(), 1_000);
        clock.advance(Duration::from_secs(120));
        keyed.forget_quiet();
        assert_eq!(keyed.by_key.len(), 0);
    }

    #[test]
    fn a_crowd_of_newcomers_shares_a_rate_and_leaves_the_known_their_own() {
        let clock = world::Clock::manual(0);
        let keyed = keyed(10, &clock);
        for known in 0..10 {
            keyed.check(&known).unwrap();
        }
        let served = (10..1_000).filter(|new| keyed.check(new).is_ok()).count();
        assert_eq!(served, 2, "one allowance for all who find no room");
        assert_eq!(keyed.by_key.len(), 10);
        for known in 0..10 {
            keyed.check(&known).unwrap();
            assert_eq!(
                keyed.check(&known).unwrap_err().code,
                ErrorCode::RateLimited
            );
        }
        // Once the quiet ones are forgotten there is room again.
        clock.advance(Duration::from_secs(120));
        keyed.forget_quiet();
        for new in 10..20 {
            keyed.check(&new).unwrap();
        }
    }
}
