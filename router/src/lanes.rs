//! Lanes: one task for each conversation, visitor or contact that something happens to.
//!
//! What enters a lane is finished there, whoever still waits for it. A lane is made when it is needed
//! and goes when it was idle for a while.

mod debt;
#[cfg(test)]
mod debt_tests;
mod entrance;
#[cfg(test)]
mod model;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use protocol::command::{Ack, Command};
use protocol::id::{ContactId, ConversationId, VisitorId, WorkspaceId};
use protocol::permission::{Actor, Principal, VisitorActor};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::text::ClientId;
use storage::audit::Change;
use storage::entry::Stored;
use tokio::sync::oneshot;

pub(crate) use debt::Owed;
pub(crate) use entrance::Standing;
use entrance::{Entrance, Entrances};

use crate::lane;
use crate::nodes::Commit;
use crate::router::Router;
use crate::signal::Heard;

/// What lanes are guarded by. `model.rs` puts others in its place, which try every order.
mod sync {
    pub(super) use flume::{Receiver, Sender, TrySendError};
    pub(super) use std::sync::atomic::{AtomicU64, Ordering};
    pub(super) use std::sync::{Mutex, MutexGuard};
    pub(super) use tokio::sync::Notify;
}

/// When a full lane may have room again, in milliseconds.
const RETRY_AFTER_MS: u64 = 500;

/// Whom a lane is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum LaneKey {
    /// A conversation: all that is done to it, and its turnstile.
    Conversation(WorkspaceId, ConversationId),
    /// A visitor: what may find or make his conversation.
    Visitor(WorkspaceId, VisitorId),
    /// A contact: its erasure.
    Contact(WorkspaceId, ContactId),
}

/// Commands of one speaker on their way, in the order in which they were said.
#[derive(Debug)]
pub(crate) struct CommandJob {
    pub(crate) actor: Actor,
    pub(crate) commands: Vec<(ClientId, Command)>,
    /// Where the door waits for the outcome of each, if it still does.
    pub(crate) reply: oneshot::Sender<Vec<Result<Ack, Rejection>>>,
}

/// Commands that a lane has taken.
#[derive(Debug)]
pub(crate) struct Asked(oneshot::Receiver<Vec<Result<Ack, Rejection>>>);

impl Asked {
    /// Waits for the outcome of each.
    ///
    /// # Errors
    /// `unavailable` from a lane that panicked or was ended hard: the outcomes are unknown.
    pub(crate) async fn outcomes(self) -> Result<Vec<Result<Ack, Rejection>>, Rejection> {
        self.0.await.map_err(|_| ErrorCode::Unavailable.into())
    }
}

/// What a lane does.
#[derive(Debug)]
pub(crate) enum Job {
    /// Decide, store and pass on.
    Command(Box<CommandJob>),
    /// Pass on what another lane of this node stored.
    Pass(Box<Stored>, Heard),
    /// Pass on what another node stored.
    Elsewhere(Box<Commit>, Heard),
    /// Count what a visitor has not read, and tell him: he read something.
    Unread {
        /// Who.
        visitor: VisitorActor,
    },
    /// Erase a contact.
    Erase {
        /// Who asks, for the audit log.
        change: Change,
        /// Where the door waits.
        reply: oneshot::Sender<Result<(), Rejection>>,
    },
}

/// The lanes of this node.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    entrances: Entrances<LaneKey, Job>,
    panic_count: AtomicU64,
}

impl Lanes {
    /// Hands a job to its lane, which is made if there is none.
    ///
    /// # Errors
    /// `unavailable` when as many as allowed wait there already; the job did not enter.
    pub(crate) fn post(&self, router: &Router, key: LaneKey, job: Job) -> Result<(), Rejection> {
        match self.entrances.put(key, job, || open(router, key)) {
            Ok(()) => Ok(()),
            Err(flume::TrySendError::Full(_)) => {
                Err(Rejection::after(ErrorCode::Unavailable, RETRY_AFTER_MS))
            }
            // The lane was ended by the hard token: after a panic it goes on.
            Err(flume::TrySendError::Disconnected(_)) => Err(ErrorCode::Unavailable.into()),
        }
    }

    /// Hands commands of one speaker to their lane.
    ///
    /// # Errors
    /// As [`Lanes::post`].
    pub(crate) fn ask(
        &self,
        router: &Router,
        key: LaneKey,
        actor: &Actor,
        commands: Vec<(ClientId, Command)>,
    ) -> Result<Asked, Rejection> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Command(Box::new(CommandJob {
            actor: *actor,
            commands,
            reply,
        }));
        self.post(router, key, job)?;
        Ok(Asked(answer))
    }

    /// Tells a lane, which is made if there is none, of something to read in the store. It is remembered until
    /// it is read, however much waits there.
    pub(crate) fn owe(&self, router: &Router, key: LaneKey, more: Owed) {
        self.entrances.owe(key, more, || open(router, key));
    }

    /// The numbers that passed in a conversation's lane; nothing where no lane is.
    pub(crate) fn passed(&self, key: LaneKey) -> Option<Range<u64>> {
        self.entrances.passed(key)
    }

    /// Takes an idle lane off the map, unless something entered it meanwhile.
    pub(crate) fn retire(
        &self,
        key: LaneKey,
        receiver: &flume::Receiver<Job>,
        standing: &Standing,
    ) -> bool {
        self.entrances.retire(key, receiver, standing)
    }

    /// How many lanes there are.
    pub(crate) fn count(&self) -> usize {
        self.entrances.count()
    }

    /// A lane panicked and goes on.
    pub(crate) fn count_panic(&self) {
        self.panic_count.fetch_add(1, Ordering::Relaxed);
    }

    /// How often a lane panicked.
    pub(crate) fn panic_count(&self) -> u64 {
        self.panic_count.load(Ordering::Relaxed)
    }
}

fn open(router: &Router, key: LaneKey) -> Entrance<Job> {
    // Bounded; a full one refuses the command, and the client sends it again.
    let (sender, receiver) = flume::bounded(router.config().lane_length);
    let standing = Arc::new(Standing::default());
    let lane = lane::run(router.clone(), key, receiver, Arc::clone(&standing));
    router.world().tracker.spawn(lane);
    Entrance::new(sender, standing)
}

/// The lane that a command belongs into.
///
/// # Errors
/// `invalid` where an agent does not say which conversation he means, `forbidden` where the command is
/// not for this kind of speaker.
pub(crate) fn lane_of(actor: &Actor, command: &Command) -> Result<LaneKey, Rejection> {
    let workspace_id = actor.workspace_id;
    let conversation = |id: &ConversationId| Ok(LaneKey::Conversation(workspace_id, *id));
    match command {
        Command::SendMessage {
            conversation_id, ..
        } => match (actor.principal, conversation_id) {
            (Principal::Visitor(visitor), _) => {
                Ok(LaneKey::Visitor(workspace_id, visitor.visitor_id))
            }
            (Principal::Agent(_) | Principal::Key(_) | Principal::System, Some(id)) => {
                conversation(id)
            }
            (Principal::Agent(_) | Principal::Key(_) | Principal::System, None) => {
                Err(Rejection::of(ErrorCode::Invalid, "conversation_id"))
            }
        },
        Command::Identify { .. } => match actor.principal {
            Principal::Visitor(visitor) => Ok(LaneKey::Visitor(workspace_id, visitor.visitor_id)),
            Principal::Agent(_) | Principal::Key(_) | Principal::System => {
                Err(ErrorCode::Forbidden.into())
            }
        },
        Command::StartConversation { visitor_id, .. } => {
            Ok(LaneKey::Visitor(workspace_id, *visitor_id))
        }
        Command::AddNote {
            conversation_id, ..
        }
        | Command::EditMessage {
            conversation_id, ..
        }
        | Command::DeleteMessage {
            conversation_id, ..
        }
        | Command::Assign {
            conversation_id, ..
        }
        | Command::Move {
            conversation_id, ..
        }
        | Command::Join { conversation_id }
        | Command::Leave { conversation_id }
        | Command::Snooze {
            conversation_id, ..
        }
        | Command::Close { conversation_id }
        | Command::Reopen { conversation_id }
        | Command::Prioritize {
            conversation_id, ..
        }
        | Command::MarkSpam {
            conversation_id, ..
        }
        | Command::BlockVisitor {
            conversation_id, ..
        } => conversation(conversation_id),
    }
}
