//! The right to a store: two servers that know nothing of each other must not both write to one.
//!
//! An embedded store is locked as a file, by the operating system. A database server has a lease in it: a row
//! that its holder renews. Who finds the row of another watches it by his own clock: when it is renewed, its
//! holder lives and the start fails; when it stays as it is for a whole term, its holder is dead and replaced.
//! A holder that was replaced finds its row gone, and stops; meanwhile nothing that it writes is stored.
//!
//! Nodes on one bus share a store: each has a row, and removes the rows of those that died. One that wakes
//! after others took it for dead enters again, as another one.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gateway::metric::{Metric, Metrics};
use protocol::id::NodeId;
use router::Router;
use storage::node::{self, Company, Load, Node};
use storage::{DatabaseConfig, Db, Home};
use world::World;

use crate::config::Shared;
use crate::differing::Differing;
use crate::directory::DataDir;
use crate::error::{Error, Result};
use crate::sign::{Apart, Lookout, Signs};

/// How often a holder renews its lease.
const RENEW_PERIOD: Duration = Duration::from_secs(2);

/// How long a lease is watched without a change before its holder counts as dead.
const TERM: Duration = Duration::from_secs(10);

/// How often nodes that share a store renew, and look at each other.
const BEAT: Duration = Duration::from_secs(1);

/// How long a node that did not renew still counts as one that may live.
const DOUBT: Duration = Duration::from_millis(3_500);

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
    node: Option<Arc<Mutex<Node>>>,
    /// Nothing for a node that is alone, or whose files are in a bucket.
    signs: Option<Signs>,
    /// Whether clients are sent away.
    is_draining: Arc<AtomicBool>,
}

impl Lease {
    /// Takes the lease of a store. Waits for a term where its holder seems to be dead. Without a bus the node
    /// must be alone.
    ///
    /// # Errors
    ///
    /// `StoreInUse` while another server has it, `OtherBus` while nodes are there that this one could not
    /// hear, `OtherFiles` while they keep uploaded files elsewhere, and the store's.
    pub(crate) async fn take(
        db: &Db,
        database: &DatabaseConfig,
        data_dir: &DataDir,
        shared: &Shared,
        world: &World,
    ) -> Result<Self> {
        let mut signs = None;
        let node = match &database.home {
            Home::Sqlite(_) => None,
            Home::Postgres(_) => {
                let node = own_node(data_dir, shared, world)?;
                if node.company == Company::Shared {
                    signs = shared.folder.as_deref().map(Signs::among);
                }
                if let Some(signs) = &signs {
                    signs.leave(node.id);
                }
                if let Err(error) = enter(db, &node, world).await {
                    if let Some(signs) = &signs {
                        signs.take(node.id);
                    }
                    return Err(error);
                }
                if node.company == Company::Alone {
                    db.fence(node.id);
                }
                Some(Arc::new(Mutex::new(node)))
            }
        };
        Ok(Self {
            db: db.clone(),
            world: world.clone(),
            node,
            signs,
            is_draining: Arc::default(),
        })
    }

    /// Renews the lease until the server stops. Stops a server that is alone when the lease is another's;
    /// tells the router who else is there where the store is shared.
    pub(crate) fn keep(&self, router: &Router, metrics: &Arc<Metrics>) {
        let Some(node) = self.node.clone() else {
            return;
        };
        let apart = Apart::default();
        if let Some(signs) = self.signs.clone() {
            let lookout = Lookout {
                db: self.db.clone(),
                world: self.world.clone(),
                signs,
                apart: apart.clone(),
            };
            self.world.tracker.spawn(lookout.run());
        }
        let keeper = Keeper {
            db: self.db.clone(),
            world: self.world.clone(),
            router: router.clone(),
            node,
            seen: HashMap::new(),
            differing: Differing::default(),
            signs: self.signs.clone(),
            apart,
            metrics: Arc::clone(metrics),
            is_draining: Arc::clone(&self.is_draining),
        };
        let task = keeper.run();
        self.world.tracker.spawn(task);
    }

    /// Tells other nodes that clients are sent away.
    pub(crate) fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    /// The node's seat among others; nothing for a store that is locked as a file, which has one node.
    pub(crate) fn seat(&self) -> String {
        let node = self.node.as_deref();
        node.map(|node| lock(node).seat.clone()).unwrap_or_default()
    }

    /// Gives the lease back, once nothing is written any more.
    pub(crate) async fn leave(self) {
        let Some(node) = &self.node else { return };
        let node_id = lock(node).id;
        if let Err(error) = node::leave(&self.db, node_id).await {
            tracing::warn!(%error, "the store's lease could not be given back; it ends by itself");
            return;
        }
        if let Some(signs) = &self.signs {
            signs.take(node_id);
        }
    }
}

/// What was seen of another node, and since when.
struct Seen {
    renewal: u64,
    since: Duration,
    /// Whether it renewed while we looked: it is not what a dead one left.
    lives: bool,
}

fn own_node(data_dir: &DataDir, shared: &Shared, world: &World) -> Result<Node> {
    let now_ms = world.clock.now_ms();
    Ok(Node {
        id: world.ids.next(),
        name: own_name(data_dir),
        seat: seat(data_dir)?,
        company: match shared.bus {
            Some(_) => Company::Shared,
            None => Company::Alone,
        },
        bus: shared.bus.clone().unwrap_or_default(),
        files: shared.files.clone(),
        settings: shared.settings.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        renewal: 1,
        started_at_ms: now_ms,
        renewed_at_ms: now_ms,
        load: Load::default(),
    })
}

async fn enter(db: &Db, node: &Node, world: &World) -> Result<()> {
    let mut seen: HashMap<NodeId, Seen> = HashMap::new();
    let mut dead = Vec::new();
    loop {
        let others = node::enter(db, node, &dead).await?;
        if others.is_empty() {
            return Ok(());
        }
        let now = world.clock.elapsed();
        dead.clear();
        for other in others {
            let first = seen.entry(other.id).or_insert_with(|| {
                tracing::info!(holder = other.name, "the store has a holder; watching it");
                Seen {
                    renewal: other.renewal,
                    since: now,
                    lives: false,
                }
            });
            if first.renewal != other.renewal {
                let holder = other.name;
                return Err(match (node.company, other.company) {
                    (Company::Shared, Company::Shared) if node.bus != other.bus => {
                        Error::OtherBus { holder }
                    }
                    (Company::Shared, Company::Shared) => Error::OtherFiles { holder },
                    (Company::Alone | Company::Shared, Company::Alone)
                    | (Company::Alone, Company::Shared) => Error::StoreInUse { holder },
                });
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

/// Who renews the lease.
struct Keeper {
    db: Db,
    world: World,
    router: Router,
    node: Arc<Mutex<Node>>,
    seen: HashMap<NodeId, Seen>,
    differing: Differing,
    signs: Option<Signs>,
    apart: Apart,
    metrics: Arc<Metrics>,
    is_draining: Arc<AtomicBool>,
}

impl Keeper {
    async fn run(mut self) {
        let stop = self.world.tracker.soft().clone();
        let company = lock(&self.node).company;
        self.router.incarnate(lock(&self.node).id);
        loop {
            let period = match company {
                Company::Alone => RENEW_PERIOD,
                Company::Shared => BEAT,
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.world.clock.sleep(period) => {}
            }
            let kept = match company {
                Company::Alone => self.renew().await,
                Company::Shared => self.beat().await,
            };
            match kept {
                Ok(true) => {}
                Ok(false) => {
                    tracing::error!("another server has taken the store's lease: stopping");
                    self.world.tracker.stop_hard();
                    return;
                }
                Err(error) => tracing::warn!(%error, "the store's lease could not be renewed"),
            }
        }
    }

    async fn renew(&self) -> Result<bool> {
        let node_id = lock(&self.node).id;
        Ok(node::renew(&self.db, node_id, self.world.clock.now_ms()).await?)
    }

    /// Renews, removes the dead, and tells the router who may live. Enters again where others took this node
    /// for dead; gives whether it is in.
    async fn beat(&mut self) -> Result<bool> {
        let (node_id, now_ms) = (lock(&self.node).id, self.world.clock.now_ms());
        let dead = self.dead();
        let load = self.load();
        let Some(nodes) = node::beat(&self.db, node_id, load, &dead, now_ms).await? else {
            return self.enter_again().await;
        };
        let now = self.world.clock.elapsed();
        self.seen
            .retain(|id, _| nodes.iter().any(|node| node.id == *id));
        for node in &nodes {
            let seen = self.seen.entry(node.id).or_insert(Seen {
                renewal: node.renewal,
                since: now,
                lives: false,
            });
            if seen.renewal != node.renewal {
                seen.renewal = node.renewal;
                seen.since = now;
                seen.lives = true;
            }
        }
        let living = |id: &NodeId| {
            let seen = self.seen.get(id);
            *id != node_id && seen.is_some_and(|seen| seen.lives && now - seen.since < DOUBT)
        };
        let others = nodes.iter().filter(|node| living(&node.id));
        let apart = self.apart.node();
        if self
            .differing
            .look(&lock(&self.node).settings, others, apart)
        {
            self.router.settings_differ(self.differing.keys());
        }
        let living = self.seen.iter();
        let living = living.filter(|(_, seen)| now - seen.since < DOUBT);
        let living = living.map(|(id, _)| *id).filter(|id| *id != node_id);
        self.router.call_the_roll(living.collect());
        Ok(true)
    }

    /// What the node says of itself.
    fn load(&self) -> Load {
        let connections = self.metrics.get(Metric::Connections);
        Load {
            connection_count: u64::try_from(connections).unwrap_or_default(),
            is_draining: self.is_draining.load(Ordering::Relaxed),
        }
    }

    /// Those that have not renewed for a whole term.
    fn dead(&self) -> Vec<(NodeId, u64)> {
        let now = self.world.clock.elapsed();
        let seen = self.seen.iter();
        let dead = seen.filter(|(_, seen)| now - seen.since >= TERM);
        dead.map(|(id, seen)| (*id, seen.renewal)).collect()
    }

    async fn enter_again(&mut self) -> Result<bool> {
        tracing::warn!("others took this node for dead: it enters the store again");
        let mut node = lock(&self.node).clone();
        let former_id = std::mem::replace(&mut node.id, self.world.ids.next());
        if let Some(signs) = &self.signs {
            signs.leave(node.id);
            signs.take(former_id);
        }
        let entered = enter(&self.db, &node, &self.world).await;
        if let (Err(_), Some(signs)) = (&entered, &self.signs) {
            signs.take(node.id);
        }
        match entered {
            Ok(()) => {}
            Err(Error::StoreInUse { .. } | Error::OtherBus { .. } | Error::OtherFiles { .. }) => {
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
        self.router.incarnate(node.id);
        *lock(&self.node) = node;
        Ok(true)
    }
}

fn lock(node: &Mutex<Node>) -> MutexGuard<'_, Node> {
    node.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What an operator knows this process by.
pub(crate) fn own_name(data_dir: &DataDir) -> String {
    format!("process {} on {}", std::process::id(), place(data_dir))
}

/// What an operator knows this node by, over restarts.
pub(crate) fn place(data_dir: &DataDir) -> String {
    let machine = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let path = std::path::absolute(data_dir.path());
    let path = path.unwrap_or_else(|_| data_dir.path().to_owned());
    format!(
        "{} with the data directory {}",
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
