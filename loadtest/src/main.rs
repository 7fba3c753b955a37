//! `switchboard-loadtest`: plays visitors and agents over the real wire, measures, and checks that
//! nothing was lost, doubled or out of order.
//!
//! Ends with 0 when the server kept its promises, with 1 when it broke one, with 2 when the run could
//! not be made.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use loadtest::Error;
use loadtest::scenario::{self, Target, chat, idle};
use serde::Serialize;
use world::World;

/// Load test of Switchboard.
#[derive(Debug, Parser)]
#[command(name = "switchboard-loadtest", version)]
struct Arguments {
    #[command(flatten)]
    target: Target,
    /// Print the report as JSON on standard output.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    scenario: Scenario,
}

#[derive(Debug, Subcommand)]
enum Scenario {
    /// Hold many visitors who are just there.
    Idle(idle::Options),
    /// Let pairs of a visitor and an agent talk at a steady rate.
    Chat(chat::Options),
    /// A share of `idle` in a process of its own.
    #[command(hide = true)]
    IdleWorker(idle::Share),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let world = World::system();
    match run(&world, &arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

async fn run(world: &World, arguments: &Arguments) -> Result<bool, Error> {
    let target = &arguments.target;
    match &arguments.scenario {
        Scenario::Idle(options) => {
            let report = idle::run(world, target, options).await?;
            show(arguments.json, &report)?;
            Ok(report.is_good())
        }
        Scenario::Chat(options) => {
            let report = Box::pin(chat::run(world, target, options)).await?;
            show(arguments.json, &report)?;
            Ok(report.is_good())
        }
        Scenario::IdleWorker(share) => {
            idle::work(world, target, share).await?;
            Ok(true)
        }
    }
}

fn show(json: bool, report: &(impl Serialize + std::fmt::Display)) -> Result<(), Error> {
    let text = if json {
        serde_json::to_string_pretty(report).expect("a report is JSON")
    } else {
        report.to_string()
    };
    scenario::say_line(&text)
}
