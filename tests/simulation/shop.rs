//! What every simulation begins with: a store with a workspace, a site and its team. It is made once, and
//! copied for each.

use loadtest::client::AgentAccess;
use protocol::id::{SiteId, UserId, WorkspaceId};
use protocol::permission::Role;
use protocol::site::{AfterClose, Site, Theme};
use protocol::workspace::{SiteOverrides, Workspace};
use storage::Db;
use storage::audit::Change;
use storage::error::Written;
use storage::session::SessionRow;
use storage::setup::{Account, Installation, NewMember};
use storage::simulated::{Image, Store};
use storage::user::UserRow;
use world::{Clock, Ids, World, simulation};

/// When simulations begin, in milliseconds since 1970.
pub(crate) const BEGIN_MS: u64 = 1_750_000_000_000;

/// What stands in the place of a password's hash: nobody signs in.
const NO_PASSWORD: &str = "none";

/// Members of the team.
pub(crate) const AGENTS_MAX: usize = 2;

/// A store to begin with, and who is in it.
pub(crate) struct Shop {
    pub(crate) image: Image,
    pub(crate) site_id: SiteId,
    pub(crate) agents: Vec<AgentAccess>,
}

impl Shop {
    /// Opens a shop.
    pub(crate) fn open() -> Self {
        let clock = Clock::manual(BEGIN_MS);
        let ids = Ids::seeded(0, clock.clone());
        let world = World::of_machine(simulation::machine(), clock.clone(), ids.clone());
        let task = world.tracker.spawn_local(found(world.clone()));
        while !task.is_finished() {
            if !simulation::step(&ids) {
                let next = clock.next_wake().expect("somebody goes on");
                clock.advance(next - clock.elapsed());
            }
        }
        let shop = std::rc::Rc::new(std::cell::Cell::new(None));
        let place = std::rc::Rc::clone(&shop);
        world.tracker.spawn_local(async move {
            place.set(task.await.ok());
        });
        while simulation::step(&ids) {}
        simulation::clear();
        shop.take().expect("it was founded")
    }
}

async fn found(world: World) -> Shop {
    let store = Store::start(&world, None).expect("a store begins");
    let db = store.open(&world).await.expect("it opens");
    let installation = installation(&world);
    let workspace_id = installation.workspace.id;
    let change = change(&world, workspace_id, "workspace.created");
    let created = storage::setup::create(&db, &installation, &change).await;
    created.expect("set-up works");
    let mut agents = Vec::new();
    let owner = (installation.user.id, installation.member.id);
    for number in 0..AGENTS_MAX {
        let (user_id, agent_id) = match number {
            0 => owner,
            _ => hire(&world, &db, workspace_id, number).await,
        };
        agents.push(AgentAccess {
            bearer: sign_in(&world, &db, user_id).await,
            workspace_id,
            agent_id,
        });
    }
    Shop {
        image: store.image().await.expect("it can be copied"),
        site_id: installation.site.id,
        agents,
    }
}

async fn hire(
    world: &World,
    db: &Db,
    workspace_id: WorkspaceId,
    number: usize,
) -> (UserId, protocol::id::AgentId) {
    let member = NewMember {
        id: world.ids.next(),
        name: format!("Agent {number}"),
        role: Role::Agent,
        time_zone: "UTC".to_owned(),
    };
    let user = user(world, &format!("agent{number}@example.com"));
    let user_id = user.id;
    let mut change = change(world, workspace_id, "agent.joined");
    change.target = member.id.to_string();
    let created = storage::agent::create(db, &Account::New(user), &member, &change).await;
    created.expect("an agent joins");
    (user_id, member.id)
}

/// Gives the secret of a session that lasts longer than any simulation.
async fn sign_in(world: &World, db: &Db, user_id: UserId) -> String {
    let secret = desk::secret::make(&world.ids, desk::secret::SESSION_PREFIX);
    let now_ms = world.clock.now_ms();
    let session = SessionRow {
        id: world.ids.next(),
        user_id,
        secret_hash: desk::secret::hash(&secret),
        created_at_ms: now_ms,
        seen_at_ms: now_ms,
        expires_at_ms: now_ms + 86_400_000,
        address: String::new(),
        country: None,
        user_agent: String::new(),
    };
    let created = storage::session::create(db, &session, NO_PASSWORD).await;
    let created = created.expect("the store works");
    assert_eq!(created, Written::Done(Vec::new()), "a session begins");
    secret
}

fn user(world: &World, email: &str) -> UserRow {
    UserRow {
        id: world.ids.next(),
        email: email.to_owned(),
        password_hash: NO_PASSWORD.to_owned(),
        created_at_ms: world.clock.now_ms(),
    }
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
        user: user(world, "owner@example.com"),
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
