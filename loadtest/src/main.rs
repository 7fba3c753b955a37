//! `switchboard-loadtest`: plays visitors and agents over the real wire, measures, and checks that
//! nothing was lost, doubled or out of order.
//!
//! Ends with 0 when the server kept its promises and every expectation was met, with 1 when not, with 2
//! when the run could not be made.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use loadtest::compare::{self, stand};
use loadtest::measure::Wish;
use loadtest::report::{Report, html};
use loadtest::scenario::{
    self, chat, connect, drain, feed, ghosts, idle, inbox, room, slow, soak, storm, verify,
};
use loadtest::target::Target;
use loadtest::{Error, fleet};
use tokio::signal::unix::{SignalKind, signal};
use world::World;

/// Load test of Switchboard.
#[derive(Debug, Parser)]
#[command(name = "switchboard-loadtest", version)]
struct Arguments {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    output: Output,
    #[command(subcommand)]
    scenario: Scenario,
}

/// What is expected and where the report goes.
#[derive(Debug, Args)]
struct Output {
    /// Write the report as JSON.
    #[arg(long, global = true, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the report as a page with plots.
    #[arg(long, global = true, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Expect something of a figure, as `delivery_p99_ms<=25`; end with 1 where it is not so.
    #[arg(long, global = true, value_name = "NAME<=VALUE")]
    expect: Vec<Wish>,
    /// Expect that 99 of 100 of the scenario's first latencies are at most this.
    #[arg(long, global = true, value_name = "MS")]
    expect_p99_ms: Option<f64>,
    /// Where random choices come from; the same seed makes the same run. Random when absent.
    #[arg(long, global = true)]
    seed: Option<u64>,
}

#[derive(Debug, Subcommand)]
enum Scenario {
    /// Hold many visitors who are just there.
    Idle(idle::Options),
    /// Open connections as fast as the server takes them, or at a rate.
    Connect(connect::Options),
    /// Let pairs of a visitor and an agent talk at a steady rate.
    Chat(chat::Options),
    /// Let one speak to many who follow the same conversation.
    Room(room::Options),
    /// Let visitors page while agents watch the live list.
    Feed(feed::Options),
    /// Let customers write while agents have the inbox open.
    Inbox(inbox::Options),
    /// Drop everybody, and let everybody resume at once.
    Storm(storm::Options),
    /// Ask a full server to end, and let everybody come back.
    Drain(drain::Options),
    /// Kill a node of several, and see how long its visitors are still shown.
    Ghosts(ghosts::Options),
    /// Let some of a room's followers stop reading.
    Slow(slow::Options),
    /// Let people talk, page and watch for a long time.
    Soak(soak::Options),
    /// Compare what was acknowledged, stored and shown; with --faults while nodes are being broken.
    Verify(verify::Options),
    /// Compare Switchboard with two plain servers, all three started for the run.
    #[command(subcommand)]
    Compare(compare::Figure),
    /// A server to compare with.
    #[command(hide = true)]
    Arm(stand::Options),
    /// A share of a run in a process of its own.
    #[command(hide = true)]
    Worker,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Err(error) = world::net::allow_descriptors() {
        return failed(&error.into());
    }
    let built = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match built {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let code = runtime.block_on(Box::pin(run(arguments)));
    // Somebody may still be waiting for input that never comes.
    runtime.shutdown_background();
    code
}

async fn run(arguments: Arguments) -> ExitCode {
    let world = World::system();
    if matches!(arguments.scenario, Scenario::Worker) {
        return match fleet::worker::run(world, scenario::play).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error),
        };
    }
    if let Scenario::Arm(options) = &arguments.scenario {
        return match stand::run(&world, options).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error),
        };
    }
    // Whatever is dropped here ends: workers and nodes are killed with their handles.
    tokio::select! {
        led = Box::pin(lead(&world, &arguments)) => match led {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::from(1),
            Err(error) => failed(&error),
        },
        () = interrupted() => ExitCode::from(130),
    }
}

fn failed(error: &Error) -> ExitCode {
    // Where nobody reads what went wrong, the code tells it.
    let _ = writeln!(std::io::stderr(), "{error}");
    ExitCode::from(2)
}

/// SIGINT or SIGTERM.
async fn interrupted() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// Makes a run and tells what came out; says whether all was good.
async fn lead(world: &World, arguments: &Arguments) -> Result<bool, Error> {
    let output = &arguments.output;
    let seed = output.seed.unwrap_or_else(|| world.ids.below(1 << 32));
    let started = world.clock.elapsed();
    let target = &arguments.target;
    let stage = async || target.resolve(world, seed).await;
    let mut report = match &arguments.scenario {
        Scenario::Idle(options) => idle::run(&stage().await?, options).await?,
        Scenario::Connect(options) => connect::run(&stage().await?, options).await?,
        Scenario::Chat(options) => chat::run(&stage().await?, options).await?,
        Scenario::Room(options) => room::run(&stage().await?, options).await?,
        Scenario::Feed(options) => feed::run(&stage().await?, options).await?,
        Scenario::Inbox(options) => inbox::run(&stage().await?, options).await?,
        Scenario::Storm(options) => storm::run(&stage().await?, options).await?,
        Scenario::Drain(options) => drain::run(&mut stage().await?, options).await?,
        Scenario::Ghosts(options) => ghosts::run(world, target, options, seed).await?,
        Scenario::Slow(options) => slow::run(&stage().await?, options).await?,
        Scenario::Soak(options) => soak::run(&stage().await?, options).await?,
        Scenario::Verify(options) => verify::run(world, target, options, seed).await?,
        Scenario::Compare(figure) => Box::pin(compare::run(world, figure, seed)).await?,
        Scenario::Arm(_) | Scenario::Worker => return Ok(true),
    };
    report.seconds = (world.clock.elapsed() - started).as_secs_f64();
    report.expect_wishes(&output.expect, output.expect_p99_ms);
    tell(&report, output)?;
    Ok(report.is_good())
}

fn tell(report: &Report, output: &Output) -> Result<(), Error> {
    writeln!(std::io::stdout(), "{report}")?;
    if let Some(path) = &output.json {
        let text = serde_json::to_string_pretty(&report.json()).expect("a report is JSON");
        write_file(path, &(text + "\n"))?;
    }
    if let Some(path) = &output.html {
        write_file(path, &html::page(report))?;
    }
    Ok(())
}

fn write_file(path: &Path, text: &str) -> Result<(), Error> {
    let written = std::fs::write(path, text);
    written.map_err(|error| Error::Usage(format!("{}: {error}", path.display())))
}
