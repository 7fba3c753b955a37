//! A pooler before Postgres that puts another server behind a connection that stays open.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::common::Store;
use storage::Db;
use storage::db::{DatabaseConfig, Home};
use storage::error::Error;
use storage::node::{self, Company, Load, Node};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio_postgres::NoTls;
use tokio_postgres::config::Host;
use world::World;

/// The name of the history that the database is in, as the store asks for it.
const NAME: &str = "
    SELECT (SELECT CAST(system_identifier AS TEXT) FROM pg_control_system())
        || ' ' || SUBSTR(pg_walfile_name(pg_current_wal_lsn()), 1, 8)";

/// Passes on what is said. Once it has switched, the server names another history.
#[derive(Clone)]
struct Pooler {
    world: World,
    server: SocketAddr,
    /// The history's name, and the other one's, as long.
    names: Arc<(Vec<u8>, Vec<u8>)>,
    has_switched: Arc<AtomicBool>,
    /// Connections that were made.
    line_count: Arc<AtomicUsize>,
}

#[expect(
    clippy::unwrap_used,
    reason = "a test that stops there says where and why"
)]
impl Pooler {
    /// Begins to listen before a store's database. Gives the URL that leads through it.
    async fn before(store: &Store) -> (Self, String) {
        let Home::Postgres(url) = &store.config.home else {
            panic!("a Postgres");
        };
        let settings: tokio_postgres::Config = url.parse().unwrap();
        let Host::Tcp(host) = &settings.get_hosts()[0] else {
            panic!("a server on a port");
        };
        let place = format!("{host}:{}", settings.get_ports()[0]);
        let (client, connection) = settings.connect(NoTls).await.unwrap();
        store.world.tracker.spawn(connection);
        let name: String = client.query_one(NAME, &[]).await.unwrap().get(0);
        let other = format!("{}F", &name[..name.len() - 1]);
        let pooler = Self {
            world: store.world.clone(),
            server: tokio::net::lookup_host(&place)
                .await
                .unwrap()
                .next()
                .unwrap(),
            names: Arc::new((name.into_bytes(), other.into_bytes())),
            has_switched: Arc::default(),
            line_count: Arc::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().to_string();
        let url = url.replace(&place, &own);
        assert!(url.contains(&own), "{url} leads through the pooler");
        store.world.tracker.spawn(pooler.clone().listen(listener));
        (pooler, url)
    }

    async fn listen(self, listener: TcpListener) {
        while let Ok((client, _)) = listener.accept().await {
            self.line_count.fetch_add(1, Ordering::Relaxed);
            let server = TcpStream::connect(self.server).await.unwrap();
            let (mut asked, asking) = tokio::io::split(client);
            let (answered, mut answering) = tokio::io::split(server);
            let tracker = &self.world.tracker;
            // Either way ends when its end hangs up.
            tracker.spawn(async move { tokio::io::copy(&mut asked, &mut answering).await });
            tracker.spawn(self.clone().answer(answered, asking));
        }
    }

    async fn answer(self, mut from: ReadHalf<TcpStream>, mut to: WriteHalf<TcpStream>) {
        let (name, other) = &*self.names;
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut bytes).await {
            let said = &mut bytes[..length];
            let place = said.windows(name.len()).position(|part| part == name);
            if let (true, Some(at)) = (self.has_switched.load(Ordering::Relaxed), place) {
                said[at..at + name.len()].copy_from_slice(other);
            }
            if to.write_all(said).await.is_err() {
                return;
            }
        }
    }
}

fn node(world: &World, company: Company) -> Node {
    Node {
        id: world.ids.next(),
        name: "one".to_owned(),
        seat: "here".to_owned(),
        company,
        bus: String::new(),
        files: "directory".to_owned(),
        settings: [].into(),
        version: "1".to_owned(),
        renewal: 1,
        started_at_ms: 1,
        renewed_at_ms: 1,
        load: Load::default(),
    }
}

async fn renew(db: &Db, node: &Node) -> Result<bool, Error> {
    match node.company {
        Company::Alone => node::renew(db, node.id, 2).await,
        Company::Shared => {
            let nodes = node::beat(db, node.id, Load::default(), &[], 2).await?;
            Ok(nodes.is_some())
        }
    }
}

#[expect(
    clippy::unwrap_used,
    reason = "a test that stops there says where and why"
)]
async fn check(company: Company) {
    let store = Store::postgres().await;
    let (pooler, url) = Pooler::before(&store).await;
    let config = DatabaseConfig {
        home: Home::Postgres(url),
        ..store.config.clone()
    };
    let db = storage::open(&config, &store.world).await.unwrap();
    let node = node(&store.world, company);
    assert_eq!(node::enter(&db, &node, &[]).await.unwrap(), []);
    // Until each writer, and whoever asks, has its connection.
    for _ in 0..4 {
        assert!(renew(&db, &node).await.unwrap());
    }
    let line_count = pooler.line_count.load(Ordering::Relaxed);
    pooler.has_switched.store(true, Ordering::Relaxed);
    let mut renewed = renew(&db, &node).await;
    for _ in 0..30 {
        // A machine that is busy had no answer within a moment.
        if renewed.is_ok() {
            renewed = renew(&db, &node).await;
        }
    }
    assert!(matches!(renewed, Err(Error::Unavailable(_))), "{renewed:?}");
    let clock = &store.world.clock;
    let left = clock.timeout(Duration::from_secs(60), db.left_behind());
    assert_eq!(left.await, Some(()), "the server starts anew");
    let found = pooler.line_count.load(Ordering::Relaxed);
    assert_eq!(found, line_count, "no connection was made for it");
}

#[tokio::test]
async fn a_node_notices_another_database_behind_an_open_connection() {
    check(Company::Shared).await;
}

#[tokio::test]
async fn so_does_a_server_that_is_alone() {
    check(Company::Alone).await;
}
