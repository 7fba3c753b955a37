//! A whole server and the way to its people.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use loadtest::check;
use loadtest::client::http::{Answer, Call, Http};
use loadtest::client::{Access, AgentAccess, Client, Server, VisitorAccess};
use loadtest::node::port::Port;
use protocol::entry::Entry;
use protocol::id::{ConversationId, SiteId};
use serde_json::json;
use server::{Config, Running};
use world::World;

use crate::child::Child;
use crate::home::{Data, Home};
use crate::metric;
use crate::person::{Agent, Visitor};

/// How long a story waits for something that must come.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a story looks whether it came.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The owner's address.
pub const EMAIL: &str = "owner@example.com";
/// The owner's password.
pub const PASSWORD: &str = "correct-horse-battery";

/// A server, its data, and the world that the people live in.
pub struct Stack {
    /// The people's clock and ids; the server has a world of its own.
    pub world: World,
    home: Home,
    data: Data,
    host: Option<Host>,
    /// The server's, after every start.
    port: Port,
    server: Server,
    site_key: SiteId,
}

enum Host {
    /// In this process.
    Here(Box<Running>),
    /// The real binary.
    Child(Box<Child>),
}

/// Runs a story on a home. Called by [`crate::stories!`].
///
/// # Panics
/// When the story does.
pub fn run<F>(home: Home, story: fn(Stack) -> F)
where
    F: Future<Output = Stack>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be made");
    runtime.block_on(async {
        let stack = Box::pin(Stack::start(home)).await;
        let stack = Box::pin(story(stack)).await;
        stack.end().await;
    });
}

fn config(data: &Data, port: &Port) -> Config {
    let mut config = Config {
        listen: port.address.to_string(),
        data_dir: data.path().display().to_string(),
        database_url: data.database_url(),
        redis_url: data.redis_url(),
        ..Config::default()
    };
    config.setup.email = EMAIL.to_owned();
    config.setup.password = PASSWORD.to_owned();
    config.limits.trusted_addresses = vec!["127.0.0.0/8".to_owned()];
    config.shutdown.drain_ms = 500;
    // Machines of tests are busy: a store that hangs fails a story all the same.
    config.database_timeout_ms = 60_000;
    config
}

impl Stack {
    /// A new server in this process, set up with an owner and a site.
    ///
    /// # Panics
    /// Where it does not start.
    pub async fn start(home: Home) -> Self {
        let world = World::system();
        let data = Data::new(home, &world).await;
        let port = Port::keep().expect("a free port exists");
        let host = serve(config(&data, &port)).await;
        let (server, site_key) = meet(&host).await;
        Self {
            world,
            home,
            data,
            host: Some(host),
            port,
            server,
            site_key,
        }
    }

    /// Which kind of store it is on.
    #[must_use]
    pub fn home(&self) -> Home {
        self.home
    }

    /// Where it is.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Its data directory.
    #[must_use]
    pub fn path(&self) -> &std::path::Path {
        self.data.path()
    }

    /// The first site's key.
    #[must_use]
    pub fn site_key(&self) -> SiteId {
        self.site_key
    }

    /// The origin of the pages that visitors are on.
    #[must_use]
    pub fn origin(&self) -> String {
        "http://localhost:3000".to_owned()
    }

    /// A connection for requests.
    #[must_use]
    pub fn http(&self) -> Http {
        Http::new(self.server.clone())
    }

    /// Sends one request.
    ///
    /// # Panics
    /// Where the network fails.
    pub async fn asks(&self, call: &Call) -> Answer {
        self.http().send(call).await.expect("the server answers")
    }

    /// The server's own world, for stories that plant faults.
    ///
    /// # Panics
    /// While the server runs as a process, or not at all.
    #[must_use]
    pub fn inside(&self) -> &World {
        match &self.host {
            Some(Host::Here(running)) => running.world(),
            Some(Host::Child(_)) | None => panic!("the server does not run in this process"),
        }
    }

    /// Waits until a metric of the server in this process has at least this value.
    ///
    /// # Panics
    /// While the server runs as a process, or not at all, and when it takes too long.
    pub async fn counts(&self, name: &str, at_least: u64) {
        let Some(Host::Here(running)) = &self.host else {
            panic!("the server does not run in this process");
        };
        let reached = async {
            loop {
                let text = running.metrics();
                let value = metric::value(&text, name);
                if value.is_some_and(|value| value >= at_least) {
                    return;
                }
                self.world.clock.sleep(LOOK_AGAIN).await;
            }
        };
        let reached = self.world.clock.timeout(PATIENCE, reached).await;
        reached.unwrap_or_else(|| panic!("{name} does not reach {at_least}"));
    }

    /// Waits until so many uploaded files lie on the disk.
    ///
    /// # Panics
    /// When it takes too long.
    pub async fn keeps_files(&self, count: usize) {
        let reached = async {
            let files = self.path().join("files");
            // Among them a node that may have company leaves a sign of itself.
            let signs = files.join("nodes");
            while file_count(&files) - file_count(&signs) != count {
                self.world.clock.sleep(LOOK_AGAIN).await;
            }
        };
        let reached = self.world.clock.timeout(PATIENCE, reached).await;
        reached.unwrap_or_else(|| panic!("there are never {count} files"));
    }

    /// The store of a server that does not run, for stories that plant rows or look at them.
    ///
    /// # Panics
    /// Where it cannot be opened.
    pub async fn store(&self) -> storage::Db {
        assert!(self.host.is_none(), "the server runs on it");
        let checked = self.config().check().expect("the configuration is right");
        let db = storage::open(&checked.database, &self.world).await;
        db.expect("the store opens")
    }

    /// Somebody new on the site, connected.
    ///
    /// # Panics
    /// Where the server does not let him in.
    pub async fn visitor(&self) -> Visitor {
        let mut visitor = self.visitor_with(None).await;
        visitor.connects().await;
        visitor
    }

    /// Somebody new on the site, not yet connected, perhaps with a signed identity.
    ///
    /// # Panics
    /// Where the server refuses the session.
    pub async fn visitor_with(&self, identity: Option<String>) -> Visitor {
        let origin = self.origin();
        let begun = VisitorAccess::begin(&mut self.http(), self.site_key, &origin, identity).await;
        self.tab_of(begun.expect("a session begins"))
    }

    /// Another tab of a visitor, not yet connected.
    #[must_use]
    pub fn tab_of(&self, access: VisitorAccess) -> Visitor {
        let page = format!("{}/pricing", self.origin());
        let client = Client::new(
            self.world.clone(),
            self.server.clone(),
            Access::Visitor(access),
        );
        Visitor {
            client: client.on_page(&page, "Pricing"),
            conversation: None,
        }
    }

    /// The owner, signed in and connected.
    ///
    /// # Panics
    /// Where the server does not let the owner in.
    pub async fn agent(&self) -> Agent {
        let access = AgentAccess::sign_in(&mut self.http(), EMAIL, PASSWORD).await;
        self.connected(access.expect("the owner signs in")).await
    }

    /// Another member of the team, invited by the owner, connected.
    ///
    /// # Panics
    /// Where the server refuses.
    pub async fn colleague(&self, name: &str) -> Agent {
        let mut http = self.http();
        let owner = AgentAccess::sign_in(&mut http, EMAIL, PASSWORD).await;
        let owner = owner.expect("the owner signs in");
        let email = format!("{}@example.com", name.to_lowercase());
        let invitation = json!({ "email": email, "role": "agent" });
        let call = owner.call(Call::post("/api/v1/invitations", &invitation));
        let invited: protocol::agent::Invitation =
            http.ask(&call).await.expect("the owner invites");
        let link = invited.link.expect("the answer holds the link");
        let (_, token) = link.rsplit_once("token=").expect("the link holds a secret");
        let accept = json!({ "token": token, "name": name, "password": PASSWORD });
        let call = Call::post("/api/v1/invitations/accept", &accept);
        let accepted = http.send(&call).await.expect("the server answers");
        accepted.into_body().expect("the invitation is accepted");
        let access = AgentAccess::sign_in(&mut http, &email, PASSWORD).await;
        self.connected(access.expect("the colleague signs in"))
            .await
    }

    /// Another connection of a member: another tab.
    ///
    /// # Panics
    /// Where the server does not let the agent in.
    pub async fn connected(&self, access: AgentAccess) -> Agent {
        let access = Access::Agent(access);
        let client = Client::new(self.world.clone(), self.server.clone(), access);
        let mut agent = Agent { client };
        agent.connects().await;
        agent
    }

    /// Makes a new signing secret for the site, as its owner would.
    ///
    /// # Panics
    /// Where the server refuses.
    pub async fn site_secret(&self) -> String {
        let mut http = self.http();
        let owner = AgentAccess::sign_in(&mut http, EMAIL, PASSWORD).await;
        let owner = owner.expect("the owner signs in");
        let path = format!("/api/v1/sites/{}/secrets", self.site_key);
        let call = owner.call(Call::new(http::Method::POST, path));
        let secret: protocol::site::SiteSecret = http.ask(&call).await.expect("a secret is made");
        secret.secret.expect("the answer that made it shows it")
    }

    /// The last number of a conversation in the visitor's counting, as it is stored.
    pub async fn last_public(&self, id: ConversationId) -> u64 {
        let entries = self.stored(id).await;
        entries
            .iter()
            .filter_map(|entry| entry.public_seq)
            .max()
            .unwrap_or(0)
    }

    /// The last number of a conversation in the team's counting, as it is stored.
    pub async fn last(&self, id: ConversationId) -> u64 {
        self.stored(id).await.last().map_or(0, |entry| entry.seq)
    }

    /// A conversation as it is stored.
    ///
    /// # Panics
    /// Where it cannot be read.
    pub async fn stored(&self, id: ConversationId) -> Vec<Entry> {
        let mut http = self.http();
        let owner = AgentAccess::sign_in(&mut http, EMAIL, PASSWORD).await;
        let owner = owner.expect("the owner signs in");
        let entries = check::read_all(&mut http, &owner, id).await;
        entries.expect("the conversation can be read")
    }

    /// Waits until everybody has caught up, and compares what they hold and were promised with what is
    /// stored.
    ///
    /// # Panics
    /// At the first difference, or when somebody does not catch up.
    pub async fn agree(&self, id: ConversationId, people: &mut [&mut Client]) {
        let entries = self.stored(id).await;
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
            faults.extend(check::of_connections(client));
        }
        assert!(faults.is_empty(), "{faults:#?}");
    }

    /// Ends the server in good order and starts it again at the same address.
    ///
    /// # Panics
    /// Where it does not start again.
    pub async fn restarts(&mut self) {
        self.stops().await;
        self.comes_back().await;
    }

    /// Ends the server in good order.
    pub async fn stops(&mut self) {
        match self.host.take() {
            Some(Host::Here(running)) => running.stop().await,
            Some(Host::Child(child)) => child.kill().await,
            None => {}
        }
    }

    /// Starts the server again, in this process and at the same address.
    ///
    /// # Panics
    /// Where it does not start.
    pub async fn comes_back(&mut self) {
        self.host = Some(serve(self.config()).await);
    }

    /// Ends the server in good order and starts it again with other settings.
    ///
    /// # Panics
    /// Where it does not start again.
    pub async fn restarts_with(&mut self, change: impl FnOnce(&mut Config)) {
        self.stops().await;
        let mut config = self.config();
        change(&mut config);
        self.host = Some(serve(config).await);
    }

    /// Goes on with the real binary as a process, at the same address.
    ///
    /// # Panics
    /// Where it does not start.
    pub async fn becomes_a_process(&mut self) {
        self.stops().await;
        self.starts_as_a_process().await;
    }

    /// Starts the real binary as a process, at the same address.
    ///
    /// # Panics
    /// Where it does not start.
    pub async fn starts_as_a_process(&mut self) {
        let child = Child::start(&self.world, &self.data, self.port.address).await;
        self.host = Some(Host::Child(Box::new(child)));
    }

    /// Loses the machine with all its data, and goes on with an empty one that has the other kind of store.
    ///
    /// # Panics
    /// While the server runs in this process.
    pub async fn loses_its_machine(&mut self) {
        self.is_killed().await;
        self.home = match self.home {
            Home::Sqlite => Home::Shared,
            Home::Postgres | Home::Shared => Home::Sqlite,
        };
        let empty = Data::new(self.home, &self.world).await;
        let lost = std::mem::replace(&mut self.data, empty);
        lost.remove(&self.world).await;
    }

    /// Stops, is copied to another kind of home, and starts there. Gives what `copy` printed.
    ///
    /// # Panics
    /// Where the copy fails, or the server does not start.
    pub async fn moves_to(&mut self, home: Home) -> String {
        self.stops().await;
        let target = Data::new(home, &self.world).await;
        let url = match home {
            Home::Sqlite => format!("sqlite:{}/switchboard.db", target.path().display()),
            Home::Postgres | Home::Shared => target.database_url(),
        };
        let printed = self.command(&["copy", &url]).await;
        let left = std::mem::replace(&mut self.data, target);
        left.remove(&self.world).await;
        self.home = home;
        self.comes_back().await;
        printed
    }

    /// Runs one of the binary's other commands on the same home, and gives what it printed.
    ///
    /// # Panics
    /// Where it fails.
    pub async fn command(&self, arguments: &[&str]) -> String {
        let ended = self.tries_command(arguments).await;
        ended.unwrap_or_else(|errors| panic!("{arguments:?} failed: {errors}"))
    }

    /// Runs one of the binary's other commands on the same home.
    ///
    /// # Errors
    /// What it said when it failed.
    pub async fn tries_command(&self, arguments: &[&str]) -> Result<String, String> {
        crate::child::command(&self.data, arguments).await
    }

    /// As a store in Postgres would be after a newer program: the binary refuses it, says why and changes nothing.
    /// (That of a file is tried where the binary is, in `server/tests`.)
    ///
    /// # Panics
    /// Where it does anything else.
    pub async fn refuses_a_newer_store(&self) {
        if self.home == Home::Sqlite {
            return;
        }
        self.data.claims_newer_schema(&self.world, true).await;
        let backup = self.path().join("refused");
        let backup = backup.to_str().expect("a path in UTF-8");
        for arguments in [&["serve"][..], &["migrate"], &["backup", backup]] {
            let refused = crate::child::ends(&self.data, arguments).await;
            let (code, error) = refused.expect_err("it is newer");
            assert_eq!(code, Some(1), "{arguments:?}: {error}");
            let why = "the store has schema 999";
            assert!(
                error.contains(why) && error.lines().count() == 1,
                "{arguments:?}: {error}"
            );
            assert!(!self.path().join("refused").exists());
        }
        self.data.claims_newer_schema(&self.world, false).await;
    }

    /// The store takes no more writes while it serves. Says whether that can be done here.
    ///
    /// # Panics
    /// Where Postgres does not play along.
    pub async fn freezes_the_store(&mut self) -> bool {
        self.data.freezes(&self.world).await
    }

    /// The store takes writes again.
    ///
    /// # Panics
    /// Where Postgres does not play along.
    pub async fn thaws_the_store(&mut self) {
        self.data.thaws(&self.world).await;
    }

    /// The server, while it runs as a process.
    ///
    /// # Panics
    /// While it does not.
    #[must_use]
    pub fn process(&self) -> &Child {
        match &self.host {
            Some(Host::Child(child)) => child,
            Some(Host::Here(_)) | None => panic!("the server does not run as a process"),
        }
    }

    /// The value of a metric of the process.
    ///
    /// # Panics
    /// Where it has none of that name.
    pub async fn metric(&self, name: &str) -> u64 {
        metric::of(&mut self.http(), name).await
    }

    /// Kills the process by SIGKILL.
    ///
    /// # Panics
    /// While the server runs in this process.
    pub async fn is_killed(&mut self) {
        match self.host.take() {
            Some(Host::Child(child)) => child.kill().await,
            Some(Host::Here(_)) | None => panic!("only a process can be killed"),
        }
    }

    /// The configuration that it runs with.
    #[must_use]
    pub fn config(&self) -> Config {
        config(&self.data, &self.port)
    }

    /// The end of a story.
    pub async fn end(mut self) {
        self.stops().await;
        self.data.remove(&self.world).await;
    }
}

fn file_count(directory: &Path) -> usize {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths
        .map(|path| if path.is_dir() { file_count(&path) } else { 1 })
        .sum()
}

async fn serve(config: Config) -> Host {
    let world = World::system_with_faults();
    let running = server::serve(config, world).await;
    let running = running.unwrap_or_else(|error| panic!("the server does not start: {error}"));
    Host::Here(Box::new(running))
}

/// Finds the server and its first site.
async fn meet(host: &Host) -> (Server, SiteId) {
    let address = match host {
        Host::Here(running) => running.address,
        Host::Child(child) => child.address,
    };
    let server = Server::find(&format!("http://{address}")).await;
    let server = server.expect("a loopback address is found");
    let mut http = Http::new(server.clone());
    let owner = AgentAccess::sign_in(&mut http, EMAIL, PASSWORD).await;
    let sites = owner.expect("the owner signs in").sites(&mut http).await;
    let sites = sites.expect("the owner sees the sites");
    let site = sites.first().expect("unattended set-up makes a site");
    (server, site.id)
}
