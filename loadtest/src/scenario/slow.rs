//! `slow`: a room in which one of a hundred stops reading. Does it cost those who read anything?
//!
//! Rounds with and without stalled followers take turns, so that whatever else happens on the machine
//! happens to both.

use super::room::{self, By, Measured};
use crate::Error;
use crate::measure::latency::ms;
use crate::measure::{Latencies, Relation, Tally};
use crate::report::{Report, Unit};
use crate::target::Stage;

/// What the p99 of those who read may be beside stalled ones, by what it is alone.
const P99_RATIO_MAX: f64 = 1.2;

/// What each who stalls may cost the server, in bytes.
const STALLED_BYTES_MAX: f64 = 65_536.0;

/// Options of `slow`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// How many follow.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(10..))]
    pub followers: u64,
    /// How many of 100 stop reading.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=50))]
    pub percent: u64,
    /// Messages a second: so few that the machine has time left.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub rate: u64,
    /// How long each round is.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    pub seconds: u64,
    /// Rounds of each kind.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..))]
    pub rounds: u64,
    /// Bytes of a message: large ones fill the buffers on the way soon.
    #[arg(long, default_value_t = 16_000, value_parser = clap::value_parser!(u64).range(64..=16_000))]
    pub message_bytes: u64,
}

/// What rounds of one kind found out.
#[derive(Default)]
struct Arm {
    delivery: Latencies,
    /// The p99 of each round, in microseconds.
    p99s_us: Vec<u64>,
    /// By how much the server's memory grew, in bytes.
    grown_bytes: f64,
}

impl Arm {
    fn add(&mut self, measured: &Measured, counts_memory: bool) {
        self.delivery.add_all(&measured.delivery);
        self.p99s_us.push(measured.delivery.figures().p99_us);
        if let Some((before, after)) = measured.acted.usage
            && counts_memory
        {
            self.grown_bytes += after.memory_bytes as f64 - before.memory_bytes as f64;
        }
    }

    /// The median over its rounds; of two in the middle the later.
    fn p99_us(&self) -> u64 {
        let mut p99s_us = self.p99s_us.clone();
        p99s_us.sort_unstable();
        p99s_us.get(p99s_us.len() / 2).copied().unwrap_or(0)
    }
}

/// Runs the scenario.
///
/// # Errors
/// It could not be set up.
pub async fn run(stage: &Stage, options: &Options) -> Result<Report, Error> {
    let stalled = (options.followers * options.percent / 100).max(1);
    let room = room::Options {
        followers: options.followers,
        by: By::Agents,
        rate: options.rate,
        seconds: options.seconds,
        message_bytes: options.message_bytes,
        workers: 1,
    };
    let mut report = Report::new("slow", stage.seed, stage.urls.clone());
    let mut arms = [Arm::default(), Arm::default()];
    let (mut missing, mut lost, mut found) = (0, 0, None::<u64>);
    // The first rounds make room that the later ones find: memory counts from the second on.
    for round in 0..options.rounds {
        for (arm, count) in arms.iter_mut().zip([0, stalled]) {
            let measured = Box::pin(room::measure(stage, &room, count)).await?;
            arm.add(&measured, round > 0);
            missing += measured.missing;
            lost += measured.acted.counts.of(Tally::Lost);
            found = found.max(measured.found_stalled);
            report.broke(measured.broken);
        }
    }
    report.count("followers", options.followers);
    report.count("stalled", stalled);
    report.count("missing", missing);
    report.count("lost_connections", lost);
    tell_stalled(&mut report, found, stalled);
    let [alone, beside] = arms;
    tell_ratio(&mut report, alone.p99_us(), beside.p99_us(), options.rate);
    if stage.server_pid.is_some() && options.rounds > 1 {
        let rounds = (stalled * (options.rounds - 1)) as f64;
        let more = (beside.grown_bytes - alone.grown_bytes) / rounds;
        report.figure("bytes_per_stalled", more.round(), Unit::Bytes);
        report.expect("bytes_per_stalled", Relation::AtMost, STALLED_BYTES_MAX);
    }
    report.latency("beside_stalled", beside.delivery);
    report.latency("alone", alone.delivery);
    report.expect_none("missing");
    report.expect("lost_connections", Relation::Exactly, 0.0);
    Ok(report)
}

/// Tells how many of the stalled the server noticed.
fn tell_stalled(report: &mut Report, found: Option<u64>, stalled: u64) {
    let Some(found) = found else {
        return;
    };
    report.count("found_stalled", found);
    if found < stalled {
        report.notes.push(format!(
            "the server noticed {found} of {stalled} stalled ones: what the others did not read waits in the system's \
             buffers; choose more --seconds, or more --message-bytes"
        ));
    }
}

/// Tells how the p99 of those who read beside stalled ones compares with that of the same alone. Where the machine
/// was full without any, nothing can be said of what stalled ones cost, and the expectation is not kept.
fn tell_ratio(report: &mut Report, alone_us: u64, beside_us: u64, rate: u64) {
    let between_us = 1_000_000 / rate.max(1);
    for (name, p99_us) in [("alone", alone_us), ("beside_stalled", beside_us)] {
        if p99_us > between_us {
            report.notes.push(format!(
                "saturated: {name} took {:.1} ms at the p99, longer than the {:.1} ms from one message to the next; \
                 choose a lower --rate, or fewer --followers",
                ms(p99_us),
                ms(between_us)
            ));
        }
    }
    if alone_us <= between_us {
        let ratio = beside_us as f64 / alone_us.max(1) as f64;
        report.figure("p99_ratio", ratio, Unit::Ratio);
    }
    report.expect("p99_ratio", Relation::AtMost, P99_RATIO_MAX);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(alone_us: u64, beside_us: u64) -> Report {
        let mut report = Report::new("slow", 1, Vec::new());
        tell_ratio(&mut report, alone_us, beside_us, 20);
        report
    }

    #[test]
    fn a_ratio_is_told_and_judged_where_the_machine_was_not_full() {
        let kept = told(10_000, 11_000);
        assert_eq!(kept.value("p99_ratio"), Some(1.1));
        assert!(kept.is_good() && kept.notes.is_empty(), "{kept}");
        assert!(!told(10_000, 13_000).is_good());
        // Stalled ones who fill the machine are what is looked for.
        let harmed = told(10_000, 60_000);
        assert_eq!(harmed.value("p99_ratio"), Some(6.0));
        assert!(!harmed.is_good() && harmed.notes.len() == 1, "{harmed}");
        assert!(harmed.notes[0].contains("beside_stalled took 60.0 ms"));
    }

    #[test]
    fn of_a_full_machine_no_ratio_is_told_and_nothing_was_kept() {
        for beside_us in [20_000, 60_000] {
            let full = told(51_000, beside_us);
            assert_eq!(full.value("p99_ratio"), None);
            assert!(!full.is_good());
            assert!(full.notes[0].starts_with("saturated: alone took 51.0 ms"));
        }
    }

    #[test]
    fn one_bad_round_of_three_is_not_the_median() {
        let arm = Arm {
            p99s_us: vec![9_000, 500_000, 8_000],
            ..Arm::default()
        };
        assert_eq!(arm.p99_us(), 9_000);
        assert_eq!(Arm::default().p99_us(), 0);
    }

    #[test]
    fn who_stalls_unnoticed_is_told() {
        let mut report = Report::new("slow", 1, Vec::new());
        tell_stalled(&mut report, None, 5);
        assert!(report.figures.is_empty() && report.notes.is_empty());
        tell_stalled(&mut report, Some(5), 5);
        assert!(report.notes.is_empty());
        tell_stalled(&mut report, Some(2), 5);
        assert!(report.notes[0].contains("noticed 2 of 5"), "{report}");
    }
}
