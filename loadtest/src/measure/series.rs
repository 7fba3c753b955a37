//! How counters moved over time: what the plots of a report show.

use std::time::Duration;

use serde::Serialize;

use super::tally::{Counts, Tally};

/// Points of a plot; a long run is thinned to them.
pub(super) const POINTS_MAX: usize = 240;

/// How far moments lie apart at least.
const APART_MIN: Duration = Duration::from_millis(150);

/// A line of a plot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    /// What it shows.
    pub name: String,
    /// In what.
    pub unit: &'static str,
    /// Seconds since the beginning, and the value then.
    pub points: Vec<(f64, f64)>,
}

/// Counters as they were at moments of a run.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<(Duration, Counts)>);

impl Samples {
    /// Adds a moment; time only goes on. One that follows too soon takes the place of the last, or it
    /// would show as a peak.
    pub fn add(&mut self, at: Duration, counts: Counts) {
        if self.0.len() > 1 && self.0.last().is_some_and(|last| at - last.0 < APART_MIN) {
            self.0.pop();
        }
        self.0.push((at, counts));
    }

    /// How fast a counter grew, as a line; nothing where it never moved.
    #[must_use]
    pub fn rate(&self, tally: Tally) -> Option<Series> {
        let step = self.0.len().div_ceil(POINTS_MAX).max(1);
        let thin: Vec<_> = self.0.iter().step_by(step).collect();
        let point = |pair: &[&(Duration, Counts)]| {
            let seconds = (pair[1].0 - pair[0].0).as_secs_f64();
            let grown = pair[1].1.of(tally).saturating_sub(pair[0].1.of(tally));
            (pair[1].0.as_secs_f64(), grown as f64 / seconds.max(0.001))
        };
        let points: Vec<_> = thin.windows(2).map(point).collect();
        let has_moved = points.iter().any(|(_, rate)| *rate > 0.0);
        has_moved.then(|| Series {
            name: tally.name().to_owned(),
            unit: "/s",
            points,
        })
    }

    /// The lines of all counters that moved, out of some.
    #[must_use]
    pub fn rates(&self, tallies: &[Tally]) -> Vec<Series> {
        tallies.iter().filter_map(|one| self.rate(*one)).collect()
    }

    /// The highest rate of a counter over any stretch of about this length, in units a second.
    #[must_use]
    pub fn peak_rate(&self, tally: Tally, over: Duration) -> f64 {
        let mut peak = 0.0_f64;
        let mut first = 0;
        for (last, (at, counts)) in self.0.iter().enumerate() {
            // The shortest stretch that is long enough.
            while first + 1 < last && *at - self.0[first + 1].0 >= over {
                first += 1;
            }
            let (since, before) = &self.0[first];
            let seconds = (*at - *since).as_secs_f64();
            if seconds >= over.as_secs_f64() {
                let grown = counts.of(tally).saturating_sub(before.of(tally));
                peak = peak.max(grown as f64 / seconds);
            }
        }
        peak
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Tallies;

    fn samples(sent: &[u64]) -> Samples {
        let mut samples = Samples::default();
        for (second, count) in (0..).zip(sent) {
            let tallies = Tallies::default();
            tallies.add_many(Tally::Sent, *count);
            samples.add(Duration::from_secs(second), tallies.counts());
        }
        samples
    }

    #[test]
    fn a_rate_is_growth_by_time_and_a_still_counter_has_no_line() {
        let samples = samples(&[0, 10, 10, 40]);
        let rate = samples.rate(Tally::Sent).expect("it moved");
        assert_eq!(rate.points, vec![(1.0, 10.0), (2.0, 0.0), (3.0, 30.0)]);
        assert_eq!(samples.rate(Tally::Lost), None);
    }

    #[test]
    fn the_peak_is_the_steepest_stretch() {
        let samples = samples(&[0, 1, 21, 41, 42]);
        let peak = samples.peak_rate(Tally::Sent, Duration::from_secs(2));
        assert!((peak - 20.0).abs() < 1e-9, "{peak}");
    }

    #[test]
    fn a_long_run_is_thinned() {
        let counts: Vec<u64> = (0..10_000).collect();
        let rate = samples(&counts).rate(Tally::Sent).expect("it moved");
        assert!(rate.points.len() <= POINTS_MAX);
    }
}
