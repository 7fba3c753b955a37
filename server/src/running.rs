//! The life of a server: lock, store, core, doors, and their orderly end.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bus::Bus;
use desk::Desk;
use gateway::metric::Metrics;
use gateway::{Gateway, GatewayConfig, Listeners, Parts};
use router::Router;
use storage::backup_turn::Holder;
use storage::blob::{BlobConfig, Blobs};
use storage::{Db, Home};
use world::World;
use world::net::TcpListener;

use crate::admin::AdminSocket;
use crate::backup::{self, Backups};
use crate::config::{Addresses, Checked, Config, Shared};
use crate::directory::DataDir;
use crate::error::{Error, Result};
use crate::housekeeping::Housekeeping;
use crate::lease::{self, FileLock, Lease};
use crate::order::Clerk;

/// How often a node measures its clock against the store's.
const CLOCK_PERIOD: Duration = Duration::from_secs(60);

/// How long a start waits for the bucket of files.
const BUCKET_CHECK_MAX: Duration = Duration::from_secs(5);

/// How long tasks have to finish what they hold before they are told to end at once.
const FINISH_MAX: Duration = backup::FINISH_MAX;

/// A running server.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// How it is spoken to there, `http` or `https`.
    pub scheme: &'static str,
    /// Where it sends plain HTTP on from, where it has TLS of its own.
    pub redirect: Option<SocketAddr>,
    /// Its own origin, as browsers may reach it.
    pub url: String,
    /// The one-time link to set it up; nothing once that is done.
    pub setup_link: Option<String>,
    /// The key of the first site, after unattended set-up.
    pub site_key: Option<String>,
    core: Core,
    gateway: Gateway,
    drain: Duration,
}

/// What stands without doors: enough for the subcommands.
pub struct Core {
    db: Db,
    router: Router,
    desk: Desk,
    blobs: Blobs,
    world: World,
    backups: Backups,
    metrics: Arc<Metrics>,
    /// What an operator knows this process by.
    name: String,
    lease: Lease,
    /// Held for their locks alone, and dropped after the store.
    _locks: (FileLock, DataDir),
}

impl Core {
    /// Opens the store of a locked data directory and starts the core.
    ///
    /// # Errors
    ///
    /// What is in the way.
    pub async fn start(data_dir: DataDir, checked: &Checked, world: World) -> Result<Self> {
        // Refused where an earlier server of this process has installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let file_lock = FileLock::take(&checked.database, &data_dir)?;
        let db = storage::open(&checked.database, &world).await?;
        set_clock(&db, &world).await?;
        let blobs = open_blobs(checked, &world).await?;
        let lease = Lease::take(&db, &checked.database, &data_dir, &checked.shared, &world).await?;
        let metrics = Arc::<Metrics>::default();
        let backups = Backups {
            db: db.clone(),
            blobs: checked.blobs.clone(),
            plan: checked.backup.clone(),
            holder: Holder {
                place: lease::place(&data_dir),
                seat: lease.seat(),
            },
            metrics: Arc::clone(&metrics),
            world: world.clone(),
        };
        let router = match start_router(&db, checked, &world).await {
            Ok(router) => router,
            Err(error) => {
                lease.leave().await;
                return Err(error);
            }
        };
        lease.keep(&router, &metrics);
        let desk = Desk::new(
            world.clone(),
            db.clone(),
            router.clone(),
            checked.desk.clone(),
        );
        Ok(Self {
            db,
            router,
            desk,
            blobs,
            world,
            backups,
            metrics,
            name: lease::own_name(&data_dir),
            lease,
            _locks: (file_lock, data_dir),
        })
    }

    /// Who carries out orders.
    #[must_use]
    pub fn clerk(&self) -> Clerk {
        Clerk {
            reader: self.db.reader(),
            desk: self.desk.clone(),
            backups: self.backups.clone(),
        }
    }

    /// Ends all tasks in order, then gives the store and the data directory free.
    pub async fn stop(self) {
        let tracker = &self.world.tracker;
        tracker.stop();
        let finished = self.world.clock.timeout(FINISH_MAX, tracker.wait()).await;
        if finished.is_none() {
            let count = tracker.task_count();
            tracing::warn!(task.count = count, "tasks did not finish in time");
            tracker.stop_hard();
        }
        self.lease.leave().await;
    }
}

/// Opens the files. A bucket that refuses us shows now, rather than at the first file; one that does not
/// answer keeps nobody from talking.
async fn open_blobs(checked: &Checked, world: &World) -> Result<Blobs> {
    let blobs = storage::blob::open(&checked.blobs)?.with_faults(world.faults.clone());
    match world.clock.timeout(BUCKET_CHECK_MAX, blobs.check()).await {
        Some(Ok(())) => {}
        Some(Err(error @ storage::Error::Configuration(_))) => return Err(error.into()),
        Some(Err(error)) => tracing::error!(%error, "the bucket of files is out of reach"),
        None => tracing::error!("the bucket of files does not answer"),
    }
    Ok(blobs)
}

async fn start_router(db: &Db, checked: &Checked, world: &World) -> Result<Router> {
    let bus = match &checked.bus {
        None => Bus::local(),
        Some(config) => {
            if let BlobConfig::Directory(path) = &checked.blobs {
                // It may be a network folder that all nodes have mounted.
                let path = path.display();
                tracing::info!("all nodes must see the same uploaded files in {path}, or a bucket");
            }
            let key = world.ids.bytes::<32>();
            let key = storage::meta::secret(db, "bus_key", &key).await?;
            Bus::redis(world, config.clone(), &key)
        }
    };
    let (world, db) = (world.clone(), db.clone());
    Ok(Router::start(world, bus, db, checked.router.clone()).await?)
}

/// Checks the configuration and starts a server in this process. It runs until it is stopped.
///
/// # Errors
///
/// What is in the way, before anything was bound where it is the configuration.
pub async fn serve(config: Config, world: World) -> Result<Running> {
    let checked = config.check()?;
    let data_dir = DataDir::lock(&checked.data_dir)?;
    let listeners = listen(&checked.listen)?;
    let core = Core::start(data_dir, &checked, world).await?;
    match open_doors(&core, &checked, listeners).await {
        Ok(opened) => Ok(Running {
            address: opened.address,
            scheme: scheme(&checked),
            redirect: opened.redirect,
            url: opened.url,
            setup_link: opened.setup_link,
            site_key: opened.site_key,
            core,
            gateway: opened.gateway,
            drain: checked.drain,
        }),
        Err(error) => {
            core.stop().await;
            Err(error)
        }
    }
}

/// The ports are taken before the store is opened: a second server by mistake touches nothing.
fn listen(at: &Addresses) -> Result<Listeners> {
    Ok(Listeners {
        http: bind(at.http)?,
        redirect: at.redirect.map(bind).transpose()?,
        metrics: at.metrics.map(bind).transpose()?,
    })
}

fn bind(address: SocketAddr) -> Result<TcpListener> {
    world::net::listen(address).map_err(|source| Error::Listen { address, source })
}

fn address_of(listener: &TcpListener) -> Result<SocketAddr> {
    let what = "the listener's address";
    let address = listener.local_addr();
    address.map_err(|source| Error::System { what, source })
}

struct Opened {
    address: SocketAddr,
    redirect: Option<SocketAddr>,
    url: String,
    setup_link: Option<String>,
    site_key: Option<String>,
    gateway: Gateway,
}

async fn open_doors(core: &Core, checked: &Checked, listeners: Listeners) -> Result<Opened> {
    let address = address_of(&listeners.http)?;
    let redirect = listeners.redirect.as_ref().map(address_of).transpose()?;
    let url = own_url(checked, address);
    let site_key = match &checked.setup {
        Some((email, password)) => core.desk.set_up_unattended(email, password).await?.site_key,
        None => None,
    };
    let token = core.desk.issue_setup_token().await?;
    let (db, world) = (&core.db, &core.world);
    let config = GatewayConfig {
        token_key: token_key(db, world).await?,
        node_name: core.name.clone(),
        ..checked.gateway.clone()
    };
    let socket = AdminSocket::listen(&checked.data_dir)?;
    let parts = Parts {
        world: world.clone(),
        reader: db.reader(),
        router: core.router.clone(),
        desk: core.desk.clone(),
        blobs: core.blobs.clone(),
        metrics: Arc::clone(&core.metrics),
    };
    let gateway = Gateway::start(config, parts, listeners)?;
    world
        .tracker
        .spawn(socket.serve(core.clerk(), world.clone()));
    world.tracker.spawn(core.backups.clone().daily());
    world.tracker.spawn(keep_clock(db.clone(), world.clone()));
    let housekeeping = Housekeeping {
        db: db.clone(),
        blobs: core.blobs.clone(),
        retention: checked.retention.clone(),
        metrics: Arc::clone(&core.metrics),
        world: world.clone(),
    };
    world.tracker.spawn(housekeeping.run());
    Ok(Opened {
        address,
        redirect,
        setup_link: token.map(|token| format!("{url}/console/setup#token={token}")),
        url,
        site_key: site_key.map(|key| key.to_string()),
        gateway,
    })
}

/// The key that signs the tokens of connections: made at the first start, the same for ever.
async fn token_key(db: &Db, world: &World) -> Result<[u8; 32]> {
    let key = storage::meta::secret(db, "token_key", &world.ids.bytes::<32>()).await?;
    key.try_into().map_err(|_| {
        Error::Storage(storage::Error::Corrupt(
            "the key of tokens has another length".to_owned(),
        ))
    })
}

impl Running {
    /// The world that the server runs in, for tests that plant faults.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.core.world
    }

    /// What `/metrics` says, for tests that wait for something.
    #[must_use]
    pub fn metrics(&self) -> String {
        self.gateway.metrics().text()
    }

    /// Ends when the server stops by itself, because a part of it failed.
    pub async fn failed(&self) {
        self.core.world.tracker.soft().cancelled().await;
    }

    /// Ends once another database, which may lack the last commits, has taken the place of the one that was
    /// opened. What this server remembers may be more than what is stored: it must be killed and started anew.
    pub async fn left_behind(&self) {
        self.core.db.left_behind().await;
    }

    /// Reads again what may change while a server runs: the certificate. Whoever renewed it looks into
    /// the log for what came of it.
    pub fn reload(&self) {
        match self.gateway.renew_certificate() {
            Ok(true) => tracing::info!("the certificate was read again"),
            Ok(false) => tracing::info!("nothing to read again: no certificate is configured"),
            Err(error) => tracing::error!(%error, "the certificate of before stays"),
        }
    }

    /// The orderly end: not ready, no new connections, clients told when to return, commits finished.
    pub async fn stop(self) {
        self.core.lease.drain();
        self.gateway.drain(self.drain).await;
        // Connections say goodbye to the core before it is asked to end.
        self.gateway.stop().await;
        self.core.stop().await;
    }

    /// The end at once: whoever was connected finds the line dead. What was acknowledged is stored.
    pub async fn kill(self) {
        self.core.world.tracker.stop_hard();
        self.gateway.stop().await;
        self.core.stop().await;
    }
}

async fn set_clock(db: &Db, world: &World) -> Result<()> {
    world.clock.set_now_ms(storage::meta::now_ms(db).await?);
    Ok(())
}

/// Measures the clock against the store's each minute.
async fn keep_clock(db: Db, world: World) {
    let stop = world.tracker.soft().clone();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = world.clock.sleep(CLOCK_PERIOD) => {}
        }
        if let Err(error) = set_clock(&db, &world).await {
            tracing::warn!(%error, "the store's time could not be read");
        }
    }
}

/// How the main listener is spoken to.
fn scheme(checked: &Checked) -> &'static str {
    if checked.gateway.tls.is_some() {
        "https"
    } else {
        "http"
    }
}

/// The origin under which a browser on this machine, or the configured one, reaches the server.
fn own_url(checked: &Checked, address: SocketAddr) -> String {
    if let Some(origin) = &checked.gateway.public_origin {
        return origin.clone();
    }
    let scheme = scheme(checked);
    if address.ip().is_unspecified() {
        return format!("{scheme}://127.0.0.1:{}", address.port());
    }
    format!("{scheme}://{address}")
}

/// Opens the store, which brings its schema up to date, and closes it again.
///
/// # Errors
///
/// What is in the way.
pub async fn migrate(checked: &Checked, world: World) -> Result<()> {
    let data_dir = DataDir::lock(&checked.data_dir)?;
    let _file_lock = FileLock::take(&checked.database, &data_dir)?;
    let db = storage::open(&checked.database, &world).await?;
    drop(db);
    world.tracker.stop();
    world.tracker.wait().await;
    Ok(())
}

/// Restores a backup into the data directory, which must not be in use.
///
/// # Errors
///
/// `Locked` while a server runs; what else is in the way.
pub async fn restore(
    checked: &Checked,
    from: &Path,
    present: backup::Present,
    world: World,
) -> Result<Vec<String>> {
    let data_dir = DataDir::lock(&checked.data_dir)?;
    let _file_lock = FileLock::take(&checked.database, &data_dir)?;
    let (database, blobs) = (&checked.database, &checked.blobs);
    let lease = match &database.home {
        // Opening would make the file that must not be there.
        Home::Sqlite(_) => None,
        Home::Postgres(_) => {
            let db = storage::open(database, &world).await?;
            Some(Lease::take(&db, database, &data_dir, &Shared::default(), &world).await?)
        }
    };
    let report = backup::restore(&data_dir, from, database, blobs, present, &world).await;
    if let Some(lease) = lease {
        lease.leave().await;
    }
    world.tracker.stop();
    world.tracker.wait().await;
    report
}
