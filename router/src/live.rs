//! The actor around `presence`: takes in what connections do, tells those who watch, leaves traces.
//!
//! One task owns the state; others send it messages and wait while it is behind. It reads the store
//! only for names, which are cached.

use std::sync::Arc;
use std::time::Duration;

use presence::agents::Agents;
use presence::input::{Input, Sight};
use presence::state::{Change, Visitors};
use protocol::agent::{AgentPresence, Availability};
use protocol::id::{AgentId, ConnectionId, ConversationId, NodeId, SiteId, VisitorId, WorkspaceId};
use protocol::rejection::Rejection;
use tokio::sync::oneshot;
use world::HashMap;

use crate::around::Around;
use crate::cache::Tenant;
use crate::delivery::Encoded;
use crate::nodes::{self, Sign};
use crate::router::Router;
use crate::steady;
use crate::topic::ViewId;
use crate::visit::{Stay, Visits};
use crate::visitors::Wanted;

mod elsewhere;
mod screen;
mod team;
mod trace;
mod watch;

pub(crate) use screen::Look;
use screen::Screens;
pub(crate) use team::{Answering, config_of, staff_of, team_frame};
use watch::Watches;

/// Messages that may wait; then their senders wait.
const MAILBOX_LENGTH: usize = 8_192;

/// Messages that are taken in a row before it is looked what is due.
const MESSAGES_IN_A_ROW: usize = 128;

/// From one look at what waits to the next while many come: each look is a wake of a thread. Who comes by
/// himself does not wait.
const COLLECT: Duration = Duration::from_millis(1);

/// What changed of a workspace, and is told together with what agents do.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Changed {
    /// Members or programs of the team.
    Team,
    /// How a site's widget looks.
    Config(SiteId),
}

/// A visitor's connection that came up.
#[derive(Debug)]
pub(crate) struct Entrance {
    pub(crate) input: Input,
    pub(crate) key: (WorkspaceId, VisitorId),
    pub(crate) connection_id: ConnectionId,
    pub(crate) stay: Stay,
    /// As [`Renewals::outdated_count`] was before he was read.
    ///
    /// [`Renewals::outdated_count`]: crate::renewal::Renewals::outdated_count
    pub(crate) outdated_count: u64,
}

/// What the actor is told and asked.
#[derive(Debug)]
pub(crate) enum Message {
    /// A visitor's connection came up.
    Enter(Box<Entrance>),
    /// Something else about visitors.
    Visitor(Input),
    /// The store has something newer of a visitor's person.
    Outdated(WorkspaceId, VisitorId),
    /// A page came in sight.
    Page {
        connection_id: ConnectionId,
        sight: Sight,
        reply: oneshot::Sender<Result<(), Rejection>>,
    },
    /// A site reported something of its own.
    Track {
        connection_id: ConnectionId,
        name: String,
        properties_json: String,
        reply: oneshot::Sender<Result<(), Rejection>>,
    },
    AgentEnter {
        workspace_id: WorkspaceId,
        agent_id: AgentId,
        connection_id: ConnectionId,
    },
    AgentLeave {
        connection_id: ConnectionId,
        /// What it looked at.
        looked_at: Option<ConversationId>,
    },
    Choose {
        workspace_id: WorkspaceId,
        agent_id: AgentId,
        availability: Availability,
    },
    See(Look),
    /// Something of a workspace changed in the store.
    Changed {
        workspace_id: WorkspaceId,
        tenant: Arc<Tenant>,
        part: Changed,
    },
    Team {
        workspace_id: WorkspaceId,
        reply: oneshot::Sender<Vec<AgentPresence>>,
    },
    Snapshot {
        workspace_id: WorkspaceId,
        view_id: ViewId,
        wanted: Box<Wanted>,
        /// How long the workspace lets changes be collected.
        interval: Duration,
        reply: oneshot::Sender<Encoded>,
    },
    /// How long a workspace lets changes of its lists be collected was set.
    Pace(WorkspaceId, Duration),
    Unwatch {
        view_id: ViewId,
    },
    /// Another node told something of its people.
    Elsewhere {
        workspace_id: WorkspaceId,
        node_id: NodeId,
        presence: nodes::Presence,
    },
    /// Another node gave a sign of itself.
    Node {
        node_id: NodeId,
        sign: Sign,
    },
    /// What other nodes told of a workspace may have been missed.
    Missed {
        workspace_id: WorkspaceId,
    },
}

/// The way to the actor.
#[derive(Debug, Clone)]
pub(crate) struct Live(flume::Sender<Message>);

impl Live {
    pub(crate) fn new() -> (Self, flume::Receiver<Message>) {
        // Bounded; senders wait, for nothing of this may be lost.
        let (sender, receiver) = flume::bounded(MAILBOX_LENGTH);
        (Self(sender), receiver)
    }

    pub(crate) async fn send(&self, message: Message) {
        // The actor ends after the soft token; nobody is told anything after that.
        let _ = self.0.send_async(message).await;
    }

    /// Asks; nothing comes back once the actor has ended.
    pub(crate) async fn ask<T>(
        &self,
        message: impl FnOnce(oneshot::Sender<T>) -> Message,
    ) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.send(message(reply)).await;
        answer.await.ok()
    }

    /// The store has something newer of a visitor's person: the list shows it.
    pub(crate) async fn outdated(&self, workspace_id: WorkspaceId, visitor_id: VisitorId) {
        self.send(Message::Outdated(workspace_id, visitor_id)).await;
    }
}

/// The actor.
pub(crate) struct Actor {
    router: Router,
    messages: flume::Receiver<Message>,
    visitors: Visitors,
    agents: Agents,
    visits: Visits,
    visitor_of: HashMap<ConnectionId, (WorkspaceId, VisitorId)>,
    agent_of: HashMap<ConnectionId, (WorkspaceId, AgentId)>,
    views: Watches,
    /// What agents have in sight, and nobody was told.
    screens: Screens,
    /// The workspaces whose visitors are yet to be told who answers, and when.
    untold: HashMap<WorkspaceId, Duration>,
    /// When the next of the views, of the screens or of the workspaces is due.
    tell_at: Option<Duration>,
    /// The other nodes, where there may be any, and when they are next told and looked after.
    around: Option<(Around, Duration)>,
    /// When messages were taken last, and before when none are.
    taken_at: Duration,
    next_at: Duration,
}

enum Wake {
    Tick,
    Message(Box<Message>),
    Deadline,
    Tell,
}

impl Actor {
    pub(crate) fn new(router: Router, messages: flume::Receiver<Message>) -> Self {
        let is_alone = router.nodes().is_alone();
        Self {
            around: (!is_alone).then(|| (Around::new(router.clone()), Duration::ZERO)),
            router,
            messages,
            visitors: Visitors::new(),
            agents: Agents::new(),
            visits: Visits::default(),
            visitor_of: HashMap::default(),
            agent_of: HashMap::default(),
            views: Watches::default(),
            screens: Screens::default(),
            untold: HashMap::default(),
            tell_at: None,
            taken_at: Duration::ZERO,
            next_at: Duration::ZERO,
        }
    }

    /// Runs until the soft token, and until all that was said before it is taken in: by then the
    /// connections have said goodbye.
    pub(crate) async fn run(mut self) {
        let hard = self.router.world().tracker.hard().clone();
        let soft = self.router.world().tracker.soft().clone();
        loop {
            let wake = tokio::select! {
                // The end first, then what is due, which is bounded by the clock; then what waits; and the
                // orderly end only once nothing does.
                biased;
                () = hard.cancelled() => return,
                () = self.sleep_to_tick() => Wake::Tick,
                () = self.sleep_to_tell() => Wake::Tell,
                () = self.sleep_to_deadline() => Wake::Deadline,
                message = self.next_message() => match message {
                    Ok(message) => Wake::Message(Box::new(message)),
                    Err(flume::RecvError::Disconnected) => return,
                },
                () = soft.cancelled() => return self.part(),
            };
            let router = self.router.clone();
            // A panic costs what struck it: the state goes on with what it holds. A message is gone then; what
            // was due is still.
            let is_still_due = !matches!(wake, Wake::Message(_));
            let done = steady::caught(&router, "live", self.wake(wake)).await;
            if done.is_none() && is_still_due {
                steady::rest(&router).await;
            }
        }
    }

    async fn wake(&mut self, wake: Wake) {
        match wake {
            Wake::Tick => self.tick().await,
            Wake::Message(message) => {
                self.take(*message).await;
                self.take_waiting().await;
                self.collect();
            }
            Wake::Deadline => self.advance().await,
            Wake::Tell => self.tell().await,
        }
    }

    /// Takes what waits besides: one look at the clock serves many.
    async fn take_waiting(&mut self) {
        for _ in 1..MESSAGES_IN_A_ROW {
            match self.messages.try_recv() {
                Ok(message) => self.take(message).await,
                Err(_) => return,
            }
        }
    }

    /// Lets messages wait a little where the last ones came a moment ago.
    fn collect(&mut self) {
        let now = self.router.world().clock.elapsed();
        let is_rush = now < self.taken_at + COLLECT * 2;
        (self.taken_at, self.next_at) = (now, if is_rush { now + COLLECT } else { now });
    }

    async fn next_message(&self) -> Result<Message, flume::RecvError> {
        let clock = &self.router.world().clock;
        let wait = self.next_at.saturating_sub(clock.elapsed());
        if !wait.is_zero() {
            clock.linger(wait).await;
        }
        self.messages.recv_async().await
    }

    async fn sleep_to_deadline(&self) {
        let next = self.visitors.next_deadline_ms();
        let next = next.into_iter().chain(self.agents.next_deadline_ms()).min();
        match next {
            Some(at_ms) => self.router.world().clock.sleep_until_ms(at_ms).await,
            None => std::future::pending().await,
        }
    }

    async fn sleep_to_tell(&self) {
        let clock = &self.router.world().clock;
        match self.tell_at {
            Some(at) => clock.sleep(at.saturating_sub(clock.elapsed())).await,
            None => std::future::pending().await,
        }
    }

    fn now_ms(&self) -> u64 {
        self.router.world().clock.now_ms()
    }

    async fn take(&mut self, message: Message) {
        self.router.world().faults.strike("live.message");
        match message {
            Message::Enter(entrance) => self.enter(*entrance),
            Message::Visitor(input) => self.visitor(input),
            Message::Outdated(workspace_id, visitor_id) => {
                self.outdated((workspace_id, visitor_id))
            }
            // Whoever asked may have gone.
            Message::Page {
                connection_id,
                sight,
                reply,
            } => drop(reply.send(self.page(connection_id, sight))),
            Message::Track {
                connection_id,
                name,
                properties_json,
                reply,
            } => drop(reply.send(self.track(connection_id, name, properties_json))),
            Message::AgentEnter {
                workspace_id,
                agent_id,
                connection_id,
            } => {
                self.agent_enter(workspace_id, agent_id, connection_id)
                    .await
            }
            Message::AgentLeave {
                connection_id,
                looked_at,
            } => self.agent_leave(connection_id, looked_at),
            Message::Choose {
                workspace_id,
                agent_id,
                availability,
            } => self.choose(workspace_id, agent_id, availability).await,
            Message::See(look) => self.see(&look),
            Message::Changed {
                workspace_id,
                tenant,
                part,
            } => self.tell_changed(workspace_id, &tenant, part).await,
            // Whoever asked may have gone.
            Message::Team {
                workspace_id,
                reply,
            } => drop(reply.send(self.team(workspace_id))),
            Message::Snapshot {
                workspace_id,
                view_id,
                wanted,
                interval,
                reply,
            } => {
                let made = self.snapshot(workspace_id, view_id, *wanted, interval);
                drop(reply.send(made));
            }
            Message::Pace(workspace_id, interval) => self.pace(workspace_id, interval),
            Message::Unwatch { view_id } => self.unwatch(view_id),
            Message::Elsewhere {
                workspace_id,
                node_id,
                presence,
            } => self.elsewhere(workspace_id, node_id, presence).await,
            Message::Node { node_id, sign } => self.node(node_id, sign).await,
            Message::Missed { workspace_id } => self.miss(workspace_id),
        }
    }

    fn agent_leave(&mut self, connection_id: ConnectionId, looked_at: Option<ConversationId>) {
        let now_ms = self.now_ms();
        if let Some((workspace_id, agent_id)) = self.agent_of.remove(&connection_id) {
            let change = self.agents.disconnect(connection_id, agent_id, now_ms);
            self.saw(workspace_id, change);
            if let Some(conversation_id) = looked_at {
                self.router.tell_viewers(workspace_id, conversation_id);
            }
        }
    }

    fn enter(&mut self, entrance: Entrance) {
        let Entrance {
            input,
            key,
            connection_id,
            stay,
            outdated_count,
        } = entrance;
        let (workspace_id, _) = key;
        let now_ms = self.now_ms();
        self.visitor_of.insert(connection_id, key);
        if let Input::Enter { arrival, .. } = &input
            && let Some(began) = self.visits.enter(arrival, stay, now_ms)
        {
            self.router.traces().put(workspace_id, began);
        }
        self.visitor(input);
        if self.router.renewals().outdated_count() != outdated_count {
            // The store may know him otherwise by now.
            self.renew(key);
        }
    }

    fn visitor(&mut self, input: Input) {
        if let Input::Leave { connection_id } = &input {
            self.visitor_of.remove(connection_id);
        }
        let now_ms = self.now_ms();
        for change in self.visitors.apply(input, now_ms) {
            self.changed(&change);
        }
    }

    /// The store has something newer of somebody, who may be here or about to come.
    fn outdated(&self, key: (WorkspaceId, VisitorId)) {
        self.router.renewals().count_outdated();
        self.renew(key);
    }

    /// A visitor is shown as the store has him, if he is here.
    fn renew(&self, (workspace_id, visitor_id): (WorkspaceId, VisitorId)) {
        if self.visitors.get(visitor_id).is_some() {
            self.router.renewals().put(workspace_id, visitor_id);
        }
    }

    fn changed(&mut self, change: &Change) {
        for trace in self.visits.take(change, &self.router.world().ids) {
            self.router.traces().put(change.workspace_id, trace);
        }
        match &mut self.around {
            None => self.show(change),
            Some((around, _)) => {
                if let Some(change) = around.here(change) {
                    self.show(&change);
                }
            }
        }
    }

    async fn advance(&mut self) {
        let now_ms = self.now_ms();
        for change in self.visitors.advance(now_ms) {
            self.changed(&change);
        }
        for (workspace_id, presence) in self.agents.advance(now_ms) {
            self.team_changed(workspace_id, vec![presence]).await;
        }
    }
}
