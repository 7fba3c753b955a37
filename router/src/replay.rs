//! Replay: what a reader of a conversation missed, page by page, or its newest page.

use protocol::conversation::Marks;
use protocol::entry::{Entry, VisitorEntry};
use protocol::id::{ConversationId, EntryId, Id, WorkspaceId};
use protocol::limit::PAGE_ENTRIES_MAX;
use protocol::news::{AgentNews, Batch, Continuity, VisitorNews};
use protocol::permission::{Actor, Permission, Principal, VisitorActor};
use protocol::position::Position;
use protocol::rejection::{ErrorCode, Rejection};
use storage::Db;
use storage::entry::Numbering;
use storage::log::{self, Bound};
use storage::replay::{First, Span};

use crate::delivery::{Class, Encoded, SignalKey};
use crate::error::refused_by;
use crate::router::Router;
use crate::topic::Topic;

/// Entries that a reader may have missed; who missed more begins afresh.
const MISSING_MAX: u64 = PAGE_ENTRIES_MAX as u64;

/// What a reader gets who follows a conversation.
#[derive(Debug, Clone)]
pub struct Replay {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Where its news come from. Listen there *before* asking for the replay, and hold what comes.
    pub topic: Topic,
    /// To be sent in this order: the entries; with the last page the conversation's facts, marks, who
    /// looks at it.
    pub frames: Vec<Encoded>,
    /// Where the reader stands after these: of what was held, only higher numbers are new.
    pub last_number: u64,
    /// Whether more is missing than fits into a page: [`Router::replay_after`] the last number goes on.
    pub more: bool,
}

/// Where a replay begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// Where the reader says that he stands, if he does. It is checked.
    Said(Option<Position>),
    /// After a number that this node gave him over the same connection.
    After(u64),
}

impl Start {
    /// The number after which he can go on, where the log is as he knew it.
    fn number(self, epoch: u64) -> Option<u64> {
        match self {
            Self::After(number) => Some(number),
            Self::Said(said) => said
                .filter(|said| said.epoch == epoch)
                .map(|said| said.number),
        }
    }
}

impl Replay {
    /// The topic under which this speaker hears of a conversation, if he may.
    #[must_use]
    pub fn topic_of(actor: &Actor, conversation_id: ConversationId) -> Topic {
        match actor.principal {
            Principal::Visitor(_) => Topic::ConversationVisitor(conversation_id),
            Principal::Agent(_) | Principal::Key(_) | Principal::System => {
                Topic::ConversationAgents(conversation_id)
            }
        }
    }
}

/// Entries for a reader, and how they connect to what he has.
struct Found {
    continuity: Continuity,
    entries: Vec<Entry>,
    /// Where the reader stood before these.
    before: Option<Position>,
    /// Whether the page ends before the conversation did when it was looked at.
    more: bool,
}

/// See [`Router::replay`] and [`Router::replay_after`].
pub(crate) async fn run(
    router: &Router,
    actor: &Actor,
    conversation_id: ConversationId,
    start: Start,
) -> Result<Replay, Rejection> {
    match actor.principal {
        Principal::Visitor(visitor) => {
            for_visitor(router, actor.workspace_id, &visitor, conversation_id, start).await
        }
        Principal::Agent(_) | Principal::Key(_) | Principal::System => {
            actor.may(Permission::ConversationsRead)?;
            for_team(router, actor, conversation_id, start).await
        }
    }
}

async fn for_visitor(
    router: &Router,
    workspace_id: WorkspaceId,
    visitor: &VisitorActor,
    conversation_id: ConversationId,
    start: Start,
) -> Result<Replay, Rejection> {
    let db = router.db();
    let fault = |error| refused_by(&error);
    let (id, after) = (conversation_id, start.number(db.epoch()));
    let first = storage::replay::of_visitor(db, workspace_id, visitor, id, after).await;
    let First {
        conversation,
        span,
        marks,
    } = first.map_err(fault)?.ok_or(ErrorCode::NotFound)?;
    router.keep_right(visitor.visitor_id.bits(), conversation_id);
    let log = Log {
        workspace_id,
        conversation_id,
        numbering: Numbering::Visitor,
        head: conversation.number,
    };
    let found = log.read(db, start, span).await.map_err(fault)?;
    let tenant = router.cache().tenant(workspace_id).await.map_err(fault)?;
    let entries: Vec<VisitorEntry> = found
        .entries
        .iter()
        .filter_map(|entry| entry.for_visitor(tenant.as_ref()))
        .collect();
    let position = position_of(db.epoch(), entries.last(), |entry| entry.number).or(found.before);
    let batch = Batch {
        conversation_id,
        continuity: found.continuity,
        older: is_older(entries.first().map(|entry| entry.number), position),
        entries,
        position,
    };
    let mut frames = vec![Encoded::new(&VisitorNews::Entries(batch), Class::Row)];
    if !found.more {
        frames.push(Encoded::new(
            &VisitorNews::Conversation { conversation },
            Class::Row,
        ));
        frames.push(visitor_marks(conversation_id, marks));
    }
    Ok(Replay {
        conversation_id,
        topic: Topic::ConversationVisitor(conversation_id),
        frames,
        last_number: position.map_or(0, |position| position.number),
        more: found.more,
    })
}

async fn for_team(
    router: &Router,
    actor: &Actor,
    conversation_id: ConversationId,
    start: Start,
) -> Result<Replay, Rejection> {
    let workspace_id = actor.workspace_id;
    let db = router.db();
    let fault = |error| refused_by(&error);
    let after = start.number(db.epoch());
    let first = storage::replay::of_team(db, workspace_id, conversation_id, after).await;
    let First {
        conversation,
        span,
        marks,
    } = first.map_err(fault)?.ok_or(ErrorCode::NotFound)?;
    // Whoever follows it will look at it, type and read: none of that asks the store again.
    router.keep_right(workspace_id.bits(), conversation_id);
    let log = Log {
        workspace_id,
        conversation_id,
        numbering: Numbering::Team,
        head: conversation.seq,
    };
    let start = match start {
        // No entry tells that words were erased: who was away meanwhile may still have them.
        Start::Said(_) if conversation.contact_erased => Start::Said(None),
        Start::Said(_) | Start::After(_) => start,
    };
    let found = log.read(db, start, span).await.map_err(fault)?;
    let position =
        position_of(db.epoch(), found.entries.last(), |entry| entry.seq).or(found.before);
    let batch = Batch {
        conversation_id,
        continuity: found.continuity,
        older: is_older(found.entries.first().map(|entry| entry.seq), position),
        entries: found.entries,
        position,
    };
    let mut frames = vec![Encoded::new(&AgentNews::Entries(batch), Class::Row)];
    if !found.more {
        frames.push(Encoded::new(
            &AgentNews::Conversation { conversation },
            Class::Row,
        ));
        frames.push(team_marks(conversation_id, marks));
        about(router, actor, conversation_id, &mut frames).await?;
    }
    Ok(Replay {
        conversation_id,
        topic: Topic::ConversationAgents(conversation_id),
        frames,
        last_number: position.map_or(0, |position| position.number),
        more: found.more,
    })
}

/// What an agent is told beside a conversation's entries and marks: who looks at it, how far he read himself.
async fn about(
    router: &Router,
    actor: &Actor,
    conversation_id: ConversationId,
    frames: &mut Vec<Encoded>,
) -> Result<(), Rejection> {
    let (db, workspace_id) = (router.db(), actor.workspace_id);
    let fault = |error| refused_by(&error);
    frames.push(router.signals().viewers(conversation_id));
    if let Principal::Agent(agent) = actor.principal {
        let ids = [conversation_id];
        let read = storage::participant::read_of_agent(db, workspace_id, agent.agent_id, &ids);
        let read = read.await.map_err(fault)?;
        let seq = read.get(&conversation_id).copied().unwrap_or_default();
        frames.push(own_read(conversation_id, seq));
    }
    Ok(())
}

/// A conversation's log, as one side counts it.
struct Log {
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    numbering: Numbering,
    /// Its last number when the conversation was read.
    head: u64,
}

impl Log {
    /// Reads on from where the reader stands, where the store knows that and not too much is missing;
    /// else the newest page. What was read with the conversation is not read again.
    async fn read(&self, db: &Db, start: Start, span: Span) -> storage::Result<Found> {
        let (workspace_id, id, numbering) =
            (self.workspace_id, self.conversation_id, self.numbering);
        let (bound, at) = (Bound::of(PAGE_ENTRIES_MAX), span.at);
        if !self.goes_on(db, start, &span) {
            let entries = match span.after {
                None => {
                    log::newest_with(db, workspace_id, id, numbering, span.entries, bound).await?
                }
                Some(_) => log::before(db, workspace_id, id, numbering, None, bound).await?,
            };
            return Ok(Found {
                continuity: Continuity::Afresh,
                before: None,
                entries,
                more: false,
            });
        }
        let entries = log::after_with(db, workspace_id, id, numbering, span.entries, bound).await?;
        let last = entries.last().map(|entry| match numbering {
            Numbering::Team => entry.seq,
            Numbering::Visitor => entry.public_seq.unwrap_or_default(),
        });
        let before = match (start, last) {
            (Start::Said(position), _) => position,
            (Start::After(_), Some(_)) => None,
            (Start::After(number), None) => at.map(|entry_id| Position {
                epoch: db.epoch(),
                number,
                entry_id,
            }),
        };
        Ok(Found {
            continuity: Continuity::Resumed,
            before,
            more: last.is_some_and(|last| last < self.head),
            entries,
        })
    }

    /// Whether the reader can go on where he stands.
    fn goes_on(&self, db: &Db, start: Start, span: &Span) -> bool {
        let is_there = match start {
            Start::Said(said) => span.at == said.map(|said| said.entry_id),
            Start::After(_) => true,
        };
        let number = start.number(db.epoch());
        is_there && number.is_some_and(|number| self.head.saturating_sub(number) <= MISSING_MAX)
    }
}

/// Where a reader stands after these entries.
pub(crate) fn position_of<E: Identified>(
    epoch: u64,
    last: Option<&E>,
    number: impl Fn(&E) -> u64,
) -> Option<Position> {
    last.map(|entry| Position {
        epoch,
        number: number(entry),
        entry_id: entry.id(),
    })
}

/// What has an entry's id.
pub(crate) trait Identified {
    /// The id.
    fn id(&self) -> EntryId;
}

impl Identified for Entry {
    fn id(&self) -> EntryId {
        self.id
    }
}

impl Identified for VisitorEntry {
    fn id(&self) -> EntryId {
        self.id
    }
}

/// Whether something stands before the first entry of a batch; of an empty one, before its position.
fn is_older(first: Option<u64>, position: Option<Position>) -> bool {
    first.map_or(position.is_some(), |number| number > 1)
}

/// How far the customer got, for the team.
pub(crate) fn team_marks(conversation_id: ConversationId, marks: Marks) -> Encoded {
    let news = AgentNews::Marks {
        conversation_id,
        marks,
    };
    let key = SignalKey::Marks(conversation_id);
    Encoded::new(&news, Class::Signal { key })
}

/// How far the team got, for the visitor.
pub(crate) fn visitor_marks(conversation_id: ConversationId, marks: Marks) -> Encoded {
    let news = VisitorNews::Marks {
        conversation_id,
        marks,
    };
    let key = SignalKey::Marks(conversation_id);
    Encoded::new(&news, Class::Signal { key })
}

/// How far an agent read, for the agent's own tabs.
pub(crate) fn own_read(conversation_id: ConversationId, seq: u64) -> Encoded {
    let news = AgentNews::Read {
        conversation_id,
        seq,
    };
    let key = SignalKey::Read(conversation_id);
    Encoded::new(&news, Class::Signal { key })
}
