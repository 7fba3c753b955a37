//! SQLite: one writer thread that groups waiting batches, a few reader threads, and one that
//! checkpoints off the writer's path.
//!
//! `synchronous=FULL` in WAL mode: a commit that returned survives a loss of power. `secure_delete`: what
//! an erasure removes is overwritten, not only unlinked.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, Statement, ToSql};
use world::World;

use crate::db::DatabaseConfig;
use crate::db::batch::{Answer, Batch, Stmt};
use crate::db::figure::Gauge;
use crate::db::group::{self, Read, Write};
use crate::db::plan;
use crate::db::row::Row;
use crate::db::value::Value;
use crate::error::{Error, Result};
use crate::room;

/// From the beginning of one commit to that of the next, while there is company.
const COMMIT_EVERY: Duration = Duration::from_millis(2);

/// How often the log is looked at for a checkpoint.
const CHECKPOINT_EVERY: Duration = Duration::from_millis(500);

/// The writer's pages in memory: four MiB, as SQLite counts them.
const WRITER_CACHE: i64 = -4_096;

/// Pages in the log at which the writer itself lets the log begin anew, so that it cannot grow for ever.
const LOG_PAGES_MAX: i64 = 16_384;

/// Pages of the last of several checkpoints, after which about as many are left over for the writer.
const LEFT_PAGES_MAX: i64 = 64;
/// Checkpoints of a long log, one right after the other.
const CHECKPOINTS_MAX: usize = 4;

const BEGIN: &str = "BEGIN IMMEDIATE";
const BEGIN_READ: &str = "BEGIN";
const COMMIT: &str = "COMMIT";

/// The threads of an open store. They end when the queues to them are closed.
#[derive(Debug)]
pub(crate) struct Sqlite {
    pub(crate) writes: flume::Sender<Write>,
    pub(crate) reads: flume::Sender<Read>,
    threads: Vec<JoinHandle<()>>,
    checkpoint_stop: flume::Sender<()>,
    checkpointer: Option<JoinHandle<()>>,
}

impl Sqlite {
    /// Starts the threads over a file whose schema is up to date.
    pub(crate) fn start(
        path: &Path,
        config: &DatabaseConfig,
        world: &World,
        gauge: Arc<Gauge>,
    ) -> Result<Self> {
        let log_is_long = Arc::new(AtomicBool::new(false));
        // Full queues refuse: the caller hears `Unavailable` at once instead of waiting without end.
        let (writes, write_queue) = flume::bounded(config.queue_length);
        let (reads, read_queue) = flume::bounded(config.queue_length);
        let (checkpoint_stop, stop) = flume::bounded(1);
        let mut threads = Vec::new();
        let writer = connect(path, config, world)?;
        // What the others hold is worth nothing after the next commit.
        writer
            .pragma_update(None, "cache_size", WRITER_CACHE)
            .map_err(sqlite_error)?;
        let faults = world.faults.clone();
        let clock = world.clock.clone();
        let timeout = config.timeout;
        let long = Arc::clone(&log_is_long);
        threads.push(thread("storage-writer", move || {
            let mut home = Writer {
                session: Session::new(&writer),
                faults,
                gauge,
            };
            let mut pace = group::Pace::new(&clock, COMMIT_EVERY);
            while let Some(waiting) = pace.next(&write_queue) {
                group::run(&mut home, waiting);
                if long.swap(false, Ordering::Relaxed) {
                    restart_log(&writer, timeout);
                }
            }
        })?);
        for _ in 0..config.reader_count.max(1) {
            let reader = connect(path, config, world)?;
            reader
                .pragma_update(None, "query_only", true)
                .map_err(sqlite_error)?;
            let queue: flume::Receiver<Read> = read_queue.clone();
            threads.push(thread("storage-reader", move || {
                let mut session = Session::new(&reader);
                while let Ok(read) = queue.recv() {
                    let answer = session.snapshot(&read.stmts);
                    // Who asked may have gone; a read has no other effect.
                    let _ = read.reply.send(answer);
                }
            })?);
        }
        let checkpointer = connect(path, config, world)?;
        let checkpointer = thread("storage-checkpoint", move || {
            let mut is_failing = false;
            while let Err(flume::RecvTimeoutError::Timeout) = stop.recv_timeout(CHECKPOINT_EVERY) {
                let pages = checkpoint(&checkpointer);
                if pages.as_ref().is_ok_and(|pages| *pages > LOG_PAGES_MAX) {
                    log_is_long.store(true, Ordering::Relaxed);
                }
                // Told once: a full disk would hear of it twice a second.
                let was_failing = std::mem::replace(&mut is_failing, pages.is_err());
                if let (Err(error), false) = (pages, was_failing) {
                    tracing::warn!(%error, "the store's log cannot be checkpointed");
                }
            }
        })?;
        Ok(Self {
            writes,
            reads,
            threads,
            checkpoint_stop,
            checkpointer: Some(checkpointer),
        })
    }
}

impl Drop for Sqlite {
    /// Waits for what was accepted: after this the file may be opened or copied by somebody else.
    ///
    /// The last connection to close moves the log into the file. Two that close at the same moment each take
    /// the other for one that stays, and the log is left: so one waits until the others are gone.
    fn drop(&mut self) {
        let (closed, _) = flume::bounded(1);
        self.writes = closed;
        let (closed, _) = flume::bounded(1);
        self.reads = closed;
        for thread in self.threads.drain(..) {
            join(thread);
        }
        // The thread is gone already where nobody listens.
        let _ = self.checkpoint_stop.try_send(());
        if let Some(checkpointer) = self.checkpointer.take() {
            join(checkpointer);
        }
    }
}

fn join(thread: JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("a thread of the store panicked");
    }
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(|error| Error::Unavailable(error.to_string()))
}

/// Opens the file, which must be a database or not exist.
pub(crate) fn connect(path: &Path, config: &DatabaseConfig, world: &World) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(sqlite_error)?;
    // SQLite opens for reading what it may not write, and would say so at the first write only.
    if connection.is_readonly("main").map_err(sqlite_error)? {
        return Err(Error::ReadOnly(format!(
            "{} may not be written",
            path.display()
        )));
    }
    connection
        .busy_timeout(config.timeout)
        .map_err(sqlite_error)?;
    // A plan is made once per statement and connection: without this, SQLite makes some anew for every value
    // that is bound, which costs more than running them.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(sqlite_error)?;
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA secure_delete = ON;
             PRAGMA wal_autocheckpoint = 0;
             PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -1024;",
        )
        .map_err(sqlite_error)?;
    if let Some(page_count_max) = config.page_count_max {
        connection
            .execute_batch(&format!("PRAGMA max_page_count = {page_count_max};"))
            .map_err(sqlite_error)?;
    }
    add_functions(&connection, world).map_err(sqlite_error)?;
    Ok(connection)
}

/// The functions that the common text calls; Postgres gets the same ones by its first migration.
fn add_functions(connection: &Connection, world: &World) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
    // One writer: what is stored precedes all that comes.
    connection.create_scalar_function("transaction_horizon", 0, flags, |_| Ok(i64::MAX))?;
    let clock = world.clock.clone();
    connection.create_scalar_function("store_now_ms", 0, flags, move |_| {
        Ok(i64::try_from(clock.machine_now_ms()).unwrap_or(i64::MAX))
    })
}

pub(crate) struct Writer<'c> {
    pub(crate) session: Session<'c>,
    pub(crate) faults: world::Faults,
    pub(crate) gauge: Arc<Gauge>,
}

impl group::Home for Writer<'_> {
    fn commit(&mut self, batches: &[&Batch]) -> Result<Vec<Vec<Answer>>> {
        let began = self.gauge.begin();
        let answers = self.store(batches);
        self.gauge.note_commit(began, batches.len());
        answers
    }
}

impl Writer<'_> {
    fn store(&mut self, batches: &[&Batch]) -> Result<Vec<Vec<Answer>>> {
        self.session.run(&Stmt::new(BEGIN, Vec::new()), None)?;
        let answers = batches
            .iter()
            .map(|batch| self.session.run_batch(batch))
            .collect::<Result<Vec<_>>>()
            .and_then(|answers| {
                group::planted(&self.faults, "storage.commit")?;
                Ok(answers)
            });
        match answers {
            Ok(answers) => match self.session.connection.execute_batch("COMMIT") {
                Ok(()) => Ok(answers),
                Err(error) => {
                    stop_if_unsafe(&error);
                    self.roll_back();
                    Err(sqlite_error(error))
                }
            },
            Err(error) => {
                self.roll_back();
                Err(error)
            }
        }
    }

    fn roll_back(&self) {
        let connection = self.session.connection;
        // SQLite has rolled back by itself after some errors; then there is nothing to do.
        if !connection.is_autocommit()
            && let Err(error) = connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "the store could not roll back");
        }
    }
}

/// After a failed fsync the pages in memory may count as written though they are not: a second one may
/// report success. Only a new process reads what is really there.
fn stop_if_unsafe(error: &rusqlite::Error) {
    let code = error.sqlite_error().map(|error| error.extended_code);
    if matches!(
        code,
        Some(rusqlite::ffi::SQLITE_IOERR_FSYNC | rusqlite::ffi::SQLITE_IOERR_DIR_FSYNC)
    ) {
        tracing::error!(%error, "the disk did not keep what was written: stopping");
        std::process::abort();
    }
}

/// A connection, and the statements that were prepared on it. There are as many as the program has texts;
/// each is found by where its text stands in the program.
pub(crate) struct Session<'c> {
    connection: &'c Connection,
    prepared: HashMap<(*const u8, usize), Prepared<'c>>,
}

struct Prepared<'c> {
    statement: Statement<'c>,
    /// Where `$1`, `$2`, … are bound.
    positions: Vec<usize>,
    columns: Arc<[String]>,
}

impl<'c> Session<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Self {
        Self {
            connection,
            prepared: HashMap::new(),
        }
    }

    pub(crate) fn snapshot(&mut self, stmts: &[Stmt]) -> Result<Vec<Vec<Row>>> {
        if let [stmt] = stmts {
            return Ok(vec![self.run(stmt, None)?.rows]);
        }
        self.run(&Stmt::new(BEGIN_READ, Vec::new()), None)?;
        let rows = self.run_reads(stmts);
        self.run(&Stmt::new(COMMIT, Vec::new()), None)?;
        rows
    }

    fn run_reads(&mut self, stmts: &[Stmt]) -> Result<Vec<Vec<Row>>> {
        let mut answers = Vec::with_capacity(stmts.len());
        for stmt in stmts {
            let giver = stmt.giver_among(&answers);
            answers.push(match stmt.lacks(giver) {
                true => Vec::new(),
                false => self.run(stmt, giver)?.rows,
            });
        }
        Ok(answers)
    }

    fn run_batch(&mut self, batch: &Batch) -> Result<Vec<Answer>> {
        let mut answers = Vec::with_capacity(batch.stmts.len() + 1);
        if let Some(guard) = &batch.guard {
            answers.push(self.run(guard, None)?);
            if answers[0].rows.is_empty() {
                return Ok(answers);
            }
        }
        for stmt in &batch.stmts {
            let guard = answers.first().and_then(|answer| answer.rows.first());
            let answer = self.run(stmt, guard)?;
            answers.push(answer);
        }
        Ok(answers)
    }

    /// Runs one statement; `guard` is the row that the batch's guard gave, or an earlier read.
    fn run(&mut self, stmt: &Stmt, guard: Option<&Row>) -> Result<Answer> {
        let place = (stmt.sql.as_ptr(), stmt.sql.len());
        let prepared = match self.prepared.entry(place) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(place) => place.insert(Prepared::new(self.connection, stmt.sql)?),
        };
        prepared.run(stmt, guard)
    }
}

impl<'c> Prepared<'c> {
    fn new(connection: &'c Connection, sql: &'static str) -> Result<Self> {
        let statement = connection.prepare(sql).map_err(sqlite_error)?;
        if cfg!(debug_assertions) {
            plan::check(connection, sql);
        }
        let mut positions = Vec::new();
        for number in 1..=statement.parameter_count() {
            let position = statement
                .parameter_index(&format!("${number}"))
                .map_err(sqlite_error)?
                .ok_or_else(|| Error::Fault(format!("${number} is not in {sql}")))?;
            positions.push(position);
        }
        let columns = statement.column_names().map(str::to_owned).collect();
        Ok(Self {
            statement,
            positions,
            columns,
        })
    }

    fn run(&mut self, stmt: &Stmt, guard: Option<&Row>) -> Result<Answer> {
        if self.positions.len() != stmt.params.len() {
            return Err(Error::Fault(format!(
                "{} values for {}",
                stmt.params.len(),
                stmt.sql
            )));
        }
        for (place, position) in self.positions.iter().enumerate() {
            let value = stmt.value(place, guard)?;
            self.statement
                .raw_bind_parameter(*position, Bound(&value))
                .map_err(sqlite_error)?;
        }
        if self.columns.is_empty() {
            let changed = self.statement.raw_execute().map_err(sqlite_error)?;
            return Ok(Answer {
                rows: Vec::new(),
                changed: changed as u64,
            });
        }
        let mut rows = Vec::new();
        let mut cursor = self.statement.raw_query();
        while let Some(row) = cursor.next().map_err(sqlite_error)? {
            let values = (0..self.columns.len())
                .map(|index| row.get_ref(index).map_err(sqlite_error).and_then(read))
                .collect::<Result<_>>()?;
            rows.push(Row::new(Arc::clone(&self.columns), values));
        }
        let changed = rows.len() as u64;
        Ok(Answer { rows, changed })
    }
}

fn read(value: ValueRef<'_>) -> Result<Value> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(bytes) => Value::Text(
            std::str::from_utf8(bytes)
                .map_err(|_| Error::Corrupt("a text is not UTF-8".to_owned()))?
                .to_owned(),
        ),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    })
}

/// A value of ours as a parameter.
pub(crate) struct Bound<'a>(pub(crate) &'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Flag(flag) => ValueRef::Integer(i64::from(*flag)),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
            Value::Real(number) => ValueRef::Real(*number),
        }))
    }
}

/// Moves what is in the log into the file, as far as nobody is in the way; gives the log's pages. Of a log that is
/// too long only what comes meanwhile is left over: the writer moves the rest, and nothing is stored until then.
fn checkpoint(connection: &Connection) -> rusqlite::Result<i64> {
    let mut pages = 0;
    for _ in 0..CHECKPOINTS_MAX {
        let before = pages;
        pages = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))?;
        if pages <= LOG_PAGES_MAX || pages - before <= LEFT_PAGES_MAX {
            break;
        }
    }
    Ok(pages)
}

/// Lets the log begin anew. Waits for no reader: where one is in the way, the log begins anew with the first
/// commit that finds none.
fn restart_log(connection: &Connection, timeout: Duration) {
    let restarted = connection
        .busy_timeout(Duration::ZERO)
        .and_then(|()| connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())));
    let patient = connection.busy_timeout(timeout);
    if let Err(error) = restarted.and(patient) {
        tracing::warn!(%error, "the store's log could not begin anew");
    }
}

/// Empties the log, so that nothing of before an erasure stays in it.
pub(crate) fn truncate_log(connection: &Connection) -> Result<()> {
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .map_err(sqlite_error)
}

/// Our error for one of the driver's.
pub(crate) fn sqlite_error(error: rusqlite::Error) -> Error {
    use rusqlite::ffi;
    let text = error.to_string();
    let Some(code) = error.sqlite_error().map(|error| error.extended_code) else {
        return Error::Fault(text);
    };
    match code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => Error::Unique(text),
        // The system may have said no for a quota or a limit, or because all may only be read by now, which SQLite does
        // not tell from a broken disk.
        ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_SHMSIZE => {
            let cause = std::io::Error::last_os_error();
            if room::is_missing(&cause) {
                Error::Full(text)
            } else if room::is_closed(&cause) {
                Error::ReadOnly(text)
            } else {
                Error::Unavailable(text)
            }
        }
        code => match code & 0xff {
            ffi::SQLITE_FULL => Error::Full(text),
            ffi::SQLITE_READONLY => Error::ReadOnly(text),
            ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB => Error::Corrupt(text),
            ffi::SQLITE_BUSY
            | ffi::SQLITE_LOCKED
            | ffi::SQLITE_IOERR
            | ffi::SQLITE_CANTOPEN
            | ffi::SQLITE_INTERRUPT => Error::Unavailable(text),
            _ => Error::Fault(text),
        },
    }
}
