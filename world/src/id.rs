//! Ids and randomness: from the operating system, or from a seed.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use protocol::id::Id;

use crate::clock::Clock;

/// Makes ids and random numbers. Clones share one source.
#[derive(Clone, Debug)]
pub struct Ids {
    clock: Clock,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    /// The operating system's generator: fit for secrets.
    System,
    /// SplitMix64: the same seed gives the same numbers. Never fit for secrets.
    Seeded(Arc<AtomicU64>),
}

impl Ids {
    /// Randomness of the operating system.
    #[must_use]
    pub fn system(clock: Clock) -> Self {
        Self {
            clock,
            source: Source::System,
        }
    }

    /// Randomness that repeats with the seed. For tests and simulations only.
    #[must_use]
    pub fn seeded(seed: u64, clock: Clock) -> Self {
        Self {
            clock,
            source: Source::Seeded(Arc::new(AtomicU64::new(seed))),
        }
    }

    /// A new id: the present millisecond and 80 random bits. Ids of one millisecond are in no order.
    #[must_use]
    pub fn next<I: Id>(&self) -> I {
        let mut low = [0; 16];
        self.fill(&mut low[6..]);
        let time = u128::from(self.clock.now_ms()) << 80;
        I::from_bits(time | u128::from_be_bytes(low))
    }

    /// Random bytes; from [`Ids::system`] fit for secrets.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A random number below `end`, all equally likely. Zero for `end` zero.
    #[must_use]
    pub fn below(&self, end: u64) -> u64 {
        if end == 0 {
            return 0;
        }
        // The lowest numbers are thrown away until a multiple of `end` remains.
        let unfair = u64::MAX % end + 1;
        let least = if unfair == end { 0 } else { unfair };
        loop {
            let number = u64::from_be_bytes(self.bytes());
            if number >= least {
                return number % end;
            }
        }
    }

    fn fill(&self, bytes: &mut [u8]) {
        match &self.source {
            Source::System => POOL.with_borrow_mut(|pool| pool.fill(bytes)),
            Source::Seeded(state) => {
                for chunk in bytes.chunks_mut(8) {
                    let number = split_mix(state.fetch_add(GAMMA, Ordering::Relaxed));
                    chunk.copy_from_slice(&number.to_le_bytes()[..chunk.len()]);
                }
            }
        }
    }
}

/// Bytes that are asked of the operating system at a time: some hundred ids.
const POOL_BYTES: usize = 1_024;

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool::new()) };
}

/// Random bytes of the operating system that wait for who needs some: each is given out once, and is gone from
/// here by then.
struct Pool {
    bytes: [u8; POOL_BYTES],
    /// Those before here wait.
    left: usize,
}

impl Pool {
    const fn new() -> Self {
        Self {
            bytes: [0; POOL_BYTES],
            left: 0,
        }
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        if bytes.len() > POOL_BYTES {
            return ask(bytes);
        }
        if bytes.len() > self.left {
            ask(&mut self.bytes);
            self.left = POOL_BYTES;
        }
        let rest = self.left - bytes.len();
        let taken = &mut self.bytes[rest..self.left];
        bytes.copy_from_slice(taken);
        taken.fill(0);
        self.left = rest;
    }
}

fn ask(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("Linux gives random bytes once it is up");
}

/// The step of SplitMix64: odd, and near the golden ratio of 2^64.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

fn split_mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(GAMMA);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use protocol::id::{EntryId, VisitorId};

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids_and_another_seed_others() {
        let clock = Clock::manual(5);
        let [a, b, c] = [1, 1, 2].map(|seed| Ids::seeded(seed, clock.clone()).next::<EntryId>());
        assert_eq!(a, b);
        assert_ne!(a, c);
    }

    #[test]
    fn an_id_carries_the_clocks_time_and_differs_from_the_next() {
        for ids in [
            Ids::system(Clock::manual(1_234)),
            Ids::seeded(9, Clock::manual(1_234)),
        ] {
            let first = ids.next::<VisitorId>();
            assert_eq!(first.made_at_ms(), 1_234);
            assert_ne!(first, ids.next::<VisitorId>());
        }
    }

    #[test]
    fn no_random_byte_is_given_out_twice_or_kept() {
        let mut pool = Pool::new();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..3 * POOL_BYTES / 10 {
            let mut bytes = [0; 10];
            pool.fill(&mut bytes);
            assert!(seen.insert(bytes));
            assert!(pool.bytes[pool.left..].iter().all(|byte| *byte == 0));
        }
        let mut long = vec![0; POOL_BYTES + 1];
        pool.fill(&mut long);
        assert!(long.iter().any(|byte| *byte != 0));
    }

    #[test]
    fn below_stays_below_and_reaches_everything() {
        let ids = Ids::seeded(3, Clock::manual(0));
        let mut seen = [0; 3];
        for _ in 0..300 {
            seen[usize::try_from(ids.below(3)).expect("small")] += 1;
        }
        assert!(seen.iter().all(|count| *count > 60), "{seen:?}");
        assert_eq!(ids.below(1), 0);
        assert_eq!(ids.below(0), 0);
        assert!(ids.below(u64::MAX) < u64::MAX);
    }

    #[test]
    fn bytes_fill_every_byte_of_any_length() {
        let ids = Ids::seeded(4, Clock::manual(0));
        let mut seen = [0_u8; 11];
        for _ in 0..64 {
            for (all, byte) in seen.iter_mut().zip(ids.bytes::<11>()) {
                *all |= byte;
            }
        }
        assert_eq!(seen, [0xff; 11]);
    }
}
