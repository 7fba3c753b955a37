//! How long a store waits for its Postgres: what takes longer is refused as something that may succeed later, and does
//! once what held it is gone.

#![expect(clippy::unwrap_used, reason = "a story that fails shall fail loudly")]

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use crate::common::Store;
use crate::common::talk::{Talk, accepted, words};
use storage::Db;
use storage::db::{DatabaseConfig, Home, Stmt};
use storage::entry::{self, Append, NewContent, Outcome};
use storage::error::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, NoTls};
use world::World;

/// How long the stores of these stories wait for their database.
const TIMEOUT: Duration = Duration::from_millis(500);

/// When a story takes it that somebody waits for ever.
const FOR_EVER: Duration = Duration::from_secs(60);

/// The same store, opened by who does not wait long, at another address.
async fn hasty(store: &Store, url: &str) -> Db {
    let config = DatabaseConfig {
        home: Home::Postgres(url.to_owned()),
        reader_count: 1,
        timeout: TIMEOUT,
        ..store.config.clone()
    };
    storage::open(&config, &store.world).await.unwrap()
}

fn url(store: &Store) -> &str {
    match &store.config.home {
        Home::Postgres(url) => url,
        Home::Sqlite(_) => panic!("a Postgres"),
    }
}

/// A connection of somebody else.
async fn other(store: &Store) -> Client {
    let (client, connection) = tokio_postgres::connect(url(store), NoTls).await.unwrap();
    store.world.tracker.spawn(connection);
    client
}

/// What came, within any time.
async fn comes<T>(world: &World, outcome: impl Future<Output = T>) -> T {
    let outcome = world.clock.timeout(FOR_EVER, outcome).await;
    outcome.expect("nobody waits for ever")
}

/// The reason for which it may succeed later.
fn refused<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    match outcome {
        Err(Error::Unavailable(reason)) => reason,
        outcome => panic!("{outcome:?}"),
    }
}

/// An agent's answer in a conversation that began.
async fn answer(talk: &Talk<'_>) -> Append {
    let id = talk.says("hello").await.conversation.id;
    talk.deed(id, vec![NewContent::Message(words("welcome"))])
}

#[tokio::test]
async fn a_row_that_somebody_holds_is_waited_for_and_not_for_ever() {
    let store = Store::postgres().await;
    let talk = Talk::new(&store).await;
    let answer = answer(&talk).await;
    let db = hasty(&store, url(&store)).await;
    let holder = other(&store).await;
    let hold = "BEGIN; SELECT 1 FROM conversation FOR UPDATE";
    holder.batch_execute(hold).await.unwrap();
    let reason = refused(comes(&store.world, entry::append(&db, &answer)).await);
    // By Postgres itself, which ends the statement: the line is kept.
    assert!(reason.starts_with("canceling statement due to"), "{reason}");
    holder.batch_execute("ROLLBACK").await.unwrap();
    let said = comes(&store.world, entry::append(&db, &answer)).await;
    let said = accepted(said.unwrap());
    assert_eq!(said.receipt.seq, Some(2), "nothing was stored before");
}

#[tokio::test]
async fn a_read_that_takes_too_long_lets_the_next_one_in() {
    let store = Store::postgres().await;
    let db = hasty(&store, url(&store)).await;
    let read = |sql| db.rows(Stmt::new(sql, Vec::new()));
    let endless = read("SELECT CAST(pg_sleep(3600) AS TEXT) AS n");
    let next = read("SELECT CAST(1 AS BIGINT) AS n");
    let (endless, next) = comes(&store.world, async { tokio::join!(endless, next) }).await;
    let reason = refused(endless);
    assert_eq!(reason, "canceling statement due to statement timeout");
    assert_eq!(next.unwrap()[0].number("n").unwrap(), 1);
}

#[tokio::test]
async fn a_connection_that_does_not_come_is_not_waited_for() {
    let store = Store::postgres().await;
    let talk = Talk::new(&store).await;
    let answer = answer(&talk).await;
    let (gate, url) = Gate::before(&store).await;
    let db = hasty(&store, &url).await;
    gate.send_replace(Gate::Shut);
    // What it had is gone; where it is asked for another one, nobody answers.
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    other(&store).await.batch_execute(end).await.unwrap();
    let is_late = |reason: &str| reason.contains("Timeout occurred while creating");
    while !is_late(&refused(
        comes(&store.world, entry::append(&db, &answer)).await,
    )) {}
    let read = || db.rows(Stmt::new("SELECT CAST(1 AS BIGINT) AS n", Vec::new()));
    while !is_late(&refused(comes(&store.world, read()).await)) {}
    gate.send_replace(Gate::Open);
    let said = comes(&store.world, entry::append(&db, &answer))
        .await
        .unwrap();
    assert!(matches!(said, Outcome::Accepted(_)), "{said:?}");
    assert_eq!(comes(&store.world, read()).await.unwrap().len(), 1);
}

/// Whether connections get through to Postgres; while it is shut, they are made and nobody answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    Shut,
}

impl Gate {
    /// An open one before a store's database, and the URL that leads through it.
    async fn before(store: &Store) -> (watch::Sender<Self>, String) {
        let url = url(store);
        let settings: tokio_postgres::Config = url.parse().unwrap();
        let Host::Tcp(host) = &settings.get_hosts()[0] else {
            panic!("a server on a port");
        };
        let place = format!("{host}:{}", settings.get_ports()[0]);
        let server = tokio::net::lookup_host(&place).await.unwrap().next();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().to_string();
        let url = url.replace(&place, &own);
        assert!(url.contains(&own), "{url} leads through the gate");
        let (gate, state) = watch::channel(Self::Open);
        let world = store.world.clone();
        let listen = Self::listen(world, listener, server.unwrap(), state);
        store.world.tracker.spawn(listen);
        (gate, url)
    }

    async fn listen(
        world: World,
        listener: TcpListener,
        server: SocketAddr,
        state: watch::Receiver<Self>,
    ) {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut state = state.clone();
            world.tracker.spawn(async move {
                if state.wait_for(|state| *state == Self::Open).await.is_ok() {
                    let mut server = TcpStream::connect(server).await.unwrap();
                    // Either end hangs up.
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                }
            });
        }
    }
}
