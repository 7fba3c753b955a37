//! Time: what the store calls now, and how long things take.
//!
//! A node's clock is its monotonic clock plus an offset. Who knows the store's time calls
//! [`Clock::set_now_ms`] at start and each minute; between these calls a change of the machine's
//! clock moves nothing.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::wait::{Wait, Waits};

/// The longest single wait of [`Clock::sleep_until_ms`]: the offset may change meanwhile.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// A clock. Clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// What [`Clock::now_ms`] showed when nothing had elapsed, in milliseconds since 1970.
    origin_ms: AtomicU64,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    /// The machine's clocks, and by how much its time of day is taken wrongly, on purpose.
    System { started: Instant, skew_ms: i64 },
    /// A clock that a test moves.
    Manual { waits: Waits },
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::skewed(0)
    }

    /// The machine's clock, with its time of day wrong by so many milliseconds: a fault that a load test
    /// plants.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the machine's monotonic clock"
    )]
    pub fn skewed(skew_ms: i64) -> Self {
        Self(Arc::new(Shared {
            origin_ms: AtomicU64::new(machine_now_ms().saturating_add_signed(skew_ms)),
            source: Source::System {
                started: Instant::now(),
                skew_ms,
            },
        }))
    }

    /// A clock that shows `now_ms` and moves only by [`Clock::advance`].
    #[must_use]
    pub fn manual(now_ms: u64) -> Self {
        Self(Arc::new(Shared {
            origin_ms: AtomicU64::new(now_ms),
            source: Source::Manual {
                waits: Waits::default(),
            },
        }))
    }

    /// Another clock that runs as this one does and shows `now_ms` at this moment.
    #[must_use]
    pub fn beside(&self, now_ms: u64) -> Self {
        let clock = Self(Arc::new(Shared {
            origin_ms: AtomicU64::new(0),
            source: self.0.source.clone(),
        }));
        clock.set_now_ms(now_ms);
        clock
    }

    /// Milliseconds since 1970, by the store's clock as last measured. May go back when the store's
    /// clock is measured anew.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.0.origin_ms.load(Ordering::Relaxed) + whole_ms(self.elapsed())
    }

    /// Time since the clock was made. Never goes back.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        match &self.0.source {
            Source::System { started, .. } => started.elapsed(),
            Source::Manual { waits } => waits.elapsed(),
        }
    }

    /// Sets what [`Clock::now_ms`] shows from here on: the store's time, just measured.
    pub fn set_now_ms(&self, now_ms: u64) {
        let origin_ms = now_ms.saturating_sub(whole_ms(self.elapsed()));
        self.0.origin_ms.store(origin_ms, Ordering::Relaxed);
    }

    /// The machine's own time of day, in milliseconds since 1970: what an embedded store takes for
    /// the store's time. A manual clock shows itself.
    #[must_use]
    pub fn machine_now_ms(&self) -> u64 {
        match &self.0.source {
            Source::System { skew_ms, .. } => machine_now_ms().saturating_add_signed(*skew_ms),
            Source::Manual { .. } => self.now_ms(),
        }
    }

    /// Waits until `duration` has passed since this call. Cancel-safe: dropping the future ends the
    /// wait.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        let clock = self.clone();
        let until = self.elapsed() + duration;
        async move {
            match &clock.0.source {
                Source::System { .. } => {
                    tokio::time::sleep(until.saturating_sub(clock.elapsed())).await;
                }
                Source::Manual { waits } => Wait::new(waits, until).await,
            }
        }
    }

    /// Waits as [`Clock::sleep`] does, on the machine's clock; on a manual one, which nobody may be moving, not at
    /// all. For waits that save work, and that nothing else depends on. Cancel-safe.
    pub async fn linger(&self, duration: Duration) {
        if matches!(self.0.source, Source::System { .. }) {
            self.sleep(duration).await;
        }
    }

    /// Waits until [`Clock::now_ms`] shows at least `at_ms`, also when the offset changes meanwhile.
    /// Cancel-safe.
    pub fn sleep_until_ms(&self, at_ms: u64) -> impl Future<Output = ()> + Send + use<> {
        let clock = self.clone();
        async move {
            loop {
                let left_ms = at_ms.saturating_sub(clock.now_ms());
                if left_ms == 0 {
                    return;
                }
                clock
                    .sleep(Duration::from_millis(left_ms).min(WAIT_MAX))
                    .await;
            }
        }
    }

    /// The output of `future`, or nothing if `limit` passes first; then `future` is dropped.
    pub async fn timeout<F: Future>(&self, limit: Duration, future: F) -> Option<F::Output> {
        tokio::select! {
            // A result that is there counts, even when the time is over too.
            biased;
            output = future => Some(output),
            () = self.sleep(limit) => None,
        }
    }

    /// Moves a manual clock and wakes those whose wait is over.
    ///
    /// # Panics
    ///
    /// On the machine's clock, which nobody moves.
    pub fn advance(&self, by: Duration) {
        match &self.0.source {
            Source::System { .. } => panic!("only a manual clock can be moved"),
            Source::Manual { waits } => waits.advance(by),
        }
    }

    /// When the next wait on a manual clock, or on one beside it, is over, in time elapsed. Nothing where
    /// nobody waits, and on the machine's clock.
    #[must_use]
    pub fn next_wake(&self) -> Option<Duration> {
        match &self.0.source {
            Source::System { .. } => None,
            Source::Manual { waits } => waits.next(),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the machine's time of day"
)]
fn machine_now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, whole_ms)
}

fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).expect("500 million years do not pass")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_sleepers_when_their_time_has_come() {
        let clock = Clock::manual(1_000);
        clock.linger(Duration::MAX).await;
        let tracker = crate::Tracker::new();
        let sleeper = tracker.spawn(clock.sleep(Duration::from_secs(5)));
        let until = tracker.spawn(clock.sleep_until_ms(61_000));
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(4));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1));
        sleeper.await.expect("the sleeper wakes");
        assert_eq!(clock.now_ms(), 6_000);
        clock.advance(Duration::from_secs(30));
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(25));
        until.await.expect("the second sleeper wakes");
    }

    #[test]
    fn a_clock_may_be_wrong_on_purpose() {
        let (right, wrong) = (Clock::system(), Clock::skewed(-600_000));
        for (wrong_ms, right_ms) in [
            (wrong.now_ms(), right.now_ms()),
            (wrong.machine_now_ms(), right.machine_now_ms()),
        ] {
            assert!(wrong_ms + 300_000 < right_ms, "{wrong_ms} {right_ms}");
        }
    }

    #[test]
    fn the_stores_time_moves_now_and_not_the_time_elapsed() {
        let clock = Clock::manual(1_000);
        clock.advance(Duration::from_millis(500));
        clock.set_now_ms(9_000);
        assert_eq!(clock.now_ms(), 9_000);
        assert_eq!(clock.elapsed(), Duration::from_millis(500));
        clock.advance(Duration::from_millis(1));
        assert_eq!(clock.now_ms(), 9_001);
    }

    #[test]
    fn the_machines_clock_shows_the_machines_time() {
        let clock = Clock::system();
        assert!(clock.now_ms().abs_diff(clock.machine_now_ms()) < 10_000);
    }

    #[tokio::test]
    async fn a_timeout_ends_a_wait_and_lets_a_result_through() {
        let clock = Clock::system();
        let never = std::future::pending::<()>();
        assert!(
            clock
                .timeout(Duration::from_millis(1), never)
                .await
                .is_none()
        );
        let ready = std::future::ready(7);
        assert_eq!(clock.timeout(Duration::ZERO, ready).await, Some(7));
    }
}
