//! The router: the one handle that doors, desk and server hold.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bus::Bus;
use presence::state::Input;
use protocol::agent::Availability;
use protocol::command::{Ack, Command};
use protocol::contact::AttributeValue;
use protocol::conversation::{Marks, VisitorConversation};
use protocol::entry::AgentNames;
use protocol::frame::{Follow, Page, Watch};
use protocol::id::{ConnectionId, ContactId, ConversationId, Id, SiteId, VisitorId, WorkspaceId};
use protocol::news::AgentNews;
use protocol::permission::{Actor, Permission, Principal, VisitorActor};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::text::ClientId;
use protocol::widget::{Staff, WidgetConfig};
use storage::attachment::AttachmentRow;
use storage::{Db, Written};
use tokio::sync::oneshot;
use world::World;

use crate::cache::{Cache, Tenant};
use crate::claim;
use crate::config::RouterConfig;
use crate::delivery::{Class, Delivery, Encoded};
use crate::erase;
use crate::error::{Error, refused_by};
use crate::hub::{Hub, ShardId};
use crate::lanes::{self, CommandJob, Job, LaneKey, Lanes};
use crate::live::{self, Live, Message, staff_of};
use crate::mark::Marking;
use crate::part::Part;
use crate::replay::{self, Replay};
use crate::signal::{Signals, Typist};
use crate::tail;
use crate::timer::Timers;
use crate::topic::Topic;
use crate::trace::Traces;
use crate::view::{Inboxes, inboxes};
use crate::visitor::{self, Newcomer, Standing, VisitorConnection};
use crate::visitors::Views;

/// How long a right to signal in a conversation is remembered without asking the store again.
const RIGHT_KEPT: Duration = Duration::from_secs(60);

/// Rights that are remembered; all are forgotten past that.
const RIGHTS_MAX: usize = 50_000;

/// What a visitor is told when his connection is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitorWelcome {
    /// The conversation that goes on.
    pub conversation: Option<VisitorConversation>,
    /// Messages of the team that he has not read.
    pub unread: u32,
}

/// Figures for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Lanes that exist.
    pub lane_count: usize,
    /// Topics that somebody listens to.
    pub topic_count: usize,
    /// Deliveries that a shard did not take in time.
    pub lost_delivery_count: u64,
    /// Page views and events that were not stored.
    pub lost_trace_count: u64,
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
    signals: Signals,
    marking: Marking,
    traces: Traces,
    timers: Timers,
    rights: Mutex<HashMap<(u128, ConversationId), Duration>>,
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
        let cursor = storage::event::end(&db).await?;
        let hub = Hub::new(world.clock.clone());
        let (live, messages) = Live::new();
        let router = Self(Arc::new(Inner {
            cache: Cache::new(db.reader()),
            lanes: Lanes::default(),
            inboxes: Inboxes::default(),
            views: Views::default(),
            live,
            signals: Signals::new(hub.clone(), world.clock.clone()),
            marking: Marking::new(),
            traces: Traces::new(config.trace_length),
            timers: Timers::default(),
            rights: Mutex::default(),
            hub,
            world,
            bus,
            db,
            config,
        }));
        router.spawn(|router| async move { tail::run(&router, cursor).await });
        router.spawn(|router| async move { router.0.timers.run(&router).await });
        router.spawn(|router| async move { router.0.traces.run(&router).await });
        router.spawn(|router| live::Actor::new(router, messages).run());
        router.spawn_until_soft(|router| async move { router.0.marking.run(&router).await });
        router.spawn_until_soft(|router| async move { router.0.signals.run().await });
        Ok(router)
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
        let (reply, answer) = oneshot::channel();
        let job = Job::Command(Box::new(CommandJob {
            actor: *actor,
            client_id,
            command,
            reply,
        }));
        self.0.lanes.post(self, key, job)?;
        // A lane that was ended hard answers nothing: the outcome is unknown.
        answer.await.unwrap_or(Err(ErrorCode::Unavailable.into()))
    }

    /// What a reader of a conversation missed, or its newest page. Subscribe its topic first, and hold
    /// what comes from there until the frames are sent.
    ///
    /// # Errors
    /// `not_found` for a conversation that is not the visitor's or not of the workspace, `forbidden`.
    pub async fn replay(&self, actor: &Actor, follow: &Follow) -> Result<Replay, Rejection> {
        replay::run(self, actor, follow).await
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
    /// `forbidden`, `too_long` for a search or country.
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
            Watch::Inbox { filter } => {
                actor.may(Permission::ConversationsRead)?;
                let list = (agent.agent_id, *filter);
                self.0
                    .inboxes
                    .watch(self, actor.workspace_id, list, connection_id);
                Ok(Topic::Inbox {
                    agent_id: agent.agent_id,
                    filter: *filter,
                })
            }
            Watch::Visitors { filter } => {
                actor.may(Permission::VisitorsRead)?;
                crate::visitors::check(filter)?;
                let view_id = self
                    .0
                    .views
                    .watch(actor.workspace_id, filter, connection_id);
                Ok(Topic::Visitors(view_id))
            }
        }
    }

    /// A list, whole, for somebody who watches it.
    ///
    /// # Errors
    /// `not_found` for a list that nobody watches, `unavailable`.
    pub async fn snapshot(&self, actor: &Actor, topic: Topic) -> Result<Encoded, Rejection> {
        let workspace_id = actor.workspace_id;
        match topic {
            Topic::Inbox { agent_id, filter } => {
                actor.may(Permission::ConversationsRead)?;
                inboxes::snapshot(self, workspace_id, agent_id, filter).await
            }
            Topic::Visitors(view_id) => {
                actor.may(Permission::VisitorsRead)?;
                let filter = self.0.views.filter(workspace_id, view_id);
                let filter = Box::new(filter.ok_or(ErrorCode::NotFound)?);
                let snapshot = self.0.live.ask(|reply| Message::Snapshot {
                    workspace_id,
                    view_id,
                    filter,
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
            Topic::Inbox { agent_id, filter } => {
                self.0.inboxes.unwatch((agent_id, filter), connection_id);
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

    /// The speaker types, or stopped. Before a visitor's first message there is nobody to tell.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, `invalid` where an agent names no conversation.
    pub async fn typing(
        &self,
        actor: &Actor,
        conversation_id: Option<ConversationId>,
        text: Option<String>,
        active: bool,
    ) -> Result<(), Rejection> {
        let (conversation_id, typist, name) = match actor.principal {
            Principal::Visitor(visitor) => {
                let found = self
                    .visitors_conversation(actor.workspace_id, &visitor, conversation_id)
                    .await?;
                let Some(id) = found else { return Ok(()) };
                (id, Typist::Customer, String::new())
            }
            Principal::Agent(agent) => {
                let id = conversation_id
                    .ok_or_else(|| Rejection::of(ErrorCode::Invalid, "conversation_id"))?;
                actor.may(Permission::ConversationsWrite)?;
                self.is_of_workspace(actor.workspace_id, id).await?;
                let tenant = self.tenant(actor.workspace_id).await?;
                let name = tenant.name_of(agent.agent_id);
                (id, Typist::Agent(agent.agent_id), name)
            }
            Principal::Key(_) | Principal::System => return Err(ErrorCode::Forbidden.into()),
        };
        if active {
            let text = text.as_deref();
            self.0.signals.typing(conversation_id, typist, &name, text);
        } else {
            self.0.signals.stopped(conversation_id, typist);
        }
        Ok(())
    }

    /// A connection of an agent looks at a conversation, or at none.
    ///
    /// # Errors
    /// `not_found`, `forbidden`.
    pub async fn viewing(
        &self,
        actor: &Actor,
        connection_id: ConnectionId,
        conversation_id: Option<ConversationId>,
    ) -> Result<(), Rejection> {
        let Principal::Agent(agent) = actor.principal else {
            return Err(ErrorCode::Forbidden.into());
        };
        actor.may(Permission::ConversationsRead)?;
        if let Some(id) = conversation_id {
            self.is_of_workspace(actor.workspace_id, id).await?;
        }
        self.0
            .signals
            .look(connection_id, agent.agent_id, conversation_id);
        Ok(())
    }

    /// Everything up to a number was read, in the reader's own counting. Stored within a second.
    ///
    /// # Errors
    /// `not_found`, `forbidden`.
    pub async fn read(
        &self,
        actor: &Actor,
        conversation_id: ConversationId,
        number: u64,
    ) -> Result<(), Rejection> {
        let marks = Marks {
            delivered: number,
            read: number,
        };
        self.mark(actor, conversation_id, marks).await
    }

    /// Entries arrived up to these numbers, in the reader's own counting. Stored within a second.
    ///
    /// # Errors
    /// `not_found`, `forbidden`; what came before it in the map counts.
    pub async fn delivered(
        &self,
        actor: &Actor,
        numbers: &BTreeMap<ConversationId, u64>,
    ) -> Result<(), Rejection> {
        for (conversation_id, number) in numbers {
            let marks = Marks {
                delivered: *number,
                read: 0,
            };
            self.mark(actor, *conversation_id, marks).await?;
        }
        Ok(())
    }

    async fn mark(
        &self,
        actor: &Actor,
        conversation_id: ConversationId,
        marks: Marks,
    ) -> Result<(), Rejection> {
        let workspace_id = actor.workspace_id;
        match actor.principal {
            Principal::Visitor(visitor) => {
                let id = Some(conversation_id);
                self.visitors_conversation(workspace_id, &visitor, id)
                    .await?;
                self.0
                    .marking
                    .customer(workspace_id, visitor, conversation_id, marks);
            }
            Principal::Agent(agent) => {
                actor.may(Permission::ConversationsRead)?;
                self.is_of_workspace(workspace_id, conversation_id).await?;
                self.0
                    .marking
                    .agent(workspace_id, agent.agent_id, conversation_id, marks);
            }
            Principal::Key(_) | Principal::System => return Err(ErrorCode::Forbidden.into()),
        }
        Ok(())
    }

    /// An agent can be reached, or not. Lasts until the agent says otherwise or this node ends.
    ///
    /// # Errors
    /// `forbidden` for others than agents.
    pub async fn availability(
        &self,
        actor: &Actor,
        availability: Availability,
    ) -> Result<(), Rejection> {
        let Principal::Agent(agent) = actor.principal else {
            return Err(ErrorCode::Forbidden.into());
        };
        let message = Message::Choose {
            workspace_id: actor.workspace_id,
            agent_id: agent.agent_id,
            availability,
        };
        self.0.live.send(message).await;
        Ok(())
    }

    /// A visitor's connection came up. Call before anything else of that connection. A store that
    /// cannot be read leaves the visitor off the list and is logged.
    pub async fn visitor_enter(&self, connection: VisitorConnection) {
        match visitor::arrival(self, connection).await {
            Ok(Some(message)) => self.0.live.send(message).await,
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "a visitor came unseen"),
        }
    }

    /// A page came in sight. Addresses that are no web pages are ignored.
    pub async fn visitor_page(&self, connection_id: ConnectionId, page: Page) {
        let now_ms = self.0.world.clock.now_ms();
        if let Some(page) = visitor::page_view(&page, now_ms) {
            self.presence(Input::Page {
                connection_id,
                page,
            })
            .await;
        }
    }

    /// The page came in or went out of sight.
    pub async fn visitor_activity(&self, connection_id: ConnectionId, visible: bool) {
        self.presence(Input::Activity {
            connection_id,
            visible,
        })
        .await;
    }

    /// A site reported something of its own.
    ///
    /// # Errors
    /// `empty`, `too_long`, `too_many` or `invalid`, with the field.
    pub async fn visitor_track(
        &self,
        connection_id: ConnectionId,
        name: String,
        properties: BTreeMap<String, AttributeValue>,
    ) -> Result<(), Rejection> {
        claim::check_name(&name, "name")?;
        claim::check_properties(properties.iter(), "properties")?;
        let properties_json =
            serde_json::to_string(&properties).expect("properties are texts and numbers");
        let message = Message::Track {
            connection_id,
            name,
            properties_json,
        };
        self.0.live.send(message).await;
        Ok(())
    }

    /// A visitor's connection ended.
    pub async fn visitor_leave(&self, connection_id: ConnectionId) {
        self.presence(Input::Leave { connection_id }).await;
    }

    /// A connection of an agent came up. Others than agents are ignored.
    pub async fn agent_enter(&self, actor: &Actor, connection_id: ConnectionId) {
        if let Principal::Agent(agent) = actor.principal {
            let message = Message::AgentEnter {
                workspace_id: actor.workspace_id,
                agent_id: agent.agent_id,
                connection_id,
            };
            self.0.live.send(message).await;
        }
    }

    /// A connection of an agent ended: also looks at nothing any more.
    pub async fn agent_leave(&self, connection_id: ConnectionId) {
        self.0.signals.leave(connection_id);
        self.0
            .live
            .send(Message::AgentLeave { connection_id })
            .await;
    }

    /// Who a browser is from now on: as before, proved by a signed identity, or somebody new.
    ///
    /// # Errors
    /// `identity_invalid` where the proof names nobody, `unavailable`.
    pub async fn begin_visitor(&self, newcomer: &Newcomer) -> Result<Standing, Rejection> {
        visitor::begin(self, newcomer).await
    }

    /// What a visitor is told first.
    ///
    /// # Errors
    /// `forbidden` for others than visitors, `unavailable`.
    pub async fn visitor_welcome(&self, actor: &Actor) -> Result<VisitorWelcome, Rejection> {
        let Principal::Visitor(visitor) = actor.principal else {
            return Err(ErrorCode::Forbidden.into());
        };
        let fault = |error| refused_by(&error);
        let (db, workspace_id) = (&self.0.db, actor.workspace_id);
        let open = storage::conversation::open_of_visitor(db, workspace_id, &visitor).await;
        let unread = storage::conversation::unread_of_visitor(db, workspace_id, &visitor).await;
        Ok(VisitorWelcome {
            conversation: open.map_err(fault)?,
            unread: unread.map_err(fault)?.count,
        })
    }

    /// Who answers now, as visitors see it.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn staff(&self, workspace_id: WorkspaceId) -> Result<Staff, Rejection> {
        let tenant = self.tenant(workspace_id).await?;
        Ok(self.staff_in(workspace_id, &tenant).await)
    }

    /// How a site's widget looks now; nothing for a site that does not exist.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn widget_config(
        &self,
        workspace_id: WorkspaceId,
        site_id: SiteId,
    ) -> Result<Option<WidgetConfig>, Rejection> {
        let config = self.config_of(workspace_id, site_id).await;
        config.map_err(|error| refused_by(&error))
    }

    /// The team with what everybody does: what an agent is told first.
    ///
    /// # Errors
    /// `forbidden`, `unavailable`.
    pub async fn team(&self, actor: &Actor) -> Result<Encoded, Rejection> {
        actor.may(Permission::ConversationsRead)?;
        let frame = self.team_frame(actor.workspace_id).await;
        frame.map_err(|error| refused_by(&error))
    }

    /// Desk changed something: the event log is looked at now, caches and consoles follow from there,
    /// and connections whose rights are gone end. Cheap, never waits.
    pub fn changed(&self, workspace_id: WorkspaceId, part: Part) {
        tracing::debug!(workspace.id = %workspace_id, ?part, "changed");
        tail::ring(self);
    }

    /// Keeps the row of an uploaded file, once the file itself is safe.
    ///
    /// # Errors
    /// `too_many` where too many files of the uploader were named by no message yet, `unavailable`.
    pub async fn keep_attachment(
        &self,
        workspace_id: WorkspaceId,
        row: &AttachmentRow,
    ) -> Result<(), Rejection> {
        let written = storage::attachment::create(&self.0.db, workspace_id, row).await;
        match written.map_err(|error| refused_by(&error))? {
            Written::Done(()) | Written::AlreadyExists => Ok(()),
            Written::TooMany => Err(ErrorCode::TooMany.into()),
            Written::VersionConflict
            | Written::NotFound
            | Written::LastOwner
            | Written::Refused => Err(ErrorCode::Forbidden.into()),
        }
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

    /// Figures for metrics.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            lane_count: self.0.lanes.count(),
            topic_count: self.0.hub.topic_count(),
            lost_delivery_count: self.0.hub.lost_count(),
            lost_trace_count: self.0.traces.lost_count(),
        }
    }
}

/// What the parts of the core ask of each other.
impl Router {
    pub(crate) fn world(&self) -> &World {
        &self.0.world
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

    pub(crate) fn signals(&self) -> &Signals {
        &self.0.signals
    }

    pub(crate) fn traces(&self) -> &Traces {
        &self.0.traces
    }

    pub(crate) fn timers(&self) -> &Timers {
        &self.0.timers
    }

    /// The visitor's own conversation.
    ///
    /// # Errors
    /// `not_found` for anybody else's.
    pub(crate) async fn owns(
        &self,
        workspace_id: WorkspaceId,
        visitor: &VisitorActor,
        conversation_id: ConversationId,
    ) -> Result<VisitorConversation, Rejection> {
        let (db, id) = (&self.0.db, conversation_id);
        let found = storage::conversation::of_visitor(db, workspace_id, visitor, id).await;
        let found = found.map_err(|error| refused_by(&error))?;
        let conversation = found.ok_or(ErrorCode::NotFound)?;
        self.keep_right(visitor.visitor_id.bits(), conversation_id);
        Ok(conversation)
    }

    /// The store knows something new about a visitor: the live list shows it.
    pub(crate) async fn visitor_changed(&self, workspace_id: WorkspaceId, visitor_id: VisitorId) {
        match storage::visitor::find(&self.0.db, workspace_id, visitor_id).await {
            Ok(Some(row)) => {
                let facts = visitor::facts_of(&row);
                self.presence(Input::Facts { visitor_id, facts }).await;
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "a visitor could not be read"),
        }
    }

    /// How long a sign of life counts in a workspace.
    pub(crate) async fn threshold(&self, workspace_id: WorkspaceId, tenant: &Tenant) {
        self.presence(Input::Threshold {
            workspace_id,
            active_threshold_ms: tenant.settings.active_threshold_ms,
        })
        .await;
    }

    pub(crate) async fn team_frame(&self, workspace_id: WorkspaceId) -> storage::Result<Encoded> {
        let tenant = self.0.cache.tenant(workspace_id).await?;
        let presence = self.0.live.ask(|reply| Message::Team {
            workspace_id,
            reply,
        });
        let news = AgentNews::Team {
            agents: tenant.agents.clone(),
            presence: presence.await.unwrap_or_default(),
        };
        Ok(Encoded::new(&news, Class::Row))
    }

    pub(crate) async fn config_of(
        &self,
        workspace_id: WorkspaceId,
        site_id: SiteId,
    ) -> storage::Result<Option<WidgetConfig>> {
        let tenant = self.0.cache.tenant(workspace_id).await?;
        let Some(site) = tenant.site(site_id) else {
            return Ok(None);
        };
        Ok(Some(WidgetConfig {
            version: site.version,
            site_name: site.name.clone(),
            theme: site.theme.clone(),
            identity_required: site.identity_required,
            attachment_bytes_max: self.0.config.attachment_bytes_max,
            respect_do_not_track: tenant.settings.respect_do_not_track,
            staff: self.staff_in(workspace_id, &tenant).await,
        }))
    }

    async fn staff_in(&self, workspace_id: WorkspaceId, tenant: &Arc<Tenant>) -> Staff {
        let presence = self.0.live.ask(|reply| Message::Team {
            workspace_id,
            reply,
        });
        staff_of(tenant, &presence.await.unwrap_or_default())
    }

    async fn presence(&self, input: Input) {
        self.0.live.send(Message::Visitor(input)).await;
    }

    async fn tenant(&self, workspace_id: WorkspaceId) -> Result<Arc<Tenant>, Rejection> {
        let tenant = self.0.cache.tenant(workspace_id).await;
        tenant.map_err(|error| refused_by(&error))
    }

    /// The conversation that a visitor means: the named one if it is his, or his open one.
    async fn visitors_conversation(
        &self,
        workspace_id: WorkspaceId,
        visitor: &VisitorActor,
        conversation_id: Option<ConversationId>,
    ) -> Result<Option<ConversationId>, Rejection> {
        match conversation_id {
            Some(id) if self.has_right(visitor.visitor_id.bits(), id) => Ok(Some(id)),
            Some(id) => {
                self.owns(workspace_id, visitor, id).await?;
                Ok(Some(id))
            }
            None => {
                let db = &self.0.db;
                let open = storage::conversation::open_of_visitor(db, workspace_id, visitor).await;
                let open = open.map_err(|error| refused_by(&error))?;
                Ok(open.map(|open| open.id))
            }
        }
    }

    async fn is_of_workspace(
        &self,
        workspace_id: WorkspaceId,
        conversation_id: ConversationId,
    ) -> Result<(), Rejection> {
        if self.has_right(workspace_id.bits(), conversation_id) {
            return Ok(());
        }
        let found = storage::conversation::find(&self.0.db, workspace_id, conversation_id).await;
        let found = found.map_err(|error| refused_by(&error))?;
        found.ok_or(ErrorCode::NotFound)?;
        self.keep_right(workspace_id.bits(), conversation_id);
        Ok(())
    }

    fn has_right(&self, reader: u128, conversation_id: ConversationId) -> bool {
        let now = self.0.world.clock.elapsed();
        let rights = self.rights();
        rights
            .get(&(reader, conversation_id))
            .is_some_and(|kept| now < *kept + RIGHT_KEPT)
    }

    fn keep_right(&self, reader: u128, conversation_id: ConversationId) {
        let now = self.0.world.clock.elapsed();
        let mut rights = self.rights();
        if rights.len() >= RIGHTS_MAX {
            rights.clear();
        }
        rights.insert((reader, conversation_id), now);
    }

    fn rights(&self) -> MutexGuard<'_, HashMap<(u128, ConversationId), Duration>> {
        self.0.rights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
