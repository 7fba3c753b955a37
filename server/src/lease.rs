//! The right to a store: two servers that know nothing of each other must not both write to one.
//!
//! An embedded store is locked as a file, by the operating system. A database server has a lease in it: a row
//! that its holder renews. Who finds the row of another watches it by his own clock: when it is renewed, its
//! holder lives and the start fails; when it stays as it is for a whole term, its holder is dead and replaced.
//! A holder that was replaced finds its row gone, and stops.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use protocol::id::NodeId;
use storage::node::{self, Company, Node};
use storage::{DatabaseConfig, Db, Home};
use world::World;

use crate::directory::DataDir;
use crate::error::{Error, Result};

/// How often a holder renews its lease.
const RENEW_PERIOD: Duration = Duration::from_secs(2);

/// How long a lease is watched without a change before its holder counts as dead.
const TERM: Duration = Duration::from_secs(10);

/// How often it is looked at meanwhile.
const LOOK_PERIOD: Duration = Duration::from_millis(500);

/// The lock on an embedded store's file. It ends with the value, and with the process however it ends.
#[derive(Debug)]
pub(crate) struct FileLock {
    /// Nothing for a store that is no file.
    _lock: Option<File>,
}

impl FileLock {
    /// Locks the store's file, before it is opened or made.
    ///
    /// # Errors
    ///
    /// `StoreInUse` while another process has it.
    pub(crate) fn take(database: &DatabaseConfig, data_dir: &DataDir) -> Result<Self> {
        let Home::Sqlite(file) = &database.home else {
            return Ok(Self { _lock: None });
        };
        let failed = |source| Error::System {
            what: "the lock of the store's file",
            source,
        };
        let path = lock_path(file).map_err(failed)?;
        let mut lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .read(true)
            .open(&path)
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {
                lock.set_len(0).map_err(failed)?;
                lock.write_all(own_name(data_dir).as_bytes())
                    .map_err(failed)?;
                Ok(Self { _lock: Some(lock) })
            }
            Err(TryLockError::WouldBlock) => Err(Error::StoreInUse {
                holder: fs::read_to_string(&path).unwrap_or_default(),
            }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

/// Beside the file itself, whichever way leads there.
fn lock_path(file: &Path) -> std::io::Result<PathBuf> {
    let parent = file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        fs::create_dir_all(parent)?;
    }
    let real = match file.canonicalize() {
        Ok(real) => real,
        // It is not made yet; its directory is.
        Err(_) => parent
            .unwrap_or(Path::new("."))
            .canonicalize()?
            .join(file.file_name().unwrap_or_default()),
    };
    let mut path = real.into_os_string();
    path.push("-lock");
    Ok(path.into())
}

/// The lease in a database server. Must be given back by [`Lease::leave`]; a term passes otherwise.
pub(crate) struct Lease {
    db: Db,
    world: World,
    /// Nothing for a store that is locked as a file.
    node_id: Option<NodeId>,
}

impl Lease {
    /// Takes the lease of a store. Waits for a term where its holder seems to be dead.
    ///
    /// # Errors
    ///
    /// `StoreInUse` while another server has it, and the store's.
    pub(crate) async fn take(
        db: &Db,
        database: &DatabaseConfig,
        data_dir: &DataDir,
        world: &World,
    ) -> Result<Self> {
        let node_id = match &database.home {
            Home::Sqlite(_) => None,
            Home::Postgres(_) => Some(enter(db, data_dir, world).await?),
        };
        Ok(Self {
            db: db.clone(),
            world: world.clone(),
            node_id,
        })
    }

    /// Renews the lease until the server stops; stops the server when the lease is another's.
    pub(crate) fn keep(&self) {
        if let Some(node_id) = self.node_id {
            let (db, world) = (self.db.clone(), self.world.clone());
            self.world.tracker.spawn(keep(db, world, node_id));
        }
    }

    /// Gives the lease back, once nothing is written any more.
    pub(crate) async fn leave(self) {
        let Some(node_id) = self.node_id else { return };
        if let Err(error) = node::leave(&self.db, node_id).await {
            tracing::warn!(%error, "the store's lease could not be given back; it ends by itself");
        }
    }
}

/// What was seen of another node, and since when.
struct Seen {
    renewal: u64,
    since: Duration,
}

async fn enter(db: &Db, data_dir: &DataDir, world: &World) -> Result<NodeId> {
    let now_ms = world.clock.now_ms();
    let node = Node {
        id: world.ids.next(),
        name: own_name(data_dir),
        seat: seat(data_dir)?,
        company: Company::Alone,
        renewal: 1,
        started_at_ms: now_ms,
        renewed_at_ms: now_ms,
    };
    let mut seen: HashMap<NodeId, Seen> = HashMap::new();
    let mut dead = Vec::new();
    loop {
        let others = node::enter(db, &node, &dead).await?;
        if others.is_empty() {
            return Ok(node.id);
        }
        let now = world.clock.elapsed();
        dead.clear();
        for other in others {
            let first = seen.entry(other.id).or_insert_with(|| {
                tracing::info!(holder = other.name, "the store has a holder; watching it");
                Seen {
                    renewal: other.renewal,
                    since: now,
                }
            });
            if first.renewal != other.renewal {
                return Err(Error::StoreInUse { holder: other.name });
            }
            if now - first.since >= TERM {
                dead.push(other);
            }
        }
        if dead.is_empty() {
            world.clock.sleep(LOOK_PERIOD).await;
        }
    }
}

async fn keep(db: Db, world: World, node_id: NodeId) {
    let stop = world.tracker.soft().clone();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = world.clock.sleep(RENEW_PERIOD) => {}
        }
        match node::renew(&db, node_id, world.clock.now_ms()).await {
            Ok(true) => {}
            Ok(false) => {
                tracing::error!("another server has taken the store's lease: stopping");
                world.tracker.stop_hard();
                return;
            }
            Err(error) => tracing::warn!(%error, "the store's lease could not be renewed"),
        }
    }
}

/// What an operator knows this process by.
fn own_name(data_dir: &DataDir) -> String {
    let machine = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let path = std::path::absolute(data_dir.path());
    let path = path.unwrap_or_else(|_| data_dir.path().to_owned());
    format!(
        "process {} on {} with the data directory {}",
        std::process::id(),
        machine.trim(),
        path.display()
    )
}

/// The lock of the data directory, which this process holds: the same file, on the same running system.
fn seat(data_dir: &DataDir) -> Result<String> {
    let failed = |source| Error::DataDir {
        path: data_dir.path().to_owned(),
        source,
    };
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").map_err(failed)?;
    let lock = data_dir.lock_file().metadata().map_err(failed)?;
    Ok(format!("{} {} {}", boot.trim(), lock.dev(), lock.ino()))
}
