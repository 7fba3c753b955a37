//! One row of the comparison: a program, those who are just there, and the pairs that talk.

use std::time::Duration;

use futures_util::future::try_join_all;
use protocol::frame::ClientFrame;
use protocol::id::ConversationId;
use protocol::text::ClientId;
use serde_json::{Value, json};
use world::World;

use super::super::arm::{Arm, Which};
use super::super::crowd::{Crowd, Plan as Gathering, Who};
use super::super::{median, wire};
use super::Options;
use super::chart::Found;
use super::peer::{Dialect, Peer, Role};
use super::program::Program;
use super::talk::{Pairs, Say, Talked};
use crate::Error;
use crate::client::Server;
use crate::fleet::moment;
use crate::measure::{Latencies, Tally};
use crate::process::Usage;
use crate::scenario::cast::say;
use crate::scenario::plan::Plan;

/// From the cue to the first message.
const LEAD: Duration = Duration::from_millis(100);

/// After the last message, before processor time is read: what a program does afterwards is part of the message's cost.
const AFTERWARDS: Duration = Duration::from_secs(1);

/// How long stragglers are waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between two looks at what a program uses.
const LOOK: Duration = Duration::from_secs(1);

/// Processor time between two looks of a program that has nothing left to do: three hundredths of a core.
const QUIET_SECONDS: f64 = 0.03;

/// How long a program may take to finish with those who came.
const SETTLE_MAX: Duration = Duration::from_secs(12);

/// Connections that are being opened at a time.
const LANES: u64 = 32;

/// Messages of each pair that are not counted: connections and caches are new.
const WARM_UP: u64 = 5;

/// What Switchboard promises of what is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Promise {
    /// Signals, which nobody stores.
    PassedOn,
    /// Messages, stored before they are passed on.
    StoredFirst,
}

/// What runs behind a row.
enum Behind {
    Peer(Box<Program>),
    Arm(Box<Arm>),
}

/// A row, and what was measured of it so far.
pub(super) struct Row {
    /// Its name for programs.
    pub(super) name: &'static str,
    /// Messages that did not come.
    pub(super) missing: u64,
    title: &'static str,
    behind: Behind,
    pairs: Pairs,
    bytes: f64,
    cpu_s: Vec<f64>,
    p50_us: Vec<f64>,
    p99_us: Vec<f64>,
    all: Latencies,
}

impl Row {
    /// Starts a program and measures those who are just there.
    ///
    /// # Errors
    /// It does not start, or refuses somebody.
    pub(super) async fn of_peer(
        world: &World,
        options: &Options,
        peer: Peer,
    ) -> Result<Self, Error> {
        let program = Program::start(world, &options.peers, peer).await?;
        let who = Who::Peer {
            peer,
            secret: program.secret.clone(),
        };
        let usage = || program.usage();
        let bytes = Box::pin(idle(world, options, &program.url, &usage, who)).await?;
        let pairs = peer_pairs(world, options, &program).await?;
        let behind = Behind::Peer(Box::new(program));
        Ok(Self::new(peer.name(), peer.title(), behind, pairs, bytes))
    }

    /// The same with Switchboard, or with a plain server that speaks its wire. Those store nothing, whatever is promised.
    ///
    /// # Errors
    /// It does not start, or refuses somebody.
    pub(super) async fn of_arm(
        world: &World,
        options: &Options,
        seed: u64,
        which: Which,
        promise: Promise,
    ) -> Result<Self, Error> {
        let arm = Arm::start(world, seed, which).await?;
        let usage = || arm.usage();
        let bytes = Box::pin(idle(world, options, arm.url(), &usage, arm.visitors())).await?;
        let pairs = Box::pin(arm_pairs(world, &arm, options, promise)).await?;
        let (name, title) = match (which, promise) {
            (Which::Naive, _) => ("naive", "N, a naive server"),
            (Which::Tuned, _) => ("tuned", "T, a tuned server"),
            (Which::Switchboard, Promise::PassedOn) => {
                ("switchboard", "Switchboard, nothing stored")
            }
            (Which::Switchboard, Promise::StoredFirst) => {
                ("switchboard_stored", "Switchboard, stored first")
            }
        };
        let behind = Behind::Arm(Box::new(arm));
        Ok(Self::new(name, title, behind, pairs, bytes))
    }

    fn new(
        name: &'static str,
        title: &'static str,
        behind: Behind,
        pairs: Pairs,
        bytes: f64,
    ) -> Self {
        Self {
            name,
            missing: 0,
            title,
            behind,
            pairs,
            bytes,
            cpu_s: Vec::new(),
            p50_us: Vec::new(),
            p99_us: Vec::new(),
            all: Latencies::default(),
        }
    }

    /// Where the program listens.
    pub(super) fn url(&self) -> &str {
        self.behind.url()
    }

    /// Lets the pairs talk without measuring.
    ///
    /// # Errors
    /// A connection broke.
    pub(super) async fn warm_up(&self, world: &World, options: &Options) -> Result<(), Error> {
        self.talk(world, options, options.pairs * WARM_UP).await?;
        Ok(())
    }

    /// Measures one turn.
    ///
    /// # Errors
    /// A connection broke, or the program has ended.
    pub(super) async fn turn(&mut self, world: &World, options: &Options) -> Result<(), Error> {
        let due = options.rate * options.turn_s;
        let before = self.behind.usage()?;
        let talked = self.talk(world, options, due).await?;
        world.clock.sleep(AFTERWARDS).await;
        let busy = self.behind.usage()?.cpu_seconds - before.cpu_seconds;
        self.missing += due.saturating_sub(talked.delivered);
        let delivered = (talked.delivered as f64).max(1.0);
        self.cpu_s.push(busy / delivered * 100_000.0);
        self.p50_us.push(talked.latencies.at(0.5) as f64);
        self.p99_us.push(talked.latencies.at(0.99) as f64);
        self.all.add_all(&talked.latencies);
        Ok(())
    }

    async fn talk(&self, world: &World, options: &Options, due: u64) -> Result<Talked, Error> {
        let plan = Plan {
            pairs: options.pairs,
            rate: options.rate,
            due,
            message_bytes: options.message_bytes,
            started: moment::now() + LEAD,
            warm_up: Duration::ZERO,
        };
        Box::pin(self.pairs.talk(world, &plan, PATIENCE)).await
    }

    /// Medians of what was measured.
    pub(super) fn found(&self) -> Found {
        Found {
            name: self.name.to_owned(),
            title: self.title.to_owned(),
            version: match &self.behind {
                Behind::Peer(program) => program.version.clone(),
                Behind::Arm(_) => env!("CARGO_PKG_VERSION").to_owned(),
            },
            is_ours: matches!(&self.behind, Behind::Arm(arm) if arm.which == Which::Switchboard),
            bytes_per_visitor: self.bytes.round(),
            // Short, so that the documents' test reads what was written.
            cpu_s_per_100k: (median(&self.cpu_s) * 1_000.0).round() / 1_000.0,
            p50_us: median(&self.p50_us),
            p99_us: median(&self.p99_us),
        }
    }

    /// All turns, by figure.
    pub(super) fn turns(&self) -> Value {
        json!({"cpu_s_per_100k": self.cpu_s, "p50_us": self.p50_us, "p99_us": self.p99_us})
    }

    /// The latencies of all turns.
    pub(super) fn latencies(&self) -> Latencies {
        self.all.clone()
    }
}

impl Behind {
    fn url(&self) -> &str {
        match self {
            Self::Peer(program) => &program.url,
            Self::Arm(arm) => arm.url(),
        }
    }

    fn usage(&self) -> Result<Usage, Error> {
        match self {
            Self::Peer(program) => program.usage(),
            Self::Arm(arm) => arm.usage(),
        }
    }
}

/// Bytes of a visitor who is just there.
async fn idle(
    world: &World,
    options: &Options,
    url: &str,
    usage: &(dyn Fn() -> Result<Usage, Error> + Sync),
    who: Who,
) -> Result<f64, Error> {
    let gathering = Gathering {
        who,
        count: options.visitors,
        follows: Vec::new(),
        lanes: LANES,
        index: 0,
    };
    let mut crowd = Crowd::gather_at(world, url, gathering).await?;
    let before = settle(world, usage).await?;
    crowd.open().await?;
    let after = settle(world, usage).await?;
    let lost = crowd.counts().of(Tally::Lost);
    crowd.leave().await?;
    if lost > 0 {
        return Err(Error::Broken(format!("{lost} visitors were lost at rest")));
    }
    let grown = after.memory_bytes.saturating_sub(before.memory_bytes);
    Ok(grown as f64 / options.visitors as f64)
}

/// Waits until a program has nothing left to do; with what it has used by then.
async fn settle(
    world: &World,
    usage: &(dyn Fn() -> Result<Usage, Error> + Sync),
) -> Result<Usage, Error> {
    let until = moment::now() + SETTLE_MAX;
    let mut before = usage()?;
    loop {
        world.clock.sleep(LOOK).await;
        let after = usage()?;
        let is_quiet = after.cpu_seconds - before.cpu_seconds <= QUIET_SECONDS;
        if is_quiet || moment::now() >= until {
            return Ok(after);
        }
        before = after;
    }
}

async fn peer_pairs(world: &World, options: &Options, program: &Program) -> Result<Pairs, Error> {
    let (peer, secret) = (program.peer, &program.secret);
    let server = Server::find(&program.url).await?;
    let topics = (0..options.pairs).map(|pair| format!("pair{pair}"));
    let topics: Vec<String> = topics.collect();
    let enter = |role| {
        let enter = |topic| peer.enter(&server, secret, topic, role);
        try_join_all(
            topics
                .iter()
                .map(|topic: &String| enter(topic))
                .collect::<Vec<_>>(),
        )
    };
    let listeners = enter(Role::Listener).await?;
    let speakers = enter(Role::Speaker).await?;
    let say: Say =
        Box::new(move |pair, index, plan| peer.said(&topics[pair], plan.body(index).as_str()));
    let dialect = Dialect::Peer(peer);
    Ok(Pairs::new(world, dialect, speakers, listeners, say))
}

/// Visitors who speak and consoles that listen.
async fn arm_pairs(
    world: &World,
    arm: &Arm,
    options: &Options,
    promise: Promise,
) -> Result<Pairs, Error> {
    let (mut speakers, mut listeners, mut rooms) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.pairs {
        let room = arm.room().await?;
        speakers.push(arm.speaker(&room).await?);
        listeners.push(arm.console(&room).await?);
        rooms.push(room.conversation_id);
    }
    let say = match promise {
        Promise::PassedOn => signals(rooms),
        Promise::StoredFirst => commands(world, rooms),
    };
    let dialect = Dialect::Switchboard;
    Ok(Pairs::new(world, dialect, speakers, listeners, say))
}

/// What is typed: passed on, and stored by nobody.
fn signals(rooms: Vec<ConversationId>) -> Say {
    Box::new(move |pair, index, plan| {
        wire::frame(&ClientFrame::Typing {
            conversation_id: Some(rooms[pair]),
            text: Some(plan.body(index).as_str().to_owned()),
            active: true,
        })
    })
}

/// Messages: stored before they are passed on.
fn commands(world: &World, rooms: Vec<ConversationId>) -> Say {
    let ids = world.ids.clone();
    Box::new(move |pair, index, plan| {
        let bytes = ids.bytes::<12>();
        let name: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        wire::frame(&ClientFrame::Command {
            client_id: ClientId::parse(&name).expect("digits are a name"),
            command: say(Some(rooms[pair]), &plan.body(index)),
        })
    })
}
