//! The inboxes that somebody watches: one task per workspace, which tells changes at most four times a
//! second and computes and encodes each row once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::conversation::Conversation;
use protocol::id::{AgentId, ConnectionId, ConversationId, WorkspaceId};
use protocol::limit::PAGE_ROWS_MAX;
use protocol::news::AgentNews;
use protocol::rejection::Rejection;
use protocol::view::{InboxCounts, InboxFilter, InboxList};
use storage::inbox::ListQuery;
use tokio::sync::Notify;

use super::inbox::{self, Before, RowChange};
use crate::cache::scope;
use crate::delivery::{Class, Encoded};
use crate::error::refused_by;
use crate::latest::Latest;
use crate::router::Router;
use crate::steady;
use crate::topic::Topic;
use world::{HashMap, HashSet};

/// Rows that may wait to be told; more than that in a quarter of a second are told with their next change.
const WAITING_MAX: usize = 50_000;

/// Rows and gone ones of a list, as JSON.
type Parts = (String, String);

/// Whose conversations are counted, and what they are narrowed to.
type Counted = (AgentId, InboxList);

/// The lists of one workspace.
#[derive(Debug)]
struct Inbox {
    waiting: Latest<ConversationId, RowChange>,
    watchers: Mutex<HashMap<(AgentId, InboxList), HashSet<ConnectionId>>>,
    /// Rung when nobody watches any more.
    closed: Notify,
}

/// The inboxes of this node that somebody watches.
#[derive(Debug, Default)]
pub(crate) struct Inboxes(Mutex<HashMap<WorkspaceId, Arc<Inbox>>>);

impl Inboxes {
    /// A connection watches a list from now on.
    pub(crate) fn watch(
        &self,
        router: &Router,
        workspace_id: WorkspaceId,
        list: (AgentId, InboxList),
        connection_id: ConnectionId,
    ) {
        let mut inboxes = lock(&self.0);
        let inbox = inboxes.entry(workspace_id).or_insert_with(|| {
            let inbox = Arc::new(Inbox {
                waiting: Latest::new(WAITING_MAX),
                watchers: Mutex::default(),
                closed: Notify::new(),
            });
            let (router, of) = (router.clone(), Arc::clone(&inbox));
            let tracker = router.world().tracker.clone();
            tracker.spawn(async move {
                steady::run(&router, "inbox", || run(&router, workspace_id, &of)).await;
            });
            inbox
        });
        lock(&inbox.watchers)
            .entry(list)
            .or_default()
            .insert(connection_id);
    }

    /// A connection watches a list no longer.
    pub(crate) fn unwatch(&self, list: (AgentId, InboxList), connection_id: ConnectionId) {
        for inbox in lock(&self.0).values() {
            let mut watchers = lock(&inbox.watchers);
            if let Some(connections) = watchers.get_mut(&list) {
                connections.remove(&connection_id);
                if connections.is_empty() {
                    watchers.remove(&list);
                }
            }
            if watchers.is_empty() {
                inbox.closed.notify_one();
            }
        }
    }

    /// Takes away an inbox that nobody watches, unless somebody does again. Its task does it when it has told what it had:
    /// beside another one's it could tell older counts after newer ones.
    fn retire(&self, workspace_id: WorkspaceId, inbox: &Inbox) -> bool {
        let mut inboxes = lock(&self.0);
        let is_unwatched = lock(&inbox.watchers).is_empty();
        if is_unwatched {
            inboxes.remove(&workspace_id);
        }
        is_unwatched
    }

    /// A conversation changed. Costs nothing where nobody watches; never waits.
    pub(crate) fn changed(&self, workspace_id: WorkspaceId, before: Before, row: &Conversation) {
        let Some(inbox) = lock(&self.0).get(&workspace_id).cloned() else {
            return;
        };
        let change = RowChange::new(before, row.clone());
        // A full box loses this news only: the row is told with its next change.
        let has_room = inbox.waiting.put(row.id, change, RowChange::merge);
        if !has_room {
            tracing::warn!("too many changed rows wait; one was dropped");
        }
    }
}

/// A list, whole.
pub(crate) async fn snapshot(
    router: &Router,
    workspace_id: WorkspaceId,
    agent_id: AgentId,
    list: InboxList,
) -> Result<Encoded, Rejection> {
    let db = router.db();
    let fault = |error| refused_by(&error);
    let query = ListQuery {
        list,
        agent_id: Some(agent_id),
        cursor: None,
        limit: PAGE_ROWS_MAX,
    };
    let scope = scope(workspace_id);
    let page = storage::inbox::list(db, &scope, &query).await;
    let page = page.map_err(fault)?;
    let ids: Vec<_> = page.items.iter().map(|row| row.id).collect();
    let read = storage::participant::read_of_agent(db, workspace_id, agent_id, &ids);
    let read: BTreeMap<_, _> = read.await.map_err(fault)?;
    let counts = storage::inbox::counts(db, &scope, Some(agent_id), list).await;
    let news = AgentNews::Inbox {
        list,
        rows: page.items,
        read,
        cursor: page.cursor,
        counts: counts.map_err(fault)?,
    };
    Ok(Encoded::new(&news, Class::Row))
}

async fn run(router: &Router, workspace_id: WorkspaceId, inbox: &Inbox) {
    let hard = router.world().tracker.hard().clone();
    let soft = router.world().tracker.soft().clone();
    let mut told = HashMap::default();
    loop {
        let changes = tokio::select! {
            biased;
            () = hard.cancelled() => return,
            () = soft.cancelled() => return,
            () = inbox.closed.notified() => {
                if router.inboxes().retire(workspace_id, inbox) {
                    return;
                }
                continue;
            }
            changes = inbox.waiting.take() => changes,
        };
        router.world().faults.strike("inbox.tell");
        tell(router, workspace_id, inbox, &changes, &mut told).await;
        router
            .world()
            .clock
            .sleep(router.config().view_interval)
            .await;
    }
}

/// Tells every list what changed in it. Rows are picked and encoded once for lists that are the same
/// for everybody.
async fn tell(
    router: &Router,
    workspace_id: WorkspaceId,
    inbox: &Inbox,
    changes: &HashMap<ConversationId, RowChange>,
    told: &mut HashMap<Counted, InboxCounts>,
) {
    let lists: Vec<_> = lock(&inbox.watchers).keys().copied().collect();
    let moves = changes.values().any(RowChange::moves);
    let mut encoded: HashMap<(InboxList, Option<AgentId>), Option<Parts>> = HashMap::default();
    let mut counted: HashMap<Counted, (Option<InboxCounts>, bool)> = HashMap::default();
    for (agent_id, list) in lists {
        let whose = (agent_id, list.narrowing());
        if let std::collections::hash_map::Entry::Vacant(place) = counted.entry(whose) {
            let before = told.get(&whose).copied();
            let has_span = list.since_ms.is_some() || list.until_ms.is_some();
            let moves = moves || has_span;
            let counts = counts(router, workspace_id, whose, before, moves).await;
            place.insert((counts, counts.is_some() && counts != before));
            match counts {
                Some(counts) => drop(told.insert(whose, counts)),
                // Counted with the next change, whatever that is.
                None => drop(told.remove(&whose)),
            }
        }
        let (counts, has_new_counts) = counted[&whose];
        let own = (list.filter == InboxFilter::Mine).then_some(agent_id);
        let parts = encoded
            .entry((list, own))
            .or_insert_with(|| encode(list, agent_id, changes));
        let nothing = ("[]".to_owned(), "[]".to_owned());
        let (rows, gone) = match parts {
            Some(parts) => &*parts,
            None if has_new_counts => &nothing,
            None => continue,
        };
        let topic = Topic::Inbox { agent_id, list };
        router
            .hub()
            .publish(topic, || Encoded {
                text: inbox::frame(list, rows, gone, counts).into(),
                class: Class::Row,
            })
            .await;
    }
    told.retain(|whose, _| counted.contains_key(whose));
}

/// The rows and the gone ones of a list as JSON; nothing where the list is as it was.
fn encode(
    list: InboxList,
    agent_id: AgentId,
    changes: &HashMap<ConversationId, RowChange>,
) -> Option<Parts> {
    let told = inbox::changes_of(list, agent_id, changes.values());
    if told.is_empty() {
        return None;
    }
    let rows = serde_json::to_string(&told.rows).expect("rows are trees of texts and numbers");
    let gone = serde_json::to_string(&told.gone).expect("ids and versions are plain");
    Some((rows, gone))
}

/// The counts of an agent, of what a list is narrowed to: counted anew only where something moved between lists. Nothing
/// where they cannot be counted: those told before are nearer the truth than zeros.
async fn counts(
    router: &Router,
    workspace_id: WorkspaceId,
    (agent_id, narrowed): Counted,
    before: Option<InboxCounts>,
    moves: bool,
) -> Option<InboxCounts> {
    if let (Some(before), false) = (before, moves) {
        return Some(before);
    }
    let scope = scope(workspace_id);
    match storage::inbox::counts(router.db(), &scope, Some(agent_id), narrowed).await {
        Ok(counts) => Some(counts),
        Err(error) => {
            tracing::warn!(%error, "the inbox could not be counted");
            None
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
