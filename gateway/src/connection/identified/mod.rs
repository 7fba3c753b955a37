//! A connection that has said who it is. It has one identity for life.
//!
//! Frames and notices come in, texts go out; jobs run in between. No bytes are read or written here.

mod client;
mod topics;

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use protocol::frame::Purpose;
use protocol::id::ConnectionId;
use protocol::permission::{Actor, Principal};
use protocol::rejection::CloseCode;
use router::Topic;

use crate::connection::command::Queue;
use crate::connection::frame;
use crate::connection::job::{self, Asker, Done, Job, Running};
use crate::metric::Metric;
use crate::shard::Shard;
use crate::shard::mailbox::Mailbox;
use topics::{Followed, Watched};

/// Jobs that may wait. With more, the connection is not read until one is done.
const JOBS_MAX: usize = 16;
/// Bytes that may wait to be written before no more is taken from the mailbox. Jobs begin, and the
/// client is read, only once all is written: a page of the past is read when the one before is out.
const OUT_BYTES_MAX: usize = 64 * 1024;

/// A connection with an identity.
pub(crate) struct Identified {
    shard: Rc<Shard>,
    mailbox: Rc<Mailbox>,
    actor: Actor,
    purpose: Purpose,
    connection_id: ConnectionId,
    topics: Vec<Topic>,
    follows: Vec<Followed>,
    watches: Vec<Watched>,
    jobs: VecDeque<Job>,
    running: Option<Running>,
    /// Readings of the past so far.
    reading_count: u32,
    out: VecDeque<Bytes>,
    out_bytes: usize,
    /// Texts put in line so far.
    said_count: u64,
    /// Whether a replay brought something that the client did not have.
    has_missed: bool,
    queue: Arc<Queue>,
    strikes: u16,
}

/// What makes an identity; see [`crate::connection::unidentified`].
pub(crate) struct Identity {
    pub(crate) actor: Actor,
    pub(crate) purpose: Purpose,
    pub(crate) connection_id: ConnectionId,
    pub(crate) exempt: bool,
}

impl Identified {
    pub(crate) fn new(shard: Rc<Shard>, mailbox: Rc<Mailbox>, identity: &Identity) -> Self {
        let frames = (!identity.exempt).then(|| shard.doors.limits.frames());
        let gauge = match identity.actor.principal {
            Principal::Visitor(_) => Metric::VisitorConnections,
            Principal::Agent(_) | Principal::Key(_) | Principal::System => Metric::AgentConnections,
        };
        shard.doors.metrics.add(gauge, 1);
        Self {
            shard,
            mailbox,
            actor: identity.actor,
            purpose: identity.purpose,
            connection_id: identity.connection_id,
            // A visitor's: his own and his site's.
            topics: Vec::with_capacity(2),
            follows: Vec::new(),
            watches: Vec::new(),
            jobs: VecDeque::new(),
            running: None,
            reading_count: 0,
            out: VecDeque::new(),
            out_bytes: 0,
            said_count: 0,
            has_missed: false,
            queue: Arc::new(Queue::new(frames)),
            strikes: 0,
        }
    }

    pub(crate) fn connection_id(&self) -> ConnectionId {
        self.connection_id
    }

    /// The stable name of who this is.
    pub(crate) fn principal_key(&self) -> String {
        self.actor.principal_key()
    }

    /// Whether a visitor is behind it.
    fn is_visitor(&self) -> bool {
        matches!(self.actor.principal, Principal::Visitor(_))
    }

    /// Puts a text in line to be written.
    pub(crate) fn say(&mut self, text: Bytes) {
        self.said_count += 1;
        self.out_bytes += text.len();
        self.out.push_back(text);
    }

    /// The texts in line, in order. The transport takes from the front.
    pub(crate) fn out(&mut self) -> &mut VecDeque<Bytes> {
        &mut self.out
    }

    /// Texts put in line so far.
    pub(crate) fn said_count(&self) -> u64 {
        self.said_count
    }

    /// Whether a replay brought something that the client did not have.
    pub(crate) fn has_missed(&self) -> bool {
        self.has_missed
    }

    /// Bytes in line.
    pub(crate) fn out_bytes(&self) -> usize {
        self.out_bytes
    }

    /// The front text was written, whole.
    pub(crate) fn written(&mut self) {
        if let Some(text) = self.out.pop_front() {
            self.out_bytes -= text.len();
            self.shard.doors.metrics.add(Metric::FramesOut, 1);
        }
        if self.out.is_empty() {
            self.out = VecDeque::new();
        }
    }

    /// Whether another frame may be read.
    pub(crate) fn may_read(&self) -> bool {
        self.jobs.len() < JOBS_MAX && self.out.is_empty()
    }

    /// Whether nothing is asked, running or waiting to be written.
    pub(crate) fn is_settled(&self) -> bool {
        self.jobs.is_empty() && self.running.is_none() && self.out.is_empty()
    }

    fn asker(&self) -> Asker {
        Asker {
            doors: self.shard.doors.clone(),
            actor: self.actor,
            connection_id: self.connection_id,
            exempt: self.queue.frames.is_none(),
            queue: Some(Arc::clone(&self.queue)),
        }
    }

    /// Waits for the job under way; for ever where there is none. Cancel-safe.
    pub(crate) async fn job_done(&mut self) -> Done {
        if self.running.is_none() {
            match self.jobs.pop_front() {
                Some(job) => {
                    self.running = Some(job::start(job, self.asker()));
                }
                None => return std::future::pending().await,
            }
        }
        let done = self.running.as_mut().expect("it was set just above").await;
        self.running = None;
        if self.jobs.is_empty() {
            self.jobs = VecDeque::new();
        }
        done
    }

    /// Takes what came of a job.
    pub(crate) fn on_done(&mut self, done: Done) {
        self.take_done(done);
        self.count_held();
    }

    fn take_done(&mut self, done: Done) {
        let metrics = &self.shard.doors.metrics;
        match done {
            Done::Command(_, Ok(ack)) => {
                metrics.add(Metric::CommandsAccepted, 1);
                self.say(frame::ack(ack));
            }
            Done::Command(client_id, Err(rejection)) => {
                metrics.add(Metric::CommandsRejected, 1);
                self.say(frame::rejected(client_id, &rejection));
            }
            // It comes back and sends in order what it still wants.
            Done::Stuck => self.mailbox.end(CloseCode::Unavailable),
            Done::Attached {
                conversation_id,
                reading,
                outcome,
            } => self.on_attached(conversation_id, reading, outcome),
            Done::Snapshot(topic, outcome) => self.on_snapshot(topic, outcome),
            Done::Signal(Ok(())) => {}
            Done::Signal(Err(rejection)) => self.say(frame::error(&rejection)),
        }
    }

    /// Leaves everything. Called once, by the transport, when the connection has ended.
    pub(crate) async fn leave(mut self) {
        self.finish_commands().await;
        for watched in std::mem::take(&mut self.watches) {
            let router = &self.shard.doors.router;
            router.unwatch(watched.topic, self.connection_id).await;
        }
        for topic in std::mem::take(&mut self.topics) {
            self.shard.unsubscribe(topic, &self.mailbox);
        }
        let doors = &self.shard.doors;
        if self.is_visitor() {
            doors.metrics.add(Metric::VisitorConnections, -1);
            doors.router.visitor_leave(self.connection_id).await;
        } else {
            doors.metrics.add(Metric::AgentConnections, -1);
            doors.router.agent_leave(self.connection_id).await;
        }
    }

    /// Does what the client asked for before it hung up: it may have closed the page right after. Whose
    /// right has ended asks for nothing more.
    async fn finish_commands(&mut self) {
        if let Some(running) = self.running.take() {
            running.await;
        }
        let has_right = |code: CloseCode| code.number() < 4100;
        if !self.mailbox.ending().is_none_or(has_right) {
            return;
        }
        for job in std::mem::take(&mut self.jobs) {
            if matches!(job, Job::Command { .. } | Job::Unwatch(_)) {
                job::start(job, self.asker()).await;
            }
        }
    }
}
