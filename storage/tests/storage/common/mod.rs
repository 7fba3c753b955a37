//! Both homes of a store, for contract tests: every story runs on each.

pub(crate) mod files;
pub(crate) mod talk;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use protocol::id::{AgentId, EntryId, Id, LoginSessionId, UserId, WorkspaceId};
use protocol::permission::{Actor, AgentActor, Permission, Permissions, Principal, Role, Scope};
use protocol::site::{AfterClose, SecretKind, Site, Theme};
use protocol::workspace::{SiteOverrides, Workspace};
use storage::audit::Change;
use storage::db::{DatabaseConfig, Db};
use storage::error::Written;
use storage::search::{self, Learned, Unlearned};
use storage::session::SessionRow;
use storage::setup::{Installation, NewMember};
use storage::site::SecretRow;
use storage::user::UserRow;
use world::World;

/// The store's time in the tests.
pub(crate) const NOW_MS: u64 = 1_800_000_000_000;

/// How long the store waits for its database. It ends what hangs: machines are busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// An empty store of its own.
pub(crate) struct Store {
    pub(crate) db: Db,
    pub(crate) config: DatabaseConfig,
    pub(crate) world: World,
    pub(crate) directory: tempfile::TempDir,
}

impl Store {
    pub(crate) async fn sqlite() -> Self {
        let directory = tempfile::tempdir().expect("a directory for tests");
        let url = format!(
            "sqlite:{}",
            directory.path().join("switchboard.db").display()
        );
        Self::open(&url, directory).await
    }

    pub(crate) async fn postgres() -> Self {
        let url = new_database().await;
        Self::open(&url, tempfile::tempdir().expect("a directory for tests")).await
    }

    /// The store at an address, which is brought up to date where it is older.
    pub(crate) async fn open(url: &str, directory: tempfile::TempDir) -> Self {
        let world = World::system_with_faults();
        let mut config = DatabaseConfig::of_url(url).expect("a good URL");
        config.timeout = PATIENCE;
        let db = storage::open(&config, &world)
            .await
            .expect("the store opens");
        Self {
            db,
            config,
            world,
            directory,
        }
    }

    /// Opens the same store once more.
    pub(crate) async fn again(&self) -> Db {
        storage::open(&self.config, &self.world)
            .await
            .expect("the store opens again")
    }

    /// Another empty store in the same kind of home.
    pub(crate) async fn another(&self) -> Self {
        match self.config.home {
            storage::db::Home::Sqlite(_) => Self::sqlite().await,
            storage::db::Home::Postgres(_) => Self::postgres().await,
        }
    }

    /// Sets up a workspace with an owner and a site.
    pub(crate) async fn installed(&self) -> Installed {
        let installed = Installed::new(&self.world);
        let done = storage::setup::create(
            &self.db,
            &installed.installation,
            &installed.change("workspace.created", installed.workspace_id()),
        )
        .await
        .expect("the store works");
        assert_eq!(done, Written::Done(installed.workspace_id()));
        installed
    }
}

/// A set-up workspace.
pub(crate) struct Installed {
    pub(crate) installation: Installation,
}

impl Installed {
    pub(crate) fn new(world: &World) -> Self {
        let ids = &world.ids;
        let user = UserRow {
            id: ids.next(),
            email: "Ana@Example.com".to_owned(),
            password_hash: "$argon2id$ana".to_owned(),
            created_at_ms: NOW_MS,
        };
        let session = session(world, user.id, 1);
        Self {
            installation: Installation {
                workspace: Workspace::new(ids.next(), "Lamps and Sons", "Europe/Zagreb"),
                member: NewMember {
                    id: ids.next(),
                    name: "Ana".to_owned(),
                    role: Role::Owner,
                    time_zone: "Europe/Zagreb".to_owned(),
                },
                site: site(world, "Shop"),
                secrets: vec![secret(world, 7)],
                session: Some(session),
                user,
            },
        }
    }

    pub(crate) fn workspace_id(&self) -> WorkspaceId {
        self.installation.workspace.id
    }

    pub(crate) fn agent_id(&self) -> AgentId {
        self.installation.member.id
    }

    pub(crate) fn change(&self, action: &'static str, target: impl ToString) -> Change {
        Change {
            workspace_id: self.workspace_id(),
            actor: self.agent_id().to_string(),
            action,
            target: target.to_string(),
            fields: vec!["name"],
            changes_json: Some("{\"name\":[\"before\",\"after\"]}".to_owned()),
            address: Some("192.0.2.7".to_owned()),
            at_ms: NOW_MS + 1_000,
        }
    }

    pub(crate) fn scope(&self, world: &World) -> Scope {
        scope(world, self.workspace_id())
    }
}

/// A scope over a workspace, as an owner has it.
pub(crate) fn scope(world: &World, workspace_id: WorkspaceId) -> Scope {
    let actor = Actor {
        workspace_id,
        principal: Principal::Agent(AgentActor {
            agent_id: world.ids.next(),
            user_id: world.ids.next(),
            session_id: world.ids.next(),
            permissions: Permissions::of_role(Role::Owner),
        }),
    };
    actor
        .may(Permission::ConversationsRead)
        .expect("an owner may")
}

pub(crate) fn site(world: &World, name: &str) -> Site {
    Site {
        id: world.ids.next(),
        version: 1,
        name: name.to_owned(),
        domain: "shop.example".to_owned(),
        description: String::new(),
        allowed_origins: vec!["https://shop.example".to_owned()],
        theme: Theme::default(),
        after_close: AfterClose::StartNew,
        reopen_within_ms: 0,
        identity_required: false,
        overrides: SiteOverrides::default(),
        archived: false,
        created_at_ms: NOW_MS,
    }
}

pub(crate) fn secret(world: &World, byte: u8) -> SecretRow {
    SecretRow {
        id: world.ids.next(),
        kind: SecretKind::Identity,
        secret: vec![byte; 32],
        hint: format!("…{byte}"),
        created_at_ms: NOW_MS + u64::from(byte),
        expires_at_ms: None,
    }
}

pub(crate) fn session(world: &World, user_id: UserId, byte: u8) -> SessionRow {
    SessionRow {
        id: world.ids.next(),
        user_id,
        secret_hash: [byte; 32],
        created_at_ms: NOW_MS + u64::from(byte),
        seen_at_ms: NOW_MS,
        expires_at_ms: NOW_MS + 1_000_000,
        address: "192.0.2.7".to_owned(),
        country: Some("SI".to_owned()),
        user_agent: "Firefox".to_owned(),
    }
}

/// Begins a session as somebody does who has just given the right password; gives those that ended for it.
pub(crate) async fn begin(db: &Db, session: &SessionRow) -> Vec<LoginSessionId> {
    let found = storage::user::find(db, session.user_id).await;
    let user = found.expect("the store works").expect("a user");
    let begun = storage::session::create(db, session, &user.password_hash).await;
    let Written::Done(ended) = begun.expect("the store works") else {
        panic!("another password was checked");
    };
    ended
}

/// Makes an empty database on the server of the tests and gives its URL.
pub(crate) async fn new_database() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let url = std::env::vars()
        .find_map(|(name, value)| (name == "SWITCHBOARD_TEST_POSTGRES_URL").then_some(value))
        .expect(
            "SWITCHBOARD_TEST_POSTGRES_URL must name a Postgres for tests; `make test` starts one",
        );
    let name = format!(
        "contract_{}_{}",
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

/// Lets the search learn a slice of all that was said.
pub(crate) async fn learn(db: &Db) -> Learned {
    let all = Unlearned::Before(EntryId::from_bits(u128::MAX));
    search::learn(db, all).await.expect("the store is there")
}
