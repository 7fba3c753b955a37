//! `idle`: many visitors who are just there. Measures how fast they connect and what each costs.
//!
//! Above `SHARE_MAX` visitors the crowd is split over worker processes, because a process has a
//! limit of open files; each worker connects from its own loopback address, because a pair of
//! addresses has a limit of ports.

use std::net::{IpAddr, Ipv4Addr};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use protocol::frame::Purpose;
use protocol::id::SiteId;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, BufReader};
use world::World;

use super::{Counter, Target, with_progress};
use crate::Error;
use crate::client::http::Http;
use crate::client::{Access, Client, News, Server, VisitorAccess};
use crate::process::Usage;
use protocol::news::VisitorNews;

/// Visitors of one process.
const SHARE_MAX: u64 = 15_000;

/// How many sessions a process begins at a time.
const LANES: u64 = 16;

/// Options of `idle`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// How many visitors.
    #[arg(long, default_value_t = 1_000)]
    pub visitors: u64,
    /// New connections a second, at most.
    #[arg(long, default_value_t = 1_000)]
    pub connect_rate: u64,
    /// How long they stay after the last one has come.
    #[arg(long, default_value_t = 30)]
    pub hold_s: u64,
    /// Open the panel's connection instead of the launcher's.
    #[arg(long)]
    pub full: bool,
}

/// One process's part of the crowd; also the arguments of the worker command.
#[derive(Debug, Clone, clap::Args)]
pub struct Share {
    /// How many visitors.
    #[arg(long)]
    pub count: u64,
    /// New connections a second, at most.
    #[arg(long)]
    pub rate: u64,
    /// The panel's connection.
    #[arg(long)]
    pub panel: bool,
    /// The address to connect from.
    #[arg(long)]
    pub from: Option<IpAddr>,
}

/// How a crowd does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Connected now.
    pub connected: u64,
    /// Did not get in.
    pub failed: u64,
    /// Were in and lost the connection.
    pub lost: u64,
    /// Beats answered.
    pub beats: u64,
}

#[derive(Debug, Default)]
struct Progress {
    connected: Counter,
    failed: Counter,
    lost: Counter,
    beats: Counter,
}

impl Progress {
    fn state(&self) -> State {
        State {
            connected: self.connected.get(),
            failed: self.failed.get(),
            lost: self.lost.get(),
            beats: self.beats.get(),
        }
    }
}

/// What came out.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// How many visitors were asked for.
    pub visitors: u64,
    /// The end state.
    #[serde(flatten)]
    pub state: State,
    /// How long it took until all had come.
    pub connect_seconds: f64,
    /// Connections a second.
    pub connect_rate: f64,
    /// The server before anybody came.
    pub server_before: Option<Usage>,
    /// The server at the end of the time they stayed.
    pub server_held: Option<Usage>,
    /// User-space bytes of the server for each connection.
    pub bytes_per_connection: Option<f64>,
    /// Processor time of the server while they were just there, in percent of one core.
    pub idle_cpu_percent: Option<f64>,
}

impl Report {
    /// Whether nobody was turned away or lost.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.state.connected == self.visitors && self.state.failed + self.state.lost == 0
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{} of {} visitors connected in {:.1} s ({:.0}/s), {} failed, {} lost, {} beats answered",
            self.state.connected,
            self.visitors,
            self.connect_seconds,
            self.connect_rate,
            self.state.failed,
            self.state.lost,
            self.state.beats
        )?;
        if let (Some(before), Some(held)) = (self.server_before, self.server_held) {
            let mib = |bytes: u64| bytes as f64 / 1_048_576.0;
            writeln!(
                f,
                "server: {:.1} MiB before, {:.1} MiB held (resident {:.1} MiB), {} descriptors",
                mib(before.memory_bytes),
                mib(held.memory_bytes),
                mib(held.resident_bytes),
                held.descriptor_count
            )?;
        }
        if let Some(bytes) = self.bytes_per_connection {
            writeln!(f, "server: {bytes:.0} bytes for each connection")?;
        }
        if let Some(percent) = self.idle_cpu_percent {
            writeln!(
                f,
                "server: {percent:.1} % of a core while they were just there"
            )?;
        }
        Ok(())
    }
}

/// Runs the scenario.
///
/// # Errors
/// It could not be set up. Visitors who fail or are lost are in the report.
pub async fn run(world: &World, target: &Target, options: &Options) -> Result<Report, Error> {
    let server = target.find().await?;
    let site_key = target.site(&mut Http::new(server.clone())).await?;
    let usage = || target.server_pid.map(Usage::of).transpose();
    let server_before = usage()?;
    let started = world.clock.elapsed();
    let mut crowd = Crowd::gather(world, target, &server, site_key, options)?;
    let line = |state: State| format!("idle  {state:?}");
    while crowd.state().connected + crowd.state().failed + crowd.state().lost < options.visitors {
        crowd.check()?;
        world.clock.sleep(Duration::from_millis(50)).await;
        crowd.say(world, line);
    }
    let connect_seconds = (world.clock.elapsed() - started).as_secs_f64();
    let begun = usage()?;
    let hold = Duration::from_secs(options.hold_s);
    let say = || line(crowd.state());
    with_progress(world, say, world.clock.sleep(hold)).await;
    let server_held = usage()?;
    let state = crowd.state();
    crowd.dismiss(world).await;
    Ok(Report {
        visitors: options.visitors,
        state,
        connect_seconds,
        connect_rate: ratio(state.connected, connect_seconds),
        server_before,
        server_held,
        bytes_per_connection: server_before.zip(server_held).map(|(before, held)| {
            let grown = held.memory_bytes.saturating_sub(before.memory_bytes);
            ratio(grown, state.connected as f64)
        }),
        idle_cpu_percent: begun.zip(server_held).map(|(begun, held)| {
            (held.cpu_seconds - begun.cpu_seconds) / hold.as_secs_f64().max(1.0) * 100.0
        }),
    })
}

fn ratio(count: u64, by: f64) -> f64 {
    count as f64 / by.max(f64::MIN_POSITIVE)
}

/// The crowd: in this process, or spread over workers.
struct Crowd {
    progress: Arc<Progress>,
    workers: Vec<Worker>,
    said_at: Duration,
}

struct Worker {
    child: tokio::process::Child,
    state: Arc<std::sync::Mutex<State>>,
}

impl Crowd {
    fn gather(
        world: &World,
        target: &Target,
        server: &Server,
        site_key: SiteId,
        options: &Options,
    ) -> Result<Self, Error> {
        let mut crowd = Self {
            progress: Arc::default(),
            workers: Vec::new(),
            said_at: Duration::ZERO,
        };
        let share_count = options.visitors.div_ceil(SHARE_MAX);
        let rate = options.connect_rate.div_ceil(share_count.max(1)).max(1);
        let mut left = options.visitors;
        for index in 0..share_count {
            let count = left.div_ceil(share_count - index);
            left -= count;
            let share = Share {
                count,
                rate,
                panel: options.full,
                from: from_address(server, index),
            };
            if share_count == 1 {
                let progress = crowd.progress.clone();
                hold(world, server, site_key, &share, &progress);
            } else {
                crowd
                    .workers
                    .push(Worker::start(world, target, site_key, &share)?);
            }
        }
        Ok(crowd)
    }

    fn state(&self) -> State {
        let here = self.progress.state();
        self.workers.iter().fold(here, |sum, worker| {
            let state = *worker.state.lock().expect("nobody panics with this lock");
            State {
                connected: sum.connected + state.connected,
                failed: sum.failed + state.failed,
                lost: sum.lost + state.lost,
                beats: sum.beats + state.beats,
            }
        })
    }

    fn check(&mut self) -> Result<(), Error> {
        for worker in &mut self.workers {
            if let Some(status) = worker.child.try_wait()? {
                return Err(Error::Malformed(format!("a worker ended: {status}")));
            }
        }
        Ok(())
    }

    fn say(&mut self, world: &World, line: impl Fn(State) -> String) {
        let now = world.clock.elapsed();
        if now - self.said_at >= Duration::from_secs(1) {
            self.said_at = now;
            eprintln!("{}", line(self.state()));
        }
    }

    async fn dismiss(mut self, world: &World) {
        for worker in &mut self.workers {
            // Its end of input is the sign to leave.
            drop(worker.child.stdin.take());
        }
        for worker in &mut self.workers {
            if world
                .clock
                .timeout(Duration::from_secs(10), worker.child.wait())
                .await
                .is_none()
            {
                // It is ours, and it had its time; an error means that it is gone already.
                let _ = worker.child.kill().await;
            }
        }
    }
}

/// Each share gets an address of its own on a loopback server; elsewhere the system chooses.
fn from_address(server: &Server, index: u64) -> Option<IpAddr> {
    let last = u8::try_from(index + 2).ok()?;
    let is_loopback = server.address().ip() == IpAddr::V4(Ipv4Addr::LOCALHOST);
    is_loopback.then(|| IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)))
}

impl Worker {
    fn start(
        world: &World,
        target: &Target,
        site_key: SiteId,
        share: &Share,
    ) -> Result<Self, Error> {
        let mut command = tokio::process::Command::new(std::env::current_exe()?);
        command
            .args(["idle-worker", "--server", &target.server])
            .args(["--site-key", &site_key.to_string()])
            .args(["--count", &share.count.to_string()])
            .args(["--rate", &share.rate.to_string()]);
        if share.panel {
            command.arg("--panel");
        }
        if let Some(from) = share.from {
            command.args(["--from", &from.to_string()]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn()?;
        let output = child.stdout.take().expect("the output is piped");
        let state = Arc::<std::sync::Mutex<State>>::default();
        let heard = state.clone();
        world.tracker.spawn(async move {
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if let Ok(told) = serde_json::from_str(&line) {
                    *heard.lock().expect("nobody panics with this lock") = told;
                }
            }
        });
        Ok(Self { child, state })
    }
}

/// The worker's side: holds its share and tells how it does until its input ends.
///
/// # Errors
/// It could not be set up.
pub async fn work(world: &World, target: &Target, share: &Share) -> Result<(), Error> {
    let server = target.find().await?;
    let site_key = target.site(&mut Http::new(server.clone())).await?;
    let progress = Arc::<Progress>::default();
    hold(world, &server, site_key, share, &progress);
    let mut ended = world.tracker.spawn_blocking(|| {
        use std::io::Read as _;
        // Nothing is ever written; the end of it, or an error, is the sign.
        let _ = std::io::stdin().read(&mut [0]);
    });
    loop {
        tokio::select! {
            biased;
            _ = &mut ended => return Ok(()),
            () = world.clock.sleep(Duration::from_millis(250)) => {
                let line = serde_json::to_string(&progress.state()).expect("counters are JSON");
                crate::scenario::say_line(&line)?;
            }
        }
    }
}

/// Lets a share of visitors come, at a steady rate, and stay until the process ends.
fn hold(world: &World, server: &Server, site_key: SiteId, share: &Share, progress: &Arc<Progress>) {
    let server = share
        .from
        .map_or_else(|| server.clone(), |from| server.from_address(from));
    for lane in 0..LANES.min(share.count) {
        let world = world.clone();
        let server = server.clone();
        let progress = progress.clone();
        let share = share.clone();
        world.clone().tracker.spawn(async move {
            let mut http = Http::new(server.clone());
            let started = world.clock.elapsed();
            for index in (lane..share.count).step_by(usize::try_from(LANES).expect("small")) {
                let due = started + Duration::from_micros(index * 1_000_000 / share.rate);
                world
                    .clock
                    .sleep(due.saturating_sub(world.clock.elapsed()))
                    .await;
                match enter(&world, &mut http, &server, site_key, share.panel).await {
                    Ok(client) => {
                        progress.connected.add();
                        world.tracker.spawn(stay(client, progress.clone()));
                    }
                    Err(error) => {
                        if progress.failed.get() == 0 {
                            eprintln!("the first failure: {error}");
                        }
                        progress.failed.add();
                    }
                }
            }
        });
    }
}

async fn enter(
    world: &World,
    http: &mut Http,
    server: &Server,
    site_key: SiteId,
    panel: bool,
) -> Result<Client, Error> {
    let origin = server.origin();
    let visitor = VisitorAccess::begin(http, site_key, &origin, None).await?;
    let purpose = if panel {
        Purpose::Full
    } else {
        Purpose::Launcher
    };
    let mut client = Client::new(world.clone(), server.clone(), Access::Visitor(visitor))
        .with_purpose(purpose)
        .on_page(&format!("{origin}/demo/"), "Load test");
    client.connect().await?;
    Ok(client)
}

async fn stay(mut client: Client, progress: Arc<Progress>) {
    loop {
        match client.next().await {
            Ok(News::Visitor(VisitorNews::Beat)) => progress.beats.add(),
            Ok(News::Visitor(_) | News::Agent(_)) => {}
            Err(error) => {
                if progress.lost.get() == 0 {
                    eprintln!("the first loss: {error}");
                }
                progress.connected.remove();
                progress.lost.add();
                return;
            }
        }
    }
}
