//! All that a simulation replaces: clock, ids and randomness, tasks, sockets, injected faults.
//!
//! Every crate but `protocol` takes its time, its randomness and its tasks from a [`World`], so that
//! the core can run in a deterministic simulation. Nothing here knows what Switchboard does.

pub mod clock;
pub mod fault;
pub mod hash;
pub mod histogram;
pub mod id;
pub mod net;
pub mod simulation;
pub mod tracker;
mod wait;

pub use clock::Clock;
pub use fault::Faults;
pub use hash::{HashMap, HashSet};
pub use id::Ids;
pub use tracker::Tracker;

/// The outside, as one cheap handle to pass around.
#[derive(Clone, Debug)]
pub struct World {
    /// Time.
    pub clock: Clock,
    /// Ids and randomness.
    pub ids: Ids,
    /// Tasks and their shutdown.
    pub tracker: Tracker,
    /// Faults that a test planted; none otherwise.
    pub faults: Faults,
}

impl World {
    /// The real world: the machine's clock and randomness, no faults.
    #[must_use]
    pub fn system() -> Self {
        let clock = Clock::system();
        Self {
            ids: Ids::system(clock.clone()),
            clock,
            tracker: Tracker::new(),
            faults: Faults::none(),
        }
    }

    /// The real world with faults: its time of day is wrong by so many milliseconds, and one of so many calls
    /// fails at each point where faults are checked, once they have begun; none where that is zero.
    #[must_use]
    pub fn faulty(clock_skew_ms: i64, fail_one_in: u64) -> Self {
        let clock = Clock::skewed(clock_skew_ms);
        let ids = Ids::system(clock.clone());
        let faults = match fail_one_in {
            0 => Faults::none(),
            one_in => Faults::often(one_in, ids.clone()),
        };
        Self {
            clock,
            ids,
            tracker: Tracker::new(),
            faults,
        }
    }

    /// A world for tests: a clock that moves only when told, randomness from `seed`, and faults
    /// that can be planted.
    #[must_use]
    pub fn simulated(seed: u64) -> Self {
        let clock = Clock::manual(1_750_000_000_000);
        Self {
            ids: Ids::seeded(seed, clock.clone()),
            clock,
            tracker: Tracker::new(),
            faults: Faults::armed(),
        }
    }

    /// The world of a machine in this thread's simulation: its tasks end with the machine.
    #[must_use]
    pub fn of_machine(machine: simulation::Machine, clock: Clock, ids: Ids) -> Self {
        Self {
            clock,
            ids,
            tracker: Tracker::of_machine(machine),
            faults: Faults::armed(),
        }
    }

    /// The real world, in which faults can be planted. For tests over real sockets and stores.
    #[must_use]
    pub fn system_with_faults() -> Self {
        Self {
            faults: Faults::armed(),
            ..Self::system()
        }
    }
}
