//! A node of a simulation: the real router, desk and gateway on a machine that can be killed.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bus::Bus;
use desk::{Desk, DeskConfig};
use gateway::{Gateway, GatewayConfig, Parts};
use protocol::id::NodeId;
use router::{Router, RouterConfig};
use storage::Db;
use storage::blob::BlobConfig;
use storage::node::{Company, Load, Node as Row};
use storage::simulated::Store;
use tokio::sync::Notify;
use world::net::simulated::{Network, Pipe};
use world::simulation::{self, Machine};
use world::{Ids, World};

/// How often a node measures its clock, and renews its lease: as `server` does.
const CLOCK_PERIOD: Duration = Duration::from_secs(60);
const BEAT: Duration = Duration::from_secs(1);
/// How long a node that did not renew may live, and when it counts as dead: as in `server`.
const DOUBT: Duration = Duration::from_millis(3_500);
const TERM: Duration = Duration::from_secs(10);
/// How long clients have to go when a node is drained.
const DRAIN_WINDOW: Duration = Duration::from_secs(5);
/// How long a node waits before it tries once more to start.
const START_AGAIN: Duration = Duration::from_millis(300);

/// What nodes share.
pub(crate) struct Ground {
    pub(crate) world: World,
    pub(crate) store: Store,
    pub(crate) network: Network,
    pub(crate) bus: bus::simulated::Network,
    pub(crate) files: std::path::PathBuf,
}

/// A node that runs, or starts.
pub(crate) struct Node {
    pub(crate) world: World,
    pub(crate) bus: Bus,
    machine: Machine,
    /// Which start of all this was.
    seed: u64,
    end: Arc<Notify>,
}

/// Where the node of a number listens.
pub(crate) fn address(number: usize) -> SocketAddr {
    let port = 8_000 + u16::try_from(number).expect("few nodes");
    SocketAddr::from(([127, 0, 0, 1], port))
}

impl Node {
    /// Starts a node. Its clock is wrong until it has asked the store.
    pub(crate) fn start(ground: &Ground, number: usize, seed: u64) -> Self {
        let machine = simulation::machine();
        let wrong_ms = ground.world.ids.below(600_000);
        let clock = &ground.world.clock;
        let clock = clock.beside(clock.now_ms() - 300_000 + wrong_ms);
        let ids = Ids::seeded(seed, clock.clone());
        let world = World::of_machine(machine, clock, ids);
        let bus = ground.bus.join(&world);
        let end = Arc::<Notify>::default();
        let life = Life {
            world: world.clone(),
            bus: bus.clone(),
            store: ground.store.clone(),
            pipes: ground.network.listen(address(number)),
            files: ground.files.clone(),
            number,
            end: Arc::clone(&end),
        };
        world.tracker.spawn_local(life.run());
        Self {
            world,
            bus,
            machine,
            seed,
            end,
        }
    }

    /// Asks it to end in good order. Gives which run of it that is.
    pub(crate) fn drain(&self) -> u64 {
        self.end.notify_one();
        self.seed
    }

    /// Whether it is this run.
    pub(crate) fn is_run(&self, seed: u64) -> bool {
        self.seed == seed
    }

    /// Kills it: nothing of it goes on, and its connections are gone.
    pub(crate) fn kill(self) {
        if let Bus::Simulated(seat) = &self.bus {
            seat.leave();
        }
        simulation::kill(self.machine);
    }
}

struct Life {
    world: World,
    bus: Bus,
    store: Store,
    pipes: flume::Receiver<Pipe>,
    files: std::path::PathBuf,
    number: usize,
    end: Arc<Notify>,
}

impl Life {
    async fn run(self) {
        let (db, router) = loop {
            match self.core().await {
                Ok(core) => break core,
                Err(_) => self.world.clock.sleep(START_AGAIN).await,
            }
        };
        let gateway = self.gateway(&db, &router);
        let peer = SocketAddr::from(([127, 0, 0, 1], 1_024));
        loop {
            tokio::select! {
                biased;
                () = self.end.notified() => break,
                taken = self.pipes.recv_async() => match taken {
                    Ok(pipe) => gateway.take(pipe, peer).await,
                    Err(_) => return,
                },
            }
        }
        // Whoever comes from here on is refused; the rest as `server` does it.
        drop(self.pipes);
        gateway.drain(DRAIN_WINDOW).await;
        self.world.tracker.stop();
    }

    async fn core(&self) -> Result<(Db, Router), router::Error> {
        let world = &self.world;
        let db = self.store.open(world).await?;
        world.clock.set_now_ms(storage::meta::now_ms(&db).await?);
        let row = self.row();
        storage::node::enter(&db, &row, &[]).await?;
        let config = RouterConfig::default();
        let router = Router::start(world.clone(), self.bus.clone(), db.clone(), config).await?;
        let tracker = &world.tracker;
        let keeper = Keeper {
            world: world.clone(),
            db: db.clone(),
            router: router.clone(),
            seen: Vec::new(),
        };
        tracker.spawn_local(keeper.run(row));
        tracker.spawn_local(keep_clock(world.clone(), db.clone()));
        Ok((db, router))
    }

    fn gateway(&self, db: &Db, router: &Router) -> Gateway {
        let world = &self.world;
        let desk = Desk::new(
            world.clone(),
            db.clone(),
            router.clone(),
            DeskConfig::default(),
        );
        let blobs = BlobConfig::Directory(self.files.clone());
        let parts = Parts {
            world: world.clone(),
            reader: db.reader(),
            router: router.clone(),
            desk,
            blobs: storage::blob::open(&blobs).expect("a directory is there"),
            metrics: std::sync::Arc::default(),
        };
        let mut config = GatewayConfig {
            token_key: [7; 32],
            shards: 2,
            ..GatewayConfig::default()
        };
        let loopback = "127.0.0.0/8".parse().expect("a network");
        config.limits.trusted_addresses = vec![loopback];
        Gateway::simulate(config, parts, address(self.number)).expect("a gateway starts")
    }

    fn row(&self) -> Row {
        let now_ms = self.world.clock.now_ms();
        Row {
            id: self.world.ids.next(),
            name: format!("node {}", self.number),
            seat: self.number.to_string(),
            company: Company::Shared,
            bus: "simulated".to_owned(),
            files: String::new(),
            settings: BTreeMap::new(),
            version: "1".to_owned(),
            renewal: 1,
            started_at_ms: now_ms,
            renewed_at_ms: now_ms,
            load: Load::default(),
        }
    }
}

async fn keep_clock(world: World, db: Db) {
    loop {
        world.clock.sleep(CLOCK_PERIOD).await;
        if let Ok(now_ms) = storage::meta::now_ms(&db).await {
            world.clock.set_now_ms(now_ms);
        }
    }
}

/// Who renews the node's lease, as `server` does on Postgres.
struct Keeper {
    world: World,
    db: Db,
    router: Router,
    seen: Vec<Seen>,
}

struct Seen {
    id: NodeId,
    renewal: u64,
    since: Duration,
}

impl Keeper {
    async fn run(mut self, mut row: Row) {
        self.router.incarnate(row.id);
        let soft = self.world.tracker.soft().clone();
        loop {
            tokio::select! {
                biased;
                () = soft.cancelled() => break,
                () = self.world.clock.sleep(BEAT) => {}
            }
            match self.beat(row.id).await {
                Ok(true) | Err(_) => continue,
                Ok(false) => {}
            }
            row.id = self.world.ids.next();
            if storage::node::enter(&self.db, &row, &[]).await.is_ok() {
                self.router.incarnate(row.id);
            }
        }
        // Where the store does not answer, the row ends by itself.
        let _ = storage::node::leave(&self.db, row.id).await;
    }

    async fn beat(&mut self, own_id: NodeId) -> storage::Result<bool> {
        let now = self.world.clock.elapsed();
        let dead = self.seen.iter().filter(|seen| now - seen.since >= TERM);
        let dead: Vec<_> = dead.map(|seen| (seen.id, seen.renewal)).collect();
        let now_ms = self.world.clock.now_ms();
        let load = Load::default();
        let beaten = storage::node::beat(&self.db, own_id, load, &dead, now_ms).await?;
        let Some(rows) = beaten else {
            return Ok(false);
        };
        let now = self.world.clock.elapsed();
        let mut seen = Vec::new();
        for row in rows {
            let before = self.seen.iter().find(|seen| seen.id == row.id);
            let since = match before {
                Some(before) if before.renewal == row.renewal => before.since,
                Some(_) | None => now,
            };
            seen.push(Seen {
                id: row.id,
                renewal: row.renewal,
                since,
            });
        }
        self.seen = seen;
        let living = self.seen.iter().filter(|seen| now - seen.since < DOUBT);
        let living = living.map(|seen| seen.id).filter(|id| *id != own_id);
        self.router.call_the_roll(living.collect());
        Ok(true)
    }
}
