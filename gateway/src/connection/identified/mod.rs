//! A connection that has said who it is. It has one identity for life.
//!
//! Frames and notices come in, texts go out; jobs run in between. No bytes are read or written here.

mod client;
mod topics;

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use protocol::frame::Purpose;
use protocol::id::ConnectionId;
use protocol::permission::{Actor, Principal};
use protocol::rejection::CloseCode;
use router::{COMMANDS_TOGETHER_MAX, Topic};

use crate::connection::command::Queue;
use crate::connection::frame;
use crate::connection::job::{self, Asker, Done, Job, Running};
use crate::connection::out::{Out, Piece};
use crate::metric::Metric;
use crate::shard::Shard;
use crate::shard::mailbox::Mailbox;
use topics::{Followed, Watched};

/// Jobs that may wait. With more, the connection is not read until some are done.
const JOBS_MAX: usize = 128;
/// Bytes of what the client said that may wait as jobs, but for the last one of it.
const JOBS_BYTES_MAX: usize = 128 * 1024;
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
    /// Bytes of what the client said since no job waited.
    job_bytes: usize,
    running: Option<Running>,
    /// Readings of the past so far.
    reading_count: u32,
    out: Out,
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
            job_bytes: 0,
            running: None,
            reading_count: 0,
            out: Out::default(),
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
        self.out.push(Piece::Text(text));
    }

    /// What is in line to be said.
    pub(crate) fn out(&mut self) -> &mut Out {
        &mut self.out
    }

    /// Texts put in line so far.
    pub(crate) fn said_count(&self) -> u64 {
        self.out.said_count()
    }

    /// Whether a replay brought something that the client did not have.
    pub(crate) fn has_missed(&self) -> bool {
        self.has_missed
    }

    /// Bytes in line.
    pub(crate) fn out_bytes(&self) -> usize {
        self.out.byte_count()
    }

    /// The first piece in line was written, whole.
    pub(crate) fn written(&mut self) {
        let text_count = i64::try_from(self.out.pop()).unwrap_or(i64::MAX);
        self.shard.doors.metrics.add(Metric::FramesOut, text_count);
    }

    /// Whether another frame may be read.
    pub(crate) fn may_read(&self) -> bool {
        let has_room = self.jobs.len() < JOBS_MAX && self.job_bytes < JOBS_BYTES_MAX;
        self.out.is_empty() && (has_room || self.jobs.is_empty())
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
            pasts: self.is_visitor().then(|| self.shard.pasts.clone()),
        }
    }

    /// Waits for the job under way; for ever where there is none. Cancel-safe.
    pub(crate) async fn job_done(&mut self) -> Done {
        if self.running.is_none() {
            match self.jobs.pop_front() {
                Some(job) => {
                    let job = self.with_those_behind(job);
                    self.running = Some(job::start(job, self.asker()));
                }
                None => return std::future::pending().await,
            }
        }
        let done = self.running.as_mut().expect("it was set just above").await;
        self.rest();
        done
    }

    /// The job under way is over. A connection at rest holds nothing.
    fn rest(&mut self) {
        self.running = None;
        if self.jobs.is_empty() {
            self.jobs = VecDeque::new();
        }
    }

    /// Takes what came of the job under way, if it is over, and begins no other: what is in line to be written
    /// anyway then takes the answer along. Whoever sleeps after this waits for the job anew.
    pub(crate) fn take_finished(&mut self) {
        let Some(running) = &mut self.running else {
            return;
        };
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(done) = running.as_mut().poll(&mut context) {
            self.rest();
            self.on_done(done);
        }
    }

    /// A job, and where it is a command, those right behind it that may go together with it.
    fn with_those_behind(&mut self, job: Job) -> Job {
        let Job::Command(said) = job else {
            return job;
        };
        let mut commands = vec![*said];
        while commands.len() < COMMANDS_TOGETHER_MAX
            && let Some(Job::Command(next)) = self.jobs.front()
            && router::may_go_together(&commands[0].command, &next.command)
            && let Some(Job::Command(next)) = self.jobs.pop_front()
        {
            commands.push(*next);
        }
        Job::Commands(commands)
    }

    /// Takes what came of a job.
    pub(crate) fn on_done(&mut self, done: Done) {
        self.take_done(done);
        self.count_held();
    }

    fn take_done(&mut self, done: Done) {
        match done {
            Done::Commands { outcomes, is_stuck } => {
                for (client_id, outcome) in outcomes {
                    let metrics = &self.shard.doors.metrics;
                    self.say(frame::outcome(metrics, client_id, outcome));
                }
                if is_stuck {
                    // It comes back and sends in order what it still wants.
                    self.mailbox.end(CloseCode::Unavailable);
                }
            }
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
    /// right has ended asks for nothing more; what he left before is left.
    async fn finish_commands(&mut self) {
        if let Some(running) = self.running.take() {
            running.await;
        }
        let has_right = |code: CloseCode| code.number() < 4100;
        let has_right = self.mailbox.ending().is_none_or(has_right);
        for job in std::mem::take(&mut self.jobs) {
            let is_command = matches!(job, Job::Command(_));
            if is_command && has_right || matches!(job, Job::Unwatch(_)) {
                job::start(job, self.asker()).await;
            }
        }
    }
}
