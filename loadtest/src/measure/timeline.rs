//! Latencies by when they were due: a stall that totals hide is seen at once.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::latency::ms;
use super::series::{POINTS_MAX, Series};
use crate::progress::SAMPLE;

/// Binary digits of a latency that are told apart: an error below one of a hundred.
const DIGITS: u32 = 7;

/// Latencies of a run, interval by interval. The intervals are those in which counters are sampled, and wider
/// in a long run, as a plot's are.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Timeline {
    interval: Duration,
    /// How many there were of each latency, in microseconds, in each interval since the beginning.
    parts: Vec<BTreeMap<u64, u64>>,
}

impl Timeline {
    /// An empty one, of a run of this length.
    #[must_use]
    pub fn over(length: Duration) -> Self {
        let samples = length.as_millis().div_ceil(SAMPLE.as_millis());
        let step = samples.div_ceil(POINTS_MAX as u128).max(1);
        Self {
            interval: SAMPLE * u32::try_from(step).unwrap_or(u32::MAX),
            parts: Vec::new(),
        }
    }

    /// Adds a latency of what was due so long after the beginning.
    pub fn add(&mut self, at: Duration, latency: Duration) {
        let index = at.as_nanos() / self.interval.as_nanos().max(1);
        let index = usize::try_from(index).unwrap_or(0).min(POINTS_MAX);
        if self.parts.len() <= index {
            self.parts.resize_with(index + 1, BTreeMap::new);
        }
        *self.parts[index].entry(coarse(latency)).or_default() += 1;
    }

    /// Adds all of another of the same run.
    pub fn add_all(&mut self, other: &Self) {
        self.interval = other.interval;
        if self.parts.len() < other.parts.len() {
            self.parts.resize_with(other.parts.len(), BTreeMap::new);
        }
        for (sum, part) in self.parts.iter_mut().zip(&other.parts) {
            for (us, count) in part {
                *sum.entry(*us).or_default() += count;
            }
        }
    }

    /// The lines of the median and of the p99, in milliseconds, for a plot that began so long before the
    /// run. An interval stands at its end; one in which nothing was due has no point.
    #[must_use]
    pub fn lines(&self, name: &str, offset: Duration) -> Vec<Series> {
        let line = |(quantile, word): (f64, &str)| {
            let parts = (1..).zip(&self.parts);
            let point = |(end, part): (u32, &BTreeMap<u64, u64>)| {
                let at = offset + self.interval * end;
                Some((at.as_secs_f64(), ms(value_at(part, quantile)?)))
            };
            Series {
                name: format!("{name}_{word}_ms"),
                unit: "ms",
                points: parts.filter_map(point).collect(),
            }
        };
        let lines = [(0.5, "p50"), (0.99, "p99")].map(line).into_iter();
        lines.filter(|line| !line.points.is_empty()).collect()
    }
}

/// A latency in microseconds, of which the first digits are kept.
fn coarse(latency: Duration) -> u64 {
    let us = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
    let shift = us.checked_ilog2().unwrap_or(0).saturating_sub(DIGITS);
    (us >> shift) << shift
}

/// The lowest latency that so many of an interval do not exceed.
fn value_at(part: &BTreeMap<u64, u64>, quantile: f64) -> Option<u64> {
    let all: u64 = part.values().sum();
    let due = all as f64 * quantile;
    let mut seen = 0;
    let mut values = part.iter();
    values.find_map(|(us, count)| {
        seen += count;
        (seen as f64 >= due).then_some(*us)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_stall_is_a_peak_where_it_was_and_nothing_elsewhere() {
        let mut timeline = Timeline::over(SECOND * 10);
        for index in 0..1_000 {
            let at = Duration::from_millis(index * 10);
            // What is due in the stall waits for its end.
            let until = Duration::from_millis(5_000).saturating_sub(at);
            let is_stalled = at >= Duration::from_millis(4_500) && !until.is_zero();
            let quick = Duration::from_millis(4);
            timeline.add(at, if is_stalled { until } else { quick });
        }
        let lines = timeline.lines("acknowledgement", SECOND);
        let names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["acknowledgement_p50_ms", "acknowledgement_p99_ms"]);
        for line in &lines {
            assert_eq!((line.points.len(), line.unit), (40, "ms"));
            for (at, latency) in &line.points {
                let is_stalled = *at > 5.6 && *at < 6.1;
                assert_eq!(
                    *latency > 100.0,
                    is_stalled,
                    "{} {at}: {latency}",
                    line.name
                );
            }
        }
        let top = lines[1].points.iter().map(|(_, latency)| *latency);
        let top = top.fold(0.0, f64::max);
        assert!((495.0..=500.0).contains(&top), "{top}");
    }

    #[test]
    fn workers_add_up_and_an_interval_without_any_has_no_point() {
        let mut one = Timeline::over(SECOND);
        one.add(Duration::ZERO, SECOND);
        let mut two = Timeline::over(SECOND);
        two.add(Duration::ZERO, SECOND * 3);
        two.add(Duration::from_millis(750), SECOND * 2);
        let text = serde_json::to_string(&two).expect("maps are JSON");
        let came: Timeline = serde_json::from_str(&text).expect("what was written");
        let mut sum = Timeline::default();
        assert!(sum.lines("x", SECOND).is_empty());
        sum.add_all(&one);
        sum.add_all(&came);
        let lines = sum.lines("x", Duration::ZERO);
        let near = |points: &[(f64, f64)], expected: [(f64, f64); 2]| {
            assert_eq!(points.len(), 2, "{points:?}");
            for ((at, latency), (when, much)) in points.iter().zip(expected) {
                assert!((at - when).abs() < 1e-9, "{points:?}");
                assert!((latency / much - 1.0).abs() < 0.01, "{points:?}");
            }
        };
        near(&lines[0].points, [(0.25, 1_000.0), (1.0, 2_000.0)]);
        near(&lines[1].points, [(0.25, 3_000.0), (1.0, 2_000.0)]);
    }

    #[test]
    fn a_long_run_has_no_more_points_than_a_plot_shows() {
        let length = SECOND * 3_600;
        let mut timeline = Timeline::over(length);
        for second in 0..=3_600 {
            timeline.add(SECOND * second, SECOND);
        }
        let points = timeline.lines("x", Duration::ZERO)[0].points.len();
        assert!(
            (POINTS_MAX - 10..=POINTS_MAX + 1).contains(&points),
            "{points}"
        );
    }
}
