//! Pairs of one who speaks and one who listens, at an open-loop rate: every latency counts from when the
//! message was due. Between two talks all stay and answer whoever asks whether they are there.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::mpsc;
use world::World;

use super::super::wire::Wire;
use super::peer::Dialect;
use crate::Error;
use crate::fleet::moment;
use crate::measure::{Latencies, Meter};
use crate::scenario::plan::Plan;

/// How often it is looked whether all has come.
const LOOK: Duration = Duration::from_millis(5);

/// The last stretch before a message is due is waited for awake: timers are late.
const AWAKE: Duration = Duration::from_micros(150);

/// Messages that may wait for a speaker; with more, who wakes the speakers waits.
const WAITING_MAX: usize = 1_024;

/// Makes the frame of a message.
pub(super) type Say = Box<dyn Fn(usize, u64, &Plan) -> Vec<u8> + Send + Sync>;

/// Pairs of one program. Their tasks end with their connections.
pub(super) struct Pairs {
    speakers: Vec<mpsc::Sender<(Plan, u64)>>,
    heard: Arc<Heard>,
}

/// What all listeners heard, and what became of the connections.
#[derive(Default)]
struct Heard {
    delivered: AtomicU64,
    meter: Meter,
    /// The first that went wrong.
    broken: OnceLock<Error>,
}

/// What came of a talk.
pub(super) struct Talked {
    /// Messages that came.
    pub(super) delivered: u64,
    /// From due to heard.
    pub(super) latencies: Latencies,
}

impl Pairs {
    /// Pairs of connections that have entered; each listens to the speaker of the same place.
    pub(super) fn new(
        world: &World,
        dialect: Dialect,
        speakers: Vec<Wire>,
        listeners: Vec<Wire>,
        say: Say,
    ) -> Self {
        let (heard, say) = (Arc::<Heard>::default(), Arc::new(say));
        let mut senders = Vec::new();
        for (pair, wire) in speakers.into_iter().enumerate() {
            let (sender, due) = mpsc::channel(WAITING_MAX);
            senders.push(sender);
            let (say, heard) = (Arc::clone(&say), Arc::clone(&heard));
            world.tracker.spawn(async move {
                heard.ended(speak(wire, dialect, due, &say, pair).await);
            });
        }
        for wire in listeners {
            let heard = Arc::clone(&heard);
            world.tracker.spawn(async move {
                heard.ended(listen(wire, dialect, &heard).await);
            });
        }
        Self {
            speakers: senders,
            heard,
        }
    }

    /// Says all messages of a plan and listens until they have come, or until stragglers were waited for.
    ///
    /// # Errors
    /// A connection broke, or something was refused.
    pub(super) async fn talk(
        &self,
        world: &World,
        plan: &Plan,
        patience: Duration,
    ) -> Result<Talked, Error> {
        let heard = &self.heard;
        heard.delivered.store(0, Ordering::Relaxed);
        drop(heard.meter.take());
        let end = plan.at(plan.due) + patience;
        let (plan, speakers) = (*plan, self.speakers.clone());
        world.tracker.spawn_blocking(move || pace(&plan, &speakers));
        while heard.delivered.load(Ordering::Relaxed) < plan.due && moment::now() < end {
            if let Some(broken) = heard.broken.get() {
                return Err(Error::Broken(broken.to_string()));
            }
            world.clock.sleep(LOOK).await;
        }
        Ok(Talked {
            delivered: heard.delivered.load(Ordering::Relaxed),
            latencies: heard.meter.take(),
        })
    }
}

impl Heard {
    /// Takes in how a connection ended.
    fn ended(&self, ended: Result<(), Error>) {
        if let Err(error) = ended {
            // The first one tells enough.
            let _ = self.broken.set(error);
        }
    }
}

/// Wakes the speaker of each message when it is due.
fn pace(plan: &Plan, speakers: &[mpsc::Sender<(Plan, u64)>]) {
    for index in 0..plan.due {
        let at = plan.at(index);
        let left = at.saturating_sub(moment::now());
        if left > AWAKE {
            std::thread::sleep(left - AWAKE);
        }
        while moment::now() < at {
            std::hint::spin_loop();
        }
        let pair = usize::try_from(index % plan.pairs).unwrap_or(0);
        if speakers[pair].blocking_send((*plan, index)).is_err() {
            // Its connection broke, which its task tells.
            return;
        }
    }
}

async fn speak(
    mut wire: Wire,
    dialect: Dialect,
    mut due: mpsc::Receiver<(Plan, u64)>,
    say: &Say,
    pair: usize,
) -> Result<(), Error> {
    loop {
        let (mut answer, mut refused) = (None, None);
        let hear = |text: &[u8]| {
            answer = answer.or(dialect.answer(text));
            refused = refused.take().or_else(|| dialect.refusal(text));
        };
        // What is due goes out first: how late it is, is what is measured.
        tokio::select! {
            biased;
            next = due.recv() => match next {
                Some((plan, index)) => wire.say(&say(pair, index, &plan)).await?,
                None => return Ok(()),
            },
            heard = wire.hear(hear) => heard?,
        }
        if let Some(answer) = answer {
            wire.say(answer).await?;
        }
        if let Some(refused) = refused {
            return Err(Error::Broken(refused));
        }
    }
}

async fn listen(mut wire: Wire, dialect: Dialect, heard: &Heard) -> Result<(), Error> {
    loop {
        let mut answer = None;
        wire.hear(|text| {
            let now = moment::now();
            answer = answer.or(dialect.answer(text));
            dialect.dues(text, |due| {
                heard.meter.add(now.saturating_sub(due));
                heard.delivered.fetch_add(1, Ordering::Relaxed);
            });
        })
        .await?;
        if let Some(answer) = answer {
            wire.say(answer).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use world::net::{TcpListener, TcpStream};

    use super::*;
    use crate::client::Server;
    use crate::compare::peers::peer::{Peer, Role};

    const MESSAGES: u64 = 5;
    /// However busy the machine is.
    const PATIENCE: Duration = Duration::from_secs(60);

    async fn accept(listener: &TcpListener) -> TcpStream {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            assert!(stream.read_buf(&mut head).await.unwrap() > 0);
        }
        let answer = b"HTTP/1.1 101 Switching Protocols\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        stream
    }

    /// A server that takes its time over each message, one after another. Its connections stay as long as what it
    /// gives back.
    async fn relay(world: World, listener: TcpListener, delay: Duration) -> (TcpStream, TcpStream) {
        let mut ear = accept(&listener).await;
        let mut mouth = accept(&listener).await;
        for _ in 0..MESSAGES {
            let mut head = [0; 6];
            mouth.read_exact(&mut head).await.unwrap();
            let mut text = vec![0; usize::from(head[1] & 0x7f)];
            mouth.read_exact(&mut text).await.unwrap();
            let mask = head[2..].iter().cycle();
            text.iter_mut()
                .zip(mask)
                .for_each(|(byte, mask)| *byte ^= mask);
            world.clock.sleep(delay).await;
            ear.write_all(&[0x81, head[1] & 0x7f]).await.unwrap();
            ear.write_all(&text).await.unwrap();
        }
        (ear, mouth)
    }

    #[tokio::test]
    async fn a_server_that_is_late_is_late_in_all_that_was_due_meanwhile() {
        let world = World::system();
        let listener = world::net::listen(([127, 0, 0, 1], 0).into()).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Server::find(&url).await.unwrap();
        let delay = Duration::from_millis(50);
        let relaying = world.tracker.spawn(relay(world.clone(), listener, delay));
        let enter = |role| Peer::Nchan.enter(&server, "", "pair0", role);
        let listener = enter(Role::Listener).await.unwrap();
        let speaker = enter(Role::Speaker).await.unwrap();
        let say = |_, index, plan: &Plan| plan.body(index).as_str().as_bytes().to_vec();
        let dialect = Dialect::Peer(Peer::Nchan);
        let pairs = Pairs::new(
            &world,
            dialect,
            vec![speaker],
            vec![listener],
            Box::new(say),
        );
        let plan = Plan {
            pairs: 1,
            rate: 100,
            due: MESSAGES,
            message_bytes: 64,
            started: moment::now(),
            warm_up: Duration::ZERO,
        };
        let talked = pairs.talk(&world, &plan, PATIENCE).await.unwrap();
        relaying.await.unwrap();
        assert_eq!(talked.delivered, MESSAGES);
        // One is 50 ms late; the fifth was due after 40 ms and comes after 250.
        assert!(
            talked.latencies.at(0.0) >= 49_900,
            "{:?}",
            talked.latencies.figures()
        );
        assert!(
            talked.latencies.at(1.0) >= 209_000,
            "{:?}",
            talked.latencies.figures()
        );
    }
}
