//! The watch of a shard: each second it looks at every connection once (beats, deadlines, stalls).
//!
//! A shard with many looks at some at a time, so that what it says to them and hears back never stands in
//! the way of messages for long.

use std::cell::Cell;
use std::ops::Range;
use std::time::Duration;

use super::{Shard, seconds};
use crate::metric::Metric;

/// In this time each connection is looked at once. Who is put in the place of one that left waits for the
/// next round.
pub(super) const ROUND: Duration = Duration::from_secs(1);
/// Turns of a round at most.
const TURNS_MAX: usize = 16;
/// Connections that are looked at together, where there are more than that.
const TURN_LENGTH: usize = 64;

/// Where the watch of a shard is.
#[derive(Debug, Default)]
pub(super) struct Watch {
    round: Cell<Round>,
    /// This shard's part of the gauges, as of the last round.
    waiting_bytes: Cell<i64>,
    behind_count: Cell<i64>,
}

/// One look at everybody.
#[derive(Debug, Clone, Copy, Default)]
struct Round {
    /// By the world's clock.
    began: Duration,
    turns: usize,
    turns_taken: usize,
    /// The next connection.
    next: usize,
    /// Bytes that wait for readers.
    waiting_bytes: usize,
    /// Connections that are behind.
    behind_count: usize,
}

impl Round {
    fn new(began: Duration, connection_count: usize) -> Self {
        Self {
            began,
            turns: (connection_count / TURN_LENGTH).clamp(1, TURNS_MAX),
            ..Self::default()
        }
    }

    fn is_over(&self) -> bool {
        self.turns_taken == self.turns
    }

    /// Takes a turn: those of so many connections who are looked at now.
    fn take_turn(&mut self, connection_count: usize) -> Range<usize> {
        self.turns_taken += 1;
        let end = connection_count * self.turns_taken / self.turns;
        let turn = self.next..end.max(self.next);
        self.next = turn.end;
        turn
    }

    /// When the next turn is due, by the world's clock.
    fn due(&self) -> Duration {
        let of = |turns| u32::try_from(turns).expect("there are few turns");
        self.began + ROUND * of(self.turns_taken) / of(self.turns)
    }
}

impl Shard {
    /// Looks at the next connections; how long until the turn after this one.
    pub(super) fn take_turn(&self) -> Duration {
        let clock = &self.doors.world.clock;
        self.now.set(seconds(&self.doors));
        if self.doors.router.take_lost(self.id) {
            self.deliver(router::Delivery::Lost);
        }
        let mailboxes = self.mailboxes.borrow();
        let mut round = self.watch.round.get();
        if round.is_over() {
            round = Round::new(clock.elapsed(), mailboxes.len());
        }
        let turn = round.take_turn(mailboxes.len());
        let now_ms = clock.now_ms();
        for mailbox in mailboxes.get(turn).unwrap_or_default() {
            mailbox.tick(self.now.get(), now_ms);
            round.waiting_bytes += mailbox.waiting_bytes();
            round.behind_count += usize::from(mailbox.is_behind());
        }
        if round.is_over() {
            let watch = &self.watch;
            self.gauge(
                Metric::WaitingBytes,
                &watch.waiting_bytes,
                round.waiting_bytes,
            );
            self.gauge(Metric::Behind, &watch.behind_count, round.behind_count);
        }
        self.watch.round.set(round);
        round.due().saturating_sub(clock.elapsed())
    }

    /// Moves this shard's part of a gauge to a value.
    fn gauge(&self, metric: Metric, before: &Cell<i64>, value: usize) {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        self.doors
            .metrics
            .add(metric, value - before.replace(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From which connection to which each turn of a round goes, where there are so many at each.
    fn turns(counts: impl IntoIterator<Item = usize>) -> Vec<(usize, usize)> {
        let mut counts = counts.into_iter().peekable();
        let mut round = Round::new(Duration::ZERO, *counts.peek().expect("a round has a turn"));
        let turns = counts.map(|count| round.take_turn(count));
        let turns = turns.map(|turn| (turn.start, turn.end)).collect();
        assert!(round.is_over());
        turns
    }

    #[test]
    fn few_are_looked_at_together_and_many_in_turns_each_once() {
        assert_eq!(turns([0]), [(0, 0)]);
        assert_eq!(turns([127]), [(0, 127)]);
        assert_eq!(turns([130, 130]), [(0, 65), (65, 130)]);
        let many = turns([10_000; TURNS_MAX]);
        assert!(many.iter().all(|turn| turn.1 - turn.0 == 625));
        assert!(many.windows(2).all(|two| two[0].1 == two[1].0));
    }

    #[test]
    fn who_comes_meanwhile_is_looked_at_and_nobody_twice() {
        assert_eq!(turns([192, 600, 600]), [(0, 64), (64, 400), (400, 600)]);
        // Many left: those of the first turn are most of who is there.
        assert_eq!(turns([192, 60, 50]), [(0, 64), (64, 64), (64, 64)]);
    }

    #[test]
    fn turns_are_spread_evenly_over_the_round() {
        let mut round = Round::new(Duration::from_secs(5), 4 * TURN_LENGTH);
        let due: Vec<u128> = std::iter::from_fn(|| {
            (!round.is_over()).then(|| {
                round.take_turn(1);
                round.due().as_millis()
            })
        })
        .collect();
        assert_eq!(due, [5_250, 5_500, 5_750, 6_000]);
    }
}
