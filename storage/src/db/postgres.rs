//! Postgres: one thread with its own runtime, a pool of connections, and a writer that sends a whole group at a time
//! and waits for its one commit ([`crate::db::transaction`]). Another one stores what takes long and nobody waits for.
//!
//! Connections live on this runtime and on no caller's, so that they outlive the shard that first asked.

use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::BytesMut;
use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError,
    RecyclingMethod, Runtime,
};
use postgres_types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio::task::JoinSet;
use world::World;

use crate::db::batch::{Answer, Batch, Stmt};
use crate::db::connect::{self, Target};
use crate::db::figure::Gauge;
use crate::db::group::{self, Read, Write};
use crate::db::row::Row;
use crate::db::timeline::Timeline;
use crate::db::transaction::{self, End, Failure, Line};
use crate::db::value::{Boxed, Value};
use crate::db::whole::Whole;
use crate::db::{DatabaseConfig, migration};
use crate::error::{Error, Result};

/// How often a group that lost a deadlock against another node is tried again.
const DEADLOCK_RETRIES: usize = 3;

/// Uses the row of this connection alone.
const IS_ENCRYPTED: &str = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

/// How a group is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// As one statement where it can be, whose guards may have to be asked again.
    Short,
    /// With what it needs held first.
    Held,
}

/// The thread of an open store. It ends when the queues to it are closed.
#[derive(Debug)]
pub(crate) struct Postgres {
    pub(crate) writes: flume::Sender<Write>,
    /// Batches that are stored beside the groups.
    pub(crate) asides: flume::Sender<Write>,
    pub(crate) reads: flume::Sender<Read>,
    /// The node whose place in the store each transaction of the writers holds.
    pub(crate) fence: Arc<OnceLock<Stmt>>,
    /// The history that it was opened in.
    pub(crate) timeline: Arc<Timeline>,
    thread: Option<JoinHandle<()>>,
}

impl Postgres {
    /// Connects, brings the schema up to date and starts the thread.
    pub(crate) async fn start(
        url: &str,
        config: &DatabaseConfig,
        world: &World,
        gauge: &Arc<Gauge>,
    ) -> Result<Self> {
        let target = connect::target(url)?;
        let may_be_open = connect::may_be_open(&target.config);
        let timeline = Arc::new(Timeline::new());
        let pool = pool(target, config, &timeline)?;
        // Full queues refuse: the caller hears `Unavailable` at once instead of waiting without end.
        let (writes, write_queue) = flume::bounded(config.queue_length);
        let (asides, aside_queue) = flume::bounded(config.queue_length);
        let (reads, read_queue) = flume::bounded(config.queue_length);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        let (ready, started) = flume::bounded(1);
        let serving = Serving {
            pool,
            may_be_open,
            faults: world.faults.clone(),
            timeout: config.timeout,
            reader_count: config.reader_count.max(1),
            fence: Arc::default(),
            gauge: Arc::clone(gauge),
        };
        let fence = Arc::clone(&serving.fence);
        let now_ms = world.clock.now_ms();
        let thread = std::thread::Builder::new()
            .name("storage-postgres".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    let migrated = serving.migrate(now_ms).await;
                    let failed = migrated.is_err();
                    if ready.send(migrated).is_err() || failed {
                        return;
                    }
                    serving.work(write_queue, aside_queue, read_queue).await;
                });
            })
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        started
            .recv_async()
            .await
            .map_err(|_| Error::Fault("the thread of the store panicked".to_owned()))??;
        Ok(Self {
            writes,
            asides,
            reads,
            fence,
            timeline,
            thread: Some(thread),
        })
    }
}

impl Drop for Postgres {
    /// Waits for what was accepted.
    fn drop(&mut self) {
        let (closed, _) = flume::bounded(1);
        self.writes = closed;
        let (closed, _) = flume::bounded(1);
        self.asides = closed;
        let (closed, _) = flume::bounded(1);
        self.reads = closed;
        if self
            .thread
            .take()
            .is_some_and(|thread| thread.join().is_err())
        {
            tracing::error!("the thread of the store panicked");
        }
    }
}

fn pool(target: Target, config: &DatabaseConfig, timeline: &Arc<Timeline>) -> Result<Pool> {
    let Target {
        config: mut settings,
        tls,
    } = target;
    // A plan is made once per statement and connection: planning costs more than these short statements. It goes
    // by indexes as the only one of SQLite does, however small a table is: the plan stays while the table grows.
    let limits = format!(
        "{} -c statement_timeout={ms} -c lock_timeout={ms} \
         -c idle_in_transaction_session_timeout={ms} -c plan_cache_mode=force_generic_plan -c jit=off \
         -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off",
        settings.get_options().unwrap_or_default(),
        ms = config.timeout.as_millis(),
    );
    settings
        .options(limits)
        .application_name("switchboard")
        .connect_timeout(config.timeout);
    let manager = Manager::from_config(
        settings,
        tls,
        ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        },
    );
    let timeline = Arc::clone(timeline);
    let check = Hook::async_fn(move |client: &mut ClientWrapper, _| {
        let timeline = Arc::clone(&timeline);
        Box::pin(async move { timeline.check(client).await })
    });
    Pool::builder(manager)
        .post_create(check)
        // Those of the writer besides, and of what is stored beside it.
        .max_size(config.reader_count.max(1) + 2)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(config.timeout))
        .create_timeout(Some(config.timeout))
        .build()
        .map_err(|error| Error::Configuration(error.to_string()))
}

struct Serving {
    pool: Pool,
    may_be_open: bool,
    faults: world::Faults,
    timeout: Duration,
    reader_count: usize,
    fence: Arc<OnceLock<Stmt>>,
    gauge: Arc<Gauge>,
}

impl Serving {
    /// Does what the queues ask for until they are closed. Each writer and reader is a task, which is woken
    /// for itself alone.
    async fn work(
        self,
        writes: flume::Receiver<Write>,
        asides: flume::Receiver<Write>,
        reads: flume::Receiver<Read>,
    ) {
        let serving = Arc::new(self);
        let mut work = JoinSet::new();
        // One writer, and no pause between its groups: what comes while one is under way is the next one. Two share
        // the work of a transaction among fewer messages each, and wait for each other's conversations.
        for queue in [writes, asides] {
            let serving = Arc::clone(&serving);
            work.spawn(async move { serving.write(&queue).await });
        }
        for _ in 0..serving.reader_count {
            let (serving, reads) = (Arc::clone(&serving), reads.clone());
            work.spawn(async move { serving.read(&reads).await });
        }
        drop((serving, reads));
        while let Some(done) = work.join_next().await {
            if let Err(error) = done {
                std::panic::resume_unwind(error.into_panic());
            }
        }
    }

    async fn migrate(&self, now_ms: u64) -> Result<()> {
        let mut client = self.client().await?;
        if self.may_be_open {
            let row = client.query_one(IS_ENCRYPTED, &[]).await;
            if !row.map_err(postgres_error)?.get::<_, bool>(0) {
                tracing::warn!(
                    "the line to the database on another machine is not encrypted: set sslmode"
                );
            }
        }
        migration::postgres(&mut client, now_ms).await
    }

    async fn client(&self) -> Result<Object> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => postgres_error(error),
            PoolError::PostCreateHook(HookError::Backend(error)) => postgres_error(error),
            PoolError::PostCreateHook(HookError::Message(text)) => {
                Error::Unavailable(text.into_owned())
            }
            PoolError::Timeout(_) | PoolError::Closed | PoolError::NoRuntimeSpecified => {
                Error::Unavailable(error.to_string())
            }
        })
    }

    async fn write(&self, queue: &flume::Receiver<Write>) {
        let mut line = None;
        while let Ok(first) = queue.recv_async().await {
            let waiting = group::rest(queue, first);
            let open = self.store(&mut line, waiting, Way::Short).await;
            if !open.is_empty() {
                self.store(&mut line, open, Way::Held).await;
            }
        }
    }

    /// Stores a group and tells each who waits. Gives back what has to go with what it needs held.
    async fn store(&self, line: &mut Option<Line>, waiting: Vec<Write>, way: Way) -> Vec<Write> {
        let batches: Vec<&Batch> = waiting.iter().map(|write| &write.batch).collect();
        let whole = match way {
            Way::Short => Whole::of(&batches),
            Way::Held => None,
        };
        match self.commit(line, &batches, whole.as_ref()).await {
            Ok(answers) => {
                let is_whole = whole.is_some();
                let is_open = |answers: &[Answer]| is_whole && answers[0].rows.is_empty();
                let mut open = Vec::new();
                for (write, answers) in waiting.into_iter().zip(answers) {
                    if is_open(&answers) {
                        open.push(write);
                    } else {
                        group::reply([(write, Ok(answers))]);
                    }
                }
                return open;
            }
            Err(error) if waiting.len() == 1 => {
                group::reply(waiting.into_iter().zip([Err(error)]));
            }
            // All that waits is refused alike: each alone would cost a connection, as below.
            Err(Error::ReadOnly(cause)) => {
                let refused = |write| (write, Err(Error::ReadOnly(cause.clone())));
                group::reply(waiting.into_iter().map(refused));
            }
            // Nobody knows what became of the group: running it again might store it twice over.
            Err(Error::Unavailable(cause)) => {
                let unknown = |write| (write, Err(Error::Unavailable(cause.clone())));
                group::reply(waiting.into_iter().map(unknown));
            }
            Err(error) => {
                tracing::debug!(%error, "a group failed and runs batch by batch");
                for write in waiting {
                    let answer = self.commit(line, &[&write.batch], None).await;
                    let answer = answer.map(|mut answers| answers.pop().unwrap_or_default());
                    group::reply([(write, answer)]);
                }
            }
        }
        Vec::new()
    }

    async fn commit(
        &self,
        kept: &mut Option<Line>,
        batches: &[&Batch],
        whole: Option<&Whole<'_>>,
    ) -> Result<Vec<Vec<Answer>>> {
        let began = self.gauge.begin();
        let answers = self.run(kept, batches, whole).await;
        self.gauge.note_commit(began, batches.len());
        answers
    }

    async fn run(
        &self,
        kept: &mut Option<Line>,
        batches: &[&Batch],
        whole: Option<&Whole<'_>>,
    ) -> Result<Vec<Vec<Answer>>> {
        let mut retries = 0;
        loop {
            let mut line = match kept.take() {
                Some(line) if !line.is_closed() => line,
                Some(_) | None => Line::new(self.client().await?),
            };
            let planted = group::planted(&self.faults, "storage.commit");
            let fence = self.fence.get();
            let work = async {
                match (&planted, whole) {
                    (Ok(()), Some(whole)) => line.run_whole(fence, whole).await,
                    (Ok(()), None) => line.run(fence, batches, End::Commit).await,
                    (Err(_), _) => line.run(fence, batches, End::RollBack).await,
                }
            };
            // A network that swallows packets must not hold a writer for ever. The ended connection ends the
            // transaction, unless its commit was under way: unknown.
            let answers = tokio::time::timeout(self.timeout * 3, work).await;
            let Ok(answers) = answers else {
                line.end();
                return Err(Error::Unavailable(
                    "the database does not answer".to_owned(),
                ));
            };
            match answers {
                Err(failure @ Failure::Broken(_)) => {
                    line.end();
                    return Err(failure.into());
                }
                // A session stays as it was opened, also once the database takes writes again: others are opened.
                Err(failure @ Failure::Store(Error::ReadOnly(_))) => {
                    line.end();
                    self.pool.retain(|_, _| false);
                    return Err(failure.into());
                }
                Err(Failure::Deadlock) if retries < DEADLOCK_RETRIES => retries += 1,
                Err(failure) => {
                    *kept = Some(line);
                    return Err(failure.into());
                }
                Ok(answers) => {
                    *kept = Some(line);
                    planted?;
                    return Ok(answers);
                }
            }
            *kept = Some(line);
        }
    }

    async fn read(&self, queue: &flume::Receiver<Read>) {
        while let Ok(read) = queue.recv_async().await {
            self.answer(read).await;
        }
    }

    async fn answer(&self, read: Read) {
        let answer = async {
            let client = self.client().await?;
            let rows = tokio::time::timeout(self.timeout * 2, snapshot(&client, &read.stmts)).await;
            match rows {
                Ok(Ok(rows)) => Ok(rows),
                Ok(Err(error)) => {
                    // A failed statement may have left a transaction open.
                    drop(Object::take(client));
                    Err(error)
                }
                Err(_) => {
                    drop(Object::take(client));
                    Err(Error::Unavailable(
                        "the database does not answer".to_owned(),
                    ))
                }
            }
        };
        let answer = answer.await;
        // Who asked may have gone; a read has no other effect.
        let _ = read.reply.send(answer);
    }
}

async fn snapshot(client: &Object, stmts: &[Stmt]) -> Result<Vec<Vec<Row>>> {
    let many = stmts.len() > 1;
    if many {
        client
            .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            .await
            .map_err(postgres_error)?;
    }
    let mut answers = Vec::with_capacity(stmts.len());
    for stmt in stmts {
        let giver = stmt.giver_among(&answers);
        answers.push(match stmt.lacks(giver) {
            true => Vec::new(),
            false => rows(client, stmt, giver).await?,
        });
    }
    if many {
        client
            .batch_execute("COMMIT")
            .await
            .map_err(postgres_error)?;
    }
    Ok(answers)
}

/// The rows of a read, to which an earlier one may give values.
async fn rows(client: &Object, stmt: &Stmt, giver: Option<&Row>) -> Result<Vec<Row>> {
    let failed = |error| postgres_error_in(error, stmt.sql);
    let statement = client.prepare_cached(stmt.sql).await.map_err(failed)?;
    let columns = statement.columns().iter();
    let columns: Arc<[String]> = columns.map(|column| column.name().to_owned()).collect();
    let values = (0..stmt.params.len()).map(|place| stmt.value(place, giver));
    let values = values.collect::<Result<Vec<_>>>()?;
    let params: Vec<&(dyn ToSql + Sync)> = values
        .iter()
        .map(|value| &**value as &(dyn ToSql + Sync))
        .collect();
    let answer = transaction::execute(client, &statement, &columns, &params).await;
    Ok(answer.map_err(failed)?.rows)
}

/// Our error for one of the driver's, in the place of a statement.
pub(crate) fn postgres_error_in(error: tokio_postgres::Error, sql: &str) -> Error {
    let error = postgres_error(error);
    if let Error::Fault(cause) = error {
        let first_line = sql.trim().lines().next().unwrap_or_default();
        return Error::Fault(format!("{cause} in {first_line}"));
    }
    error
}

/// Our error for one of the driver's.
pub(crate) fn postgres_error(error: tokio_postgres::Error) -> Error {
    let Some(cause) = error.as_db_error() else {
        return if error.is_closed() || error.to_string().contains("connect") {
            Error::Unavailable(error.to_string())
        } else if error.to_string().contains("TLS")
            || std::error::Error::source(&error).is_some_and(|source| source.is::<std::io::Error>())
        {
            Error::Unavailable(error_chain(&error))
        } else {
            Error::Fault(error_chain(&error))
        };
    };
    let text = cause.message().to_owned();
    match cause.code().code() {
        transaction::REPLACED => Error::Replaced,
        "23505" => Error::Unique(cause.constraint().unwrap_or("a value").to_owned()),
        "25006" => Error::ReadOnly(text),
        "53100" => Error::Full(text),
        "XX001" | "XX002" => Error::Corrupt(text),
        // A statement was cancelled, or waited too long for a lock.
        "57014" | "55P03" | "40P01" | "40001" => Error::Unavailable(text),
        code if ["08", "53", "57", "58"]
            .iter()
            .any(|class| code.starts_with(class)) =>
        {
            Error::Unavailable(text)
        }
        code => Error::Fault(format!("{code} {text}")),
    }
}

/// An error and what caused it.
pub(crate) fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> std::result::Result<IsNull, Boxed> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Text(text) => text.to_sql_checked(ty, out),
            Self::Integer(number) if *ty == Type::INT4 => i32::try_from(*number)?.to_sql(ty, out),
            Self::Integer(number) => number.to_sql_checked(ty, out),
            Self::Flag(flag) => flag.to_sql_checked(ty, out),
            Self::Bytes(bytes) => bytes.to_sql_checked(ty, out),
            Self::Real(number) => number.to_sql_checked(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        // Checked value by value: which type a parameter has is the statement's affair.
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> std::result::Result<Self, Boxed> {
        Ok(match *ty {
            Type::TEXT | Type::VARCHAR | Type::NAME | Type::UNKNOWN => {
                Self::Text(String::from_sql(ty, raw)?)
            }
            Type::INT8 => Self::Integer(i64::from_sql(ty, raw)?),
            Type::INT4 => Self::Integer(i64::from(i32::from_sql(ty, raw)?)),
            Type::BOOL => Self::Flag(bool::from_sql(ty, raw)?),
            Type::BYTEA => Self::Bytes(Vec::from_sql(ty, raw)?),
            Type::FLOAT8 => Self::Real(f64::from_sql(ty, raw)?),
            _ => return Err(format!("the type {ty} is not in the common dialect").into()),
        })
    }

    fn from_sql_null(_: &Type) -> std::result::Result<Self, Boxed> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
