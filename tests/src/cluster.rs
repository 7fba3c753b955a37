//! An installation of several nodes: real processes on one Postgres and one Redis, which can be killed.

use std::time::Duration;

use loadtest::check;
use loadtest::client::http::{Call, Http};
use loadtest::client::{Access, AgentAccess, Client, Server, VisitorAccess};
use loadtest::node::postgres::Postgres;
use loadtest::node::proxy::Proxy;
use loadtest::node::redis::Redis;
use loadtest::node::{Node, Spec};
use protocol::entry::Entry;
use protocol::id::{ConversationId, SiteId};
use protocol::node::{NodeSeen, NodeState};
use protocol::page::Page;
use protocol::trouble::Trouble;
use tempfile::TempDir;
use world::World;

use crate::home::{Data, Home, Step};
use crate::metric;
use crate::person::{Agent, Visitor};
use crate::stack::{EMAIL, PASSWORD};

/// How long a story waits for something that must come, and how often it looks.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// How long an orderly end may take.
const STOP_MAX: Duration = Duration::from_secs(30);

/// The clock of this node's machine is ahead of the others', in each story.
const AHEAD: usize = 1;
/// By so much. Nothing may show it.
pub const AHEAD_MS: u64 = 5 * 60 * 1_000;

/// Where the pages are that visitors are on.
const ORIGIN: &str = "http://localhost:3000";

/// Nodes on one store and one bus.
pub struct Cluster {
    /// The people's clock and ids.
    pub world: World,
    /// The store: a database of the Postgres of all tests, or a Postgres of its own, which can be killed.
    store: Store,
    home: TempDir,
    /// The bus.
    pub redis: Redis,
    /// The nodes.
    pub nodes: Vec<Node>,
}

enum Store {
    Shared(Box<Data>),
    Own(Box<Postgres>),
}

/// Runs a story on two nodes.
///
/// # Panics
/// When the story does.
pub fn run<F>(story: fn(Cluster) -> F)
where
    F: Future<Output = Cluster>,
{
    run_on(
        async |world| Store::Shared(Box::new(Data::new(Home::Postgres, world).await)),
        story,
    );
}

/// Runs a story on two nodes with a Postgres of their own.
///
/// # Panics
/// When the story does.
pub fn run_on_own_postgres<F>(story: fn(Cluster) -> F)
where
    F: Future<Output = Cluster>,
{
    let own = async |world: &World| {
        let postgres = Postgres::start(world).await;
        Store::Own(Box::new(postgres.expect("a Postgres starts")))
    };
    run_on(own, story);
}

fn run_on<F>(store: impl AsyncFnOnce(&World) -> Store, story: fn(Cluster) -> F)
where
    F: Future<Output = Cluster>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be made");
    runtime.block_on(async {
        let world = World::system();
        let store = Box::pin(store(&world)).await;
        let cluster = Box::pin(Cluster::start(world, store, 2)).await;
        let cluster = Box::pin(story(cluster)).await;
        cluster.end().await;
    });
}

fn owned(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    variables.iter().map(owned).collect()
}

impl Cluster {
    /// Starts an installation of so many nodes.
    async fn start(world: World, store: Store, count: usize) -> Self {
        let mut cluster = Self {
            store,
            home: tempfile::tempdir().expect("a directory can be made"),
            redis: Redis::start(&world).await.expect("a Redis starts"),
            nodes: Vec::new(),
            world,
        };
        for _ in 0..count {
            cluster.grows().await;
        }
        cluster
    }

    /// Starts one more node.
    ///
    /// # Panics
    /// Where it does not start.
    pub async fn grows(&mut self) {
        let mut node = self.node();
        node.start(&self.world).await.expect("a node starts");
        self.nodes.push(node);
    }

    /// Starts one more node, which reaches the store through a proxy alone, and gives the proxy.
    ///
    /// # Panics
    /// Where it does not start.
    pub async fn grows_behind_a_proxy(&mut self) -> Proxy {
        let direct = self.database_url();
        let (user, rest) = direct.split_once('@').expect("a URL has a user");
        let (address, name) = rest.split_once('/').expect("and a path");
        let store = address.parse().expect("it is on loopback");
        let proxy = Proxy::start(&self.world, store).expect("a free port exists");
        let url = format!("{user}@{}/{name}", proxy.address);
        let mut node = self.node();
        node.plant(owned(&[("SWITCHBOARD_DATABASE_URL", &url)]));
        node.start(&self.world).await.expect("a node starts");
        self.nodes.push(node);
        proxy
    }

    /// One more node that must not start, with other settings than the others have; gives what it says.
    ///
    /// # Panics
    /// Where it starts.
    pub async fn refuses(&self, variables: &[(&str, &str)]) -> String {
        let mut node = self.node();
        node.plant(owned(variables));
        let refused = node.start(&self.world).await;
        refused.expect_err("it must not start").to_string()
    }

    /// A node keeps uploaded files in another folder from its next start on.
    pub fn keeps_files_apart(&mut self, node: usize) {
        self.nodes[node].keep_files_in(self.home.path().join("other files"));
    }

    /// One more node, which is no part of the cluster yet.
    fn node(&self) -> Node {
        let home = tempfile::tempdir_in(self.home.path()).expect("a directory can be made");
        let variable = |name: &str, value: String| (name.to_owned(), value);
        let mut variables = vec![
            variable("SWITCHBOARD_DATABASE_URL", self.database_url()),
            variable("SWITCHBOARD_REDIS_URL", self.redis.url()),
            variable("SWITCHBOARD_METRICS_TOKEN", metric::TOKEN.to_owned()),
            variable("SWITCHBOARD_SHUTDOWN_DRAIN_MS", "500".to_owned()),
            // Whoever says that he is behind one is as far away as he says.
            variable(
                "SWITCHBOARD_LIMITS_TRUSTED_PROXIES",
                "127.0.0.0/8".to_owned(),
            ),
        ];
        if self.nodes.len() == AHEAD {
            let skew_ms = AHEAD_MS.to_string();
            variables.push(variable("SWITCHBOARD_ALLOW_FAULTS", "1".to_owned()));
            variables.push(variable("SWITCHBOARD_DEBUG_CLOCK_SKEW_MS", skew_ms));
        }
        Node::new(Spec {
            binary: crate::child::binary().clone(),
            // It goes with the cluster's.
            home: home.keep(),
            files: Some(self.home.path().join("files")),
            email: EMAIL.to_owned(),
            password: PASSWORD.to_owned(),
            variables,
        })
    }

    fn database_url(&self) -> String {
        match &self.store {
            Store::Shared(data) => data.database_url(),
            Store::Own(postgres) => postgres.url(),
        }
    }

    /// The Postgres, where it is the cluster's own.
    ///
    /// # Panics
    /// Where it is not.
    pub fn postgres(&mut self) -> &mut Postgres {
        match &mut self.store {
            Store::Own(postgres) => postgres,
            Store::Shared(_) => panic!("others use this Postgres, too"),
        }
    }

    /// A newer program brings the store up to date with itself.
    ///
    /// # Panics
    /// Where Postgres does not play along, or is the cluster's own.
    pub async fn takes_step(&self, step: Step) {
        match &self.store {
            Store::Shared(data) => data.takes_step(&self.world, step).await,
            Store::Own(_) => panic!("stories on a Postgres of their own kill it"),
        }
    }

    /// All nodes have one name, those that come too.
    ///
    /// # Panics
    /// Where Postgres does not play along, or is the cluster's own.
    pub async fn are_all_called(&self, name: &str) {
        match &self.store {
            Store::Shared(data) => data.names_all(&self.world, name).await,
            Store::Own(_) => panic!("stories on a Postgres of their own kill it"),
        }
    }

    /// The Postgres comes back.
    ///
    /// # Panics
    /// Where it does not start, or is not the cluster's own.
    pub async fn regains_postgres(&mut self) {
        let world = self.world.clone();
        let restarted = self.postgres().restart(&world).await;
        restarted.expect("it starts again");
    }

    /// A copy of Postgres takes its place, which lacks what was stored since it was made.
    ///
    /// # Panics
    /// Where it does not start, or there is none.
    pub async fn fails_over(&mut self) {
        let world = self.world.clone();
        let taken_over = self.postgres().fail_over(&world).await;
        taken_over.expect("the copy takes over");
    }

    /// A node is killed.
    ///
    /// # Panics
    /// Where it had ended before.
    pub async fn loses(&mut self, node: usize) {
        self.nodes[node].kill().await.expect("it was running");
    }

    /// A node comes back at its address.
    ///
    /// # Panics
    /// Where it does not start.
    pub async fn regains(&mut self, node: usize) {
        let started = self.nodes[node].start(&self.world).await;
        started.expect("it starts again");
    }

    /// A node comes back with other settings than it had.
    ///
    /// # Panics
    /// Where it does not start.
    pub async fn regains_with(&mut self, node: usize, variables: &[(&str, &str)]) {
        self.nodes[node].plant(owned(variables));
        self.regains(node).await;
    }

    /// A node is asked to end, and does.
    ///
    /// # Panics
    /// Where it does not end in good order.
    pub async fn drains(&mut self, node: usize) {
        let stopped = self.nodes[node].stop(&self.world, STOP_MAX).await;
        stopped.expect("it ends in good order");
    }

    /// A node as clients find it.
    ///
    /// # Panics
    /// Where its address cannot be used.
    pub async fn server(&self, node: usize) -> Server {
        let found = Server::find(&self.nodes[node].url()).await;
        found.expect("its address is well formed")
    }

    fn site_key(&self) -> SiteId {
        let keys = self.nodes.iter().find_map(Node::site_key);
        keys.expect("the first start made a site")
    }

    /// Somebody new, connected to a node.
    ///
    /// # Panics
    /// Where the node does not let him in.
    pub async fn visitor(&self, node: usize) -> Visitor {
        let server = self.server(node).await;
        let mut http = Http::new(server);
        let begun = VisitorAccess::begin(&mut http, self.site_key(), ORIGIN, None).await;
        let mut tab = self.tab(node, begun.expect("a session begins")).await;
        tab.connects().await;
        tab
    }

    /// Another tab of a visitor, at a node, not yet connected.
    pub async fn tab(&self, node: usize, access: VisitorAccess) -> Visitor {
        let server = self.server(node).await;
        let client = Client::new(self.world.clone(), server, Access::Visitor(access));
        Visitor {
            client: client.on_page(&format!("{ORIGIN}/pricing"), "Pricing"),
            conversation: None,
        }
    }

    /// The owner, connected to a node.
    ///
    /// # Panics
    /// Where the node does not let the owner in.
    pub async fn agent(&self, node: usize) -> Agent {
        let server = self.server(node).await;
        let access = self.owner(node).await;
        let client = Client::new(self.world.clone(), server, Access::Agent(access));
        let mut agent = Agent { client };
        agent.connects().await;
        agent
    }

    /// The owner, signed in at a node.
    ///
    /// # Panics
    /// Where the node refuses.
    pub async fn owner(&self, node: usize) -> AgentAccess {
        let mut http = Http::new(self.server(node).await);
        let access = AgentAccess::sign_in(&mut http, EMAIL, PASSWORD).await;
        access.expect("the owner signs in")
    }

    /// A conversation as it is stored, read through a node.
    ///
    /// # Panics
    /// Where it cannot be read.
    pub async fn stored(&self, node: usize, id: ConversationId) -> Vec<Entry> {
        let mut http = Http::new(self.server(node).await);
        let owner = self.owner(node).await;
        let entries = check::read_all(&mut http, &owner, id).await;
        entries.expect("the conversation can be read")
    }

    /// Waits until everybody has caught up, and compares what they hold and were promised with what is
    /// stored.
    ///
    /// # Panics
    /// At the first difference, or when somebody does not catch up.
    pub async fn agree(&self, node: usize, id: ConversationId, people: &mut [&mut Client]) {
        let entries = self.stored(node, id).await;
        let mut faults = check::of_store(&entries);
        for client in people {
            let seen = match client.access() {
                Access::Visitor(_) => check::seen_by_visitor(&entries),
                Access::Agent(_) => check::seen_by_agent(&entries),
            };
            let last = seen.last().map_or(0, |(number, _)| *number);
            let there = |client: &Client| {
                let log = client.log(id)?;
                (log.number() >= last).then_some(())
            };
            let caught_up = client.until(&format!("number {last}"), there).await;
            caught_up.expect("everybody catches up");
            faults.extend(check::of_log(&seen, client.log(id)));
            faults.extend(check::of_outbox(&seen, client, id));
            faults.extend(check::of_unfinished(client));
        }
        assert!(faults.is_empty(), "{faults:#?}");
    }

    /// Waits until a node says this at `/readyz`.
    ///
    /// # Panics
    /// When it takes too long.
    pub async fn says(&self, node: usize, wanted: &str) {
        let server = self.server(node).await;
        let said = async {
            loop {
                let answer = Http::new(server.clone()).send(&Call::get("/readyz")).await;
                let body = answer.ok().and_then(|answer| answer.into_body().ok());
                if body.is_some_and(|body| *body == *wanted.as_bytes()) {
                    return;
                }
                self.world.clock.sleep(LOOK_AGAIN).await;
            }
        };
        let said = self.world.clock.timeout(PATIENCE, said).await;
        assert!(said.is_some(), "node {node} never says {wanted:?}");
    }

    /// The value of a metric of a node.
    ///
    /// # Panics
    /// Where it has none of that name.
    pub async fn metric(&self, node: usize, name: &str) -> u64 {
        let mut http = Http::new(self.server(node).await);
        metric::of(&mut http, name).await
    }

    /// What a node tells the owner that does not work.
    ///
    /// # Panics
    /// Where it refuses.
    pub async fn troubles(&self, node: usize) -> Vec<Trouble> {
        let owner = self.owner(node).await;
        self.troubles_of(node, &owner).await
    }

    /// What a node tells somebody who is signed in, at whichever node.
    ///
    /// # Panics
    /// Where it refuses.
    pub async fn troubles_of(&self, node: usize, owner: &AgentAccess) -> Vec<Trouble> {
        let mut http = Http::new(self.server(node).await);
        let call = owner.call(Call::get("/api/v1/troubles"));
        let page: Page<Trouble> = http.ask(&call).await.expect("the owner may ask");
        page.items
    }

    /// The nodes as one of them lists them.
    ///
    /// # Panics
    /// Where it refuses.
    pub async fn listed(&self, node: usize, owner: &AgentAccess) -> Vec<NodeSeen> {
        let mut http = Http::new(self.server(node).await);
        let call = owner.call(Call::get("/api/v1/nodes"));
        let page: Page<NodeSeen> = http.ask(&call).await.expect("the owner may ask");
        page.items
    }

    /// Waits until one node lists them in these states and with so many connections, itself first.
    ///
    /// # Panics
    /// When it takes too long.
    pub async fn lists(&self, node: usize, owner: &AgentAccess, wanted: &[(NodeState, u64)]) {
        let listed = async {
            loop {
                let nodes = self.listed(node, owner).await;
                let found = nodes.iter().map(|node| (node.state, node.connection_count));
                if found.eq(wanted.iter().copied()) {
                    return;
                }
                self.world.clock.sleep(LOOK_AGAIN).await;
            }
        };
        let listed = self.world.clock.timeout(PATIENCE, listed).await;
        let nodes = self.listed(node, owner).await;
        assert!(listed.is_some(), "node {node} lists {nodes:?}");
    }

    /// Waits until a node has said something in its log so many times, and checks that it lives.
    ///
    /// # Panics
    /// When it takes too long, or it has ended.
    pub async fn logs(&mut self, node: usize, count: usize, words: &str) {
        let clock = self.world.clock.clone();
        let node = &mut self.nodes[node];
        let logged = async {
            while node.said_count(words) < count {
                node.check().expect("it lives");
                clock.sleep(LOOK_AGAIN).await;
            }
        };
        let logged = clock.timeout(PATIENCE, logged).await;
        assert!(logged.is_some(), "it never says {words:?} {count} times");
        node.check().expect("it lives");
    }

    /// Waits until a node has one trouble, and gives a reason with this word for it.
    ///
    /// # Panics
    /// When it takes too long.
    pub async fn complains(&self, node: usize, word: &str) {
        let owner = self.owner(node).await;
        let complained = async {
            loop {
                let troubles = self.troubles_of(node, &owner).await;
                if troubles.len() == 1 && troubles[0].reason.contains(word) {
                    return;
                }
                self.world.clock.sleep(LOOK_AGAIN).await;
            }
        };
        let complained = self.world.clock.timeout(PATIENCE, complained).await;
        assert!(complained.is_some(), "node {node} never complains: {word}");
    }

    /// Whether a node says that it can serve.
    pub async fn answers(&self, node: usize) -> bool {
        let mut http = Http::new(self.server(node).await);
        let answer = http.send(&Call::get("/readyz")).await;
        answer.is_ok_and(|answer| answer.status == 200)
    }

    async fn end(self) {
        drop(self.nodes);
        if let Store::Shared(data) = self.store {
            data.remove(&self.world).await;
        }
    }
}
