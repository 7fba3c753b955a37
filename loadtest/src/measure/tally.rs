//! Counters: shared by the tasks of a process, told to the coordinator, added up there.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

macro_rules! tallies {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// What is counted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Tally {
            $($(#[$doc])* $name,)*
        }

        impl Tally {
            /// All of them, in the order in which they are told.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name in reports.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

tallies! {
    /// Connections that are up now.
    Connected = "connected";
    /// Connections that did not come up.
    Failed = "failed";
    /// Connections that ended unasked.
    Lost = "lost_connections";
    /// Connections that were lost and came back.
    Reconnected = "reconnects";
    /// Beats answered.
    Beats = "beats";
    /// Conversations begun for the run.
    Begun = "begun";
    /// Messages sent for the first time.
    Sent = "sent";
    /// Messages acknowledged.
    Acknowledged = "acknowledged";
    /// Messages that reached somebody else live.
    Delivered = "delivered";
    /// Entries that came in answer to a resume.
    Replayed = "replayed";
    /// Conversations that had to be read afresh.
    Afresh = "afresh";
    /// Commands sent a second time on purpose.
    Repeated = "repeated";
    /// Connections that a client cut itself.
    CutOff = "cut_off";
    /// Times that a reader read nothing for a while.
    Rested = "rested";
    /// Pages shown.
    Pages = "pages";
    /// Rows of live lists received.
    Rows = "rows";
    /// Times that an agent was told of a visitor that he is gone.
    Gone = "leaves";
}

const TALLY_COUNT: usize = Tally::ALL.len();

/// The counters of a process.
#[derive(Debug, Default)]
pub struct Tallies([AtomicU64; TALLY_COUNT]);

impl Tallies {
    /// Adds one.
    pub fn add(&self, tally: Tally) {
        self.add_many(tally, 1);
    }

    /// Adds several.
    pub fn add_many(&self, tally: Tally, count: u64) {
        self.0[tally as usize].fetch_add(count, Ordering::Relaxed);
    }

    /// Takes one away.
    pub fn remove(&self, tally: Tally) {
        self.0[tally as usize].fetch_sub(1, Ordering::Relaxed);
    }

    /// How many of one.
    #[must_use]
    pub fn of(&self, tally: Tally) -> u64 {
        self.0[tally as usize].load(Ordering::Relaxed)
    }

    /// All of them now.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let counts = self.0.iter().map(|count| count.load(Ordering::Relaxed));
        Counts(counts.collect())
    }
}

/// Counters at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts(Vec<u64>);

impl Default for Counts {
    fn default() -> Self {
        Self(vec![0; TALLY_COUNT])
    }
}

impl Counts {
    /// How many of one.
    #[must_use]
    pub fn of(&self, tally: Tally) -> u64 {
        self.0.get(tally as usize).copied().unwrap_or(0)
    }

    /// Adds those of another process.
    pub fn add(&mut self, other: &Self) {
        for (sum, count) in self.0.iter_mut().zip(&other.0) {
            *sum += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_two_processes_add_up() {
        let [one, two] = [Tallies::default(), Tallies::default()];
        one.add(Tally::Sent);
        one.add(Tally::Connected);
        one.remove(Tally::Connected);
        two.add_many(Tally::Sent, 4);
        let mut sum = one.counts();
        sum.add(&two.counts());
        assert_eq!(sum.of(Tally::Sent), 5);
        assert_eq!(sum.of(Tally::Connected), 0);
    }
}
