//! The router: the one handle that doors, desk and server hold.

mod presence;
mod signal;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bus::{Bus, Reach, Stats as BusStats};
use protocol::command::{Ack, Command};
use protocol::frame::{Follow, Watch};
use protocol::id::{ConnectionId, ContactId, ConversationId, NodeId, WorkspaceId};
use protocol::permission::{Actor, Permission, Principal};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::text::ClientId;
use protocol::trouble::{Trouble, TroubleKind};
use storage::Db;
use storage::attachment::AttachmentRow;
use tokio::sync::oneshot;
use world::{HashMap, World};

use crate::attachment;
use crate::cache::{Cache, Tenant};
use crate::config::RouterConfig;
use crate::contact::Changes;
use crate::delivery::{Delivery, Encoded};
use crate::erase;
use crate::error::{Error, refused_by};
use crate::first_answer::FirstAnswers;
use crate::hub::{Hub, ShardId};
use crate::lanes::{self, Job, LaneKey, Lanes};
use crate::learn::Learning;
use crate::live::{self, Answering, Live, Message};
use crate::mark::Marking;
use crate::nodes::Nodes;
use crate::part::Part;
use crate::person::Persons;
use crate::renewal::Renewals;
use crate::replay::{self, Replay, Start};
use crate::several;
use crate::signal::Signals;
use crate::steady;
use crate::tail::{self, Tail};
use crate::timer::Timers;
use crate::topic::Topic;
use crate::trace::Traces;
use crate::view::{Inboxes, inboxes};
use crate::visitors::{self, Views, Wanted};
use crate::widget::Widgets;

/// Figures for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Lanes that exist.
    pub lane_count: usize,
    /// How often a lane panicked.
    pub lane_panic_count: u64,
    /// How often another task of the core panicked.
    pub task_panic_count: u64,
    /// Topics that somebody listens to.
    pub topic_count: usize,
    /// Deliveries that a shard did not take in time.
    pub lost_delivery_count: u64,
    /// Page views and events that were not stored.
    pub lost_trace_count: u64,
    /// Nodes that share the store, this one included.
    pub node_count: usize,
    /// Whether other nodes are in reach, where there may be any.
    pub is_in_reach: bool,
    /// News of other nodes that were not understood.
    pub unknown_news_count: u64,
    /// The bus.
    pub bus: BusStats,
}

/// The realtime core of this node. Clones are one router.
#[derive(Clone)]
pub struct Router(Arc<Inner>);

struct Inner {
    world: World,
    bus: Bus,
    db: Db,
    config: RouterConfig,
    hub: Hub,
    cache: Cache,
    lanes: Lanes,
    inboxes: Inboxes,
    views: Views,
    live: Live,
    answering: Answering,
    first_answers: FirstAnswers,
    widgets: Widgets,
    signals: Signals,
    marking: Marking,
    renewals: Renewals,
    persons: Persons,
    traces: Traces,
    timers: Timers,
    learning: Learning,
    contacts: Changes,
    nodes: Nodes,
    rights: Mutex<HashMap<(u128, ConversationId), Duration>>,
    task_panic_count: AtomicU64,
}

impl std::fmt::Debug for Router {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Router").finish_non_exhaustive()
    }
}

impl Router {
    /// Starts the core: its tasks run until `world.tracker` asks them to stop.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn start(
        world: World,
        bus: Bus,
        db: Db,
        config: RouterConfig,
    ) -> Result<Self, Error> {
        let bell = bus.follow(tail::BELL);
        let cursor = storage::event::end(&db).await?;
        let hub = Hub::new(world.clock.clone());
        let (live, messages) = Live::new();
        let router = Self(Arc::new(Inner {
            cache: Cache::new(db.reader()),
            lanes: Lanes::default(),
            inboxes: Inboxes::default(),
            views: Views::default(),
            live,
            answering: Answering::default(),
            first_answers: FirstAnswers::default(),
            widgets: Widgets::new(world.clock.now_ms()),
            signals: Signals::new(hub.clone(), world.clock.clone()),
            marking: Marking::new(),
            renewals: Renewals::new(),
            persons: Persons::default(),
            traces: Traces::new(config.trace_length, config.trace_bytes_max),
            timers: Timers::default(),
            learning: Learning::default(),
            contacts: Changes::default(),
            nodes: Nodes::new(world.ids.next(), &bus),
            rights: Mutex::default(),
            task_panic_count: AtomicU64::new(0),
            hub,
            world,
            bus,
            db,
            config,
        }));
        router.0.nodes.follow_signs(&router);
        let tail = Tail::new(bell, cursor);
        router.spawn(|router| async move {
            steady::run(&router, "tail", || tail.run(&router)).await;
        });
        router.spawn(|router| async move {
            steady::run(&router, "timers", || router.0.timers.run(&router)).await;
        });
        router.spawn(|router| async move {
            // What it stores it counts as lost where that panics.
            steady::run(&router, "traces", || router.0.traces.run(&router)).await;
        });
        router.spawn(|router| live::Actor::new(router, messages).run());
        router.spawn_tellers();
        Ok(router)
    }

    /// The tasks that store and tell what may be told late.
    fn spawn_tellers(&self) {
        self.spawn_until_soft(|router| async move {
            steady::run(&router, "marks", || router.0.marking.run(&router)).await;
        });
        self.spawn_until_soft(|router| async move {
            let marking = &router.0.marking;
            steady::run(&router, "told marks", || marking.run_told(&router)).await;
        });
        self.spawn_until_soft(|router| async move {
            let renewals = &router.0.renewals;
            steady::run(&router, "renewals", || renewals.run(&router)).await;
        });
        self.spawn_until_soft(|router| async move {
            steady::run(&router, "signals", || router.0.signals.run()).await;
        });
        self.spawn_until_soft(|router| async move {
            steady::run(&router, "learning", || router.0.learning.run(&router)).await;
        });
    }

    fn spawn<F>(&self, task: impl FnOnce(Self) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.0.world.tracker.spawn(task(self.clone()));
    }

    /// For tasks that hold nothing worth finishing.
    fn spawn_until_soft<F>(&self, task: impl FnOnce(Self) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let soft = self.0.world.tracker.soft().clone();
        let task = task(self.clone());
        self.0.world.tracker.spawn(async move {
            tokio::select! {
                biased;
                () = soft.cancelled() => {}
                () = task => {}
            }
        });
    }

    /// Does what is asked, once. It is finished also when the future is dropped.
    ///
    /// # Errors
    /// What the speaker may know. Nothing changed, except after `unavailable` and `internal`: then the
    /// outcome is unknown, and the same `client_id` may be sent again.
    pub async fn handle(
        &self,
        actor: &Actor,
        client_id: ClientId,
        command: Command,
    ) -> Result<Ack, Rejection> {
        let key = lanes::lane_of(actor, &command)?;
        let asked = self
            .0
            .lanes
            .ask(self, key, actor, vec![(client_id, command)]);
        let outcome = asked?.outcomes().await?.into_iter().next();
        outcome.unwrap_or(Err(ErrorCode::Unavailable.into()))
    }

    /// Does several things that one speaker asks, each once; they are such as [`may_go_together`] says. Those of
    /// one conversation, and all of a visitor, are done in order; an agent's conversations do not wait for each
    /// other. Gives the outcome of each. Behind one that cannot be taken now none that would have come after it is
    /// done: they share its rejection. They are finished also when the future is dropped.
    ///
    /// [`may_go_together`]: crate::may_go_together
    pub async fn handle_all(
        &self,
        actor: &Actor,
        commands: Vec<(ClientId, Command)>,
    ) -> Vec<Result<Ack, Rejection>> {
        several::handle(self, actor, commands).await
    }

    /// What a reader of a conversation missed, or its newest page. Subscribe its topic first, and hold
    /// what comes from there until the frames are sent.
    ///
    /// # Errors
    /// `not_found` for a conversation that is not the visitor's or not of the workspace, `forbidden`.
    pub async fn replay(&self, actor: &Actor, follow: &Follow) -> Result<Replay, Rejection> {
        let start = Start::Said(follow.position);
        replay::run(self, actor, follow.conversation_id, start).await
    }

    /// What a reader missed after a number that a replay or an entry gave him over the same connection.
    ///
    /// # Errors
    /// As [`Router::replay`].
    pub async fn replay_after(
        &self,
        actor: &Actor,
        conversation_id: ConversationId,
        number: u64,
    ) -> Result<Replay, Rejection> {
        replay::run(self, actor, conversation_id, Start::After(number)).await
    }

    /// Adds a shard. Its mailbox is bounded; a publisher waits for it at most a second, then the shard
    /// is told that it lost something.
    ///
    /// # Panics
    ///
    /// With more than 64 shards.
    #[must_use]
    pub fn register_shard(&self, sender: flume::Sender<Delivery>) -> ShardId {
        self.0.hub.register(sender)
    }

    /// Removes a shard with all it listened to.
    pub fn unregister_shard(&self, shard: ShardId) {
        self.0.hub.unregister(shard);
    }

    /// Whether a shard lost something that it was not told of yet; asked by it now and then, for the next
    /// delivery may be long in coming. It knows from here on.
    #[must_use]
    pub fn take_lost(&self, shard: ShardId) -> bool {
        self.0.hub.take_lost(shard)
    }

    /// A topic got its first listener on a shard.
    pub fn subscribe(&self, shard: ShardId, topic: Topic) {
        self.0.hub.subscribe(shard, topic);
    }

    /// A topic lost its last listener on a shard.
    pub fn unsubscribe(&self, shard: ShardId, topic: Topic) {
        self.0.hub.unsubscribe(shard, topic);
    }

    /// A connection of an agent watches a list. Subscribe the topic and hold what comes from there
    /// until [`Self::snapshot`] is sent.
    ///
    /// # Errors
    /// `forbidden`, `too_long` for a search or country, `invalid` for an order that a list has not, `too_many` for
    /// too many names, and for a window that begins too far down.
    pub fn watch(
        &self,
        actor: &Actor,
        watch: &Watch,
        connection_id: ConnectionId,
    ) -> Result<Topic, Rejection> {
        let Principal::Agent(agent) = actor.principal else {
            return Err(ErrorCode::Forbidden.into());
        };
        match watch {
            Watch::Inbox(list) | Watch::Notices(list) => {
                actor.may(Permission::ConversationsRead)?;
                let list = list.check()?;
                let watched = (agent.agent_id, list);
                self.0
                    .inboxes
                    .watch(self, actor.workspace_id, watched, connection_id);
                Ok(Topic::Inbox {
                    agent_id: agent.agent_id,
                    list,
                })
            }
            Watch::Visitors(list) => {
                actor.may(Permission::VisitorsRead)?;
                let wanted = visitors::listed(list)?;
                Ok(self.watch_visitors(actor, &wanted, connection_id))
            }
            Watch::Presence {
                visitor_ids,
                row_id,
            } => {
                actor.may(Permission::VisitorsRead)?;
                let wanted = visitors::named(visitor_ids, *row_id)?;
                Ok(self.watch_visitors(actor, &wanted, connection_id))
            }
        }
    }

    fn watch_visitors(&self, actor: &Actor, wanted: &Wanted, connection_id: ConnectionId) -> Topic {
        let views = &self.0.views;
        Topic::Visitors(views.watch(actor.workspace_id, wanted, connection_id))
    }

    /// A list, whole, for somebody who watches it.
    ///
    /// # Errors
    /// `not_found` for a list that nobody watches, `unavailable`.
    pub async fn snapshot(&self, actor: &Actor, topic: Topic) -> Result<Encoded, Rejection> {
        let workspace_id = actor.workspace_id;
        match topic {
            Topic::Inbox { agent_id, list } => {
                actor.may(Permission::ConversationsRead)?;
                inboxes::snapshot(self, workspace_id, agent_id, list).await
            }
            Topic::Visitors(view_id) => {
                actor.may(Permission::VisitorsRead)?;
                let wanted = self.0.views.wanted(workspace_id, view_id);
                let wanted = Box::new(wanted.ok_or(ErrorCode::NotFound)?);
                let refresh_ms = self.tenant(workspace_id).await?.settings.visitor_refresh_ms;
                let snapshot = self.0.live.ask(|reply| Message::Snapshot {
                    workspace_id,
                    view_id,
                    wanted,
                    interval: Duration::from_millis(refresh_ms),
                    reply,
                });
                snapshot.await.ok_or(ErrorCode::Unavailable.into())
            }
            Topic::ConversationAgents(_)
            | Topic::ConversationVisitor(_)
            | Topic::Visitor(_)
            | Topic::VisitorLauncher(_)
            | Topic::Agent(_)
            | Topic::Team(_)
            | Topic::SiteVisitors(_)
            | Topic::Session(_) => Err(ErrorCode::NotFound.into()),
        }
    }

    /// A connection watches a list no longer.
    pub async fn unwatch(&self, topic: Topic, connection_id: ConnectionId) {
        match topic {
            Topic::Inbox { agent_id, list } => {
                self.0.inboxes.unwatch((agent_id, list), connection_id);
            }
            Topic::Visitors(view_id) => {
                if self.0.views.unwatch(view_id, connection_id) {
                    self.0.live.send(Message::Unwatch { view_id }).await;
                }
            }
            Topic::ConversationAgents(_)
            | Topic::ConversationVisitor(_)
            | Topic::Visitor(_)
            | Topic::VisitorLauncher(_)
            | Topic::Agent(_)
            | Topic::Team(_)
            | Topic::SiteVisitors(_)
            | Topic::Session(_) => {}
        }
    }

    /// Desk changed something: the event log is looked at now, caches and consoles follow from there,
    /// and connections whose rights are gone end. Cheap, never waits. Whoever asks this node from here on is
    /// answered with the change.
    pub fn changed(&self, workspace_id: WorkspaceId, part: Part) {
        self.0.cache.drop_tenant(workspace_id);
        tracing::debug!(workspace.id = %workspace_id, ?part, "changed");
        self.ring();
    }

    /// Something was stored that no cache holds: the event log is looked at now, on all nodes, and consoles follow
    /// from there. Cheap, never waits.
    pub fn ring(&self) {
        tail::ring(self);
    }

    /// Keeps an uploaded file, whose bytes `put` stores once there is a place for them.
    ///
    /// # Errors
    /// `too_many` where too many files of the uploader were named by no message yet, `storage_full` where those
    /// of all visitors are too large together, `unavailable`, and what `put` fails with.
    pub async fn keep_attachment(
        &self,
        workspace_id: WorkspaceId,
        row: &AttachmentRow,
        put: impl Future<Output = storage::Result<()>>,
    ) -> Result<(), Rejection> {
        attachment::keep(self, workspace_id, row, put).await
    }

    /// Erases a contact for good. Finished also when the future is dropped; safe to repeat.
    ///
    /// # Errors
    /// `forbidden`, `not_found`, `unavailable`.
    pub async fn erase_contact(
        &self,
        actor: &Actor,
        contact_id: ContactId,
    ) -> Result<(), Rejection> {
        let change = erase::change_of(actor, contact_id, self.0.world.clock.now_ms())?;
        let key = LaneKey::Contact(actor.workspace_id, contact_id);
        let (reply, answer) = oneshot::channel();
        self.0.lanes.post(self, key, Job::Erase { change, reply })?;
        answer.await.unwrap_or(Err(ErrorCode::Unavailable.into()))
    }

    /// This node goes on as another one: it entered the store under this id.
    pub fn incarnate(&self, node_id: NodeId) {
        self.0.nodes.incarnate(node_id);
    }

    /// Which other nodes live, as the store has it: told each second by who keeps the node's own lease.
    pub fn call_the_roll(&self, living: Vec<NodeId>) {
        let now = self.0.world.clock.elapsed();
        self.0.nodes.call_the_roll(now, living);
    }

    /// Which settings another node has otherwise, as the store has it: told whenever that changes by who keeps the
    /// node's own lease.
    pub fn settings_differ(&self, keys: Vec<String>) {
        let now_ms = self.0.world.clock.now_ms();
        self.0.nodes.settings_differ(now_ms, keys);
    }

    /// The settings that another node has otherwise.
    #[must_use]
    pub fn differing_settings(&self) -> Vec<String> {
        self.0.nodes.differing().keys
    }

    /// What is wrong between nodes, since when and why; nothing while all is well.
    #[must_use]
    pub fn troubles(&self) -> Vec<Trouble> {
        let unreachable = self.0.bus.problem().map(|problem| Trouble {
            kind: TroubleKind::BusUnreachable,
            since_at_ms: problem.since_ms,
            reason: problem.text,
        });
        let differing = self.0.nodes.differing();
        let differ = (!differing.keys.is_empty()).then(|| Trouble {
            kind: TroubleKind::SettingsDiffer,
            since_at_ms: differing.since_ms,
            reason: differing.keys.join(", "),
        });
        unreachable.into_iter().chain(differ).collect()
    }

    /// Figures for metrics.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            lane_count: self.0.lanes.count(),
            lane_panic_count: self.0.lanes.panic_count(),
            task_panic_count: self.0.task_panic_count.load(Ordering::Relaxed),
            topic_count: self.0.hub.topic_count(),
            lost_delivery_count: self.0.hub.lost_count(),
            lost_trace_count: self.0.traces.lost_count(),
            node_count: self.0.nodes.count(),
            is_in_reach: *self.0.bus.reach().borrow() == Reach::Up,
            unknown_news_count: self.0.nodes.unreadable_count(),
            bus: self.0.bus.stats(),
        }
    }
}

/// What the parts of the core ask of each other.
impl Router {
    pub(crate) fn world(&self) -> &World {
        &self.0.world
    }

    pub(crate) fn count_task_panic(&self) {
        self.0.task_panic_count.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn bus(&self) -> &Bus {
        &self.0.bus
    }

    pub(crate) fn db(&self) -> &Db {
        &self.0.db
    }

    pub(crate) fn config(&self) -> &RouterConfig {
        &self.0.config
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.0.hub
    }

    pub(crate) fn persons(&self) -> &Persons {
        &self.0.persons
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.0.cache
    }

    pub(crate) fn lanes(&self) -> &Lanes {
        &self.0.lanes
    }

    pub(crate) fn inboxes(&self) -> &Inboxes {
        &self.0.inboxes
    }

    pub(crate) fn live(&self) -> &Live {
        &self.0.live
    }

    pub(crate) fn marking(&self) -> &Marking {
        &self.0.marking
    }

    pub(crate) fn renewals(&self) -> &Renewals {
        &self.0.renewals
    }

    pub(crate) fn signals(&self) -> &Signals {
        &self.0.signals
    }

    pub(crate) fn traces(&self) -> &Traces {
        &self.0.traces
    }

    pub(crate) fn timers(&self) -> &Timers {
        &self.0.timers
    }

    pub(crate) fn contacts(&self) -> &Changes {
        &self.0.contacts
    }

    pub(crate) fn nodes(&self) -> &Nodes {
        &self.0.nodes
    }

    pub(crate) fn learning(&self) -> &Learning {
        &self.0.learning
    }

    async fn tenant(&self, workspace_id: WorkspaceId) -> Result<Arc<Tenant>, Rejection> {
        let tenant = self.0.cache.tenant(workspace_id).await;
        tenant.map_err(|error| refused_by(&error))
    }
}
