//! Scenarios: what a run does, what it measures, and what makes it fail.
//!
//! A scenario is a module with its options, a `run` for the coordinator, a share for each worker and a
//! `play` for the worker's side. A run fails when a promise of the server or an expectation of the
//! user is broken; that something is slow is a failure only where the user said how fast it must be.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Error;
use crate::compare::crowd;
use crate::fleet::worker::Worker;

pub mod act;
pub mod cast;
pub mod chat;
pub mod connect;
pub mod drain;
pub mod feed;
pub mod ghosts;
pub mod idle;
pub mod inbox;
pub mod plan;
pub mod room;
pub mod slow;
pub mod soak;
pub mod storm;
pub mod talk;
pub mod verify;

/// Sockets of one worker: below the 20,000 files that a process may open, with room for requests.
pub const SHARE_MAX: u64 = 15_000;

/// A worker's part in a run.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Visitors who are just there.
    Idle(idle::Share),
    /// Visitors who connect.
    Connect(connect::Share),
    /// Pairs that talk.
    Chat(chat::Share),
    /// Followers of one conversation.
    Room(room::Share),
    /// Visitors who page, and agents who watch them.
    Feed(feed::Share),
    /// Customers who write, and agents with the list open.
    Inbox(inbox::Share),
    /// Visitors who drop and resume.
    Storm(storm::Share),
    /// Visitors of a server that ends.
    Drain(drain::Share),
    /// Visitors of nodes of which one is killed.
    Ghosts(ghosts::Share),
    /// People whose logs are compared with the store.
    Verify(verify::Share),
    /// Lean clients of a comparison.
    Crowd(crowd::Share),
}

/// Plays a part to its end.
///
/// # Errors
/// It cannot be played.
pub async fn play(part: Part, worker: Worker) -> Result<Value, Error> {
    match part {
        Part::Idle(share) => told(Box::pin(idle::play(share, worker)).await),
        Part::Connect(share) => told(Box::pin(connect::play(share, worker)).await),
        Part::Chat(share) => told(Box::pin(chat::play(share, worker)).await),
        Part::Room(share) => told(Box::pin(room::play(share, worker)).await),
        Part::Feed(share) => told(Box::pin(feed::play(share, worker)).await),
        Part::Inbox(share) => told(Box::pin(inbox::play(share, worker)).await),
        Part::Storm(share) => told(Box::pin(storm::play(share, worker)).await),
        Part::Drain(share) => told(Box::pin(drain::play(share, worker)).await),
        Part::Ghosts(share) => told(Box::pin(ghosts::play(share, worker)).await),
        Part::Crowd(share) => told(Box::pin(crowd::play(share, worker)).await),
        Part::Verify(share) => told(Box::pin(verify::play(share, worker)).await),
    }
}

fn told(outcome: Result<impl Serialize, Error>) -> Result<Value, Error> {
    outcome.map(|outcome| serde_json::to_value(outcome).expect("outcomes can be written as JSON"))
}

/// A worker's stretch of what is to be divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// The first.
    pub first: u64,
    /// How many.
    pub count: u64,
}

impl Stretch {
    /// Its members.
    pub fn range(self) -> std::ops::Range<u64> {
        self.first..self.first + self.count
    }
}

/// Divides so many over as few workers as hold `share_max` each, or over more where that is wanted.
/// Stretches end at multiples of `grain`.
#[must_use]
pub fn divide(count: u64, share_max: u64, workers: u64, grain: u64) -> Vec<Stretch> {
    let grains = count.div_ceil(grain);
    let worker_count = grains
        .div_ceil((share_max / grain).max(1))
        .max(workers)
        .min(grains)
        .max(1);
    let mut stretches = Vec::new();
    let mut first = 0;
    for index in 0..worker_count {
        let last = ((grains * (index + 1)) / worker_count * grain).min(count);
        stretches.push(Stretch {
            first,
            count: last - first,
        });
        first = last;
    }
    stretches
}

/// One by another, where the other may be nothing.
#[must_use]
pub fn ratio(count: u64, by: f64) -> f64 {
    count as f64 / by.max(f64::MIN_POSITIVE)
}

/// A duration as people write it: `500ms`, `60s`, `10m`, or seconds.
///
/// # Errors
/// It is none.
pub fn duration(text: &str) -> Result<Duration, String> {
    let end = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let wrong = || "write it as 500ms, 60s or 10m".to_owned();
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let unit_ms = match unit {
        "ms" => 1,
        "s" | "" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    number
        .checked_mul(unit_ms)
        .map(Duration::from_millis)
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(count: u64, share_max: u64, workers: u64, grain: u64, expected: &[u64]) {
        let stretches = divide(count, share_max, workers, grain);
        let counts: Vec<u64> = stretches.iter().map(|one| one.count).collect();
        assert_eq!(counts, expected, "{count} over shares of {share_max}");
        let mut next = 0;
        for stretch in stretches {
            assert_eq!(stretch.first, next);
            next += stretch.count;
        }
        assert_eq!(next, count);
    }

    #[test]
    fn durations_are_written_with_a_unit() {
        for (text, ms) in [
            ("500ms", 500),
            ("60s", 60_000),
            ("10m", 600_000),
            ("7", 7_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "s", "5 s", "-5s", "5d", "99999999999999999999s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_crowd_is_divided_without_a_rest() {
        check(1_000, 15_000, 1, 1, &[1_000]);
        check(40_000, 15_000, 1, 1, &[13_333, 13_333, 13_334]);
        check(100, 15_000, 2, 20, &[40, 60]);
        check(3, 15_000, 8, 1, &[1, 1, 1]);
        check(0, 15_000, 1, 1, &[0]);
    }
}
