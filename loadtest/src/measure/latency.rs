//! Times from when something was due to when it had happened.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest time that is told apart: ten minutes.
const LATENCY_US_MAX: u64 = 600_000_000;

/// Latencies, in microseconds, to three digits. They cross processes as pairs of value and count.
#[derive(Debug, Clone)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(1, LATENCY_US_MAX, 3);
        Self(histogram.expect("the bounds are in order"))
    }
}

impl Latencies {
    /// Adds one. Longer than ten minutes counts as ten minutes.
    pub fn add(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(LATENCY_US_MAX);
        self.0.saturating_record(micros.max(1));
    }

    /// Adds all of another.
    pub fn add_all(&mut self, other: &Self) {
        let added = self.0.add(&other.0);
        added.expect("all histograms have the same bounds");
    }

    /// How many were measured.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The figures.
    #[must_use]
    pub fn figures(&self) -> LatencyFigures {
        let at = |quantile| self.0.value_at_quantile(quantile);
        LatencyFigures {
            count: self.0.len(),
            p50_us: at(0.5),
            p90_us: at(0.9),
            p99_us: at(0.99),
            p999_us: at(0.999),
            max_us: self.0.max(),
        }
    }

    /// The value at a quantile between 0 and 1, in microseconds.
    #[must_use]
    pub fn at(&self, quantile: f64) -> u64 {
        self.0.value_at_quantile(quantile)
    }

    /// Counts by value in microseconds, rising.
    fn pairs(&self) -> Vec<(u64, u64)> {
        let recorded = self.0.iter_recorded();
        let pair = |step: hdrhistogram::iterators::IterationValue<u64>| {
            (step.value_iterated_to(), step.count_at_value())
        };
        recorded.map(pair).collect()
    }

    /// How many lie in each of the ranges that end at `ends_us`, and beyond the last.
    #[must_use]
    pub fn counts_until(&self, ends_us: &[u64]) -> Vec<u64> {
        let mut counts = vec![0; ends_us.len() + 1];
        for (value, count) in self.pairs() {
            let index = ends_us.partition_point(|end| *end < value);
            counts[index] += count;
        }
        counts
    }
}

/// Latencies that the tasks of a process share: one histogram of its own for each of many thousands of
/// clients would be gigabytes.
#[derive(Debug, Default)]
pub struct Meter(Mutex<Latencies>);

impl Meter {
    /// Adds one.
    pub fn add(&self, latency: Duration) {
        self.latencies().add(latency);
    }

    /// Adds several.
    pub fn add_all(&self, several: impl Iterator<Item = Duration>) {
        let mut latencies = self.latencies();
        several.for_each(|latency| latencies.add(latency));
    }

    /// What was measured so far; from here on it is measured anew.
    #[must_use]
    pub fn take(&self) -> Latencies {
        std::mem::take(&mut *self.latencies())
    }

    /// What was measured so far.
    #[must_use]
    pub fn taken(&self) -> Latencies {
        self.latencies().clone()
    }

    fn latencies(&self) -> MutexGuard<'_, Latencies> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Serialize for Latencies {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.pairs().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Latencies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut latencies = Self::default();
        for (value, count) in Vec::<(u64, u64)>::deserialize(deserializer)? {
            latencies.0.saturating_record_n(value, count);
        }
        Ok(latencies)
    }
}

/// Figures of latencies, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyFigures {
    /// How many were measured.
    pub count: u64,
    /// The median.
    pub p50_us: u64,
    /// Nine of ten are at most this.
    pub p90_us: u64,
    /// 99 of 100 are at most this.
    pub p99_us: u64,
    /// 999 of 1,000 are at most this.
    pub p999_us: u64,
    /// The longest.
    pub max_us: u64,
}

/// Microseconds as milliseconds.
#[must_use]
pub fn ms(us: u64) -> f64 {
    Duration::from_micros(us).as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_add_up_and_long_ones_count() {
        let mut one = Latencies::default();
        one.add(Duration::from_millis(1));
        let mut two = Latencies::default();
        two.add(Duration::from_secs(6_000));
        one.add_all(&two);
        let figures = one.figures();
        assert_eq!(figures.count, 2);
        assert!((1_000..1_002).contains(&figures.p50_us), "{figures:?}");
        assert!(figures.max_us >= LATENCY_US_MAX, "{figures:?}");
    }

    #[test]
    fn latencies_survive_the_way_to_another_process() {
        let mut sent = Latencies::default();
        for us in [1, 250, 250, 99_000, 12_345_678] {
            sent.add(Duration::from_micros(us));
        }
        let text = serde_json::to_string(&sent).expect("pairs are JSON");
        let came: Latencies = serde_json::from_str(&text).expect("what was written");
        assert_eq!(came.figures(), sent.figures());
    }

    #[test]
    fn every_latency_is_counted_in_one_range() {
        let mut latencies = Latencies::default();
        for us in [1, 10, 11, 5_000] {
            latencies.add(Duration::from_micros(us));
        }
        assert_eq!(latencies.counts_until(&[10, 100]), vec![2, 1, 1]);
    }
}
