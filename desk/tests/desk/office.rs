//! A desk over a real store and router, with a clock that the test moves.

use std::net::IpAddr;
use std::time::Duration;

use bus::Bus;
use desk::{Caller, Desk, DeskConfig, SignedIn};
use protocol::agent::{AcceptInvitation, NewInvitation};
use protocol::audit::AuditEntry;
use protocol::id::{SiteId, WorkspaceId};
use protocol::permission::{Actor, Permission, Principal, Role};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::setup::{Login, Setup};
use protocol::site::NewSite;
use protocol::text::{Email, Name};
use router::{Delivery, Router, RouterConfig, Topic};
use storage::{DatabaseConfig, Db};
use tokio_postgres::NoTls;
use world::World;

/// A password that keeps the rules.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// How long the store waits for its database. It ends what hangs: machines are busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a test waits before it lets a second pass.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A desk with all that stands behind it.
pub(crate) struct Office {
    pub(crate) world: World,
    pub(crate) db: Db,
    pub(crate) router: Router,
    pub(crate) desk: Desk,
    _directory: tempfile::TempDir,
    database: Option<(String, String)>,
}

/// Runs a test on every store there is.
pub(crate) async fn on_both(test: impl AsyncFn(&Office)) {
    on_both_with(&DeskConfig::default(), test).await;
}

/// The same, at a desk that works as the operator says.
pub(crate) async fn on_both_with(config: &DeskConfig, test: impl AsyncFn(&Office)) {
    for postgres in [None, Some(postgres_url())] {
        let office = Office::open(postgres, config.clone()).await;
        test(&office).await;
        office.close().await;
    }
}

fn postgres_url() -> String {
    std::env::vars()
        .find_map(|(name, value)| (name == "SWITCHBOARD_TEST_POSTGRES_URL").then_some(value))
        .expect(
            "SWITCHBOARD_TEST_POSTGRES_URL must name a Postgres for tests; `make test` starts one",
        )
}

impl Office {
    async fn open(postgres: Option<String>, desk: DeskConfig) -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let world = World::simulated(7);
        let database = match postgres {
            Some(server) => Some((new_database(&world, &server).await, server)),
            None => None,
        };
        let url = match &database {
            Some((name, server)) => {
                let (head, _) = server
                    .rsplit_once('/')
                    .expect("an address names a database");
                format!("{head}/{name}")
            }
            None => format!("sqlite:{}", directory.path().join("desk.db").display()),
        };
        let mut config = DatabaseConfig::of_url(&url).expect("the address is one");
        config.timeout = PATIENCE;
        let db = storage::open(&config, &world)
            .await
            .expect("the store opens");
        let router = Router::start(
            world.clone(),
            Bus::local(),
            db.clone(),
            RouterConfig::default(),
        )
        .await
        .expect("the router starts");
        let desk = Desk::new(world.clone(), db.clone(), router.clone(), desk);
        Self {
            world,
            db,
            router,
            desk,
            _directory: directory,
            database,
        }
    }

    async fn close(self) {
        let Self {
            database, world, ..
        } = self;
        if let Some((name, server)) = database {
            execute(
                &world,
                &server,
                &format!("DROP DATABASE {name} WITH (FORCE)"),
            )
            .await;
        }
    }

    /// Lets time pass.
    pub(crate) fn wait(&self, seconds: u64) {
        self.world.clock.advance(Duration::from_secs(seconds));
    }

    /// Set up, with an owner who is signed in.
    pub(crate) async fn owner(&self) -> (Actor, SignedIn) {
        let token = self
            .desk
            .issue_setup_token()
            .await
            .unwrap()
            .expect("not set up yet");
        let (_, signed_in) = self
            .desk
            .set_up(setup(&token), &caller("192.0.2.1"))
            .await
            .unwrap();
        // Lines of the log are sorted by time, and a test is faster than a millisecond.
        self.wait(1);
        (self.actor(&signed_in).await, signed_in)
    }

    /// A member with a role, who accepted an invitation of `by`.
    pub(crate) async fn member(&self, by: &Actor, email: &str, role: Role) -> (Actor, SignedIn) {
        let invited = self
            .desk
            .invite(by, &invitation(email, role), None)
            .await
            .unwrap();
        let accept = acceptance(&invited.token);
        let signed_in = self
            .desk
            .accept_invitation(&accept, &caller("192.0.2.2"))
            .await
            .unwrap();
        self.wait(1);
        (self.actor(&signed_in).await, signed_in)
    }

    /// What somebody who signed in may.
    pub(crate) async fn actor(&self, signed_in: &SignedIn) -> Actor {
        self.desk
            .agent_actor(&signed_in.session, None)
            .await
            .unwrap()
    }

    /// Waits until a topic is closed for all who listen to it.
    ///
    /// Time passes meanwhile, for on Postgres the log of events shows nothing while older transactions,
    /// those of other tests among them, are still open; the router then looks again a second later.
    pub(crate) async fn sees_closed(&self, inbox: &flume::Receiver<Delivery>, topic: Topic) {
        loop {
            match tokio::time::timeout(LOOK_AGAIN, inbox.recv_async()).await {
                Ok(Ok(Delivery::CloseTopic { topic: closed, .. })) if closed == topic => return,
                Ok(Ok(_)) => {}
                Ok(Err(_)) => panic!("the router is gone"),
                Err(_) => self.wait(1),
            }
        }
    }

    /// The first site.
    pub(crate) async fn site(&self, actor: &Actor) -> SiteId {
        self.desk.sites(actor).await.unwrap()[0].id
    }

    /// The newest lines of the audit log.
    pub(crate) async fn audit(&self, actor: &Actor) -> Vec<AuditEntry> {
        let scope = actor.may(Permission::AuditRead).unwrap();
        storage::audit::list(&self.db, &scope, None, 100)
            .await
            .unwrap()
            .items
    }

    /// Signs in from an address.
    pub(crate) async fn log_in(
        &self,
        email: &str,
        password: &str,
        address: &str,
    ) -> desk::Result<SignedIn> {
        let login = Login {
            email: Email::parse(email).unwrap(),
            password: password.to_owned(),
            time_zone: None,
        };
        self.desk.log_in(&login, &caller(address)).await
    }
}

/// The system, in a workspace.
pub(crate) fn system(workspace_id: WorkspaceId) -> Actor {
    Actor {
        workspace_id,
        principal: Principal::System,
    }
}

/// Somebody at an address.
pub(crate) fn caller(address: &str) -> Caller {
    Caller {
        address: address.parse::<IpAddr>().unwrap(),
        exempt: false,
        user_agent: "Firefox".to_owned(),
        country: None,
    }
}

/// What the wizard sends.
pub(crate) fn setup(token: &str) -> Setup {
    Setup {
        token: token.to_owned(),
        name: Name::parse("Olga").unwrap(),
        email: Email::parse("olga@example.com").unwrap(),
        password: PASSWORD.to_owned(),
        workspace_name: Name::parse("Kovač & Co").unwrap(),
        time_zone: Some("Europe/Ljubljana".to_owned()),
        site: new_site("Shop"),
    }
}

/// A site with one origin.
pub(crate) fn new_site(name: &str) -> NewSite {
    NewSite {
        name: Name::parse(name).unwrap(),
        domain: "shop.example.com".to_owned(),
        allowed_origins: vec!["https://shop.example.com".to_owned()],
        theme: None,
    }
}

/// An invitation to be.
pub(crate) fn invitation(email: &str, role: Role) -> NewInvitation {
    NewInvitation {
        email: Email::parse(email).unwrap(),
        role,
    }
}

/// What the holder of a link sends.
pub(crate) fn acceptance(token: &str) -> AcceptInvitation {
    AcceptInvitation {
        token: token.to_owned(),
        name: Name::parse("Ana").unwrap(),
        password: PASSWORD.to_owned(),
        time_zone: None,
    }
}

/// Why something was refused.
pub(crate) fn refused<T>(result: desk::Result<T>) -> Rejection {
    match result {
        Ok(_) => panic!("it was not refused"),
        Err(error) => {
            assert!(!error.is_fault(), "a fault: {error}");
            error.rejection()
        }
    }
}

/// The code of a refusal.
pub(crate) fn code<T>(result: desk::Result<T>) -> ErrorCode {
    refused(result).code
}

async fn new_database(world: &World, server: &str) -> String {
    // The simulated world repeats its numbers; the databases of two runs must differ.
    let bytes = World::system().ids.bytes::<8>();
    let secret: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let name = format!("desk_{secret}");
    execute(world, server, &format!("CREATE DATABASE {name}")).await;
    name
}

async fn execute(world: &World, server: &str, statement: &str) {
    let (client, connection) = tokio_postgres::connect(server, NoTls)
        .await
        .expect("Postgres can be reached");
    world.tracker.spawn(async move {
        // The end of this connection is the end of the statement below.
        let _ = connection.await;
    });
    client
        .batch_execute(statement)
        .await
        .expect("Postgres makes and drops databases");
}
