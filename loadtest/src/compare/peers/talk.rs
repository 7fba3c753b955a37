//! Pairs of one who speaks and one who listens, at an open-loop rate: every latency counts from when the
//! message was due.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use world::World;

use super::super::wire::Wire;
use super::peer::Dialect;
use crate::Error;
use crate::fleet::moment;
use crate::measure::{Latencies, Meter};
use crate::scenario::plan::Plan;

/// The last stretch before a message is due is waited for awake: timers are late.
const AWAKE: Duration = Duration::from_micros(150);

/// Messages that may wait for a speaker.
const WAITING_MAX: usize = 1_024;

/// Makes the frame of a message.
pub(super) type Say = Arc<dyn Fn(usize, u64, &Plan) -> Vec<u8> + Send + Sync>;

/// Pairs of one program.
pub(super) struct Pairs {
    /// How its frames are read.
    pub(super) dialect: Dialect,
    /// Who speak.
    pub(super) speakers: Vec<Wire>,
    /// Who listen, each to the speaker of the same place.
    pub(super) listeners: Vec<Wire>,
    /// What is said.
    pub(super) say: Say,
}

/// What came of a talk.
pub(super) struct Talked {
    /// Messages that came.
    pub(super) delivered: u64,
    /// From due to heard.
    pub(super) latencies: Latencies,
}

impl Pairs {
    /// Says all messages of a plan and listens until they have come, or until stragglers were waited for.
    ///
    /// # Errors
    /// A connection broke.
    pub(super) async fn talk(
        &mut self,
        world: &World,
        plan: &Plan,
        patience: Duration,
    ) -> Result<Talked, Error> {
        let meter = Arc::<Meter>::default();
        let end = plan.at(plan.due) + patience;
        let mut speaking = Vec::new();
        let mut senders = Vec::new();
        for (pair, wire) in self.speakers.drain(..).enumerate() {
            let (sender, due) = mpsc::channel(WAITING_MAX);
            senders.push(sender);
            let speaker = speak(wire, self.dialect, due, self.say.clone(), pair, *plan);
            speaking.push(world.tracker.spawn(speaker));
        }
        let mut listening = Vec::new();
        for (pair, wire) in self.listeners.drain(..).enumerate() {
            let expected = plan.count_of(pair as u64);
            let listener = listen(
                world.clone(),
                wire,
                self.dialect,
                expected,
                end,
                meter.clone(),
            );
            listening.push(world.tracker.spawn(listener));
        }
        let plan = *plan;
        world.tracker.spawn_blocking(move || pace(&plan, &senders));
        let mut delivered = 0;
        for task in listening {
            let (wire, count) = task.await.expect("a listener does not panic")?;
            self.listeners.push(wire);
            delivered += count;
        }
        for task in speaking {
            let wire = task.await.expect("a speaker does not panic")?;
            self.speakers.push(wire);
        }
        Ok(Talked {
            delivered,
            latencies: meter.take(),
        })
    }
}

/// Wakes the speaker of each message when it is due.
fn pace(plan: &Plan, senders: &[mpsc::Sender<u64>]) {
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
        if senders[pair].blocking_send(index).is_err() {
            // Its connection broke, which its task tells.
            return;
        }
    }
}

async fn speak(
    mut wire: Wire,
    dialect: Dialect,
    mut due: mpsc::Receiver<u64>,
    say: Say,
    pair: usize,
    plan: Plan,
) -> Result<Wire, Error> {
    loop {
        let (mut answer, mut refused) = (None, None);
        let hear = |text: &[u8]| {
            answer = answer.or(dialect.answer(text));
            refused = refused.take().or_else(|| dialect.refusal(text));
        };
        // What is due goes out first: how late it is, is what is measured.
        tokio::select! {
            biased;
            index = due.recv() => match index {
                Some(index) => wire.say(&say(pair, index, &plan)).await?,
                None => return Ok(wire),
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

async fn listen(
    world: World,
    mut wire: Wire,
    dialect: Dialect,
    expected: u64,
    end: Duration,
    meter: Arc<Meter>,
) -> Result<(Wire, u64), Error> {
    let mut count = 0;
    while count < expected {
        let left = end.saturating_sub(moment::now());
        let mut answer = None;
        let heard = wire.hear(|text| {
            let now = moment::now();
            answer = answer.or(dialect.answer(text));
            dialect.dues(text, |due| {
                meter.add(now.saturating_sub(due));
                count += 1;
            });
        });
        let Some(heard) = world.clock.timeout(left, heard).await else {
            break;
        };
        heard?;
        if let Some(answer) = answer {
            wire.say(answer).await?;
        }
    }
    Ok((wire, count))
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

    /// A server that takes its time over each message, one after another.
    async fn relay(world: World, listener: TcpListener, delay: Duration) {
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
        let mut pairs = Pairs {
            dialect: Dialect::Peer(Peer::Nchan),
            listeners: vec![enter(Role::Listener).await.unwrap()],
            speakers: vec![enter(Role::Speaker).await.unwrap()],
            say: Arc::new(|_, index, plan| plan.body(index).as_str().as_bytes().to_vec()),
        };
        let plan = Plan {
            pairs: 1,
            rate: 100,
            due: MESSAGES,
            message_bytes: 64,
            started: moment::now(),
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
