//! The store of a simulation: SQLite in memory, run inline by a task of its own machine, and shared by the
//! nodes of the simulation, each with a way of its own to it.
//!
//! A node that is killed loses its way, and what it had sent may still be stored; the store stays. How long
//! the ways take, a seed decides. A fault planted at `storage.lost` of the store's world loses the answer to
//! a batch that was stored.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::Backup;
use tokio::sync::oneshot;
use world::World;

use crate::db::figure::Gauge;
use crate::db::group::{self, Read, Write};
use crate::db::sqlite::{self, Session, Writer, sqlite_error};
use crate::db::{DatabaseConfig, Db, Driver, Home, migration, with_epoch};
use crate::error::{Error, Result};

/// Batches, or reads, that may wait for a store or on a way to it.
const QUEUE_LENGTH: usize = 4_096;

/// Reads under way at a time from one node.
const READERS: usize = 3;

/// Microseconds that a way takes, at most.
const DELAY_US_MAX: u64 = 1_500;

/// The rows of a store, to begin others with.
#[derive(Debug)]
pub struct Image(Connection);

/// A store in memory.
#[derive(Debug, Clone)]
pub struct Store {
    world: World,
    jobs: flume::Sender<Job>,
}

/// A node's way to the store.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) writes: flume::Sender<Write>,
    pub(crate) reads: flume::Sender<Read>,
}

#[derive(Debug)]
enum Job {
    Write(Vec<Write>),
    Read(Read),
    Copy(oneshot::Sender<Result<Image>>),
}

fn config() -> DatabaseConfig {
    DatabaseConfig {
        home: Home::Sqlite(PathBuf::from(":memory:")),
        reader_count: READERS,
        queue_length: QUEUE_LENGTH,
        timeout: Duration::from_secs(5),
        page_count_max: None,
    }
}

impl Store {
    /// A store with the rows of an image, or an empty one. Its task is one of `world`'s machine.
    ///
    /// # Errors
    /// What the library says.
    pub fn start(world: &World, image: Option<&Image>) -> Result<Self> {
        let mut connection = sqlite::connect(Path::new(":memory:"), &config(), world)?;
        match image {
            Some(Image(from)) => copy(from, &mut connection)?,
            None => migration::sqlite(&connection, world.clock.now_ms())?,
        }
        // Bounded; the ways to it wait.
        let (jobs, queue) = flume::bounded(QUEUE_LENGTH);
        let faults = world.faults.clone();
        let gauge = Arc::new(Gauge::new(&world.clock));
        world.tracker.spawn_local(async move {
            let mut home = Writer {
                session: Session::new(&connection),
                faults,
                gauge,
            };
            while let Ok(job) = queue.recv_async().await {
                match job {
                    Job::Write(waiting) => group::run(&mut home, waiting),
                    Job::Read(read) => {
                        let answer = home.session.snapshot(&read.stmts);
                        // Who asked may have gone.
                        let _ = read.reply.send(answer);
                    }
                    Job::Copy(reply) => {
                        let _ = reply.send(image_of(&connection));
                    }
                }
            }
        });
        Ok(Self {
            world: world.clone(),
            jobs,
        })
    }

    /// The rows as they are now.
    ///
    /// # Errors
    /// What the library says.
    pub async fn image(&self) -> Result<Image> {
        let (reply, image) = oneshot::channel();
        let gone = || Error::Unavailable("the store is gone".to_owned());
        let sent = self.jobs.send_async(Job::Copy(reply)).await;
        sent.map_err(|_| gone())?;
        image.await.map_err(|_| gone())?
    }

    /// Opens the store for a node.
    ///
    /// # Errors
    /// The store's.
    pub async fn open(&self, world: &World) -> Result<Db> {
        // Bounded; full ones refuse, as those of the other stores do.
        let (writes, write_queue) = flume::bounded(QUEUE_LENGTH);
        let (reads, read_queue) = flume::bounded(QUEUE_LENGTH);
        let tracker = &self.world.tracker;
        tracker.spawn_local(self.clone().carry_writes(write_queue));
        for _ in 0..READERS {
            tracker.spawn_local(self.clone().carry_reads(read_queue.clone()));
        }
        let way = Driver::Simulated(Way { writes, reads });
        let gauge = Arc::new(Gauge::new(&world.clock));
        with_epoch(way, &config(), world, gauge).await
    }

    async fn carry_writes(self, queue: flume::Receiver<Write>) {
        while let Ok(first) = queue.recv_async().await {
            self.take_a_while().await;
            let mut replies = Vec::new();
            let waiting = group::rest(&queue, first).into_iter().map(|write| {
                let (reply, answer) = oneshot::channel();
                replies.push((write.reply, answer));
                Write {
                    batch: write.batch,
                    reply,
                }
            });
            let job = Job::Write(waiting.collect());
            if self.jobs.send_async(job).await.is_err() {
                return;
            }
            for (reply, answer) in replies {
                let Ok(answer) = answer.await else { return };
                let lost = group::planted(&self.world.faults, "storage.lost");
                self.take_a_while().await;
                // Who asked may have gone.
                let _ = reply.send(lost.and(answer));
            }
        }
    }

    async fn carry_reads(self, queue: flume::Receiver<Read>) {
        while let Ok(read) = queue.recv_async().await {
            self.take_a_while().await;
            let (reply, answer) = oneshot::channel();
            let stmts = read.stmts;
            let job = Job::Read(Read { stmts, reply });
            if self.jobs.send_async(job).await.is_err() {
                return;
            }
            let Ok(answer) = answer.await else { return };
            self.take_a_while().await;
            // Who asked may have gone.
            let _ = read.reply.send(answer);
        }
    }

    async fn take_a_while(&self) {
        let delay_us = self.world.ids.below(DELAY_US_MAX);
        let delay = Duration::from_micros(delay_us);
        self.world.clock.sleep(delay).await;
    }
}

fn copy(from: &Connection, to: &mut Connection) -> Result<()> {
    let backup = Backup::new(from, to).map_err(sqlite_error)?;
    backup.step(-1).map_err(sqlite_error)?;
    Ok(())
}

fn image_of(connection: &Connection) -> Result<Image> {
    let mut image = Connection::open_in_memory().map_err(sqlite_error)?;
    copy(connection, &mut image)?;
    Ok(Image(image))
}
