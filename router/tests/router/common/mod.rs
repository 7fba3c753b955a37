//! A router over a real store, with people who speak to it and shards that listen.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bus::Bus;
use protocol::command::{Ack, Command, Draft};
use protocol::frame::Follow;
use protocol::id::{
    AgentId, ConnectionId, ContactId, ConversationId, SiteId, VisitorId, WorkspaceId,
};
use protocol::permission::{Actor, AgentActor, Permissions, Principal, Role, VisitorActor};
use protocol::rejection::Rejection;
use protocol::site::{AfterClose, Site, Theme};
use protocol::text::{Body, ClientId};
use protocol::visitor::{Browser, Claim, Device};
use protocol::workspace::{Settings, SiteOverrides, Workspace, WorkspaceChange};
use router::{
    Class, Delivery, Newcomer, Proof, Router, RouterConfig, ShardId, Topic, VisitorConnection,
};
use serde_json::Value;
use storage::audit::Change;
use storage::db::{DatabaseConfig, Db, Home};
use storage::setup::{Account, Installation, NewMember};
use storage::user::UserRow;
use world::World;

/// The longest a story waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A store with one workspace, one site and one owner, and a router on it.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) db: Db,
    pub(crate) bus: Bus,
    pub(crate) router: Router,
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) site_id: SiteId,
    owner: Agent,
    database: DatabaseConfig,
    _directory: tempfile::TempDir,
}

/// An agent who speaks.
#[derive(Clone, Copy)]
pub(crate) struct Agent {
    pub(crate) actor: Actor,
    pub(crate) id: AgentId,
}

/// A visitor who speaks.
#[derive(Clone, Copy)]
pub(crate) struct Visitor {
    pub(crate) actor: Actor,
    pub(crate) id: VisitorId,
}

impl Visitor {
    /// The person, where a signed identity proved it.
    pub(crate) fn contact(&self) -> Option<ContactId> {
        match self.actor.principal {
            Principal::Visitor(visitor) => visitor.contact_id,
            Principal::Agent(_) | Principal::Key(_) | Principal::System => None,
        }
    }
}

impl Stage {
    pub(crate) async fn sqlite() -> Self {
        let directory = tempfile::tempdir().expect("a directory for tests");
        let file = directory.path().join("switchboard.db");
        Self::set(&format!("sqlite:{}", file.display()), directory).await
    }

    pub(crate) async fn postgres() -> Self {
        let directory = tempfile::tempdir().expect("a directory for tests");
        Self::set(&new_database().await, directory).await
    }

    async fn set(url: &str, directory: tempfile::TempDir) -> Self {
        let world = World::system_with_faults();
        let mut database = DatabaseConfig::of_url(url).expect("a good URL");
        database.timeout = PATIENCE;
        let db = storage::open(&database, &world).await.expect("it opens");
        let installation = installation(&world);
        let workspace_id = installation.workspace.id;
        let change = change(&world, workspace_id, "workspace.created");
        storage::setup::create(&db, &installation, &change)
            .await
            .expect("set-up works");
        let owner = agent_of(&world, workspace_id, installation.member.id, Role::Owner);
        let bus = Bus::local();
        let router = start(&world, &bus, &db).await;
        Self {
            site_id: installation.site.id,
            owner,
            router,
            database,
            _directory: directory,
            world,
            db,
            bus,
            workspace_id,
        }
    }

    pub(crate) fn owner(&self) -> Agent {
        self.owner
    }

    /// Another router on the same store and bus: another node.
    pub(crate) async fn second_router(&self) -> Router {
        start(&self.world, &self.bus, &self.db).await
    }

    /// Another node, with a way of its own to the store, whose faults are its own too.
    pub(crate) async fn second_node(&self) -> (Router, World) {
        let world = World::system_with_faults();
        let router = self.node(&world, RouterConfig::default()).await;
        (router, world)
    }

    /// Another node in a world of its own.
    pub(crate) async fn node(&self, world: &World, config: RouterConfig) -> Router {
        let db = storage::open(&self.database, world).await;
        let db = db.expect("it opens once more");
        let router = Router::start(world.clone(), self.bus.clone(), db, config).await;
        router.expect("the router starts")
    }

    /// A transaction that somebody else has begun on the stage's Postgres, and not ended.
    pub(crate) async fn transaction(&self) -> tokio_postgres::Client {
        let Home::Postgres(url) = &self.database.home else {
            panic!("the stage is not on Postgres");
        };
        let connected = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
        let (client, connection) = connected.expect("the Postgres for tests answers");
        self.world.tracker.spawn(async move {
            // It ends with the client.
            let _ = connection.await;
        });
        // What it writes does not matter, but it must write something.
        let begin = "BEGIN; CREATE SCHEMA written";
        client.batch_execute(begin).await.expect("it begins");
        client
    }

    /// The workspace has other settings. Nodes that run are told nothing.
    pub(crate) async fn sets(&self, set: impl FnOnce(&mut Settings)) {
        let found = storage::workspace::find(&self.db, self.workspace_id).await;
        let workspace = found.expect("the store works").expect("it exists");
        let mut settings = workspace.settings;
        set(&mut settings);
        let new = WorkspaceChange {
            settings: Some(settings),
            ..WorkspaceChange::default()
        };
        let change = self.change("workspace.changed");
        storage::workspace::change(&self.db, workspace.version, &new, &change)
            .await
            .expect("it works");
    }

    /// The node ends and another one begins on what is stored.
    pub(crate) async fn restart(self) -> Self {
        let now_ms = self.world.clock.now_ms();
        self.restart_at(now_ms).await
    }

    /// As [`Stage::restart`], where the new node finds it so late.
    pub(crate) async fn restart_at(self, now_ms: u64) -> Self {
        self.world.tracker.stop_hard();
        let world = World::system_with_faults();
        world.clock.set_now_ms(now_ms);
        let db = storage::open(&self.database, &world)
            .await
            .expect("it opens again");
        let bus = Bus::local();
        let router = start(&world, &bus, &db).await;
        Self {
            world,
            db,
            bus,
            router,
            ..self
        }
    }

    /// Adds a member with a role.
    pub(crate) async fn agent(&self, name: &str, role: Role) -> Agent {
        let member = NewMember {
            id: self.world.ids.next(),
            name: name.to_owned(),
            role,
            time_zone: "UTC".to_owned(),
        };
        let account = Account::New(UserRow {
            id: self.world.ids.next(),
            email: format!("{name}@example.com"),
            password_hash: "none".to_owned(),
            created_at_ms: self.world.clock.now_ms(),
        });
        let mut change = self.change("agent.joined");
        change.target = member.id.to_string();
        storage::agent::create(&self.db, &account, &member, &change)
            .await
            .expect("the store works");
        self.router
            .changed(self.workspace_id, router::Part::Agent(member.id));
        agent_of(&self.world, self.workspace_id, member.id, role)
    }

    pub(crate) fn change(&self, action: &'static str) -> Change {
        change(&self.world, self.workspace_id, action)
    }

    /// A browser comes to the site.
    pub(crate) async fn visitor(&self) -> Visitor {
        let newcomer = self.newcomer(None);
        let standing = self.router.begin_visitor(&newcomer).await;
        self.visitor_of(standing.expect("the site is open").visitor_id)
    }

    /// A browser on which the site proves who its customer is.
    pub(crate) async fn customer(&self, customer_id: &str) -> Visitor {
        self.prove(None, customer_id).await
    }

    /// The site proves who sits at a browser.
    pub(crate) async fn prove(&self, before: Option<VisitorId>, customer_id: &str) -> Visitor {
        let mut newcomer = self.newcomer(before);
        newcomer.proof = Some(Proof {
            customer_id: Some(customer_id.to_owned()),
            email: None,
            claim: Claim::default(),
        });
        let standing = self.router.begin_visitor(&newcomer).await;
        let standing = standing.expect("the site is open");
        let mut visitor = self.visitor_of(standing.visitor_id);
        visitor.actor.principal = Principal::Visitor(VisitorActor {
            visitor_id: standing.visitor_id,
            site_id: self.site_id,
            contact_id: standing.contact_id,
        });
        visitor
    }

    pub(crate) fn newcomer(&self, before: Option<VisitorId>) -> Newcomer {
        Newcomer {
            workspace_id: self.workspace_id,
            site_id: self.site_id,
            before,
            fresh: false,
            proof: None,
            browser: browser(),
            address: None,
        }
    }

    pub(crate) fn visitor_of(&self, id: VisitorId) -> Visitor {
        let visitor = VisitorActor {
            visitor_id: id,
            site_id: self.site_id,
            contact_id: None,
        };
        let actor = Actor {
            workspace_id: self.workspace_id,
            principal: Principal::Visitor(visitor),
        };
        Visitor { actor, id }
    }

    /// Asks for something under a new client id.
    pub(crate) async fn ask(&self, actor: &Actor, command: Command) -> Result<Ack, Rejection> {
        let client_id = client_id(&self.world);
        self.router.handle(actor, client_id, command).await
    }

    /// A visitor says something.
    pub(crate) async fn says(&self, visitor: Visitor, text: &str) -> Ack {
        let said = self.ask(&visitor.actor, say(None, text)).await;
        said.expect("a visitor may speak")
    }

    /// A visitor says his first words; gives the conversation, once all who listen heard of it.
    pub(crate) async fn begins(&self, visitor: Visitor) -> ConversationId {
        let ear = self.ear();
        ear.listen(Topic::Visitor(visitor.id));
        let ack = self.says(visitor, "hello").await;
        ear.until(|heard| matches!(heard, Heard::Follow(..)).then_some(()))
            .await;
        ack.conversation_id.expect("a message has a conversation")
    }

    /// An agent says something.
    pub(crate) async fn answers(&self, agent: Agent, id: ConversationId, text: &str) -> Ack {
        let said = self.ask(&agent.actor, say(Some(id), text)).await;
        said.expect("an agent may answer")
    }

    pub(crate) fn ear(&self) -> Ear {
        Ear::on(&self.router)
    }

    /// Everything in a conversation's log, as the store has it.
    pub(crate) async fn log(&self, id: ConversationId) -> Vec<protocol::entry::Entry> {
        let numbering = storage::entry::Numbering::Team;
        storage::entry::after(&self.db, self.workspace_id, id, numbering, 0, 1_000)
            .await
            .expect("the store works")
    }
}

/// A shard that listens.
pub(crate) struct Ear {
    router: Router,
    shard: ShardId,
    receiver: flume::Receiver<Delivery>,
}

/// What an ear heard.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Heard {
    Frame(Topic, Value, Class),
    Follow(Topic, ConversationId),
    Afresh(ConversationId),
    Close(Topic, protocol::rejection::CloseCode),
    Lost,
}

impl Ear {
    pub(crate) fn on(router: &Router) -> Self {
        let (sender, receiver) = flume::bounded(4_096);
        Self {
            shard: router.register_shard(sender),
            router: router.clone(),
            receiver,
        }
    }

    pub(crate) fn listen(&self, topic: Topic) {
        self.router.subscribe(self.shard, topic);
    }

    pub(crate) fn leave(&self, topic: Topic) {
        self.router.unsubscribe(self.shard, topic);
    }

    /// The next thing heard.
    pub(crate) async fn next(&self) -> Heard {
        let delivery = tokio::time::timeout(PATIENCE, self.receiver.recv_async())
            .await
            .expect("something is heard in time")
            .expect("the router keeps the shard");
        heard(delivery)
    }

    /// The next thing that `pick` wants; what comes before it is passed over.
    pub(crate) async fn until<T>(&self, mut pick: impl FnMut(&Heard) -> Option<T>) -> T {
        loop {
            let heard = self.next().await;
            if let Some(wanted) = pick(&heard) {
                return wanted;
            }
        }
    }

    /// The next frame of a kind, as JSON.
    pub(crate) async fn frame(&self, kind: &str) -> Value {
        self.until(|heard| match heard {
            Heard::Frame(_, frame, _) if frame["type"] == kind => Some(frame.clone()),
            Heard::Frame(..)
            | Heard::Follow(..)
            | Heard::Afresh(..)
            | Heard::Close(..)
            | Heard::Lost => None,
        })
        .await
    }

    /// Waits until a conversation is to be read again.
    pub(crate) async fn afresh(&self, id: ConversationId) {
        self.until(|heard| matches!(heard, Heard::Afresh(said) if *said == id).then_some(()))
            .await;
    }

    /// What is there already.
    pub(crate) fn rest(&self) -> Vec<Heard> {
        self.receiver.drain().map(heard).collect()
    }
}

fn heard(delivery: Delivery) -> Heard {
    match delivery {
        Delivery::Publish { topic, frame } => {
            let json = serde_json::from_slice(&frame.text).expect("a frame is JSON");
            Heard::Frame(topic, json, frame.class)
        }
        Delivery::Follow {
            topic,
            conversation_id,
        } => Heard::Follow(topic, conversation_id),
        Delivery::Afresh {
            conversation_id, ..
        } => Heard::Afresh(conversation_id),
        Delivery::CloseTopic { topic, code }
        | Delivery::CloseUnproved { topic, code }
        | Delivery::CloseBlocked { topic, code, .. } => Heard::Close(topic, code),
        Delivery::Lost => Heard::Lost,
    }
}

/// The numbers of entries that an ear hears next on a topic.
pub(crate) async fn numbers(ear: &Ear, count: usize) -> Vec<u64> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        let number = ear.until(|heard| match heard {
            Heard::Frame(_, _, Class::Durable { number, .. }) => Some(*number),
            Heard::Frame(..)
            | Heard::Follow(..)
            | Heard::Afresh(..)
            | Heard::Close(..)
            | Heard::Lost => None,
        });
        numbers.push(number.await);
    }
    numbers
}

/// Waits until something is so.
pub(crate) async fn eventually<F: Future<Output = bool>>(mut is_so: impl FnMut() -> F) {
    let waiting = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .expect("it becomes so in time");
}

pub(crate) fn follow(conversation_id: ConversationId) -> Follow {
    Follow {
        conversation_id,
        position: None,
    }
}

pub(crate) fn say(conversation_id: Option<ConversationId>, text: &str) -> Command {
    Command::SendMessage {
        conversation_id,
        draft: draft(text),
    }
}

pub(crate) fn draft(text: &str) -> Draft {
    Draft {
        body: Some(Body::parse(text).expect("a good text")),
        format: protocol::message::Format::Plain,
        reply_to_id: None,
        attachment_ids: Vec::new(),
    }
}

pub(crate) fn client_id(world: &World) -> ClientId {
    let id: ConnectionId = world.ids.next();
    ClientId::parse(&id.to_string()).expect("an id is a client id")
}

/// A connection of a visitor comes up.
pub(crate) async fn enter(router: &Router, connection: VisitorConnection) {
    let actor = Actor {
        workspace_id: connection.workspace_id,
        principal: Principal::Visitor(connection.visitor),
    };
    let arrival = router.visitor_welcome(&actor).await;
    let arrival = arrival.expect("a visitor is welcome");
    router.visitor_enter(connection, arrival).await;
}

pub(crate) fn browser() -> Browser {
    Browser {
        device: Device::Desktop,
        name: "Firefox".to_owned(),
        system: "Linux".to_owned(),
        language: Some("en".to_owned()),
        time_zone: None,
        country: Some("SI".to_owned()),
        city: None,
    }
}

async fn start(world: &World, bus: &Bus, db: &Db) -> Router {
    Router::start(
        world.clone(),
        bus.clone(),
        db.clone(),
        RouterConfig::default(),
    )
    .await
    .expect("the router starts")
}

fn agent_of(world: &World, workspace_id: WorkspaceId, id: AgentId, role: Role) -> Agent {
    let actor = Actor {
        workspace_id,
        principal: Principal::Agent(AgentActor {
            agent_id: id,
            user_id: world.ids.next(),
            session_id: world.ids.next(),
            permissions: Permissions::of_role(role),
        }),
    };
    Agent { actor, id }
}

fn change(world: &World, workspace_id: WorkspaceId, action: &'static str) -> Change {
    Change {
        workspace_id,
        actor: "system".to_owned(),
        action,
        target: String::new(),
        fields: Vec::new(),
        changes_json: None,
        address: None,
        at_ms: world.clock.now_ms(),
    }
}

fn installation(world: &World) -> Installation {
    let now_ms = world.clock.now_ms();
    Installation {
        user: UserRow {
            id: world.ids.next(),
            email: "ana@example.com".to_owned(),
            password_hash: "none".to_owned(),
            created_at_ms: now_ms,
        },
        workspace: Workspace::new(world.ids.next(), "Lamps", "UTC"),
        member: NewMember {
            id: world.ids.next(),
            name: "Ana".to_owned(),
            role: Role::Owner,
            time_zone: "UTC".to_owned(),
        },
        site: Site {
            id: world.ids.next(),
            version: 1,
            name: "Shop".to_owned(),
            domain: String::new(),
            description: String::new(),
            allowed_origins: vec!["loopback".to_owned()],
            theme: Theme::default(),
            after_close: AfterClose::StartNew,
            reopen_within_ms: 0,
            identity_required: false,
            overrides: SiteOverrides::default(),
            archived: false,
            created_at_ms: now_ms,
        },
        secrets: Vec::new(),
        session: None,
    }
}

/// Makes an empty database on the server of the tests and gives its URL.
async fn new_database() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let url = std::env::vars()
        .find_map(|(name, value)| (name == "SWITCHBOARD_TEST_POSTGRES_URL").then_some(value))
        .expect(
            "SWITCHBOARD_TEST_POSTGRES_URL must name a Postgres for tests; `make test` starts one",
        );
    let name = format!(
        "router_{}_{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
        .await
        .expect("the Postgres for tests answers");
    let create = format!("CREATE DATABASE {name}");
    tokio::select! {
        made = client.batch_execute(&create) => made.expect("a database can be made"),
        broken = connection => panic!("the Postgres for tests hung up: {broken:?}"),
    }
    let (server, _) = url.rsplit_once('/').expect("a URL with a database");
    format!("{server}/{name}")
}
