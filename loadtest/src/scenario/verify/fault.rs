//! What is broken on purpose while a load runs, and when: a plan that repeats with its seed.

use std::time::Duration;

use serde::Serialize;
use world::Ids;

/// From the beginning to the first fault.
const LEAD_MS: u64 = 600;

/// The names of all kinds.
pub const KINDS: [&str; 10] = [
    "kill",
    "restart",
    "fail_over",
    "skew",
    "fail",
    "pause",
    "cut",
    "hold",
    "slow",
    "partition",
];

/// How long it takes, about, to copy a store and to make the copy the primary.
const TAKE_OVER_MS: u64 = 4_000;

/// From one failover to the next, at least: after each, what is gone is said again; all of the last ten minutes
/// where no page tells what that is.
const FAIL_OVER_EVERY_MS: u64 = 120_000;

/// How late a fault may come.
const LATE_MAX: Duration = Duration::from_millis(1_000);

/// From the last failover to the end, at least. What is gone is said again after it, while other things break; that may
/// be all of ten minutes, so that a long run needs longer for it: a third of it.
const AFTERMATH_MS: u64 = 20_000;

fn aftermath_ms(duration_ms: u64) -> u64 {
    AFTERMATH_MS.max(duration_ms / 3)
}

/// What nodes share, by the lines to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// The store.
    Store,
    /// The bus.
    Bus,
}

impl Line {
    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Bus => "bus",
        }
    }
}

/// How a line is parted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Nothing passes, as where packets get lost: nobody is told.
    Held,
    /// All connections end, and no new one is let in.
    Cut,
}

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
    /// A copy is made, as of a standby that follows at a distance; a while after, the original is killed and the copy
    /// takes its place, without what was stored since.
    FailOver {
        /// How much the copy lacks.
        behind_ms: u64,
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
    /// One node's line to something that it shares with others is parted for a while, and they go on.
    Partition {
        /// To what.
        line: Line,
        /// How.
        way: Way,
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
            Self::FailOver { .. } => "fail_over",
            Self::Skew { .. } => "skew",
            Self::Fail { .. } => "fail",
            Self::Pause { .. } => "pause",
            Self::Cut { .. } => "cut",
            Self::Hold { .. } => "hold",
            Self::Slow { .. } => "slow",
            Self::Partition { .. } => "partition",
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
            Self::FailOver { behind_ms } => behind_ms + TAKE_OVER_MS,
            Self::Pause { for_ms }
            | Self::Hold { for_ms }
            | Self::Slow { for_ms, .. }
            | Self::Partition { for_ms, .. } => for_ms,
            Self::Cut { .. } => 0,
        }
    }
}

/// What a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A node and the links of its clients.
    Node,
    /// The same, beside others: its own lines to what they share, too.
    NodeOfMany,
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

    /// Whether its time is over: what was broken before took so long to come back. It is left out then, or a slow
    /// machine would never be whole, nor at an end.
    #[must_use]
    pub fn is_over(self, since_start: Duration) -> bool {
        self.at() + LATE_MAX < since_start
    }
}

/// Plans faults for a time: all kinds in turn but those that are left out, shuffled, with quiet stretches between
/// them. The last one is over before the end.
#[must_use]
pub fn plan(dice: &Ids, subject: Subject, left_out: &[String], duration: Duration) -> Vec<Planned> {
    let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut planned = Vec::new();
    let mut at_ms = LEAD_MS;
    let mut next_fail_over_ms = 0;
    let is_wanted = |fault: &Fault| left_out.iter().all(|name| name != fault.name());
    while at_ms < duration_ms {
        for fault in shuffled(dice, deck(dice, subject)) {
            if let Fault::FailOver { .. } = fault {
                let is_early = at_ms + aftermath_ms(duration_ms) < duration_ms;
                let is_due = next_fail_over_ms <= at_ms && is_early;
                if !is_due {
                    continue;
                }
                next_fail_over_ms = at_ms + FAIL_OVER_EVERY_MS;
            }
            let end_ms = at_ms + fault.length_ms();
            if end_ms + 500 > duration_ms {
                return planned;
            }
            if is_wanted(&fault) {
                planned.push(Planned { at_ms, fault });
            }
            at_ms = end_ms + quiet_ms(dice, subject);
        }
    }
    planned
}

/// From one fault to the next. What all share breaks less often, or nothing would ever be whole and nobody could say
/// anything.
fn quiet_ms(dice: &Ids, subject: Subject) -> u64 {
    match subject {
        Subject::Node | Subject::NodeOfMany | Subject::Link => 200 + dice.below(1_200),
        Subject::OwnBus | Subject::OwnStore => 1_000 + dice.below(4_000),
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
        Subject::NodeOfMany => {
            let all = links.into_iter().chain(node);
            all.chain(partitions(dice)).collect()
        }
        Subject::Link => links.to_vec(),
        Subject::OwnBus | Subject::OwnStore => {
            let takes_over = subject == Subject::OwnStore;
            let kill = Fault::Kill {
                down_ms: between(100, 2_000),
            };
            let pause = Fault::Pause {
                for_ms: between(200, 2_500),
            };
            let restart = Fault::Restart {
                down_ms: between(50, 1_500),
            };
            let fail_over = Fault::FailOver {
                behind_ms: between(100, 2_000),
            };
            let faults = links.into_iter().chain([kill, pause, restart]);
            faults.chain(takes_over.then_some(fail_over)).collect()
        }
    }
}

/// Each line, for less and for longer than its peers believe in a node that they do not hear.
fn partitions(dice: &Ids) -> [Fault; 2] {
    [Line::Store, Line::Bus].map(|line| Fault::Partition {
        line,
        way: if dice.below(2) == 0 {
            Way::Held
        } else {
            Way::Cut
        },
        for_ms: 300 + dice.below(5_000),
    })
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
        plan(&dice, subject, &[], Duration::from_secs(seconds))
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
        for subject in [Subject::Node, Subject::NodeOfMany, Subject::OwnStore] {
            let plan = planned_for(subject, 3, 60);
            assert!(plan.len() > 10, "{}", plan.len());
            for pair in plan.windows(2) {
                assert!(pair[0].at() + pair[0].fault.length() < pair[1].at());
            }
            let last = plan.last().expect("there are some");
            assert!(last.at() + last.fault.length() < Duration::from_secs(60));
        }
    }

    #[test]
    fn a_minute_holds_faults_of_every_kind() {
        let kinds = kinds(&planned(4, 60));
        assert_eq!(kinds.len(), 8, "{kinds:?}");
    }

    #[test]
    fn each_line_of_a_node_among_others_is_held_and_cut() {
        let mut parted = BTreeSet::new();
        for planned in planned_for(Subject::NodeOfMany, 4, 180) {
            if let Fault::Partition { line, way, .. } = planned.fault {
                parted.insert((line.name(), way == Way::Cut));
            }
        }
        assert_eq!(parted.len(), 4, "{parted:?}");
        let alone = kinds(&planned_for(Subject::Node, 4, 180));
        assert!(!alone.contains("partition"));
    }

    #[test]
    fn our_own_store_and_bus_are_killed_paused_and_restarted_in_a_minute() {
        let expected = BTreeSet::from(["cut", "hold", "kill", "pause", "restart", "slow"]);
        let bus = kinds(&planned_for(Subject::OwnBus, 4, 60));
        assert_eq!(bus, expected);
        let store = kinds(&planned_for(Subject::OwnStore, 4, 60));
        assert_eq!(&store - &expected, BTreeSet::from(["fail_over"]));
    }

    #[test]
    fn standbys_take_over_now_and_then_and_leave_time_to_say_all_again() {
        let plan = planned_for(Subject::OwnStore, 5, 600);
        let is_fail_over = |one: &&Planned| matches!(one.fault, Fault::FailOver { .. });
        let at: Vec<u64> = plan
            .iter()
            .filter(is_fail_over)
            .map(|one| one.at_ms)
            .collect();
        assert!((3..=4).contains(&at.len()), "{at:?}");
        assert!(
            at.windows(2)
                .all(|pair| pair[0] + FAIL_OVER_EVERY_MS <= pair[1])
        );
        assert!(at.iter().all(|at_ms| *at_ms < 400_000), "{at:?}");
    }

    #[test]
    fn what_is_left_out_leaves_the_rest_as_it_was() {
        let dice = Ids::seeded(6, Clock::manual(0));
        let left_out = ["kill".to_owned(), "skew".to_owned()];
        let some = plan(&dice, Subject::Node, &left_out, Duration::from_secs(60));
        let mut all = planned(6, 60);
        all.retain(|one| !left_out.iter().any(|name| name == one.fault.name()));
        assert_eq!(some, all);
    }

    #[test]
    fn every_kind_has_a_name_that_can_be_left_out() {
        let of = |subject| kinds(&planned_for(subject, 7, 60));
        let all = &of(Subject::NodeOfMany) | &of(Subject::OwnStore);
        assert_eq!(all, BTreeSet::from(KINDS));
    }
}
