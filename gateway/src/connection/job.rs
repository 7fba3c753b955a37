//! What a connection asks of the router: one thing at a time, in the order it was said. So a command
//! can never overtake the one before it, and a connection at rest holds no future.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use protocol::agent::{Availability, Sight};
use protocol::command::{Ack, Command};
use protocol::contact::AttributeValue;
use protocol::frame::{Follow, Page};
use protocol::id::{ConnectionId, ConversationId};
use protocol::permission::{Actor, Principal};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::text::ClientId;
use router::{Encoded, Replay, Topic};

use crate::Doors;
use crate::connection::command::{self, Queue};
use crate::metric::Metric;
use crate::shard::admission::Admission;

/// A command, as a client said it.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) client_id: ClientId,
    pub(crate) command: Command,
    /// When it was taken in, by the time that has elapsed.
    pub(crate) came: Duration,
}

/// Something to ask.
#[derive(Debug)]
pub(crate) enum Job {
    /// Do this.
    Command(Box<Said>),
    /// Do these, which may go together.
    Commands(Vec<Said>),
    /// Read the past of a conversation from where the client stands.
    Attach {
        follow: Follow,
        /// Which reading of the connection it is.
        reading: u32,
    },
    /// Read the past of a conversation on after a number that the client was sent.
    ReadOn {
        conversation_id: ConversationId,
        number: u64,
        reading: u32,
    },
    /// Read a list, whole.
    Snapshot(Topic),
    /// Watch a list no longer.
    Unwatch(Topic),
    /// Somebody types.
    Typing {
        conversation_id: Option<ConversationId>,
        text: Option<String>,
        active: bool,
    },
    /// An agent looks at this.
    Viewing(Option<ConversationId>),
    /// Read up to here.
    Read {
        conversation_id: ConversationId,
        number: u64,
    },
    /// Arrived up to here.
    Delivered(BTreeMap<ConversationId, u64>),
    /// The agent can be reached, or not.
    Availability(Availability),
    /// The agent has this in sight, or nothing.
    Screen(Option<Sight>),
    /// A page came in sight.
    Page(Page),
    /// Somebody looks at it, or not.
    Activity(bool),
    /// Something happened on it.
    Track {
        name: String,
        properties: BTreeMap<String, AttributeValue>,
    },
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Done {
    /// What came of commands, in the order in which they were said.
    Commands {
        outcomes: Vec<(ClientId, Result<Ack, Rejection>)>,
        /// Whether the next one waits for one which does not come. It changed nothing.
        is_stuck: bool,
    },
    /// The past of a conversation, or a page of it.
    Attached {
        conversation_id: ConversationId,
        reading: u32,
        outcome: Result<Replay, Rejection>,
    },
    /// A list, whole.
    Snapshot(Topic, Result<Encoded, Rejection>),
    /// A signal's end.
    Signal(Result<(), Rejection>),
}

impl Job {
    /// The conversation whose past is read.
    pub(crate) fn reads(&self) -> Option<ConversationId> {
        match self {
            Self::Attach { follow, .. } => Some(follow.conversation_id),
            Self::ReadOn {
                conversation_id, ..
            } => Some(*conversation_id),
            Self::Command(_)
            | Self::Commands(_)
            | Self::Snapshot(_)
            | Self::Unwatch(_)
            | Self::Typing { .. }
            | Self::Viewing(_)
            | Self::Read { .. }
            | Self::Delivered(_)
            | Self::Availability(_)
            | Self::Screen(_)
            | Self::Page(_)
            | Self::Activity(_)
            | Self::Track { .. } => None,
        }
    }
}

/// Who asks.
#[derive(Clone)]
pub(crate) struct Asker {
    pub(crate) doors: Doors,
    pub(crate) actor: Actor,
    pub(crate) connection_id: ConnectionId,
    /// Whether no rate stops him.
    pub(crate) exempt: bool,
    /// Where the commands of a connection wait for their turn; nothing for a request that stands alone.
    pub(crate) queue: Option<Arc<Queue>>,
    /// Where a visitor waits before a past is read to him.
    pub(crate) pasts: Option<Admission>,
}

impl Asker {
    /// Reads a past, once admitted.
    async fn past<F>(&self, read: impl FnOnce() -> F) -> Result<Replay, Rejection>
    where
        F: Future<Output = Result<Replay, Rejection>>,
    {
        let _admitted = match &self.pasts {
            Some(pasts) => Some(pasts.enter(&self.doors.world.clock).await?),
            None => None,
        };
        read().await
    }

    /// Leaves a trace of a visitor: within the rates of traces, which are their own, so that a page that
    /// reports much keeps nobody from writing.
    async fn trace<F>(&self, leave: impl FnOnce() -> F) -> Done
    where
        F: Future<Output = Result<(), Rejection>>,
    {
        let Principal::Visitor(visitor) = self.actor.principal else {
            return Done::Signal(Err(ErrorCode::Forbidden.into()));
        };
        let (limits, metrics) = (&self.doors.limits, &self.doors.metrics);
        let allowed = match self.exempt {
            true => Ok(()),
            false => limits.trace(visitor.site_id, visitor.visitor_id),
        };
        let left = match allowed {
            Ok(()) => leave().await,
            Err(rejection) => {
                metrics.add(Metric::RateLimited, 1);
                Err(rejection)
            }
        };
        if left.is_err() {
            metrics.add(Metric::TracesRefused, 1);
        }
        Done::Signal(left)
    }
}

/// A job under way. Dropping it leaves what reached a lane to the lane.
pub(crate) type Running = Pin<Box<dyn Future<Output = Done>>>;

/// Starts a job.
pub(crate) fn start(job: Job, asker: Asker) -> Running {
    Box::pin(async move { run(job, &asker).await })
}

/// Does a job.
pub(crate) async fn run(job: Job, asker: &Asker) -> Done {
    let (router, actor) = (&asker.doors.router, &asker.actor);
    let connection_id = asker.connection_id;
    match job {
        Job::Command(said) => commands(asker, vec![*said]).await,
        Job::Commands(said) => commands(asker, said).await,
        Job::Attach { follow, reading } => Done::Attached {
            conversation_id: follow.conversation_id,
            reading,
            outcome: asker.past(|| router.replay(actor, &follow)).await,
        },
        Job::ReadOn {
            conversation_id,
            number,
            reading,
        } => Done::Attached {
            conversation_id,
            reading,
            outcome: asker
                .past(|| router.replay_after(actor, conversation_id, number))
                .await,
        },
        Job::Snapshot(topic) => Done::Snapshot(topic, router.snapshot(actor, topic).await),
        Job::Unwatch(topic) => {
            router.unwatch(topic, connection_id).await;
            Done::Signal(Ok(()))
        }
        Job::Typing {
            conversation_id,
            text,
            active,
        } => Done::Signal(router.typing(actor, conversation_id, text, active).await),
        Job::Viewing(conversation_id) => {
            Done::Signal(router.viewing(actor, connection_id, conversation_id).await)
        }
        Job::Read {
            conversation_id,
            number,
        } => Done::Signal(router.read(actor, conversation_id, number).await),
        Job::Delivered(numbers) => Done::Signal(router.delivered(actor, &numbers).await),
        Job::Availability(availability) => {
            Done::Signal(router.availability(actor, availability).await)
        }
        Job::Screen(sight) => Done::Signal(router.screen(actor, connection_id, sight).await),
        Job::Page(page) => {
            let leave = || router.visitor_page(connection_id, page);
            asker.trace(leave).await
        }
        Job::Activity(visible) => {
            router.visitor_activity(connection_id, visible).await;
            Done::Signal(Ok(()))
        }
        Job::Track { name, properties } => {
            let leave = || router.visitor_track(connection_id, name, properties);
            asker.trace(leave).await
        }
    }
}

async fn commands(asker: &Asker, said: Vec<Said>) -> Done {
    if let Some(queue) = &asker.queue {
        return command::in_turn(asker, queue, said).await;
    }
    let mut outcomes = Vec::with_capacity(said.len());
    for one in said {
        let client_id = one.client_id.clone();
        let outcome = command::alone(asker, one).await;
        outcomes.push((client_id, outcome));
    }
    Done::Commands {
        outcomes,
        is_stuck: false,
    }
}
