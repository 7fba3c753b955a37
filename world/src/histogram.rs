//! How often something took how long, or was how large: counts without a lock, for whoever watches.
//!
//! Noting a value costs two additions; a single value cannot be found again. What the counts are called and
//! where they are shown is the affair of others.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Bounds for times, in microseconds: one millisecond to ten seconds.
pub const TIMES_US: &[u64] = &[
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000,
];

/// Bounds for numbers of things that are done together.
pub const SIZES: &[u64] = &[1, 2, 4, 8, 16, 32, 64];

/// Values, counted by the bounds between which they are.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    /// One for each bound, and one for what is above all of them.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// What was counted at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// The largest value of each count but the last.
    pub bounds: &'static [u64],
    /// Values up to each bound and above the one before, and above all of them.
    pub counts: Vec<u64>,
    /// All values together.
    pub sum: u64,
}

impl Histogram {
    /// An empty one with bounds that grow.
    #[must_use]
    pub fn new(bounds: &'static [u64]) -> Self {
        Self {
            bounds,
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        }
    }

    /// Counts a value.
    pub fn note(&self, value: u64) {
        let index = self.bounds.partition_point(|bound| *bound < value);
        self.counts[index].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Counts a time, in microseconds.
    pub fn note_time(&self, took: Duration) {
        self.note(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// What was counted so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let counts = self.counts.iter();
        Counts {
            bounds: self.bounds,
            counts: counts.map(|count| count.load(Ordering::Relaxed)).collect(),
            sum: self.sum.load(Ordering::Relaxed),
        }
    }
}

impl Counts {
    /// How many values there were.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Adds what was counted elsewhere, by the same bounds.
    pub fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.sum += other.sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_up_to_the_first_bound_that_is_not_below_it() {
        let histogram = Histogram::new(&[10, 20]);
        for value in [0, 10, 11, 20, 21, 1_000] {
            histogram.note(value);
        }
        let counts = histogram.counts();
        assert_eq!(counts.counts, [2, 2, 2]);
        assert_eq!((counts.total(), counts.sum), (6, 1_062));
    }

    #[test]
    fn times_are_counted_in_microseconds() {
        let histogram = Histogram::new(TIMES_US);
        histogram.note_time(Duration::from_nanos(900));
        histogram.note_time(Duration::from_millis(7));
        histogram.note_time(Duration::from_secs(60));
        let counts = histogram.counts();
        assert_eq!(counts.counts[0], 1);
        assert_eq!(counts.counts[3], 1, "between five and ten milliseconds");
        assert_eq!(counts.counts.last(), Some(&1));
        assert_eq!(counts.sum, 60_007_000);
    }

    #[test]
    fn what_parts_counted_is_added_up() {
        let (one, other) = (Histogram::new(SIZES), Histogram::new(SIZES));
        one.note(1);
        other.note(1);
        other.note(65);
        let mut counts = one.counts();
        counts.add(&other.counts());
        assert_eq!(counts.counts, [2, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(counts.sum, 67);
    }

    #[test]
    fn bounds_grow() {
        for bounds in [TIMES_US, SIZES] {
            assert!(bounds.is_sorted_by(|one, next| one < next));
        }
    }
}
