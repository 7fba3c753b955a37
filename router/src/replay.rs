//! Replay: what a reader of a conversation missed, or its newest page.

use protocol::conversation::Marks;
use protocol::entry::{Entry, VisitorEntry};
use protocol::frame::Follow;
use protocol::id::{ConversationId, EntryId, WorkspaceId};
use protocol::limit::PAGE_ENTRIES_MAX;
use protocol::news::{AgentNews, Batch, Continuity, VisitorNews};
use protocol::permission::{Actor, Permission, Principal, VisitorActor};
use protocol::position::Position;
use protocol::rejection::{ErrorCode, Rejection};
use storage::entry::Numbering;

use crate::delivery::{Class, Encoded, SignalKey};
use crate::error::refused_by;
use crate::router::Router;
use crate::topic::Topic;

/// What a reader gets who follows a conversation.
#[derive(Debug, Clone)]
pub struct Replay {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Where its news come from. Listen there *before* asking for the replay, and hold what comes.
    pub topic: Topic,
    /// To be sent in this order: the entries, the conversation's facts, marks, who looks at it.
    pub frames: Vec<Encoded>,
    /// Where the reader stands after these: of what was held, only higher numbers are new.
    pub last_number: u64,
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
}

/// See [`Router::replay`].
pub(crate) async fn run(
    router: &Router,
    actor: &Actor,
    follow: &Follow,
) -> Result<Replay, Rejection> {
    let workspace_id = actor.workspace_id;
    match actor.principal {
        Principal::Visitor(visitor) => for_visitor(router, workspace_id, &visitor, follow).await,
        Principal::Agent(_) | Principal::Key(_) | Principal::System => {
            actor.may(Permission::ConversationsRead)?;
            for_team(router, actor, follow).await
        }
    }
}

async fn for_visitor(
    router: &Router,
    workspace_id: WorkspaceId,
    visitor: &VisitorActor,
    follow: &Follow,
) -> Result<Replay, Rejection> {
    let conversation_id = follow.conversation_id;
    let db = router.db();
    let conversation = router.owns(workspace_id, visitor, conversation_id).await?;
    let fault = |error| refused_by(&error);
    let found = read(router, workspace_id, follow, Numbering::Visitor).await?;
    let tenant = router.cache().tenant(workspace_id).await.map_err(fault)?;
    let entries: Vec<VisitorEntry> = found
        .entries
        .iter()
        .filter_map(|entry| entry.for_visitor(tenant.as_ref()))
        .collect();
    let position = position_of(db.epoch(), entries.last(), |entry| entry.number)
        .or_else(|| kept(found.continuity, follow));
    let batch = Batch {
        conversation_id,
        continuity: found.continuity,
        older: is_older(entries.first().map(|entry| entry.number), position),
        entries,
        position,
    };
    let marks = storage::participant::team_marks(db, workspace_id, conversation_id);
    let marks = marks.await.map_err(fault)?;
    Ok(Replay {
        conversation_id,
        topic: Topic::ConversationVisitor(conversation_id),
        frames: vec![
            Encoded::new(&VisitorNews::Entries(batch), Class::Row),
            Encoded::new(&VisitorNews::Conversation { conversation }, Class::Row),
            visitor_marks(conversation_id, marks),
        ],
        last_number: position.map_or(0, |position| position.number),
    })
}

async fn for_team(router: &Router, actor: &Actor, follow: &Follow) -> Result<Replay, Rejection> {
    let workspace_id = actor.workspace_id;
    let conversation_id = follow.conversation_id;
    let db = router.db();
    let fault = |error| refused_by(&error);
    let found = storage::conversation::find(db, workspace_id, conversation_id).await;
    let conversation = found.map_err(fault)?.ok_or(ErrorCode::NotFound)?;
    let found = read(router, workspace_id, follow, Numbering::Team).await?;
    let position = position_of(db.epoch(), found.entries.last(), |entry| entry.seq)
        .or_else(|| kept(found.continuity, follow));
    let batch = Batch {
        conversation_id,
        continuity: found.continuity,
        older: is_older(found.entries.first().map(|entry| entry.seq), position),
        entries: found.entries,
        position,
    };
    let marks =
        storage::participant::customer_marks(db, workspace_id, conversation_id, Numbering::Team);
    let marks = marks.await.map_err(fault)?;
    let mut frames = vec![
        Encoded::new(&AgentNews::Entries(batch), Class::Row),
        Encoded::new(&AgentNews::Conversation { conversation }, Class::Row),
        team_marks(conversation_id, marks),
        router.signals().viewers(conversation_id),
    ];
    if let Principal::Agent(agent) = actor.principal {
        let ids = [conversation_id];
        let read = storage::participant::read_of_agent(db, workspace_id, agent.agent_id, &ids);
        let read = read.await.map_err(fault)?;
        let seq = read.get(&conversation_id).copied().unwrap_or_default();
        frames.push(own_read(conversation_id, seq));
    }
    Ok(Replay {
        conversation_id,
        topic: Topic::ConversationAgents(conversation_id),
        frames,
        last_number: position.map_or(0, |position| position.number),
    })
}

/// Reads on from the reader's position where the store knows it and not too much is missing.
async fn read(
    router: &Router,
    workspace_id: WorkspaceId,
    follow: &Follow,
    numbering: Numbering,
) -> Result<Found, Rejection> {
    let db = router.db();
    let fault = |error| refused_by(&error);
    let id = follow.conversation_id;
    if let Some(position) = follow.position
        && position.epoch == db.epoch()
    {
        let at = storage::entry::id_at(db, workspace_id, id, numbering, position.number);
        if at.await.map_err(fault)? == Some(position.entry_id) {
            let limit = PAGE_ENTRIES_MAX + 1;
            let after =
                storage::entry::after(db, workspace_id, id, numbering, position.number, limit);
            let entries = after.await.map_err(fault)?;
            if entries.len() <= PAGE_ENTRIES_MAX {
                return Ok(Found {
                    continuity: Continuity::Resumed,
                    entries,
                });
            }
        }
    }
    let page = storage::entry::before(db, workspace_id, id, numbering, None, PAGE_ENTRIES_MAX);
    Ok(Found {
        continuity: Continuity::Afresh,
        entries: page.await.map_err(fault)?,
    })
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

/// A reader who missed nothing stands where he stood.
fn kept(continuity: Continuity, follow: &Follow) -> Option<Position> {
    match continuity {
        Continuity::Resumed => follow.position,
        Continuity::Afresh => None,
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
