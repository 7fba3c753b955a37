//! Those who are connected to a server: many lean clients in worker processes, and the coordinator's hold
//! on them.

use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use protocol::frame::Purpose;
use protocol::id::ConversationId;
use serde::{Deserialize, Serialize};
use world::World;

use super::arm::Arm;
use super::entrance::{self, Entrance};
use super::peers::peer::{Dialect, Peer, Role};
use super::token::Key;
use super::wire::{Upgrade, Wire, hello, is_a, masked};
use crate::Error;
use crate::client::{Access, Server};
use crate::fleet::worker::{Worker, note, noted};
use crate::fleet::{Fleet, moment};
use crate::measure::{Counts, Latencies, Meter, Tallies, Tally};
use crate::scenario::cast::{self, Doors};
use crate::scenario::plan::planned;
use crate::scenario::{Part, SHARE_MAX, Stretch, divide};
use crate::target::Setting;

/// Who connect from one address: fewer than it has ports.
const PORTS_MAX: u64 = 4_000;

/// How often a worker looks whether all has come.
const LOOK: Duration = Duration::from_millis(5);

/// Who they are.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// Visitors of a Switchboard, each with a session of his own.
    Sessions(Box<Setting>),
    /// Each with a token of his own that the tool signs.
    Signed(Key),
    /// All with one token.
    Token(String),
    /// Listeners of another program, each to a topic of his own.
    Peer {
        /// Which.
        peer: Peer,
        /// What opens its door.
        secret: String,
    },
}

/// One worker's part of a crowd.
#[derive(Serialize, Deserialize)]
pub struct Share {
    url: String,
    /// Addresses to connect from, each for so many.
    from: Vec<IpAddr>,
    who: Who,
    stretch: Stretch,
    follows: Vec<ConversationId>,
    lanes: u64,
}

/// What a crowd is told to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    /// Connect, all of them.
    Open,
    /// Listen until each has heard so many messages, or until a moment.
    Hear { each: u64, until: Duration },
    /// Hang up.
    Leave,
}

/// How opening went.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Opened {
    /// Who was welcomed.
    pub connected: u64,
    /// Who was not.
    pub failed: u64,
    /// When the last one was.
    pub ended: Duration,
    /// Processor time of the clients.
    pub busy: Duration,
}

/// What was heard.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Heard {
    /// Messages, each counted once for everybody who heard it.
    pub delivered: u64,
    /// Reads that brought them: fewer where the server wrote several at a time.
    pub reads: u64,
    /// From due to heard.
    pub latencies: Latencies,
    /// When the last one came.
    pub last: Duration,
}

/// How a crowd is made.
pub struct Plan {
    /// Who.
    pub who: Who,
    /// How many.
    pub count: u64,
    /// What each of them follows.
    pub follows: Vec<ConversationId>,
    /// How many connect at a time.
    pub lanes: u64,
    /// Tells crowds of one server apart: each connects from addresses of its own.
    pub index: u64,
}

/// A crowd, as the coordinator holds it.
pub struct Crowd {
    world: World,
    fleet: Fleet,
}

impl Crowd {
    /// Starts the workers and waits until everybody has a token.
    ///
    /// # Errors
    /// A worker fails.
    pub async fn gather(world: &World, arm: &Arm, plan: Plan) -> Result<Self, Error> {
        Self::gather_at(world, arm.url(), plan).await
    }

    /// As [`Crowd::gather`], wherever the server is.
    ///
    /// # Errors
    /// A worker fails.
    pub async fn gather_at(world: &World, url: &str, plan: Plan) -> Result<Self, Error> {
        let stretches = divide(plan.count, SHARE_MAX, 1, 1);
        let run = std::process::id();
        let mut next = plan.index * plan.count.div_ceil(PORTS_MAX).max(stretches.len() as u64);
        let mut addresses = |count: u64| {
            let from = next;
            next += count.div_ceil(PORTS_MAX);
            (from..next).map(|index| address(run, index)).collect()
        };
        let lanes = plan.lanes.div_ceil(stretches.len() as u64);
        let part = |stretch: &Stretch| {
            Part::Crowd(Share {
                url: url.to_owned(),
                from: addresses(stretch.count),
                who: plan.who.clone(),
                stretch: *stretch,
                follows: plan.follows.clone(),
                lanes,
            })
        };
        let parts: Vec<Part> = stretches.iter().map(part).collect();
        let mut fleet = Fleet::start(world, &parts).await?;
        fleet.ready().await?;
        Ok(Self {
            world: world.clone(),
            fleet,
        })
    }

    /// Lets everybody connect as fast as the server takes them; with the seconds it took.
    ///
    /// # Errors
    /// A worker fails, or nobody is welcome.
    pub async fn open(&mut self) -> Result<(Opened, f64), Error> {
        let started = moment::now();
        self.cue(&Step::Open).await?;
        let mut sum = Opened::default();
        for opened in self.fleet.told::<Opened>().await? {
            sum.add(&opened);
        }
        if sum.failed > 0 {
            let notes = self.fleet.notes().join("; ");
            let text = format!("{} of a crowd did not get in: {notes}", sum.failed);
            return Err(Error::Worker(text));
        }
        let seconds = sum.ended.saturating_sub(started).as_secs_f64();
        Ok((sum, seconds))
    }

    /// Lets everybody listen for so many messages each.
    ///
    /// # Errors
    /// A worker is gone.
    pub async fn listen(&mut self, each: u64, until: Duration) -> Result<(), Error> {
        self.cue(&Step::Hear { each, until }).await
    }

    /// What everybody heard. Comes when all has come, or when its time is over.
    ///
    /// # Errors
    /// A worker fails.
    pub async fn heard(&mut self) -> Result<Heard, Error> {
        let mut sum = Heard::default();
        for heard in self.fleet.told::<Heard>().await? {
            sum.delivered += heard.delivered;
            sum.reads += heard.reads;
            sum.latencies.add_all(&heard.latencies);
            sum.last = sum.last.max(heard.last);
        }
        Ok(sum)
    }

    /// The counters of all workers.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.fleet.watcher().counts()
    }

    /// Hangs up, all of them.
    ///
    /// # Errors
    /// A worker fails.
    pub async fn leave(mut self) -> Result<(), Error> {
        self.cue(&Step::Leave).await?;
        self.fleet.outcomes::<()>(&self.world).await?;
        Ok(())
    }

    async fn cue(&mut self, step: &Step) -> Result<(), Error> {
        let step = serde_json::to_value(step).expect("steps can be written as JSON");
        self.fleet.cue(moment::now(), step).await
    }
}

/// An address of loopback. It has some 28,000 ports, and one that was in use stays closed for a minute: so
/// crowds have addresses of their own, and so have runs one after the other.
fn address(run: u32, index: u64) -> IpAddr {
    let [_, _, high, low] = run.to_be_bytes();
    let last = u8::try_from(index % 250 + 2).expect("it is below 252");
    IpAddr::V4(Ipv4Addr::new(127, high, low, last))
}

/// What the clients of a worker count together.
#[derive(Default)]
struct Ears {
    delivered: AtomicU64,
    reads: AtomicU64,
    last_us: AtomicU64,
    meter: Meter,
}

/// The worker's side.
///
/// # Errors
/// Tokens cannot be had, or the coordinator is gone.
pub async fn play(share: Share, mut worker: Worker) -> Result<(), Error> {
    let way = way(&share, &worker).await?;
    let ears = Arc::new(Ears::default());
    loop {
        let cue = worker.ready().await?;
        match noted(cue.note)? {
            Step::Open => open(&share, &worker, &way, &ears).await?,
            Step::Hear { each, until } => {
                let expected = each * share.stretch.count;
                worker.tell(&ears.hear(&worker.world, expected, until).await)?;
            }
            Step::Leave => return Ok(()),
        }
    }
}

async fn tokens(share: &Share, worker: &Worker) -> Result<Vec<String>, Error> {
    let numbers = share.stretch.range();
    match &share.who {
        Who::Signed(key) => Ok(numbers.map(|number| key.sign(number)).collect()),
        Who::Token(token) => Ok(numbers.map(|_| token.clone()).collect()),
        Who::Peer { .. } => Ok(numbers.map(|number| format!("idle{number}")).collect()),
        Who::Sessions(setting) => {
            let doors = Doors::find(setting).await?;
            let token = async |number| {
                let visitor = cast::visitor(&worker.world, setting, &doors, number, Purpose::Full);
                match visitor.await?.access() {
                    Access::Visitor(visitor) => Ok(visitor.session.token.clone()),
                    Access::Agent(_) => unreachable!("a visitor is no agent"),
                }
            };
            cast::each(numbers, token).await
        }
    }
}

/// How everybody of a worker goes in, made up before they do.
enum Way {
    Arm(Arc<Entrance>),
    Peer(Arc<PeerDoor>),
}

async fn way(share: &Share, worker: &Worker) -> Result<Way, Error> {
    let tokens = tokens(share, worker).await?;
    let server = Server::find(&share.url).await?;
    let from = share.from.iter().map(|from| server.from_address(*from));
    let servers: Vec<_> = from.collect();
    Ok(match &share.who {
        Who::Peer { peer, secret } => Way::Peer(Arc::new(PeerDoor {
            servers,
            peer: *peer,
            secret: secret.clone(),
            topics: tokens,
            next: AtomicUsize::new(0),
        })),
        Who::Sessions(_) | Who::Signed(_) | Who::Token(_) => {
            let origin = server.origin();
            let hello = |token: &String| masked(&hello(token, Some(&origin), &share.follows));
            Way::Arm(Arc::new(Entrance {
                servers,
                head: Upgrade::SOCKET.head(&server),
                hellos: tokens.iter().map(hello).collect(),
                follow_count: share.follows.len(),
                next: AtomicUsize::new(0),
            }))
        }
    })
}

/// Lets everybody in and tells how that went; they listen from then on.
async fn open(share: &Share, worker: &Worker, way: &Way, ears: &Arc<Ears>) -> Result<(), Error> {
    match way {
        Way::Arm(entrance) => open_arm(share.lanes, worker, entrance, ears).await,
        Way::Peer(door) => worker.tell(&open_peer(share, worker, door, ears).await),
    }
}

/// At one of the arms, on threads of their own. Who is in listens once all are.
async fn open_arm(
    lanes: u64,
    worker: &Worker,
    entrance: &Arc<Entrance>,
    ears: &Arc<Ears>,
) -> Result<(), Error> {
    let busy_before = moment::busy();
    let threads = entrance::lanes_of_threads(lanes).into_iter().map(|lanes| {
        let (entrance, tallies) = (Arc::clone(entrance), worker.tallies.clone());
        worker.world.tracker.spawn_blocking(move || {
            let (mut opened, mut all) = (Opened::default(), Vec::new());
            entrance.enter_all(lanes, |entered| {
                opened.count(&tallies, entered.map(|one| all.push(one)));
            });
            (opened, all)
        })
    });
    let threads: Vec<_> = threads.collect();
    let (mut sum, mut entered) = (Opened::default(), Vec::new());
    for thread in threads {
        let (opened, all) = thread.await.expect("a thread does not panic");
        sum.add(&opened);
        entered.extend(all);
    }
    sum.busy = moment::busy().saturating_sub(busy_before);
    worker.tell(&sum)?;
    for one in entered {
        let wire = Wire::of(one.stream, one.rest)?;
        let (ears, tallies) = (ears.clone(), worker.tallies.clone());
        let attended = attend(wire, Dialect::Switchboard, ears, tallies);
        worker.world.tracker.spawn(attended);
    }
    Ok(())
}

/// At another program.
async fn open_peer(
    share: &Share,
    worker: &Worker,
    door: &Arc<PeerDoor>,
    ears: &Arc<Ears>,
) -> Opened {
    let mut lanes = Vec::new();
    for _ in 0..share.lanes.clamp(1, share.stretch.count.max(1)) {
        let (door, ears, tallies) = (door.clone(), ears.clone(), worker.tallies.clone());
        let tracker = worker.world.tracker.clone();
        lanes.push(worker.world.tracker.spawn(async move {
            let mut opened = Opened::default();
            loop {
                let index = door.next.fetch_add(1, Ordering::Relaxed);
                let Some(topic) = door.topics.get(index) else {
                    return opened;
                };
                let entered = door.enter(index, topic).await;
                opened.count(
                    &tallies,
                    entered.map(|wire| {
                        let dialect = Dialect::Peer(door.peer);
                        let attended = attend(wire, dialect, ears.clone(), tallies.clone());
                        tracker.spawn(attended);
                    }),
                );
            }
        }));
    }
    let mut sum = Opened::default();
    for lane in lanes {
        sum.add(&lane.await.expect("a lane does not panic"));
    }
    sum
}

impl Opened {
    /// Counts one who came, or did not get in.
    fn count(&mut self, tallies: &Tallies, entered: Result<(), Error>) {
        match entered {
            Ok(()) => {
                self.connected += 1;
                tallies.add(Tally::Connected);
            }
            Err(error) => {
                self.failed += 1;
                if tallies.of(Tally::Failed) == 0 {
                    note(format!("the first who did not get in: {error}"));
                }
                tallies.add(Tally::Failed);
            }
        }
        self.ended = moment::now();
    }

    fn add(&mut self, other: &Self) {
        self.connected += other.connected;
        self.failed += other.failed;
        self.ended = self.ended.max(other.ended);
        self.busy += other.busy;
    }
}

/// Where everybody of a worker goes in at another program.
struct PeerDoor {
    /// The program, reached from one address after another.
    servers: Vec<Server>,
    peer: Peer,
    secret: String,
    /// The topic of each.
    topics: Vec<String>,
    /// Who comes next.
    next: AtomicUsize,
}

impl PeerDoor {
    async fn enter(&self, index: usize, topic: &str) -> Result<Wire, Error> {
        let server = &self.servers[index % self.servers.len()];
        let entered = self.peer.enter(server, &self.secret, topic, Role::Listener);
        entered.await
    }
}

thread_local! {
    /// When the messages of the read under way were due. A client that reads many at once takes the time
    /// and the lock once, so that it costs the machine little beside the server.
    static DUE: RefCell<Vec<Duration>> = const { RefCell::new(Vec::new()) };
}

/// Listens and answers beats until the connection ends.
async fn attend(mut wire: Wire, dialect: Dialect, ears: Arc<Ears>, tallies: Arc<Tallies>) {
    loop {
        let (mut beats, mut answer) = (0, None);
        let heard = wire.hear(|text| match due_of(text) {
            Some(due) => DUE.with_borrow_mut(|all| all.push(due)),
            None => {
                if let Some(beat) = dialect.answer(text) {
                    (beats, answer) = (beats + 1, Some(beat));
                }
            }
        });
        if heard.await.is_err() {
            tallies.add(Tally::Lost);
            return;
        }
        DUE.with_borrow_mut(|all| ears.hear_all(all));
        if let Some(answer) = answer {
            tallies.add_many(Tally::Beats, beats);
            // Whoever is gone is found by the next read.
            let _ = wire.say(answer).await;
        }
    }
}

/// When the message in a frame was due; nothing for other frames.
#[must_use]
pub fn due_of(text: &[u8]) -> Option<Duration> {
    if !is_a(text, "entry") && !is_a(text, "typing") {
        return None;
    }
    let mark = b"\"load ";
    // Two bytes tell almost all places apart, and are compared faster than slices.
    let begins = |bytes: &[u8]| bytes[0] == mark[0] && bytes[1] == mark[1] && bytes == mark;
    let at = text.windows(mark.len()).position(begins)?;
    let words = text.get(at + 1..)?;
    let words = words.get(..words.len().min(64)).unwrap_or_default();
    let (_, due) = planned(std::str::from_utf8(words).ok()?)?;
    Some(due)
}

impl Ears {
    /// Takes in what one read brought.
    fn hear_all(&self, due: &mut Vec<Duration>) {
        if due.is_empty() {
            return;
        }
        let now = moment::now();
        let now_us = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
        self.last_us.fetch_max(now_us, Ordering::Relaxed);
        self.reads.fetch_add(1, Ordering::Relaxed);
        let count = due.len() as u64;
        let latencies = due.drain(..).map(|due| now.saturating_sub(due));
        self.meter.add_all(latencies);
        self.delivered.fetch_add(count, Ordering::Relaxed);
    }

    /// Listens from now on.
    async fn hear(&self, world: &World, expected: u64, until: Duration) -> Heard {
        self.delivered.store(0, Ordering::Relaxed);
        self.reads.store(0, Ordering::Relaxed);
        drop(self.meter.take());
        while self.delivered.load(Ordering::Relaxed) < expected && moment::now() < until {
            world.clock.sleep(LOOK).await;
        }
        Heard {
            delivered: self.delivered.load(Ordering::Relaxed),
            reads: self.reads.load(Ordering::Relaxed),
            latencies: self.meter.take(),
            last: Duration::from_micros(self.last_us.load(Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_loopbacks_and_of_one_crowd_of_one_run() {
        let mut seen = std::collections::HashSet::new();
        for run in [1, 255, 256, 65_535] {
            for index in 0..250 {
                let from = address(run, index);
                assert!(from.is_loopback() && seen.insert(from), "{from}");
            }
        }
        assert_eq!(address(0, 0), address(65_536, 250));
    }

    #[test]
    fn a_message_tells_when_it_was_due_and_other_frames_do_not() {
        let frame = br#"{"type":"entry","entry":{"body":"load 7 due 5700000 xxx."}}"#;
        assert_eq!(due_of(frame), Some(Duration::from_micros(5_700_000)));
        let other = br#"{"type":"entries","entries":[{"body":"load 7 due 5700000 x"}]}"#;
        assert_eq!(due_of(other), None);
        assert_eq!(due_of(br#"{"type":"entry","body":"Hello."}"#), None);
    }
}
