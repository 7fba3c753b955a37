//! `compare peers`: Switchboard beside what one would take instead: Socket.IO, Nchan and NATS over WebSocket, with the same
//! client, the same payloads and the same plan, in turns.
//!
//! The two plain servers of the other comparisons, N and T, stand among them. None of all these keeps what was said; so
//! Switchboard is shown twice, by signals that nobody stores, and by messages that are stored before they are passed on.
//! `docs/loadtest.md` says what each figure is.

mod chart;
mod paper;
pub(super) mod peer;
mod program;
mod row;
mod talk;

use std::path::PathBuf;

use serde_json::{Map, Value, json};
use world::World;

use self::chart::Found;
use self::paper::Paper;
use self::peer::Peer;
use self::row::{Promise, Row};
use super::arm::Which;
use super::expect;
use crate::Error;
use crate::report::arms::{Arms, Bar, Better};
use crate::report::{Report, Unit};

/// Options of `compare peers`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Where `install` has put the programs.
    #[arg(long, default_value = "loadtest/peers")]
    pub peers: PathBuf,
    /// Visitors of each program who are just there.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..=19_000))]
    pub visitors: u64,
    /// Pairs that talk.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=2_000))]
    pub pairs: u64,
    /// Messages a second, over all pairs.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub rate: u64,
    /// Seconds of a turn, for each program.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..))]
    pub turn_s: u64,
    /// Turns.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    pub turns: u64,
    /// Bytes of a message.
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u64).range(64..=1_000))]
    pub message_bytes: u64,
    /// Keep the figures in the documents of this folder: peers.json, peers.svg and a part of performance.md.
    #[arg(long, value_name = "FOLDER")]
    pub docs: Option<PathBuf>,
    /// What the documents say of when and where it was measured.
    #[arg(long, default_value = "", requires = "docs")]
    pub note: String,
}

/// The rows that are none of a peer, in the order they are shown.
const ARMS: [(Which, Promise); 4] = [
    (Which::Naive, Promise::PassedOn),
    (Which::Tuned, Promise::PassedOn),
    (Which::Switchboard, Promise::PassedOn),
    (Which::Switchboard, Promise::StoredFirst),
];

pub(super) async fn run(world: &World, options: &Options, seed: u64) -> Result<Report, Error> {
    let mut rows = Vec::new();
    for peer in Peer::ALL {
        rows.push(Box::pin(Row::of_peer(world, options, peer)).await?);
    }
    for (which, promise) in ARMS {
        rows.push(Box::pin(Row::of_arm(world, options, seed, which, promise)).await?);
    }
    for row in &rows {
        row.warm_up(world, options).await?;
    }
    for turn in 0..options.turns {
        let mut order: Vec<_> = (0..rows.len()).collect();
        if !turn.is_multiple_of(2) {
            order.reverse();
        }
        for index in order {
            rows[index].turn(world, options).await?;
        }
    }
    if let Some(folder) = &options.docs {
        paper(options, &rows).keep(folder)?;
    }
    Ok(tell(options, seed, &rows))
}

fn paper(options: &Options, rows: &[Row]) -> Paper {
    Paper {
        note: options.note.clone(),
        visitors: options.visitors,
        pairs: options.pairs,
        rate: options.rate,
        message_bytes: options.message_bytes,
        turns: options.turns,
        turn_s: options.turn_s,
        found: rows.iter().map(Row::found).collect(),
    }
}

/// A figure: its key, its unit, and where it stands.
type Told = (&'static str, Unit, fn(&Found) -> f64);

/// What is told of each program.
const FIGURES: [Told; 4] = [
    ("bytes_per_visitor", Unit::Bytes, |found| {
        found.bytes_per_visitor
    }),
    ("cpu_s_per_100k", Unit::Seconds, |found| {
        found.cpu_s_per_100k
    }),
    ("p50_us", Unit::Us, |found| found.p50_us),
    ("p99_us", Unit::Us, |found| found.p99_us),
];

fn tell(options: &Options, seed: u64, rows: &[Row]) -> Report {
    let urls = rows.iter().map(|row| row.url().to_owned());
    let mut report = Report::new("compare peers", seed, urls.collect());
    report.compared = compared(rows);
    let mut arms = Map::new();
    for row in rows {
        let found = row.found();
        for (key, unit, value) in FIGURES {
            report.figure(&format!("{}_{key}", row.name), value(&found), unit);
        }
        let mut told = json!(found);
        told["turns"] = row.turns();
        arms.insert(row.name.to_owned(), told);
        report.latency(row.name, row.latencies());
    }
    report
        .details
        .insert("arms".to_owned(), Value::Object(arms));
    report.count("visitors", options.visitors);
    report.count("pairs", options.pairs);
    report.count("rate", options.rate);
    let missing = rows.iter().map(|row| row.missing).sum();
    expect(&mut report, "missing", missing, 0);
    report
}

/// The figures as plots show them, a bar for each program.
fn compared(rows: &[Row]) -> Vec<Arms> {
    let figure = |(key, unit, value): Told| {
        let bar = |row: &Row| Bar {
            name: row.found().title,
            value: value(&row.found()),
            turns: Vec::new(),
            goal: None,
        };
        Arms {
            key: key.to_owned(),
            unit,
            better: Better::Less,
            arms: rows.iter().map(bar).collect(),
            ratios: Vec::new(),
        }
    };
    FIGURES.into_iter().map(figure).collect()
}
