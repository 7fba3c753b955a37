//! The plan of a talk: which message is due when, in which conversation, from which side.
//!
//! The rate is open-loop: a message is due at a time that does not depend on how the server does, and
//! every latency counts from then, so a server that stalls cannot hide it (coordinated omission).

use std::time::Duration;

use protocol::text::Body;
use serde::{Deserialize, Serialize};

use super::cast;

/// The plan. It is the same for all workers; who speaks where follows from a message's index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Conversations.
    pub pairs: u64,
    /// Messages a second, over all conversations.
    pub rate: u64,
    /// Messages in all.
    pub due: u64,
    /// Bytes of a message.
    pub message_bytes: u64,
    /// When the first is due, by the clock that all processes share.
    pub started: Duration,
    /// How long what is due is sent and checked like everything, but not timed.
    pub warm_up: Duration,
}

impl Plan {
    /// When the message with this index is due.
    #[must_use]
    pub fn at(&self, index: u64) -> Duration {
        let micros = u128::from(index) * 1_000_000 / u128::from(self.rate.max(1));
        self.started + Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    /// From the first message to the end of the last one's turn.
    #[must_use]
    pub fn length(&self) -> Duration {
        self.at(self.due) - self.started
    }

    /// Whether what was due then is timed.
    #[must_use]
    pub fn is_timed(&self, due: Duration) -> bool {
        due >= self.started + self.warm_up
    }

    /// Round by round the sides take turns, visitors first.
    #[must_use]
    pub fn is_visitors(&self, index: u64) -> bool {
        (index / self.pairs).is_multiple_of(2)
    }

    /// How many messages of the plan a conversation gets.
    #[must_use]
    pub fn count_of(&self, pair: u64) -> u64 {
        self.due / self.pairs + u64::from(pair < self.due % self.pairs)
    }

    /// The messages of a conversation that one side says, in order.
    pub fn of_side(&self, pair: u64, visitors: bool) -> impl Iterator<Item = u64> + use<> {
        let plan = *self;
        let step = usize::try_from(self.pairs).expect("a count");
        let all = (pair..self.due).step_by(step);
        all.filter(move |index| plan.is_visitors(*index) == visitors)
    }

    /// What the message says.
    #[must_use]
    pub fn body(&self, index: u64) -> Body {
        body(index, self.at(index), self.message_bytes)
    }
}

/// What a message of a plan says: its index, when it was due, and filling up to a length.
#[must_use]
pub fn body(index: u64, due: Duration, message_bytes: u64) -> Body {
    let mut text = format!("load {index} due {} ", due.as_micros());
    let length = usize::try_from(message_bytes).expect("at most 16,000");
    while text.len() < length {
        text.push(if text.len() % 7 == 0 { ' ' } else { 'x' });
    }
    // A blank at the end would be taken off.
    text.truncate(length - 1);
    text.push('.');
    cast::body(&text)
}

/// A message of a plan, out of its own text: its index, and when it was due.
#[must_use]
pub fn planned(body: &str) -> Option<(u64, Duration)> {
    let mut words = body.strip_prefix("load ")?.split(' ');
    let index = words.next()?.parse().ok()?;
    let micros = words.nth(1)?.parse().ok()?;
    Some((index, Duration::from_micros(micros)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: Plan = Plan {
        pairs: 7,
        rate: 10,
        due: 100,
        message_bytes: 64,
        started: Duration::from_secs(5),
        warm_up: Duration::from_secs(2),
    };

    #[test]
    fn what_is_due_while_it_warms_up_is_not_timed() {
        assert!(!PLAN.is_timed(PLAN.at(19)));
        assert!(PLAN.is_timed(PLAN.at(20)));
        assert!(PLAN.is_timed(PLAN.at(99)));
    }

    #[test]
    fn a_message_carries_its_index_and_the_time_it_was_due() {
        let body = PLAN.body(7);
        assert_eq!(body.as_str().len(), 64);
        let due = Duration::from_millis(5_700);
        assert_eq!(planned(body.as_str()), Some((7, due)));
        assert_eq!(planned("something else"), None);
    }

    #[test]
    fn the_plan_gives_every_message_to_one_side_of_one_pair() {
        let mut all = Vec::new();
        for pair in 0..PLAN.pairs {
            let said: Vec<u64> = [true, false]
                .into_iter()
                .flat_map(|visitors| PLAN.of_side(pair, visitors))
                .collect();
            assert_eq!(said.len() as u64, PLAN.count_of(pair));
            all.extend(said);
        }
        all.sort_unstable();
        assert_eq!(all, (0..PLAN.due).collect::<Vec<_>>());
        assert!(PLAN.is_visitors(0) && !PLAN.is_visitors(7) && PLAN.is_visitors(14));
    }
}
