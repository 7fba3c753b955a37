//! The clock that all processes of a run share: the machine's monotonic one.
//!
//! `world::Clock` begins with its process; latencies from one process to another need one beginning.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use world::{Clock, World};

/// Time since some beginning that is the same for all processes of this machine. Never goes back.
#[must_use]
pub fn now() -> Duration {
    time_of(ClockId::Monotonic)
}

/// Processor time of this process so far.
#[must_use]
pub fn busy() -> Duration {
    time_of(ClockId::ProcessCPUTime)
}

fn time_of(clock: ClockId) -> Duration {
    let now = clock_gettime(clock);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanoseconds = u32::try_from(now.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanoseconds)
}

/// Waits for a moment; returns at once where it has passed. Cancel-safe.
pub async fn wait(world: &World, until: Duration) {
    wait_by(&world.clock, until).await;
}

/// As [`wait`], for those who hold a clock alone.
pub async fn wait_by(clock: &Clock, until: Duration) {
    let left = until.saturating_sub(now());
    if !left.is_zero() {
        clock.sleep(left).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_moment_comes_and_does_not_come_early() {
        let world = World::system();
        let until = now() + Duration::from_millis(5);
        wait(&world, until).await;
        assert!(now() >= until);
        wait(&world, until).await;
    }
}
