//! Commands: read what a decision needs, decide, store. Runs inside a lane.

use protocol::agent::Agent;
use protocol::command::{Ack, Command, Draft};
use protocol::entry::{Author, Entry};
use protocol::id::{ConversationId, EntryId, VisitorId, WorkspaceId};
use protocol::permission::{Actor, Permission, Principal, VisitorActor};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::text::ClientId;
use sha2::{Digest, Sha256};
use storage::command::{CommandKey, Found, Receipt, Refusal, Remembered};
use storage::contact::Shown;
use storage::entry::{Append, NewEntry, Outcome, Stored};
use storage::message::{Course, Start, VisitorMessage};

use crate::claim;
use crate::contact::Moment;
use crate::decide::{self, Decision, Situation};
use crate::error::refused_by;
use crate::lane::{Known, Memory};
use crate::router::Router;

/// How often a decision is made anew because its guard no longer held. Each try reads what changed, so
/// only a storm of changes by other nodes comes to the end of it.
const TRIES_MAX: u32 = 4;

/// What came of an accepted command.
#[derive(Debug)]
pub(crate) struct Done {
    /// What the speaker is told.
    pub(crate) ack: Ack,
    /// What is to be passed on; nothing for a retry, or where nothing changed.
    pub(crate) stored: Option<Box<Stored>>,
}

/// A command on its way through its lane.
struct Asked<'a> {
    router: &'a Router,
    actor: &'a Actor,
    client_id: &'a ClientId,
    command: &'a Command,
    key: CommandKey,
}

/// Runs a command.
///
/// # Errors
/// What the speaker is told. After `unavailable` the outcome is unknown.
pub(crate) async fn run(
    router: &Router,
    memory: &mut Memory,
    actor: &Actor,
    client_id: &ClientId,
    command: &Command,
) -> Result<Done, Rejection> {
    let asked = Asked {
        router,
        actor,
        client_id,
        command,
        key: key_of(actor, client_id, command),
    };
    let outcome = match (command, actor.principal) {
        (
            Command::SendMessage {
                conversation_id,
                draft,
            },
            Principal::Visitor(visitor),
        ) => asked.say(memory, visitor, *conversation_id, draft).await,
        (Command::Identify { claim }, Principal::Visitor(visitor)) => {
            memory.course = None;
            asked.identify(visitor, claim).await
        }
        (Command::StartConversation { visitor_id, draft }, _) => {
            asked.start(*visitor_id, draft).await
        }
        (_, _) => asked.decide(&mut memory.known).await,
    };
    match outcome {
        Ok(done) => Ok(done),
        // What was accepted once stays accepted, whatever has become of the conversation.
        Err(rejection) if may_be_retry(&rejection) => asked.accepted_before(rejection).await,
        Err(rejection) => Err(rejection),
    }
}

/// The name of a command, with the digest that tells two of them under one client id apart.
pub(crate) fn key_of(actor: &Actor, client_id: &ClientId, command: &Command) -> CommandKey {
    let text = serde_json::to_vec(command).expect("commands are trees of texts and numbers");
    CommandKey {
        principal: actor.principal_key(),
        client_id: client_id.clone(),
        digest: Sha256::digest(text).into(),
    }
}

/// What the speaker of an accepted command is told.
pub(crate) fn ack_of(actor: &Actor, client_id: &ClientId, receipt: &Receipt) -> Ack {
    let number = match actor.principal {
        Principal::Visitor(_) => receipt.public_seq,
        Principal::Agent(_) | Principal::Key(_) | Principal::System => receipt.seq,
    };
    Ack {
        client_id: client_id.clone(),
        conversation_id: receipt.conversation_id,
        entry_id: receipt.entry_id,
        number,
        sent_at_ms: receipt.sent_at_ms,
    }
}

/// Where the messages of a lane's visitor go, as far as it is remembered and still holds, and when it was read.
pub(crate) fn course_of(router: &Router, memory: &mut Memory) -> (Option<Course>, Moment) {
    let now = router.contacts().now();
    let Some((mut course, mut read)) = memory.course.take() else {
        return (None, now);
    };
    if !router.contacts().holds(course.contact_id(), read) {
        course.forget_contact();
        read = now;
    }
    (Some(course), read)
}

/// Whether a site lets its visitor write.
pub(crate) async fn site_lets_write(
    router: &Router,
    workspace_id: WorkspaceId,
    visitor: VisitorActor,
) -> Result<(), Rejection> {
    let tenant = router.cache().tenant(workspace_id).await;
    let tenant = tenant.map_err(|error| refused_by(&error))?;
    match tenant.site(visitor.site_id) {
        Some(site) if site.archived => Err(ErrorCode::UnknownSite.into()),
        Some(site) if site.identity_required && visitor.contact_id.is_none() => {
            Err(ErrorCode::Forbidden.into())
        }
        Some(_) => Ok(()),
        None => Err(ErrorCode::UnknownSite.into()),
    }
}

/// Faults and reused ids say nothing about an earlier success.
fn may_be_retry(rejection: &Rejection) -> bool {
    !matches!(
        rejection.code,
        ErrorCode::ClientIdReused
            | ErrorCode::Unavailable
            | ErrorCode::StorageFull
            | ErrorCode::Internal
    )
}

impl Asked<'_> {
    fn workspace_id(&self) -> WorkspaceId {
        self.actor.workspace_id
    }

    fn now_ms(&self) -> u64 {
        self.router.world().clock.now_ms()
    }

    /// A visitor says something: where it belongs is found in the transaction that stores it.
    async fn say(
        &self,
        memory: &mut Memory,
        visitor: VisitorActor,
        conversation_id: Option<ConversationId>,
        draft: &Draft,
    ) -> Result<Done, Rejection> {
        site_lets_write(self.router, self.workspace_id(), visitor).await?;
        let (mut course, read) = course_of(self.router, memory);
        if let Some(id) = conversation_id
            && !course.as_ref().is_some_and(|course| course.leads_to(id))
        {
            self.router.owns(self.workspace_id(), &visitor, id).await?;
        }
        let message = decide::message_of(decide::VISITOR_FORMATS, draft)?;
        if let Some(reply_to_id) = draft.reply_to_id {
            let target = self
                .answered_by_visitor(visitor, conversation_id, reply_to_id)
                .await?;
            decide::check_reply(target.as_ref(), true)?;
        }
        let message = VisitorMessage {
            workspace_id: self.workspace_id(),
            visitor,
            key: self.key.clone(),
            conversation_id,
            message,
            at_ms: self.now_ms(),
        };
        let outcome = storage::message::send(self.router.db(), &message, &mut course).await;
        memory.course = course.map(|course| (course, read));
        self.done(outcome.map_err(|error| refused_by(&error))?)
    }

    async fn answered_by_visitor(
        &self,
        visitor: VisitorActor,
        conversation_id: Option<ConversationId>,
        entry_id: EntryId,
    ) -> Result<Option<Entry>, Rejection> {
        let reader = self.router.db();
        let conversation_id = match conversation_id {
            Some(id) => Some(id),
            None => storage::conversation::open_of_visitor(reader, self.workspace_id(), &visitor)
                .await
                .map_err(|error| refused_by(&error))?
                .map(|open| open.id),
        };
        match conversation_id {
            Some(id) => self.entry(id, entry_id).await,
            None => Ok(None),
        }
    }

    async fn identify(
        &self,
        visitor: VisitorActor,
        claim: &protocol::visitor::Claim,
    ) -> Result<Done, Rejection> {
        claim::check(claim)?;
        let claimed = storage::visitor::claim(
            self.router.db(),
            self.workspace_id(),
            &visitor,
            &self.key,
            claim,
            self.now_ms(),
        );
        let remembered = claimed.await.map_err(|error| refused_by(&error))?;
        let done = self.remembered(remembered)?;
        let live = self.router.live();
        live.outdated(self.workspace_id(), visitor.visitor_id).await;
        Ok(done)
    }

    async fn start(&self, visitor_id: VisitorId, draft: &Draft) -> Result<Done, Rejection> {
        self.actor.may(Permission::ConversationsWrite)?;
        let author = match self.actor.principal {
            Principal::Agent(agent) => Author::Agent {
                agent_id: agent.agent_id,
            },
            Principal::Key(key) => Author::Key { key_id: key.key_id },
            Principal::Visitor(_) | Principal::System => return Err(ErrorCode::Forbidden.into()),
        };
        if draft.reply_to_id.is_some() {
            return Err(Rejection::of(ErrorCode::Invalid, "reply_to_id"));
        }
        let start = Start {
            workspace_id: self.workspace_id(),
            visitor_id,
            key: self.key.clone(),
            author,
            message: decide::message_of(decide::TEAM_FORMATS, draft)?,
            at_ms: self.now_ms(),
        };
        let outcome = storage::message::start(self.router.db(), &start).await;
        self.done(outcome.map_err(|error| refused_by(&error))?)
    }

    /// Everything about a conversation that exists: read, decide, store under the guard; decide again
    /// where the guard no longer held.
    async fn decide(&self, known: &mut Option<Known>) -> Result<Done, Rejection> {
        let conversation_id = conversation_of(self.command).ok_or(ErrorCode::NotFound)?;
        let mut refusal = Refusal::NotFound;
        for _ in 0..TRIES_MAX {
            match self.decide_once(known, conversation_id).await? {
                Outcome::Refused(refused @ (Refusal::State(_) | Refusal::Stale)) => {
                    refusal = refused;
                    *known = None;
                }
                outcome @ (Outcome::Accepted(_)
                | Outcome::Replayed(_)
                | Outcome::ClientIdReused
                | Outcome::Refused(_)) => return self.done(outcome),
            }
        }
        Err(rejection_of(refusal))
    }

    async fn decide_once(
        &self,
        known: &mut Option<Known>,
        conversation_id: ConversationId,
    ) -> Result<Outcome, Rejection> {
        let db = self.router.db();
        let workspace_id = self.workspace_id();
        if let Principal::Visitor(visitor) = self.actor.principal {
            self.router
                .owns(workspace_id, &visitor, conversation_id)
                .await?;
        }
        let is_read = known.as_ref().is_some_and(|known| {
            let contact_id = known.conversation.contact_id;
            known.conversation.id == conversation_id
                && self.router.contacts().holds(contact_id, known.read)
        });
        if !is_read {
            *known = Some(self.read(conversation_id).await?);
        }
        let known = known.as_ref().expect("read just now");
        let target = match target_of(self.command) {
            Some(entry_id) => self.entry(conversation_id, entry_id).await?,
            None => None,
        };
        let tenant = self.router.cache().tenant(workspace_id).await;
        let agents: &[Agent] = &tenant.as_ref().map_err(refused_by)?.agents;
        let situation = Situation {
            conversation: &known.conversation,
            participants: &known.participants,
            target: target.as_ref(),
            agents,
            is_blocked: self.is_blocked(known.conversation.visitor_id).await?,
            now_ms: self.now_ms(),
        };
        match decide::decide(self.actor, self.command, situation)? {
            Decision::Append {
                author,
                guard,
                contents,
            } => {
                let entries = contents.into_iter().map(|content| NewEntry {
                    id: self.router.world().ids.next(),
                    author,
                    content,
                });
                let append = Append {
                    workspace_id,
                    conversation_id,
                    key: self.key.clone(),
                    guard,
                    entries: entries.collect(),
                    at_ms: situation.now_ms,
                    reached_at_ms: Some(situation.conversation.active_at_ms),
                    contact: Some(Shown {
                        name: situation.conversation.contact_name.clone(),
                        version: situation.conversation.contact_version,
                        erased: situation.conversation.contact_erased,
                    }),
                };
                let outcome = storage::entry::append(db, &append).await;
                outcome.map_err(|error| refused_by(&error))
            }
            Decision::Nothing => self.nothing(conversation_id).await,
        }
    }

    /// It is so already: only that it was asked is remembered, so that a retry hears the same.
    async fn nothing(&self, conversation_id: ConversationId) -> Result<Outcome, Rejection> {
        let remembered = storage::command::remember(
            self.router.db(),
            self.workspace_id(),
            &self.key,
            Some(conversation_id),
            self.now_ms(),
        );
        Ok(
            match remembered.await.map_err(|error| refused_by(&error))? {
                Remembered::Accepted(receipt) | Remembered::Replayed(receipt) => {
                    Outcome::Replayed(receipt)
                }
                Remembered::ClientIdReused => Outcome::ClientIdReused,
                Remembered::Refused(refusal) => Outcome::Refused(refusal),
            },
        )
    }

    async fn read(&self, conversation_id: ConversationId) -> Result<Known, Rejection> {
        let read = self.router.contacts().now();
        let db = self.router.db();
        let facts = storage::conversation::facts(db, self.workspace_id(), conversation_id).await;
        let facts = facts
            .map_err(|error| refused_by(&error))?
            .ok_or(ErrorCode::NotFound)?;
        Ok(Known {
            conversation: facts.conversation,
            participants: facts.participants,
            read,
        })
    }

    async fn entry(
        &self,
        conversation_id: ConversationId,
        entry_id: EntryId,
    ) -> Result<Option<Entry>, Rejection> {
        let db = self.router.db();
        let found = storage::entry::find(db, self.workspace_id(), conversation_id, entry_id).await;
        found.map_err(|error| refused_by(&error))
    }

    /// Only what a visitor asks, and blocking itself, depends on it.
    async fn is_blocked(&self, visitor_id: Option<VisitorId>) -> Result<bool, Rejection> {
        let asks = match (self.actor.principal, self.command) {
            (Principal::Visitor(visitor), _) => Some(visitor.visitor_id),
            (_, Command::BlockVisitor { .. }) => visitor_id,
            (Principal::Agent(_) | Principal::Key(_) | Principal::System, _) => None,
        };
        let Some(visitor_id) = asks else {
            return Ok(false);
        };
        let db = self.router.db();
        let row = storage::visitor::find(db, self.workspace_id(), visitor_id).await;
        let row = row.map_err(|error| refused_by(&error))?;
        Ok(row.is_some_and(|row| row.blocked))
    }

    async fn accepted_before(&self, rejection: Rejection) -> Result<Done, Rejection> {
        let found = storage::command::find(self.router.db(), self.workspace_id(), &self.key);
        match found.await.map_err(|error| refused_by(&error))? {
            Some(Found::Mine(receipt) | Found::Before(receipt)) => Ok(Done {
                ack: self.ack(&receipt),
                stored: None,
            }),
            Some(Found::Other) => Err(ErrorCode::ClientIdReused.into()),
            None => Err(rejection),
        }
    }

    fn done(&self, outcome: Outcome) -> Result<Done, Rejection> {
        match outcome {
            Outcome::Accepted(stored) => Ok(Done {
                ack: self.ack(&stored.receipt),
                stored: Some(stored),
            }),
            Outcome::Replayed(receipt) => Ok(Done {
                ack: self.ack(&receipt),
                stored: None,
            }),
            Outcome::ClientIdReused => Err(ErrorCode::ClientIdReused.into()),
            Outcome::Refused(refusal) => Err(rejection_of(refusal)),
        }
    }

    fn remembered(&self, remembered: Remembered) -> Result<Done, Rejection> {
        match remembered {
            Remembered::Accepted(receipt) | Remembered::Replayed(receipt) => Ok(Done {
                ack: self.ack(&receipt),
                stored: None,
            }),
            Remembered::ClientIdReused => Err(ErrorCode::ClientIdReused.into()),
            Remembered::Refused(refusal) => Err(rejection_of(refusal)),
        }
    }

    fn ack(&self, receipt: &Receipt) -> Ack {
        ack_of(self.actor, self.client_id, receipt)
    }
}

fn rejection_of(refusal: Refusal) -> Rejection {
    match refusal {
        Refusal::NotFound => ErrorCode::NotFound.into(),
        Refusal::State(_) | Refusal::Fence | Refusal::OtherOpen(_) => {
            ErrorCode::ConversationState.into()
        }
        // Others changed it faster than it could be decided: the same may be sent again.
        Refusal::Stale => ErrorCode::Unavailable.into(),
        Refusal::Blocked => ErrorCode::Blocked.into(),
        Refusal::Attachment => Rejection::of(ErrorCode::Invalid, "attachment_ids"),
        Refusal::TooMany(field) => Rejection::of(ErrorCode::TooMany, field),
        Refusal::WindowOver => ErrorCode::EditWindowOver.into(),
    }
}

/// The entry that a command names.
fn target_of(command: &Command) -> Option<EntryId> {
    match command {
        Command::EditMessage { entry_id, .. } | Command::DeleteMessage { entry_id, .. } => {
            Some(*entry_id)
        }
        Command::SendMessage { draft, .. } | Command::AddNote { draft, .. } => draft.reply_to_id,
        Command::Identify { .. }
        | Command::StartConversation { .. }
        | Command::Assign { .. }
        | Command::Move { .. }
        | Command::Join { .. }
        | Command::Leave { .. }
        | Command::Snooze { .. }
        | Command::Close { .. }
        | Command::Reopen { .. }
        | Command::Prioritize { .. }
        | Command::MarkSpam { .. }
        | Command::BlockVisitor { .. } => None,
    }
}

/// The conversation that a command names.
fn conversation_of(command: &Command) -> Option<ConversationId> {
    match command {
        Command::SendMessage {
            conversation_id, ..
        } => *conversation_id,
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
        } => Some(*conversation_id),
        Command::Identify { .. } | Command::StartConversation { .. } => None,
    }
}
