//! A shard: one thread, one runtime, its own connections and its own map from topics to them. Nothing
//! here is shared with another shard, so the hot path takes no lock.
//!
//! Three inputs: errands of the gateway (a socket to serve, a drain, the end), deliveries of the
//! router (encoded once for all shards), and a tick each second (beats, deadlines, stalls).

pub(crate) mod admission;
mod door;
pub(crate) mod errand;
pub(crate) mod head;
pub(crate) mod mailbox;
pub(crate) mod returns;
pub(crate) mod run;
pub(crate) mod stream;
mod timer;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use protocol::network;
use protocol::rejection::CloseCode;
use router::{Delivery, ShardId, Topic};
use tokio::task::LocalSet;
use world::HashMap;

use crate::Doors;
use crate::metric::Metric;
use admission::{ARRIVALS, Admission, PASTS};
use errand::Errand;
use mailbox::{Mailbox, Notice, Phase};
use returns::Returns;
use run::Run;

/// How often the watch looks at all connections.
const TICK: Duration = Duration::from_secs(1);
/// Deliveries that are taken in a row before connections get their turn.
const DELIVERIES_IN_A_ROW: usize = 256;
/// Topics whose frames are gathered at a time.
const RUNS_MAX: usize = 16;

/// What makes a shard; goes to its thread.
pub(crate) struct Seed {
    pub(crate) doors: Doors,
    pub(crate) id: ShardId,
    pub(crate) errands: flume::Receiver<Errand>,
    /// For requests that become streams of this shard.
    pub(crate) errand_sender: flume::Sender<Errand>,
    pub(crate) deliveries: flume::Receiver<Delivery>,
    pub(crate) http: axum::Router,
}

/// A shard on its thread.
pub(crate) struct Shard {
    pub(crate) doors: Doors,
    pub(crate) http: axum::Router,
    pub(crate) errand_sender: flume::Sender<Errand>,
    id: ShardId,
    /// Seconds of the world's clock.
    now: Cell<u32>,
    mailboxes: RefCell<Vec<Rc<Mailbox>>>,
    topics: RefCell<HashMap<Topic, Vec<Rc<Mailbox>>>>,
    draining: Cell<bool>,
    /// For visitors who come.
    pub(crate) arrivals: Admission,
    /// For what they missed. Of its own: who was let in is not to wait for all who come.
    pub(crate) pasts: Admission,
    /// Bytes that waited for readers at the last tick.
    waiting_bytes: Cell<i64>,
    /// Connections that were behind at the last tick.
    behind_count: Cell<i64>,
}

impl Seed {
    /// Runs the shard on this thread until it is told to stop.
    pub(crate) fn run(self) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(16)
            .build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => {
                tracing::error!("a shard has no runtime: {error}");
                return;
            }
        };
        LocalSet::new().block_on(&runtime, self.serve());
        // Connections that did not end by themselves end here.
        runtime.shutdown_background();
    }

    /// Runs the shard on the present thread's tasks until it is told to stop.
    pub(crate) async fn serve(self) {
        let tracker = self.doors.world.tracker.clone();
        let clock = self.doors.world.clock.clone();
        let reads_max = self.doors.reader.queue_length();
        let shard = Rc::new(Shard {
            arrivals: Admission::new(ARRIVALS, reads_max, self.doors.config.shards),
            pasts: Admission::new(PASTS, reads_max, self.doors.config.shards),
            now: Cell::new(seconds(&self.doors)),
            doors: self.doors,
            http: self.http,
            errand_sender: self.errand_sender,
            id: self.id,
            mailboxes: RefCell::default(),
            topics: RefCell::default(),
            draining: Cell::new(false),
            waiting_bytes: Cell::new(0),
            behind_count: Cell::new(0),
        });
        let mut tick = Box::pin(clock.sleep(TICK));
        loop {
            tokio::select! {
                // The end comes first; then news, so that a flood of new sockets cannot delay them.
                biased;
                () = tracker.hard().cancelled() => break,
                delivery = self.deliveries.recv_async() => match delivery {
                    Ok(delivery) => shard.deliver_all(delivery, &self.deliveries).await,
                    Err(_) => break,
                },
                () = &mut tick => {
                    shard.tick();
                    tick = Box::pin(clock.sleep(TICK));
                }
                errand = self.errands.recv_async() => match errand {
                    Ok(Errand::Stop) | Err(_) => break,
                    Ok(errand) => shard.run_errand(errand),
                },
            }
        }
        shard.stop().await;
    }
}

fn seconds(doors: &Doors) -> u32 {
    u32::try_from(doors.world.clock.elapsed().as_secs()).unwrap_or(u32::MAX)
}

impl Shard {
    /// Seconds of the world's clock, as of the last tick.
    pub(crate) fn now(&self) -> u32 {
        self.now.get()
    }

    /// Whether clients are being sent away.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// A mailbox for a new connection.
    pub(crate) fn enter(&self) -> Rc<Mailbox> {
        let mailbox = Rc::new(Mailbox::new(self.now()));
        self.mailboxes.borrow_mut().push(Rc::clone(&mailbox));
        mailbox
    }

    /// The connection of this mailbox is over. It has left its topics before.
    pub(crate) fn exit(&self, mailbox: &Rc<Mailbox>) {
        let mut mailboxes = self.mailboxes.borrow_mut();
        let index = mailboxes.iter().position(|one| Rc::ptr_eq(one, mailbox));
        if let Some(index) = index {
            mailboxes.swap_remove(index);
        }
    }

    pub(crate) fn subscribe(&self, topic: Topic, mailbox: &Rc<Mailbox>) {
        let mut topics = self.topics.borrow_mut();
        let listeners = topics.entry(topic).or_insert_with(|| {
            self.doors.router.subscribe(self.id, topic);
            Vec::with_capacity(1)
        });
        listeners.push(Rc::clone(mailbox));
    }

    pub(crate) fn unsubscribe(&self, topic: Topic, mailbox: &Rc<Mailbox>) {
        let mut topics = self.topics.borrow_mut();
        let Some(listeners) = topics.get_mut(&topic) else {
            return;
        };
        if let Some(index) = listeners.iter().position(|one| Rc::ptr_eq(one, mailbox)) {
            listeners.swap_remove(index);
        }
        if listeners.is_empty() {
            topics.remove(&topic);
            self.doors.router.unsubscribe(self.id, topic);
        }
    }

    /// Hands out what has come, each connection being woken once however much it gets, and told once of what
    /// came together on a topic.
    async fn deliver_all(&self, first: Delivery, rest: &flume::Receiver<Delivery>) {
        let mut runs = Vec::new();
        self.gather(first, &mut runs);
        for _ in 0..DELIVERIES_IN_A_ROW {
            match rest.try_recv() {
                Ok(delivery) => self.gather(delivery, &mut runs),
                Err(_) => return self.tell_all(&mut runs),
            }
        }
        self.tell_all(&mut runs);
        tokio::task::yield_now().await;
    }

    /// Takes a delivery in. Frames wait in runs, in their order on each topic; nothing else passes them.
    fn gather(&self, delivery: Delivery, runs: &mut Vec<Run>) {
        let Delivery::Publish { topic, mut frame } = delivery else {
            self.tell_all(runs);
            self.deliver(delivery);
            return;
        };
        if let Some(index) = runs.iter().position(|run| run.topic() == topic) {
            match runs[index].add(topic, frame) {
                Ok(()) => return,
                Err(back) => frame = back,
            }
            self.tell(runs.remove(index));
        }
        if runs.len() == RUNS_MAX {
            self.tell_all(runs);
        }
        runs.push(Run::new(topic, frame));
    }

    fn tell_all(&self, runs: &mut Vec<Run>) {
        for run in runs.drain(..) {
            self.tell(run);
        }
    }

    fn tell(&self, run: Run) {
        let run = Rc::new(run);
        self.tell_topic(run.topic(), || Notice::Run(Rc::clone(&run)));
    }

    fn deliver(&self, delivery: Delivery) {
        match delivery {
            Delivery::Publish { topic, frame } => self.tell(Run::new(topic, frame)),
            Delivery::Follow {
                topic,
                conversation_id,
            } => self.tell_topic(topic, || Notice::Follow(conversation_id)),
            Delivery::Afresh {
                topic,
                conversation_id,
            } => self.tell_topic(topic, || Notice::Afresh(conversation_id)),
            Delivery::CloseTopic { topic, code } => {
                for mailbox in self.listeners(topic) {
                    mailbox.end(code);
                }
            }
            Delivery::CloseUnproved { topic, code } => {
                for mailbox in self.listeners(topic) {
                    if !mailbox.is_proved() {
                        mailbox.end(code);
                    }
                }
            }
            Delivery::CloseBlocked {
                topic,
                networks,
                code,
            } => {
                for mailbox in self.listeners(topic) {
                    if network::is_in(mailbox.address(), &networks) {
                        mailbox.end(code);
                    }
                }
            }
            Delivery::Lost => {
                for mailbox in self.identified() {
                    mailbox.end(CloseCode::TooSlow);
                }
            }
        }
    }

    fn tell_topic(&self, topic: Topic, notice: impl Fn() -> Notice) {
        // Telling wakes a task and never runs one, so the map stays borrowed.
        if let Some(listeners) = self.topics.borrow().get(&topic) {
            for mailbox in listeners {
                mailbox.tell(notice());
            }
        }
    }

    fn listeners(&self, topic: Topic) -> Vec<Rc<Mailbox>> {
        self.topics
            .borrow()
            .get(&topic)
            .cloned()
            .unwrap_or_default()
    }

    fn identified(&self) -> Vec<Rc<Mailbox>> {
        let mailboxes = self.mailboxes.borrow();
        let is_identified = |mailbox: &&Rc<Mailbox>| match mailbox.phase() {
            Phase::Visitor | Phase::Agent => true,
            Phase::Unidentified | Phase::Closing => false,
        };
        mailboxes.iter().filter(is_identified).cloned().collect()
    }

    fn tick(&self) {
        self.now.set(seconds(&self.doors));
        if self.doors.router.take_lost(self.id) {
            self.deliver(Delivery::Lost);
        }
        let now_ms = self.doors.world.clock.now_ms();
        let (mut waiting_bytes, mut behind_count) = (0, 0);
        for mailbox in self.mailboxes.borrow().iter() {
            mailbox.tick(self.now.get(), now_ms);
            waiting_bytes += mailbox.waiting_bytes();
            behind_count += usize::from(mailbox.is_behind());
        }
        self.gauge(Metric::WaitingBytes, &self.waiting_bytes, waiting_bytes);
        self.gauge(Metric::Behind, &self.behind_count, behind_count);
    }

    /// Moves this shard's part of a gauge to a value.
    fn gauge(&self, metric: Metric, before: &Cell<i64>, value: usize) {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        self.doors
            .metrics
            .add(metric, value - before.replace(value));
    }

    fn run_errand(self: &Rc<Self>, errand: Errand) {
        match errand {
            Errand::Accept(accepted) => door::open(self, accepted),
            Errand::Stream(open) => crate::connection::stream::open(self, *open),
            Errand::Drain(returns) => self.drain(&returns),
            Errand::Stop => {}
        }
    }

    /// Sends everybody away, agents first, each with a time to return of his own.
    fn drain(&self, returns: &Returns) {
        self.draining.set(true);
        let ids = &self.doors.world.ids;
        for (phase, window) in [
            (Phase::Agent, &returns.agents),
            (Phase::Visitor, &returns.visitors),
        ] {
            let mut mailboxes = self.identified();
            mailboxes.retain(|mailbox| mailbox.phase() == phase);
            let times = returns::deal(window, mailboxes.len(), ids);
            for (mailbox, return_after_ms) in mailboxes.iter().zip(times) {
                mailbox.tell(Notice::GoAway { return_after_ms });
                mailbox.end_after_notices(CloseCode::GoingAway);
            }
        }
        for mailbox in self.mailboxes.borrow().iter() {
            if mailbox.phase() == Phase::Unidentified {
                mailbox.end(CloseCode::GoingAway);
            }
        }
    }

    /// Ends what is left, and gives it a moment to say so.
    async fn stop(&self) {
        for mailbox in self.mailboxes.borrow().iter() {
            mailbox.end(CloseCode::GoingAway);
        }
        let gone = async {
            while !self.mailboxes.borrow().is_empty() {
                tokio::task::yield_now().await;
                self.doors.world.clock.sleep(Duration::from_millis(5)).await;
            }
        };
        let clock = &self.doors.world.clock;
        // What does not end by itself is dropped with the runtime.
        let _ended = clock.timeout(Duration::from_millis(500), gone).await;
        self.doors.router.unregister_shard(self.id);
    }
}
