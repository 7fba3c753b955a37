//! The other nodes: what they are told of what happens here, and what is done with what they tell.
//!
//! All of it only hurries what the event log says anyway, or is a passing signal. A node follows a workspace
//! while anybody of it is connected here; a node that is alone has nobody to tell and does nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bus::{Follower, Heard, Reach};
use presence::team::{Choice, Member};
use protocol::conversation::{Conversation, Marks, VisitorConversation};
use protocol::entry::Entry;
use protocol::id::{AgentId, ContactId, ConversationId, NodeId, SiteId, VisitorId, WorkspaceId};
use protocol::permission::VisitorActor;
use protocol::visitor::LiveVisitor;
use serde::{Deserialize, Serialize};
use storage::entry::Stored;
use storage::participant::Party;
use tokio::sync::Notify;
use world::{HashMap, HashSet};

use crate::delivery::json;
use crate::erase;
use crate::hub::Hub;
use crate::lanes::{Job, LaneKey};
use crate::live::Message;
use crate::router::Router;
use crate::signal::Typist;
use crate::steady;
use crate::topic::Topic;
use crate::view::inbox::Before;

/// Conversations of which is remembered how far other nodes have told. All are forgotten past that; the
/// event log tells of them once more.
const TOLD_MAX: usize = 50_000;

/// How often it is looked whether anybody of a followed workspace is still here.
const SWEEP: Duration = Duration::from_secs(60);

/// What a node tells the others that have people of a workspace.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum News {
    /// A command was stored.
    Stored(Box<Commit>),
    /// Somebody types, or stopped.
    Typing {
        conversation_id: ConversationId,
        /// The agent; the customer where absent.
        agent_id: Option<AgentId>,
        /// What visitors see of an agent.
        name: String,
        /// What a customer has so far.
        text: Option<String>,
        active: bool,
    },
    /// Who looks at a conversation on the sender.
    Viewing {
        conversation_id: ConversationId,
        agent_ids: Vec<AgentId>,
    },
    /// Somebody's progress was stored.
    Marked {
        conversation_id: ConversationId,
        /// The agent; the customer where absent.
        agent_id: Option<AgentId>,
        /// The browser that got so far.
        visitor: Option<Browser>,
        marks: Marks,
        /// What the visitor was told of the team's marks before, where an agent got further.
        told: Option<Marks>,
    },
    /// What a conversation says was erased.
    Afresh { conversation_id: ConversationId },
    /// Who of the workspace is where.
    Presence(Presence),
}

/// What nodes tell each other of who is connected to them.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Presence {
    /// The sender has missed something, or begins: tell it all again.
    Ask {
        /// Whether somebody watches the visitors there.
        visitors: bool,
    },
    /// Somebody still watches the visitors there.
    Watch,
    /// All agents of the sender.
    Agents { members: Vec<Member> },
    /// An agent chose to be away, or not.
    Chose { agent_id: AgentId, choice: Choice },
    /// Visitors of the sender that changed or are gone.
    Visitors {
        rows: Vec<LiveVisitor>,
        gone: Vec<VisitorId>,
    },
    /// A part of all visitors of the sender.
    All {
        rows: Vec<LiveVisitor>,
        is_first: bool,
        is_last: bool,
    },
}

/// What nodes tell all others of themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Sign {
    /// I am here.
    Beat,
    /// I go.
    Goodbye,
}

/// A command that was stored: enough to pass it on without a read.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Commit {
    /// The entries, in number order.
    pub(crate) entries: Vec<Entry>,
    /// The conversation after them.
    pub(crate) conversation: Conversation,
    /// The conversation as its visitor sees it, where it began, ended or goes on again.
    pub(crate) visitor_conversation: Option<VisitorConversation>,
    /// Whether the conversation was made by this.
    pub(crate) created: bool,
}

/// A visitor's browser.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Browser {
    visitor_id: VisitorId,
    site_id: SiteId,
    contact_id: Option<ContactId>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Letter<N> {
    node_id: NodeId,
    /// Which life of the store the news are of. A node that stood still, and a line, hold letters back; what they tell
    /// of a life that is over names other entries than those that are stored now.
    epoch: u64,
    news: N,
}

impl<N> Letter<N> {
    /// Whether it is another node's, of this life of the store.
    fn is_for(&self, router: &Router) -> bool {
        self.node_id != router.nodes().id() && self.epoch == router.db().epoch()
    }
}

impl Commit {
    pub(crate) fn of(stored: &Stored) -> Self {
        Self {
            entries: stored.entries.clone(),
            conversation: stored.conversation.clone(),
            visitor_conversation: stored.visitor_conversation.clone(),
            created: stored.created,
        }
    }
}

/// The keys of settings that another node has otherwise, and since when there are any.
#[derive(Debug, Clone, Default)]
pub(crate) struct Differing {
    pub(crate) since_ms: u64,
    pub(crate) keys: Vec<String>,
}

/// What this node knows of its place among others.
#[derive(Debug)]
pub(crate) struct Nodes {
    /// Which run of this node it is: another one after others took it for dead.
    node_id: Mutex<NodeId>,
    is_alone: bool,
    /// The others that live, as the store has it, and when it was asked.
    roll: Mutex<Option<(Duration, Vec<NodeId>)>>,
    differing: Mutex<Differing>,
    /// Workspaces of which somebody is, or lately was, connected here.
    followed: Mutex<HashSet<WorkspaceId>>,
    /// How far conversations were told that nobody here follows.
    told: Mutex<HashMap<ConversationId, u64>>,
    /// Rung where the event log is to be looked at.
    pub(crate) look: Notify,
    unreadable_count: AtomicU64,
}

impl Nodes {
    pub(crate) fn new(node_id: NodeId, bus: &bus::Bus) -> Self {
        Self {
            node_id: Mutex::new(node_id),
            is_alone: !bus.is_shared(),
            roll: Mutex::default(),
            differing: Mutex::default(),
            followed: Mutex::default(),
            told: Mutex::default(),
            look: Notify::new(),
            unreadable_count: AtomicU64::new(0),
        }
    }

    /// Somebody of a workspace is connected, and listens to his topics already: from now on this node hears
    /// what others tell of it.
    pub(crate) fn arrived(&self, router: &Router, workspace_id: WorkspaceId) {
        if self.is_alone || !lock(&self.followed).insert(workspace_id) {
            return;
        }
        let follower = router.bus().follow(&topic_of(workspace_id));
        let router = router.clone();
        let tracker = router.world().tracker.clone();
        tracker.spawn(async move {
            let listen = || listen(&router, workspace_id, &follower);
            steady::run(&router, "nodes", listen).await;
        });
    }

    /// Goes on as another node.
    pub(crate) fn incarnate(&self, node_id: NodeId) {
        *lock(&self.node_id) = node_id;
    }

    /// The store was asked who else lives.
    pub(crate) fn call_the_roll(&self, now: Duration, living: Vec<NodeId>) {
        *lock(&self.roll) = Some((now, living));
    }

    /// The settings that other nodes have otherwise.
    pub(crate) fn settings_differ(&self, now_ms: u64, keys: Vec<String>) {
        let mut differing = lock(&self.differing);
        if differing.keys.is_empty() {
            differing.since_ms = now_ms;
        }
        differing.keys = keys;
    }

    pub(crate) fn differing(&self) -> Differing {
        lock(&self.differing).clone()
    }

    /// How many nodes share the store, this one included.
    pub(crate) fn count(&self) -> usize {
        let roll = lock(&self.roll);
        1 + roll.as_ref().map_or(0, |(_, living)| living.len())
    }

    fn id(&self) -> NodeId {
        *lock(&self.node_id)
    }

    /// Whether what happens in a workspace may matter to somebody here.
    pub(crate) fn concerns(&self, workspace_id: WorkspaceId) -> bool {
        self.is_alone || lock(&self.followed).contains(&workspace_id)
    }

    /// Tells the other nodes. Costs nothing on a node that is alone; never waits.
    pub(crate) fn tell(
        &self,
        router: &Router,
        workspace_id: WorkspaceId,
        news: impl FnOnce() -> News,
    ) {
        if self.is_alone || *router.bus().reach().borrow() == Reach::Down {
            return;
        }
        let letter = Letter {
            node_id: self.id(),
            epoch: router.db().epoch(),
            news: news(),
        };
        let topic = topic_of(workspace_id);
        router.bus().publish_elsewhere(&topic, &json(&letter));
    }

    /// Tells all other nodes that this one is here, or goes.
    pub(crate) fn sign(&self, router: &Router, sign: Sign) {
        let letter = Letter {
            node_id: self.id(),
            epoch: router.db().epoch(),
            news: sign,
        };
        router.bus().publish_elsewhere(SIGNS, &json(&letter));
    }

    /// Follows the signs of other nodes, where there may be any.
    pub(crate) fn follow_signs(&self, router: &Router) {
        if !self.is_alone {
            let follower = router.bus().follow(SIGNS);
            let router = router.clone();
            let tracker = router.world().tracker.clone();
            tracker.spawn(async move {
                steady::run(&router, "signs", || hear_signs(&router, &follower)).await;
            });
        }
    }

    /// The workspaces of which somebody is, or lately was, connected here.
    pub(crate) fn followed(&self) -> Vec<WorkspaceId> {
        lock(&self.followed).iter().copied().collect()
    }

    /// Whether there are no other nodes to tell.
    pub(crate) fn is_alone(&self) -> bool {
        self.is_alone
    }

    /// Who lives, as the store had it, and when.
    pub(crate) fn roll(&self) -> Option<(Duration, Vec<NodeId>)> {
        lock(&self.roll).clone()
    }

    fn count_unreadable(&self) {
        self.unreadable_count.fetch_add(1, Ordering::Relaxed);
    }

    /// The last number of a conversation that came by here without a lane of its own.
    pub(crate) fn told(&self, conversation_id: ConversationId) -> u64 {
        let told = lock(&self.told);
        told.get(&conversation_id).copied().unwrap_or_default()
    }

    /// News of other nodes that could not be read: a newer program's.
    pub(crate) fn unreadable_count(&self) -> u64 {
        self.unreadable_count.load(Ordering::Relaxed)
    }

    fn remember(&self, conversation_id: ConversationId, number: u64) {
        let mut told = lock(&self.told);
        if told.len() >= TOLD_MAX {
            told.clear();
        }
        let last = told.entry(conversation_id).or_default();
        *last = number.max(*last);
    }
}

impl Router {
    /// Which run of this node it is, as its lease has it.
    #[must_use]
    pub fn node_id(&self) -> NodeId {
        self.nodes().id()
    }
}

/// Where nodes tell that they are there.
const SIGNS: &str = "nodes";

/// Hears the signs of other nodes, until the soft token.
async fn hear_signs(router: &Router, follower: &Follower) {
    let soft = router.world().tracker.soft().clone();
    loop {
        let heard = tokio::select! {
            biased;
            () = soft.cancelled() => return,
            heard = follower.hear() => heard,
        };
        // A lost beat is followed by another.
        let Heard::News(bytes) = heard else { continue };
        match serde_json::from_slice::<Letter<Sign>>(&bytes) {
            Ok(letter) if letter.is_for(router) => {
                let message = Message::Node {
                    node_id: letter.node_id,
                    sign: letter.news,
                };
                router.live().send(message).await;
            }
            Ok(_) => {}
            Err(_) => router.nodes().count_unreadable(),
        }
    }
}

fn topic_of(workspace_id: WorkspaceId) -> String {
    format!("workspace:{workspace_id}")
}

/// Hears what other nodes tell of a workspace, until nobody of it is here any more.
async fn listen(router: &Router, workspace_id: WorkspaceId, follower: &Follower) {
    router.live().send(Message::Missed { workspace_id }).await;
    let soft = router.world().tracker.soft().clone();
    let clock = router.world().clock.clone();
    let mut sweep = Box::pin(clock.sleep(SWEEP));
    loop {
        tokio::select! {
            biased;
            () = soft.cancelled() => return,
            // Before the news, or a flood of them would put it off for ever.
            () = &mut sweep => {
                if leave(router, workspace_id).await {
                    return;
                }
                sweep = Box::pin(clock.sleep(SWEEP));
            }
            heard = follower.hear() => match heard {
                Heard::News(bytes) => read(router, workspace_id, &bytes).await,
                Heard::Lost => {
                    router.nodes().look.notify_one();
                    router.live().send(Message::Missed { workspace_id }).await;
                }
            },
        }
    }
}

/// Whether nobody of a workspace is here any more; then it is followed no longer.
async fn leave(router: &Router, workspace_id: WorkspaceId) -> bool {
    let Ok(tenant) = router.cache().tenant(workspace_id).await else {
        return false;
    };
    let hub = router.hub();
    // Whoever arrives listens first and asks for the lock then: he is seen here, or finds the place empty.
    let mut followed = lock(&router.nodes().followed);
    let is_here = hub.is_followed(&Topic::Team(workspace_id))
        || tenant
            .sites
            .iter()
            .any(|site| hub.is_followed(&Topic::SiteVisitors(site.id)));
    if !is_here {
        followed.remove(&workspace_id);
    }
    !is_here
}

async fn read(router: &Router, workspace_id: WorkspaceId, bytes: &[u8]) {
    let letter = match serde_json::from_slice::<Letter<News>>(bytes) {
        Ok(letter) => letter,
        Err(_) => {
            // A newer node says what we do not understand. What matters of it is in the log.
            router.nodes().count_unreadable();
            return;
        }
    };
    if letter.is_for(router) {
        take(router, workspace_id, letter.node_id, letter.news).await;
    }
}

async fn take(router: &Router, workspace_id: WorkspaceId, node_id: NodeId, news: News) {
    match news {
        News::Stored(commit) => stored(router, workspace_id, commit),
        News::Typing {
            conversation_id,
            agent_id,
            name,
            text,
            active,
        } => {
            let typist = agent_id.map_or(Typist::Customer, Typist::Agent);
            let signals = router.signals();
            if active {
                signals.typing(conversation_id, typist, &name, text.as_deref());
            } else {
                signals.stopped(conversation_id, typist);
            }
        }
        News::Viewing {
            conversation_id,
            agent_ids,
        } => router
            .signals()
            .look_elsewhere(node_id, conversation_id, agent_ids),
        News::Marked {
            conversation_id,
            agent_id,
            visitor,
            marks,
            told,
        } => {
            let party = agent_id.map_or(Party::Customer, Party::Agent);
            let visitor = visitor.map(|browser| VisitorActor {
                visitor_id: browser.visitor_id,
                site_id: browser.site_id,
                contact_id: browser.contact_id,
            });
            let reader = (conversation_id, party);
            let marking = router.marking();
            marking.elsewhere(workspace_id, reader, visitor, marks, told);
        }
        News::Presence(presence) => {
            let message = Message::Elsewhere {
                workspace_id,
                node_id,
                presence,
            };
            router.live().send(message).await;
        }
        News::Afresh { conversation_id } => {
            erase::show_afresh(router, workspace_id, conversation_id).await;
        }
    }
}

/// Passes on what another node stored, in the conversation's lane where somebody here follows it.
fn stored(router: &Router, workspace_id: WorkspaceId, commit: Box<Commit>) {
    let conversation_id = commit.conversation.id;
    let key = LaneKey::Conversation(workspace_id, conversation_id);
    let is_wanted = router.lanes().passed(key).is_some()
        || is_followed(router.hub(), &commit.conversation)
        || router
            .persons()
            .knows(workspace_id, commit.conversation.contact_id);
    if is_wanted {
        if router
            .lanes()
            .post(
                router,
                key,
                Job::Elsewhere(commit, router.signals().heard()),
            )
            .is_err()
        {
            tracing::debug!(conversation.id = %conversation_id, "a full lane passes entries late");
        }
        return;
    }
    let before = match commit.created {
        true => Before::Nowhere,
        false => Before::Unknown,
    };
    router
        .inboxes()
        .changed(workspace_id, before, &commit.conversation);
    router
        .nodes()
        .remember(conversation_id, commit.conversation.seq);
}

/// Whether anybody here sees something of a conversation but its row.
fn is_followed(hub: &Hub, conversation: &Conversation) -> bool {
    hub.is_followed(&Topic::ConversationAgents(conversation.id))
        || hub.is_followed(&Topic::ConversationVisitor(conversation.id))
        || conversation
            .visitor_id
            .is_some_and(|visitor_id| hub.wants_unread(visitor_id))
}

/// What is told of somebody's progress.
pub(crate) fn marked(
    (conversation_id, party): (ConversationId, Party),
    visitor: Option<VisitorActor>,
    marks: Marks,
    told: Option<Marks>,
) -> News {
    News::Marked {
        conversation_id,
        agent_id: match party {
            Party::Customer => None,
            Party::Agent(agent_id) => Some(agent_id),
        },
        visitor: visitor.map(|visitor| Browser {
            visitor_id: visitor.visitor_id,
            site_id: visitor.site_id,
            contact_id: visitor.contact_id,
        }),
        marks,
        told,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
