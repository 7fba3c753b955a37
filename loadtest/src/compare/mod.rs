//! `compare`: Switchboard beside two plain WebSocket servers, in one run on one machine, with the same
//! clients and the same payloads. Ratios count; absolute figures are the machine's.
//!
//! The arms are N (naive), T (tuned) and S (Switchboard with its presence). Their turns interleave, so that
//! whatever else happens on the machine happens to all. `docs/loadtest.md` says what each figure is.

mod arm;
mod burst;
mod climb;
mod connect;
pub mod crowd;
mod empty;
mod entrance;
mod idle;
mod peers;
mod room;
pub mod stand;
mod talk;
mod token;
mod wire;

use std::time::Duration;

use serde_json::{Map, Value, json};
use world::World;

use self::arm::{Arm, Which};
use crate::Error;
use crate::fleet::moment;
use crate::measure::Relation;
use crate::report::arms::{Arms, Bar, Better, Goal};
use crate::report::{Report, Unit};

/// What is compared.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Figure {
    /// Memory and processor time of visitors who are just there.
    Idle(idle::Options),
    /// Full connects a second: upgrade, token, subscribe, presence.
    Connect(connect::Options),
    /// Deliveries a second in one room, with 99 of 100 within 500 ms.
    Room(room::Options),
    /// Processor time of a delivery while many wait for every receiver.
    Burst(burst::Options),
    /// Latency of one delivery while nothing waits.
    Empty(empty::Options),
    /// Memory, processor time and latency beside Socket.IO, Nchan and NATS.
    Peers(peers::Options),
}

/// Runs a comparison.
///
/// # Errors
/// It could not be set up.
pub async fn run(world: &World, figure: &Figure, seed: u64) -> Result<Report, Error> {
    match figure {
        Figure::Idle(options) => Box::pin(idle::run(world, options, seed)).await,
        Figure::Connect(options) => Box::pin(connect::run(world, options, seed)).await,
        Figure::Room(options) => Box::pin(room::run(world, options, seed)).await,
        Figure::Burst(options) => Box::pin(burst::run(world, options, seed)).await,
        Figure::Empty(options) => Box::pin(empty::run(world, options, seed)).await,
        Figure::Peers(options) => Box::pin(peers::run(world, options, seed)).await,
    }
}

/// Measurements of one thing at all three arms, one of each in every turn.
struct Compared {
    key: &'static str,
    unit: Unit,
    better: Better,
    goal: Option<(Over, Goal)>,
    turns: [Vec<f64>; Which::ALL.len()],
}

impl Compared {
    /// Something of which less is better.
    fn cost(key: &'static str, unit: Unit) -> Self {
        Self::new(key, unit, Better::Less)
    }

    /// Something of which more is better.
    fn gain(key: &'static str, unit: Unit) -> Self {
        Self::new(key, unit, Better::More)
    }

    fn new(key: &'static str, unit: Unit, better: Better) -> Self {
        Self {
            key,
            unit,
            better,
            goal: None,
            turns: Default::default(),
        }
    }

    /// What the median of one arm by that of another is to be, at the run's full size on a quiet machine. Plots show
    /// it; a run does not fail for it.
    fn aims(self, over: Which, under: Which, relation: Relation, limit: f64) -> Self {
        Self {
            goal: Some(((over, under), Goal { relation, limit })),
            ..self
        }
    }

    fn add(&mut self, which: Which, value: f64) {
        self.turns[which as usize].push(value);
    }

    fn median(&self, which: Which) -> f64 {
        median(&self.turns[which as usize])
    }

    /// The median of one arm by that of another; zero where that is nothing.
    fn ratio(&self, over: Which, under: Which) -> f64 {
        let under = self.median(under);
        if under > 0.0 {
            self.median(over) / under
        } else {
            0.0
        }
    }
}

/// One arm by another.
type Over = (Which, Which);

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        count if count.is_multiple_of(2) => f64::midpoint(values[count / 2 - 1], values[count / 2]),
        count => values[count / 2],
    }
}

/// The ratios, with the words before them: those of the main figure have none.
const RATIOS: [(&str, Which, Which); 4] = [
    ("n_over_s", Which::Naive, Which::Switchboard),
    ("t_over_s", Which::Tuned, Which::Switchboard),
    ("s_over_n", Which::Switchboard, Which::Naive),
    ("s_over_t", Which::Switchboard, Which::Tuned),
];

/// A report of what was compared. The first figure is the one that `n_over_s` and the other ratios without
/// a name are of.
fn report(name: &'static str, seed: u64, arms: &[Arm], compared: &[Compared]) -> Report {
    let urls = arms.iter().map(|arm| arm.url().to_owned());
    let mut report = Report::new(name, seed, urls.collect());
    report.compared = compared.iter().map(plotted).collect();
    let (mut medians, mut turns) = (Map::new(), Map::new());
    for (index, one) in compared.iter().enumerate() {
        for which in Which::ALL {
            let key = format!("{}_{}", which.name(), one.key);
            report.figure(&key, one.median(which), one.unit);
        }
        for (ratio, over, under) in RATIOS {
            let key = match index {
                0 => ratio.to_owned(),
                _ => format!("{}_{ratio}", one.key),
            };
            report.figure(&key, one.ratio(over, under), Unit::Ratio);
        }
        let of_arms = |value: &dyn Fn(Which) -> Value| {
            let pair = |which: Which| (which.name().to_owned(), value(which));
            Value::Object(Which::ALL.into_iter().map(pair).collect())
        };
        medians.insert(
            one.key.to_owned(),
            of_arms(&|which| json!(one.median(which))),
        );
        let all = of_arms(&|which| json!(one.turns[which as usize]));
        turns.insert(one.key.to_owned(), all);
    }
    if let Some(main) = compared.first() {
        report.details.insert("figure".to_owned(), json!(main.key));
    }
    report
        .details
        .insert("medians".to_owned(), Value::Object(medians));
    report
        .details
        .insert("turns".to_owned(), Value::Object(turns));
    report
}

/// A figure as a plot shows it: all arms, and Switchboard by each of the others so that above 1 is good; a goal says
/// itself which is by which.
fn plotted(one: &Compared) -> Arms {
    let ours = Which::Switchboard;
    let arm = |which: Which| Bar {
        name: which.name().to_owned(),
        value: one.median(which),
        turns: one.turns[which as usize].clone(),
        goal: None,
    };
    let ratio = |other: Which| {
        let by_default = match one.better {
            Better::Less => (other, ours),
            Better::More => (ours, other),
        };
        let goal = one
            .goal
            .filter(|((over, under), _)| [over, under].contains(&&other));
        let (over, under) = goal.map_or(by_default, |(over, _)| over);
        // A small run may find that an arm cost nothing: then there is no ratio, and no goal is kept by it.
        (one.median(under) > 0.0).then(|| Bar {
            name: format!("{} / {}", over.letter(), under.letter()),
            value: one.ratio(over, under),
            turns: Vec::new(),
            goal: goal.map(|(_, goal)| goal),
        })
    };
    Arms {
        key: one.key.to_owned(),
        unit: one.unit,
        better: one.better,
        arms: Which::ALL.into_iter().map(arm).collect(),
        ratios: [Which::Naive, Which::Tuned]
            .into_iter()
            .filter_map(ratio)
            .collect(),
    }
}

/// The order of the arms in a turn: every second one goes the other way.
fn order(turn: u64) -> Vec<usize> {
    let mut order: Vec<_> = (0..Which::ALL.len()).collect();
    if !turn.is_multiple_of(2) {
        order.reverse();
    }
    order
}

/// Whether another turn begins: all that are wanted, but none after the time is over, and the first always.
fn goes_on(turn: u64, wanted: u64, until: Duration) -> bool {
    turn == 0 || turn < wanted && moment::now() < until
}

/// Fails the run where something is not as it must be for a comparison.
fn expect(report: &mut Report, key: &str, count: u64, expected: u64) {
    report.count(key, count);
    report.expect(key, Relation::Exactly, expected as f64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
        assert!(median(&[]).abs() < f64::EPSILON);
    }

    #[test]
    fn ratios_are_of_medians_and_say_what_is_by_what() {
        let mut compared = Compared::cost("bytes", Unit::Bytes).aims(
            Which::Switchboard,
            Which::Tuned,
            Relation::AtMost,
            1.2,
        );
        for (which, values) in Which::ALL
            .into_iter()
            .zip([[9.0, 40.0], [8.0, 6.0], [2.0, 5.0]])
        {
            for value in values {
                compared.add(which, value);
            }
        }
        let report = report("compare", 1, &[], &[compared]);
        let names: Vec<_> = report.compared[0]
            .ratios
            .iter()
            .map(|bar| bar.name.as_str())
            .collect();
        assert_eq!(names, ["N / S", "S / T"], "the goal says which is by which");
        assert!(
            report.compared[0].ratios[0].goal.is_none()
                && report.compared[0].ratios[1].goal.is_some()
        );
        let nothing = plotted(&Compared::cost("cpu", Unit::Us));
        assert!(nothing.ratios.is_empty(), "by nothing there is no ratio");
        let json = report.json();
        assert_eq!(json["n_over_s"], json!(7.0));
        assert_eq!(json["t_over_s"], json!(2.0));
        assert_eq!(json["s_over_t"], json!(0.5));
        assert_eq!(json["figure"], json!("bytes"));
        assert_eq!(json["medians"]["bytes"]["naive"], json!(24.5));
        assert_eq!(json["turns"]["bytes"]["switchboard"], json!([2.0, 5.0]));
    }
}
