//! When clients come back after a drain: dealt evenly over a window, agents first, so that the node that
//! takes them in never gets more at once than it must.

use std::ops::Range;
use std::time::Duration;

use world::Ids;

/// The first returns, in milliseconds: a node that is started again needs a moment.
const FIRST_MS: u64 = 1_000;
/// The last returns, in milliseconds, however short the window of the drain is: a full node takes no
/// crowd at once.
const LAST_MS_MIN: u64 = 5_000;
/// And however long it is: who is back within presence's ten seconds was never gone.
const LAST_MS_MAX: u64 = 8_000;

/// When clients of a node are to return, in milliseconds: agents, and visitors after them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Returns {
    pub(crate) agents: Range<u64>,
    pub(crate) visitors: Range<u64>,
}

impl Returns {
    /// Parts of the window of a drain, as long as there are agents and visitors on all shards, so that the
    /// rate is the same in both.
    pub(crate) fn over(window: Duration, agent_count: u64, visitor_count: u64) -> Self {
        let window_ms = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
        let last = window_ms.clamp(LAST_MS_MIN, LAST_MS_MAX);
        let all = (agent_count + visitor_count).max(1);
        let middle = FIRST_MS + (last - FIRST_MS) * agent_count / all;
        Self {
            agents: FIRST_MS..middle,
            visitors: middle..last,
        }
    }
}

/// Deals a window to so many clients: each gets a slot of the same width, and a random time in it, so that
/// the shards of a node, and nodes that drain together, do not beat in time. Slots are dealt in a random
/// order, because who stands side by side is told, and hears, at the same time: neighbours who all hear late
/// would come on top of those whose slots are next.
pub(crate) fn deal(window: &Range<u64>, count: usize, ids: &Ids) -> Vec<u64> {
    let width_us = (window.end - window.start) * 1_000;
    let slots = count as u64;
    let time = |index: u64| {
        let at_us = (index * width_us + ids.below(width_us)) / slots;
        window.start + at_us / 1_000
    };
    let mut times: Vec<u64> = (0..slots).map(time).collect();
    for last in (1..count).rev() {
        let other = usize::try_from(ids.below(last as u64 + 1)).unwrap_or(last);
        times.swap(last, other);
    }
    times
}

#[cfg(test)]
mod tests {
    use world::Clock;

    use super::*;

    fn ids(seed: u64) -> Ids {
        Ids::seeded(seed, Clock::manual(0))
    }

    /// The most that fall into any half second, by what an even spread would have there.
    fn peak_over_even(mut times: Vec<u64>, window: &Range<u64>) -> f64 {
        const BIN_MS: u64 = 500;
        times.sort_unstable();
        let within = |(index, at): (usize, &u64)| {
            times[index..].partition_point(|other| other - at < BIN_MS)
        };
        let peak = times.iter().enumerate().map(within).max().unwrap_or(0);
        let even = times.len() as f64 * BIN_MS as f64 / (window.end - window.start) as f64;
        peak as f64 / even
    }

    #[test]
    fn shards_together_return_evenly_and_independent_draws_would_not() {
        let window = 1_000..5_000;
        let mut uneven_count = 0;
        for seed in 0..50 {
            let ids = ids(seed);
            for count in [1_usize, 2, 8] {
                let shards = (0..count).flat_map(|_| deal(&window, 400 / count, &ids));
                let peak = peak_over_even(shards.collect(), &window);
                assert!(peak <= 1.15, "seed {seed}, {count} shards: {peak}");
            }
            let drawn = (0..400).map(|_| window.start + ids.below(4_000));
            uneven_count += u32::from(peak_over_even(drawn.collect(), &window) > 1.15);
        }
        assert!(uneven_count > 40, "{uneven_count} of 50");
    }

    #[test]
    fn neighbours_who_hear_late_do_not_come_on_top_of_others() {
        let window = 1_000..5_000;
        for seed in 0..20 {
            let mut times = deal(&window, 4_000, &ids(seed));
            times[..2_000].iter_mut().for_each(|at| *at += 300);
            let peak = peak_over_even(times, &window);
            assert!(peak <= 1.2, "seed {seed}: {peak}");
        }
    }

    #[test]
    fn each_client_has_a_slot_of_its_own() {
        let mut times = deal(&(1_000..5_000), 40, &ids(7));
        assert!(!times.is_sorted());
        times.sort_unstable();
        for (index, at) in (0..).zip(&times) {
            let begin = 1_000 + index * 100;
            assert!((begin..begin + 100).contains(at), "{index}: {at}");
        }
        let offsets = times.iter().map(|at| at % 100);
        assert!(offsets.collect::<std::collections::BTreeSet<_>>().len() > 10);
        assert_eq!(deal(&(3..3), 2, &ids(7)), [3, 3]);
        assert!(deal(&(1_000..5_000), 0, &ids(7)).is_empty());
    }

    fn check(window_ms: u64, agents: u64, visitors: u64, expected: [u64; 3]) {
        let returns = Returns::over(Duration::from_millis(window_ms), agents, visitors);
        let [first, middle, last] = expected;
        let expected = Returns {
            agents: first..middle,
            visitors: middle..last,
        };
        assert_eq!(returns, expected, "{window_ms} ms, {agents}, {visitors}");
    }

    #[test]
    fn the_window_is_that_of_the_drain_within_bounds_and_agents_are_first_at_the_same_rate() {
        check(5_000, 0, 18_000, [1_000, 1_000, 5_000]);
        check(5_000, 10, 0, [1_000, 5_000, 5_000]);
        check(5_000, 10, 30, [1_000, 2_000, 5_000]);
        check(7_000, 1, 1, [1_000, 4_000, 7_000]);
        check(0, 1, 1, [1_000, 3_000, 5_000]);
        check(600_000, 0, 1, [1_000, 1_000, 8_000]);
        check(u64::MAX, 0, 0, [1_000, 1_000, 8_000]);
    }
}
