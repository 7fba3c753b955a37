//! What is broken on purpose while a load runs, and when: a plan that repeats with its seed.

use std::time::Duration;

use serde::Serialize;
use world::Ids;

/// From the beginning to the first fault.
const LEAD_MS: u64 = 600;

/// Something that is broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// SIGKILL, and a start after a while.
    Kill {
        /// How long it is down.
        down_ms: u64,
    },
    /// An orderly end, and a start after a while: a node and Redis by SIGTERM, Postgres by SIGINT.
    Restart {
        /// How long it is down.
        down_ms: u64,
    },
    /// SIGKILL, and a start after a while with the clock wrong; right again from the next start on.
    Skew {
        /// By how much.
        clock_ms: i64,
        /// How long it is down.
        down_ms: u64,
    },
    /// SIGKILL, and a start after a while with faults inside; without them from the next start on.
    Fail {
        /// One of so many reads, commits, publications and commands fails, once the node has started.
        one_in: u64,
        /// How long it is down.
        down_ms: u64,
    },
    /// SIGSTOP, and SIGCONT after a while.
    Pause {
        /// How long it stands still.
        for_ms: u64,
    },
    /// Connections end without a word.
    Cut {
        /// How many of 100.
        percent: u64,
    },
    /// Nothing passes for a while, and nothing is lost.
    Hold {
        /// How long.
        for_ms: u64,
    },
    /// Everything passes slowly and late for a while.
    Slow {
        /// How fast, in each direction of a connection.
        bytes_per_second: u64,
        /// How much later.
        delay_ms: u64,
        /// How long.
        for_ms: u64,
    },
}

impl Fault {
    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kill { .. } => "kill",
            Self::Restart { .. } => "restart",
            Self::Skew { .. } => "skew",
            Self::Fail { .. } => "fail",
            Self::Pause { .. } => "pause",
            Self::Cut { .. } => "cut",
            Self::Hold { .. } => "hold",
            Self::Slow { .. } => "slow",
        }
    }

    /// How long it lasts.
    #[must_use]
    pub fn length(self) -> Duration {
        Duration::from_millis(self.length_ms())
    }

    fn length_ms(self) -> u64 {
        match self {
            Self::Kill { down_ms }
            | Self::Restart { down_ms }
            | Self::Skew { down_ms, .. }
            | Self::Fail { down_ms, .. } => down_ms,
            Self::Pause { for_ms } | Self::Hold { for_ms } | Self::Slow { for_ms, .. } => for_ms,
            Self::Cut { .. } => 0,
        }
    }
}

/// What a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A node and the links of its clients.
    Node,
    /// The links of all nodes to something that they share: the store or the bus.
    Link,
    /// The links to the bus, which the tool can kill and stop too.
    OwnBus,
    /// The links to the store, which the tool can kill and stop too.
    OwnStore,
}

/// A fault and its time since the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// When.
    pub at_ms: u64,
    /// What.
    #[serde(flatten)]
    pub fault: Fault,
}

impl Planned {
    /// When, since the beginning.
    #[must_use]
    pub fn at(self) -> Duration {
        Duration::from_millis(self.at_ms)
    }
}

/// Plans faults for a time: all kinds in turn, shuffled, with quiet stretches between them. The last
/// one is over before the end.
#[must_use]
pub fn plan(dice: &Ids, subject: Subject, duration: Duration) -> Vec<Planned> {
    let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut planned = Vec::new();
    let mut at_ms = LEAD_MS;
    loop {
        for fault in shuffled(dice, deck(dice, subject)) {
            let end_ms = at_ms + fault.length_ms();
            if end_ms + 500 > duration_ms {
                return planned;
            }
            planned.push(Planned { at_ms, fault });
            at_ms = end_ms + 200 + dice.below(1_200);
        }
    }
}

/// One fault of each kind, each of its own size.
fn deck(dice: &Ids, subject: Subject) -> Vec<Fault> {
    let between = |least: u64, most: u64| least + dice.below(most - least);
    let pick = |count| usize::try_from(dice.below(count)).unwrap_or(0);
    let links = [
        Fault::Cut {
            percent: [25, 50, 100][pick(3)],
        },
        Fault::Hold {
            for_ms: between(200, 2_000),
        },
        Fault::Slow {
            bytes_per_second: between(4_000, 60_000),
            delay_ms: between(5, 120),
            for_ms: between(500, 2_500),
        },
    ];
    let node = [
        Fault::Kill {
            down_ms: between(50, 900),
        },
        Fault::Pause {
            for_ms: between(200, 2_500),
        },
        Fault::Kill {
            down_ms: between(0, 50),
        },
        Fault::Restart {
            down_ms: between(50, 600),
        },
        Fault::Skew {
            clock_ms: [-300_000, -2_000, 2_000, 300_000][pick(4)],
            down_ms: between(50, 300),
        },
        Fault::Fail {
            one_in: between(20, 200),
            down_ms: between(50, 300),
        },
    ];
    match subject {
        Subject::Node => links.into_iter().chain(node).collect(),
        Subject::Link => links.to_vec(),
        Subject::OwnBus | Subject::OwnStore => {
            let kill = Fault::Kill {
                down_ms: between(100, 2_000),
            };
            let pause = Fault::Pause {
                for_ms: between(200, 2_500),
            };
            let restart = Fault::Restart {
                down_ms: between(50, 1_500),
            };
            links.into_iter().chain([kill, pause, restart]).collect()
        }
    }
}

fn shuffled(dice: &Ids, mut faults: Vec<Fault>) -> Vec<Fault> {
    for last in (1..faults.len()).rev() {
        let other = dice.below(last as u64 + 1);
        faults.swap(last, usize::try_from(other).unwrap_or(0));
    }
    faults
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use world::Clock;

    use super::*;

    fn planned_for(subject: Subject, seed: u64, seconds: u64) -> Vec<Planned> {
        let dice = Ids::seeded(seed, Clock::manual(0));
        plan(&dice, subject, Duration::from_secs(seconds))
    }

    fn planned(seed: u64, seconds: u64) -> Vec<Planned> {
        planned_for(Subject::Node, seed, seconds)
    }

    fn kinds(plan: &[Planned]) -> BTreeSet<&'static str> {
        plan.iter().map(|one| one.fault.name()).collect()
    }

    #[test]
    fn the_same_seed_plans_the_same_and_another_something_else() {
        assert_eq!(planned(1, 60), planned(1, 60));
        assert_ne!(planned(1, 60), planned(2, 60));
    }

    #[test]
    fn faults_follow_each_other_and_end_before_the_end() {
        let plan = planned(3, 60);
        assert!(plan.len() > 20, "{}", plan.len());
        for pair in plan.windows(2) {
            assert!(pair[0].at() + pair[0].fault.length() < pair[1].at());
        }
        let last = plan.last().expect("there are some");
        assert!(last.at() + last.fault.length() < Duration::from_secs(60));
    }

    #[test]
    fn a_minute_holds_faults_of_every_kind() {
        let kinds = kinds(&planned(4, 60));
        assert_eq!(kinds.len(), 8, "{kinds:?}");
    }

    #[test]
    fn our_own_store_and_bus_are_killed_paused_and_restarted_in_a_minute() {
        for subject in [Subject::OwnBus, Subject::OwnStore] {
            let kinds = kinds(&planned_for(subject, 4, 60));
            let expected = ["cut", "hold", "kill", "pause", "restart", "slow"];
            assert_eq!(kinds, BTreeSet::from(expected));
        }
    }
}
