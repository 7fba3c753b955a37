//! One door to two databases: batches in, rows out.

mod batch;
pub(crate) mod connect;
mod figure;
pub(crate) mod group;
mod hold;
mod list;
pub(crate) mod migration;
mod plan;
pub(crate) mod postgres;
mod row;
pub mod simulated;
pub(crate) mod sqlite;
mod statistics;
mod timeline;
mod transaction;
mod value;
mod whole;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use protocol::id::{NodeId, VisitorId};
use tokio::sync::oneshot;
use world::World;

pub use batch::{Answer, Batch, Stmt};
pub(crate) use batch::{Given, stmt};
pub use figure::Figures;
pub use hold::Hold;
pub use row::Row;
pub use value::Value;

use crate::error::{Error, Result};
use crate::newcomer::Newcomers;
use crate::room::Room;
use crate::visitor::VisitorRow;
use figure::Gauge;
use group::{Read, Write};

/// Rows that one batch of forgetting removes at most, so that it holds the writer for less than 50 ms.
pub(crate) const PRUNE_SLICE: usize = 200;

/// How long it may take to ask whether the database is still the same.
const LOOK_MAX: Duration = Duration::from_secs(1);

/// Where the rows live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Home {
    /// A file, opened by this process alone.
    Sqlite(PathBuf),
    /// A server, by its URL.
    Postgres(String),
}

/// How the store is opened.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// Where the rows live.
    pub home: Home,
    /// Connections for reading.
    pub reader_count: usize,
    /// Batches, and reads, that may wait; more are refused as unavailable.
    pub queue_length: usize,
    /// How long a statement, and the wait for a connection, may take.
    pub timeout: Duration,
    /// Largest size of an embedded store in pages of 4 KiB; the disk's size where absent.
    pub page_count_max: Option<u32>,
}

impl DatabaseConfig {
    /// The configuration for `sqlite:<path>`, `postgres://…` or `postgresql://…`.
    ///
    /// # Errors
    /// `Configuration` for any other form, and for what is wrong with it.
    pub fn of_url(url: &str) -> Result<Self> {
        let home = if let Some(path) = url.strip_prefix("sqlite:") {
            Home::Sqlite(PathBuf::from(path.strip_prefix("//").unwrap_or(path)))
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            connect::target(url)?;
            Home::Postgres(url.to_owned())
        } else {
            return Err(Error::Configuration(
                "the database URL must begin with sqlite: or postgres:".to_owned(),
            ));
        };
        Ok(Self {
            home,
            reader_count: 4,
            queue_length: 4_096,
            timeout: Duration::from_secs(5),
            page_count_max: None,
        })
    }
}

/// The store, for reading only. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reader(Arc<Inner>);

/// The store. Cheap to clone; gives a [`Reader`] wherever one is asked for.
#[derive(Clone, Debug)]
pub struct Db(Reader);

#[derive(Debug)]
struct Inner {
    world: World,
    config: DatabaseConfig,
    epoch: u64,
    home: Driver,
    newcomers: Newcomers,
    room: Room,
    gauge: Arc<Gauge>,
}

#[derive(Debug)]
enum Driver {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
    Simulated(simulated::Way),
}

/// Which database it is: for `search`, `backup` and nobody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    /// The embedded one.
    Sqlite,
    /// The server.
    Postgres,
}

impl std::ops::Deref for Db {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.0
    }
}

impl Reader {
    /// Which life of the store this is: a restored one gets a new number.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.0.epoch
    }

    /// Runs one read and gives its rows.
    ///
    /// # Errors
    /// The store's; `Unavailable` too where too many reads wait.
    pub async fn rows(&self, stmt: Stmt) -> Result<Vec<Row>> {
        let mut rows = self.snapshot(vec![stmt]).await?;
        Ok(rows.pop().unwrap_or_default())
    }

    /// Runs one read that gives a row or none.
    pub(crate) async fn row(&self, stmt: Stmt) -> Result<Option<Row>> {
        Ok(self.rows(stmt).await?.into_iter().next())
    }

    /// Runs reads that see one and the same state.
    ///
    /// # Errors
    /// The store's; `Unavailable` too where too many reads wait.
    pub async fn snapshot(&self, stmts: Vec<Stmt>) -> Result<Vec<Vec<Row>>> {
        let began = self.0.gauge.begin();
        let rows = self.read(stmts).await;
        self.0.gauge.note_read(began, &rows);
        rows
    }

    async fn read(&self, stmts: Vec<Stmt>) -> Result<Vec<Vec<Row>>> {
        group::planted(&self.0.world.faults, "storage.read")?;
        let queue = match &self.0.home {
            Driver::Sqlite(sqlite) => &sqlite.reads,
            Driver::Postgres(postgres) => &postgres.reads,
            Driver::Simulated(way) => &way.reads,
        };
        let (reply, answer) = oneshot::channel();
        queue.try_send(Read { stmts, reply }).map_err(|_| busy())?;
        answer.await.map_err(|_| stopped())?
    }

    /// The row of a visitor who was made here a moment ago and of whom nothing was written since; once.
    pub(crate) fn take_newcomer(&self, visitor_id: VisitorId) -> Option<Box<VisitorRow>> {
        let now = self.0.world.clock.elapsed();
        self.0.newcomers.take(visitor_id, now)
    }

    /// How many reads may wait; more are refused.
    #[must_use]
    pub fn queue_length(&self) -> usize {
        self.0.config.queue_length
    }

    /// How the store does.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let (writes, reads) = match &self.0.home {
            Driver::Sqlite(sqlite) => (sqlite.writes.len(), sqlite.reads.len()),
            Driver::Postgres(postgres) => (postgres.writes.len(), postgres.reads.len()),
            Driver::Simulated(way) => (way.writes.len(), way.reads.len()),
        };
        self.0.gauge.figures(writes, reads)
    }

    /// How many batches were refused because there was no room on the disk.
    #[must_use]
    pub fn refused_full_count(&self) -> u64 {
        self.0.room.refused_count()
    }

    /// Ends once another database has taken the place of the one that was opened: a standby, which may lack the
    /// last commits. Nothing is read or written any more until the store is opened anew.
    pub async fn left_behind(&self) {
        match &self.0.home {
            Driver::Postgres(postgres) => postgres.timeline.left().await,
            Driver::Sqlite(_) | Driver::Simulated(_) => std::future::pending().await,
        }
    }

    /// Asks the database whether it is still the one that was opened, which a pooler may change behind an open
    /// connection. One short read; whoever gets no answer within a moment asks another time.
    ///
    /// # Errors
    /// `Unavailable` where it is another one.
    pub(crate) async fn look_again(&self) -> Result<()> {
        let Driver::Postgres(postgres) = &self.0.home else {
            return Ok(());
        };
        let Some(question) = postgres.timeline.question() else {
            return Ok(());
        };
        let asked = self.0.world.clock.timeout(LOOK_MAX, self.row(question));
        match asked.await {
            Some(Ok(Some(answer))) => postgres.timeline.take(&answer),
            // Whether the store works, others find out.
            Some(Ok(None) | Err(_)) | None => Ok(()),
        }
    }

    pub(crate) fn world(&self) -> &World {
        &self.0.world
    }

    pub(crate) fn config(&self) -> &DatabaseConfig {
        &self.0.config
    }

    pub(crate) fn backend(&self) -> Backend {
        match self.0.home {
            Driver::Sqlite(_) | Driver::Simulated(_) => Backend::Sqlite,
            Driver::Postgres(_) => Backend::Postgres,
        }
    }

    /// Whether a row that is told of the slot it has already changes in place: SQLite writes its index again.
    pub(crate) fn keeps_equal_values(&self) -> bool {
        self.backend() == Backend::Postgres
    }
}

impl Db {
    /// The store for reading only: what doors get.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.0.clone()
    }

    /// Runs a batch as one transaction, grouped with others that wait. Once asked it finishes, also when
    /// the caller no longer waits.
    ///
    /// # Errors
    /// The store's; `Unavailable` too where too many batches wait. After `Unavailable` the outcome is
    /// unknown.
    pub async fn batch(&self, batch: Batch) -> Result<Vec<Answer>> {
        let answers = self.write(batch).await;
        self.0.0.gauge.note_outcome(&answers);
        answers
    }

    async fn write(&self, batch: Batch) -> Result<Vec<Answer>> {
        group::planted(&self.0.0.world.faults, "storage.batch")?;
        self.0.0.newcomers.touch(&batch);
        let queue = match &self.0.0.home {
            Driver::Sqlite(sqlite) => &sqlite.writes,
            Driver::Postgres(postgres) if batch.is_aside => &postgres.asides,
            Driver::Postgres(postgres) => &postgres.writes,
            Driver::Simulated(way) => &way.writes,
        };
        let (reply, answer) = oneshot::channel();
        queue.try_send(Write { batch, reply }).map_err(|_| busy())?;
        let answers = answer.await.map_err(|_| stopped())?;
        // A batch that its guard ended wrote nothing, for which there is always room.
        let wrote = |answers: &Vec<Answer>| answers.iter().any(|answer| answer.changed > 0);
        if answers.as_ref().map_or(true, wrote) {
            self.0.0.room.note(&answers);
        }
        answers
    }

    /// A visitor was made, and nobody knows his id yet. On Postgres other processes write too: there nobody
    /// is remembered.
    pub(crate) fn remember_newcomer(&self, row: VisitorRow) {
        match self.0.0.home {
            Driver::Sqlite(_) => {
                let now = self.0.0.world.clock.elapsed();
                self.0.0.newcomers.remember(row, now);
            }
            Driver::Postgres(_) | Driver::Simulated(_) => {}
        }
    }

    /// From here on, transactions are stored only while this node has its place in the store: who takes it waits
    /// for those under way, and later ones fail with `Replaced`. Of an embedded store the file is locked instead.
    pub fn fence(&self, node_id: NodeId) {
        if let Driver::Postgres(postgres) = &self.0.0.home {
            let stmt = Stmt::new(transaction::FENCE, vec![Value::from(node_id)]);
            // A process has one place, and keeps it to its end.
            let _ = postgres.fence.set(stmt);
        }
    }

    /// Overwrites what erased rows leave behind in files: the log of the embedded store is emptied, the
    /// server is told to clean its tables.
    pub(crate) async fn scrub(&self) -> Result<()> {
        match (&self.0.0.home, &self.0.0.config.home) {
            (Driver::Sqlite(_), Home::Sqlite(path)) => {
                let path = path.clone();
                let config = self.0.0.config.clone();
                let world = self.0.0.world.clone();
                blocking(move || sqlite::truncate_log(&sqlite::connect(&path, &config, &world)?))
                    .await
            }
            (Driver::Simulated(_), _) => Ok(()),
            (Driver::Sqlite(_) | Driver::Postgres(_), _) => {
                for sql in SCRUB_TABLES {
                    self.rows(Stmt::new(sql, Vec::new())).await?;
                }
                Ok(())
            }
        }
    }
}

/// The tables whose rows an erasure empties.
const SCRUB_TABLES: [&str; 4] = [
    "VACUUM message",
    "VACUUM contact",
    "VACUUM contact_identity",
    "VACUUM visitor",
];

/// Runs slow work on a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (done, result) = oneshot::channel();
    std::thread::Builder::new()
        .name("storage-work".to_owned())
        .spawn(move || {
            // Who asked may have gone; the work is done all the same.
            let _ = done.send(work());
        })
        .map_err(|error| Error::Unavailable(error.to_string()))?;
    result
        .await
        .map_err(|_| Error::Fault("a thread of the store panicked".to_owned()))?
}

fn busy() -> Error {
    Error::Unavailable("too much waits for the store".to_owned())
}

fn stopped() -> Error {
    Error::Unavailable("the store stopped".to_owned())
}

/// Opens the store and brings its schema up to date.
///
/// # Errors
/// `NewerSchema`, `Corrupt`, `Unavailable`, `Full`, `ReadOnly`.
pub async fn open(config: &DatabaseConfig, world: &World) -> Result<Db> {
    let gauge = Arc::new(Gauge::new(&world.clock));
    let home = match &config.home {
        Home::Sqlite(path) => {
            let (path, config, world) = (path.clone(), config.clone(), world.clone());
            let gauge = Arc::clone(&gauge);
            Driver::Sqlite(blocking(move || open_file(&path, &config, &world, gauge)).await?)
        }
        Home::Postgres(url) => {
            Driver::Postgres(postgres::Postgres::start(url, config, world, &gauge).await?)
        }
    };
    with_epoch(home, config, world, gauge).await
}

/// The store on a driver that runs.
async fn with_epoch(
    home: Driver,
    config: &DatabaseConfig,
    world: &World,
    gauge: Arc<Gauge>,
) -> Result<Db> {
    let inner = |home, epoch| {
        Db(Reader(Arc::new(Inner {
            world: world.clone(),
            config: config.clone(),
            epoch,
            home,
            newcomers: Newcomers::default(),
            room: Room::new("rows"),
            gauge: Arc::clone(&gauge),
        })))
    };
    let timeline = match &home {
        Driver::Postgres(postgres) => postgres.timeline.name().map(str::to_owned),
        Driver::Sqlite(_) | Driver::Simulated(_) => None,
    };
    let db = inner(home, 0);
    let epoch = crate::meta::epoch(&db, timeline.as_deref()).await?;
    let Db(Reader(shared)) = db;
    let home = Arc::try_unwrap(shared)
        .map_err(|_| Error::Fault("the store was shared while it opened".to_owned()))?
        .home;
    Ok(inner(home, epoch))
}

fn open_file(
    path: &std::path::Path,
    config: &DatabaseConfig,
    world: &World,
    gauge: Arc<Gauge>,
) -> Result<sqlite::Sqlite> {
    if let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        std::fs::create_dir_all(parent).map_err(|error| Error::Unavailable(error.to_string()))?;
    }
    let connection = sqlite::connect(path, config, world)?;
    migration::sqlite_file(path, &connection, world.clock.now_ms())?;
    drop(connection);
    sqlite::Sqlite::start(path, config, world, gauge)
}
