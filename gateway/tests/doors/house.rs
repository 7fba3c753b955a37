//! A gateway with all that stands behind it, and people who knock.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bus::Bus;
use desk::{Desk, DeskConfig, NewMember};
use gateway::config::Rate;
use gateway::{Gateway, GatewayConfig, Listeners, Parts};
use protocol::command::{Command, Draft};
use protocol::id::{SiteId, WorkspaceId};
use protocol::network::Network;
use protocol::permission::{Actor, Principal, Role, VisitorActor};
use protocol::text::{Body, ClientId};
use protocol::visitor::{Browser, Device};
use router::{Newcomer, Router, RouterConfig};
use serde_json::{Value, json};
use storage::blob::BlobConfig;
use storage::db::{Batch, Stmt};
use storage::{DatabaseConfig, Db};
use world::World;

use crate::wire::{Answer, Call};

/// A password that keeps the rules.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A running gateway.
pub(crate) struct House {
    pub(crate) address: SocketAddr,
    pub(crate) desk: Desk,
    pub(crate) router: Router,
    pub(crate) world: World,
    db: Db,
    _gateway: Gateway,
    _directory: tempfile::TempDir,
}

/// A person who is signed in and uses a bearer.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) secret: String,
    pub(crate) me: Value,
}

impl Person {
    pub(crate) fn agent_id(&self) -> String {
        id_in(&self.me["memberships"][0], "agent_id")
    }
}

/// Whether the tests' own address is spared limits and lockouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    Trusted,
    Stranger,
}

impl House {
    pub(crate) async fn open(trust: Trust) -> Self {
        Self::with(gateway_config(trust)).await
    }

    /// Behind a proxy on this machine, which says where people are.
    pub(crate) async fn behind_a_proxy() -> Self {
        let mut config = gateway_config(Trust::Stranger);
        config.trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
        config.geo.country_header = Some("cf-ipcountry".to_owned());
        Self::with(config).await
    }

    /// Where a key may ask as often as a sweep does.
    pub(crate) async fn with_many_requests() -> Self {
        let mut config = gateway_config(Trust::Trusted);
        config.limits.key_requests = Rate::new(1_000_000, 1_000_000);
        Self::with(config).await
    }

    async fn with(gateway_config: GatewayConfig) -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let world = World::system();
        let url = format!(
            "sqlite:{}",
            directory.path().join("switchboard.db").display()
        );
        let config = DatabaseConfig::of_url(&url).expect("the address is one");
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
        let config = DeskConfig::default();
        let desk = Desk::new(world.clone(), db.clone(), router.clone(), config);
        let files = BlobConfig::Directory(directory.path().join("files"));
        let parts = Parts {
            world: world.clone(),
            reader: db.reader(),
            router: router.clone(),
            desk: desk.clone(),
            blobs: storage::blob::open(&files).expect("the files' directory can be made"),
            metrics: std::sync::Arc::default(),
        };
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listeners = Listeners {
            http: world::net::listen(loopback).expect("a free port exists"),
            redirect: None,
            metrics: None,
        };
        let gateway = Gateway::start(gateway_config, parts, listeners).expect("it starts");
        Self {
            address: gateway.address(),
            desk,
            router,
            world,
            db,
            _gateway: gateway,
            _directory: directory,
        }
    }

    /// Our own origin.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) async fn ask(&self, call: Call) -> Answer {
        call.send(self.address).await
    }

    /// Asks as somebody.
    pub(crate) async fn as_(&self, person: &Person, call: Call) -> Answer {
        self.ask(call.bearer(&person.secret)).await
    }

    /// Sets up, and signs the owner in.
    pub(crate) async fn owner(&self) -> Person {
        let token = self
            .desk
            .issue_setup_token()
            .await
            .unwrap()
            .expect("not set up yet");
        self.ask(Call::post("/setup", &setup(&token))).await.good();
        self.log_in("olga@example.com").await
    }

    pub(crate) async fn log_in(&self, email: &str) -> Person {
        let body = json!({"email": email, "password": PASSWORD});
        let me = self
            .ask(Call::post("/login?bearer=true", &body))
            .await
            .good();
        Person {
            secret: id_in(&me, "secret"),
            me,
        }
    }

    /// Somebody who followed an invitation of `by`.
    pub(crate) async fn member(&self, by: &Person, email: &str, role: &str) -> Person {
        let body = json!({"email": email, "role": role});
        let invited = self.as_(by, Call::post("/invitations", &body)).await.good();
        let link = id_in(&invited, "link");
        let (_, token) = link
            .split_once("#token=")
            .expect("the secret stands behind the hash");
        let body = json!({"token": token, "name": "Ana", "password": PASSWORD});
        let me = self
            .ask(Call::post("/invitations/accept?bearer=true", &body))
            .await
            .good();
        Person {
            secret: id_in(&me, "secret"),
            me,
        }
    }

    /// A key of `by` with scopes.
    pub(crate) async fn key(&self, by: &Person, scopes: &[&str]) -> String {
        let body = json!({"name": "program", "scopes": scopes});
        id_in(
            &self.as_(by, Call::post("/keys", &body)).await.good(),
            "key",
        )
    }

    /// The first site of somebody's workspace.
    pub(crate) async fn site(&self, person: &Person) -> String {
        let sites = self.as_(person, Call::get("/sites")).await.good();
        id_in(&sites["items"][0], "id")
    }

    /// The owner of a second workspace with a site. No door makes one yet, so the row is laid here.
    pub(crate) async fn foreigner(&self) -> Person {
        let workspace_id: WorkspaceId = self.world.ids.next();
        let mut batch = Batch::default();
        let sql = include_str!("second_workspace.sql");
        batch.push(Stmt::new(sql, vec![workspace_id.into()]));
        self.db.batch(batch).await.expect("the row is laid");
        let member = NewMember {
            email: "eve@example.com".to_owned(),
            name: "Eve".to_owned(),
            role: Role::Owner,
            password: PASSWORD.to_owned(),
            workspace_id: Some(workspace_id),
        };
        self.desk
            .add_user(&member)
            .await
            .expect("the owner is added");
        let eve = self.log_in("eve@example.com").await;
        let site = json!({"name": "Foreign", "allowed_origins": []});
        self.as_(&eve, Call::post("/sites", &site)).await.good();
        eve
    }

    /// Spoils the sites of a person's workspace, as a broken disk may.
    pub(crate) async fn spoils_sites(&self, person: &Person) {
        let workspace = id_in(&person.me["memberships"][0], "workspace_id");
        let workspace_id: WorkspaceId = workspace.parse().unwrap();
        let mut batch = Batch::default();
        let sql = include_str!("spoilt_site.sql");
        batch.push(Stmt::new(sql, vec![workspace_id.into()]));
        self.db.batch(batch).await.expect("the rows are spoilt");
    }

    /// Somebody writes to a site; gives visitor, contact and conversation.
    pub(crate) async fn visitor_writes(&self, person: &Person, words: &str) -> [String; 3] {
        let site_id: SiteId = self.site(person).await.parse().unwrap();
        let workspace = id_in(&person.me["memberships"][0], "workspace_id");
        let workspace_id: WorkspaceId = workspace.parse().unwrap();
        let newcomer = Newcomer {
            workspace_id,
            site_id,
            before: None,
            fresh: false,
            proof: None,
            browser: browser(),
            address: None,
        };
        let standing = self.router.begin_visitor(&newcomer).await.unwrap();
        let actor = Actor {
            workspace_id,
            principal: Principal::Visitor(VisitorActor {
                visitor_id: standing.visitor_id,
                site_id,
                contact_id: None,
            }),
        };
        let command = Command::SendMessage {
            conversation_id: None,
            draft: Draft {
                body: Some(Body::parse(words).unwrap()),
                format: protocol::message::Format::Plain,
                reply_to_id: None,
                attachment_ids: Vec::new(),
            },
        };
        let name = ClientId::parse("first").unwrap();
        let ack = self.router.handle(&actor, name, command).await.unwrap();
        let conversation_id = ack.conversation_id.expect("it began one").to_string();
        let path = format!("/conversations/{conversation_id}");
        let row = self.as_(person, Call::get(&path)).await.good();
        [
            standing.visitor_id.to_string(),
            id_in(&row, "contact_id"),
            conversation_id,
        ]
    }
}

fn gateway_config(trust: Trust) -> GatewayConfig {
    let mut config = GatewayConfig {
        token_key: [7; 32],
        shards: 1,
        ..GatewayConfig::default()
    };
    if trust == Trust::Trusted {
        let loopback: Network = "127.0.0.1/32".parse().expect("a network");
        config.limits.trusted_addresses = vec![loopback];
    }
    assert!(IpAddr::from(Ipv4Addr::LOCALHOST).is_loopback());
    config
}

/// What the wizard sends.
pub(crate) fn setup(token: &str) -> Value {
    json!({
        "token": token,
        "name": "Olga",
        "email": "olga@example.com",
        "password": PASSWORD,
        "workspace_name": "Kovač & Co",
        "site": {"name": "Shop", "allowed_origins": ["https://shop.example.com"]},
    })
}

fn browser() -> Browser {
    Browser {
        device: Device::Desktop,
        name: "Firefox".to_owned(),
        system: "Linux".to_owned(),
        language: None,
        time_zone: None,
        country: None,
        city: None,
    }
}

/// A text in an answer.
pub(crate) fn id_in(value: &Value, field: &str) -> String {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field} in {value}"))
        .to_owned()
}
