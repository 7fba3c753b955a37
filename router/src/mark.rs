//! Marks: how far each side has got. They only grow, wait at most a second, and are stored together;
//! what was stored, here or on another node, is then told as a signal, by one task: whoever reads a mark to
//! tell it would else be overtaken by another who reads a newer one.

use std::time::Duration;

use protocol::conversation::Marks;
use protocol::id::{ConversationId, WorkspaceId};
use protocol::permission::VisitorActor;
use storage::entry::Numbering;
use storage::participant::{Mark, Party};
use world::HashMap;

use crate::latest::Latest;
use crate::nodes;
use crate::person;
use crate::replay::{own_read, team_marks, visitor_marks};
use crate::router::Router;
use crate::topic::Topic;
use crate::unread;

/// Marks that may wait; more are dropped, and come again with the next beat.
const WAITING_MAX: usize = 100_000;

/// Marks of one transaction, as the store allows.
const BATCH_MAX: usize = 200;

/// How often marks are written.
const INTERVAL: Duration = Duration::from_secs(1);

/// Somebody's progress that waits to be stored.
#[derive(Debug, Clone, Copy)]
struct Progress {
    workspace_id: WorkspaceId,
    /// The visitor who made it, for the count in his other tabs.
    visitor: Option<VisitorActor>,
    marks: Marks,
}

/// The marks of this node that wait.
#[derive(Debug)]
pub(crate) struct Marking {
    waiting: Latest<(ConversationId, Party), Progress>,
    /// What was stored here and on other nodes and is to be told here, with what visitors were told before.
    stored: Latest<(ConversationId, Party), (Progress, Option<Marks>)>,
}

impl Marking {
    pub(crate) fn new() -> Self {
        Self {
            waiting: Latest::new(WAITING_MAX),
            stored: Latest::new(WAITING_MAX),
        }
    }

    /// The customer got so far, in his own counting.
    pub(crate) fn customer(
        &self,
        workspace_id: WorkspaceId,
        visitor: VisitorActor,
        conversation_id: ConversationId,
        marks: Marks,
    ) {
        let progress = Progress {
            workspace_id,
            visitor: Some(visitor),
            marks,
        };
        self.put(conversation_id, Party::Customer, progress);
    }

    /// An agent got so far.
    pub(crate) fn agent(
        &self,
        workspace_id: WorkspaceId,
        agent_id: protocol::id::AgentId,
        conversation_id: ConversationId,
        marks: Marks,
    ) {
        let progress = Progress {
            workspace_id,
            visitor: None,
            marks,
        };
        self.put(conversation_id, Party::Agent(agent_id), progress);
    }

    /// Another node stored somebody's progress.
    pub(crate) fn elsewhere(
        &self,
        workspace_id: WorkspaceId,
        reader: (ConversationId, Party),
        visitor: Option<VisitorActor>,
        marks: Marks,
        told: Option<Marks>,
    ) {
        let progress = Progress {
            workspace_id,
            visitor,
            marks,
        };
        self.owe(reader, progress, told);
    }

    /// Somebody's progress was stored and is to be told. Never waits; the latest counts.
    fn owe(&self, reader: (ConversationId, Party), progress: Progress, told: Option<Marks>) {
        // A full box loses it: marks are a signal here.
        self.stored.put(reader, (progress, told), |there, new| {
            grow(&mut there.0, new.0)
        });
    }

    /// Tells what was stored, as it comes.
    pub(crate) async fn run_told(&self, router: &Router) {
        loop {
            for ((conversation_id, party), (progress, told)) in self.stored.take().await {
                if let Err(error) = tell(router, conversation_id, party, &progress, told).await {
                    tracing::warn!(%error, "marks could not be told");
                }
            }
        }
    }

    fn put(&self, conversation_id: ConversationId, party: Party, progress: Progress) {
        let has_room = self.waiting.put((conversation_id, party), progress, grow);
        if !has_room {
            tracing::warn!("too many marks wait; one was dropped");
        }
    }

    /// Stores what waits, at most once a second. The first mark after a quiet second is
    /// stored at once.
    pub(crate) async fn run(&self, router: &Router) {
        loop {
            let waiting: Vec<_> = self.waiting.take().await.into_iter().collect();
            for batch in waiting.chunks(BATCH_MAX) {
                store(router, batch).await;
            }
            router.world().clock.sleep(INTERVAL).await;
        }
    }
}

fn grow(there: &mut Progress, new: Progress) {
    there.marks.delivered = there.marks.delivered.max(new.marks.delivered);
    there.marks.read = there.marks.read.max(new.marks.read);
    there.visitor = new.visitor.or(there.visitor);
}

async fn store(router: &Router, batch: &[((ConversationId, Party), Progress)]) {
    router.world().faults.strike("mark.store");
    let marks: Vec<Mark> = batch
        .iter()
        .map(|((conversation_id, party), progress)| Mark {
            workspace_id: progress.workspace_id,
            conversation_id: *conversation_id,
            party: *party,
            marks: progress.marks,
        })
        .collect();
    let done = async {
        let told = told_visitors(router, batch).await?;
        let now_ms = router.world().clock.now_ms();
        storage::participant::mark(router.db(), &marks, now_ms).await?;
        Ok::<_, storage::Error>(told)
    };
    let told = match done.await {
        Ok(told) => told,
        Err(error) => {
            // Delivered marks come again with the next beat, read marks with the next message.
            tracing::warn!(%error, "marks could not be stored");
            return;
        }
    };
    for ((conversation_id, party), progress) in batch {
        let told = told.get(conversation_id).copied();
        router.nodes().tell(router, progress.workspace_id, || {
            let reader = (*conversation_id, *party);
            nodes::marked(reader, progress.visitor, progress.marks, told)
        });
        let reader = (*conversation_id, *party);
        router.marking().owe(reader, *progress, told);
    }
}

/// What visitors who listen were told of the team's marks before these.
async fn told_visitors(
    router: &Router,
    batch: &[((ConversationId, Party), Progress)],
) -> storage::Result<HashMap<ConversationId, Marks>> {
    let mut told = HashMap::default();
    for ((conversation_id, party), progress) in batch {
        let topic = Topic::ConversationVisitor(*conversation_id);
        // A visitor on another node listens unseen from here.
        let may_listen = router.hub().is_followed(&topic) || !router.nodes().is_alone();
        if matches!(party, Party::Agent(_)) && may_listen {
            let (db, workspace_id) = (router.db(), progress.workspace_id);
            let marks = storage::participant::team_marks(db, workspace_id, *conversation_id);
            told.insert(*conversation_id, marks.await?);
        }
    }
    Ok(told)
}

/// Tells how far somebody got, as the store has it: what was reported may be beyond the log, or behind what
/// was stored before. Only the one task that tells does this.
async fn tell(
    router: &Router,
    conversation_id: ConversationId,
    party: Party,
    progress: &Progress,
    told: Option<Marks>,
) -> storage::Result<()> {
    let (db, hub, workspace_id) = (router.db(), router.hub(), progress.workspace_id);
    match party {
        Party::Customer => {
            let topic = Topic::ConversationAgents(conversation_id);
            if hub.is_followed(&topic) {
                let marks = storage::participant::customer_marks(
                    db,
                    workspace_id,
                    conversation_id,
                    Numbering::Team,
                );
                let marks = marks.await?;
                hub.signal(topic, || team_marks(conversation_id, marks));
            }
            if let Some(visitor) = progress.visitor
                && progress.marks.read > 0
            {
                let devices =
                    person::devices(router, workspace_id, visitor, conversation_id).await?;
                for device in devices {
                    unread::count(router, workspace_id, conversation_id, &device);
                }
            }
        }
        Party::Agent(agent_id) => {
            let topic = Topic::ConversationVisitor(conversation_id);
            if hub.is_followed(&topic) {
                let marks = storage::participant::team_marks(db, workspace_id, conversation_id);
                let marks = marks.await?;
                // Whoever read a note got no further in the visitor's counting, and must not be heard of.
                if told != Some(marks) {
                    hub.signal(topic, || visitor_marks(conversation_id, marks));
                }
            }
            let own = Topic::Agent(agent_id);
            if progress.marks.read > 0 && hub.is_followed(&own) {
                let ids = [conversation_id];
                let read =
                    storage::participant::read_of_agent(db, workspace_id, agent_id, &ids).await?;
                if let Some(seq) = read.get(&conversation_id) {
                    hub.signal(own, || own_read(conversation_id, *seq));
                }
            }
        }
    }
    Ok(())
}
