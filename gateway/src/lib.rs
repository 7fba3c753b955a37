//! The gateway: sockets, streams and HTTP doors. Decode, limit, authenticate, call, encode.
//!
//! It decides nothing about the product: who may do what is asked inside, by router and desk. One
//! acceptor hands sockets in turn to shards, each with a thread, a runtime and connections of its own.
//! `server` starts it and tells it to drain and to stop.

pub mod address;
pub mod browser;
pub mod config;
mod connection;
pub mod cookie;
mod distribution;
mod error;
mod http;
pub mod identity;
mod limits;
mod listen;
pub mod media;
pub mod metric;
pub mod origin;
mod shard;
mod tls;
pub mod token;
mod visitor;

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use desk::Desk;
use router::Router;
use storage::Reader;
use storage::blob::Blobs;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use world::World;
use world::net::simulated::Pipe;
use world::net::{LooseSocket, TcpListener};

pub use config::GatewayConfig;
pub use error::Error;

use metric::{Metric, Metrics};
use shard::Seed;
use shard::errand::{Accepted, Errand};
use shard::returns::Returns;
use token::Tokens;

/// Errands that may wait for a shard. A full channel makes the acceptor wait: that is the backlog's job.
const ERRANDS_MAX: usize = 1_024;
/// Deliveries that may wait for a shard. A shard that is slower loses some, and is told so by router.
const DELIVERIES_MAX: usize = 4_096;

/// What the gateway calls.
#[derive(Clone)]
pub struct Parts {
    /// Time, ids, tasks.
    pub world: World,
    /// Reads.
    pub reader: Reader,
    /// The realtime core.
    pub router: Router,
    /// The product's rules.
    pub desk: Desk,
    /// Files.
    pub blobs: Blobs,
    /// What is counted, here and by whoever made it.
    pub metrics: Arc<Metrics>,
}

/// Where clients come in. `server` binds them, so that a taken port is known before anything is opened.
#[derive(Debug)]
pub struct Listeners {
    /// For everybody.
    pub http: TcpListener,
    /// For plain HTTP that is sent on to TLS.
    pub redirect: Option<TcpListener>,
    /// For `/metrics` alone.
    pub metrics: Option<TcpListener>,
}

/// What all doors and connections share. A cheap clone.
#[derive(Clone)]
pub(crate) struct Doors(Arc<DoorsInner>);

/// See [`Doors`].
pub(crate) struct DoorsInner {
    pub(crate) world: World,
    pub(crate) reader: Reader,
    pub(crate) router: Router,
    pub(crate) desk: Desk,
    pub(crate) blobs: Blobs,
    pub(crate) tokens: Tokens,
    pub(crate) limits: limits::Limits,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) geo: browser::Geo,
    pub(crate) streams: connection::stream::Streams,
    pub(crate) tls: Option<TlsAcceptor>,
    certificate: Option<Arc<tls::Certificate>>,
    pub(crate) config: GatewayConfig,
    ready: AtomicBool,
    /// When they were opened.
    pub(crate) opened_at_ms: u64,
}

impl Deref for Doors {
    type Target = DoorsInner;

    fn deref(&self) -> &DoorsInner {
        &self.0
    }
}

impl DoorsInner {
    /// Whether new clients are welcome.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }
}

/// The running gateway.
pub struct Gateway {
    doors: Doors,
    address: SocketAddr,
    errands: Vec<flume::Sender<Errand>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Cancelled when no more sockets are taken.
    accepting: CancellationToken,
}

impl Gateway {
    /// Starts the threads of the shards and of the acceptor. Needs a tokio runtime for the listeners beside it.
    ///
    /// # Errors
    /// A certificate or geo file that cannot be used, or a thread that cannot be started.
    pub fn start(config: GatewayConfig, parts: Parts, listeners: Listeners) -> Result<Self, Error> {
        let address = listeners.http.local_addr().map_err(Error::Listener)?;
        let doors = doors(config, parts)?;
        let accepting = doors.world.tracker.soft().child_token();
        let mut errands = Vec::new();
        let mut threads = Vec::new();
        for index in 0..doors.config.shards.max(1) {
            let (sender, thread) = start_shard(&doors, index)?;
            errands.push(sender);
            threads.push(thread);
        }
        threads.push(listen::start(
            &doors,
            listeners,
            errands.clone(),
            &accepting,
        )?);
        Ok(Self {
            doors,
            address,
            errands,
            threads: Mutex::new(threads),
            accepting,
        })
    }

    /// Starts the gateway in a simulation: its shards are tasks of the world's machine, and its sockets come
    /// by [`Gateway::take`], at `address`.
    ///
    /// # Errors
    /// As [`Gateway::start`].
    pub fn simulate(
        config: GatewayConfig,
        parts: Parts,
        address: SocketAddr,
    ) -> Result<Self, Error> {
        let doors = doors(config, parts)?;
        let accepting = doors.world.tracker.soft().child_token();
        let mut errands = Vec::new();
        for _ in 0..doors.config.shards.max(1) {
            let (sender, seed) = seed(&doors);
            doors.world.tracker.spawn_local(seed.serve());
            errands.push(sender);
        }
        Ok(Self {
            doors,
            address,
            errands,
            threads: Mutex::default(),
            accepting,
        })
    }

    /// Takes a socket of a simulation.
    pub async fn take(&self, pipe: Pipe, peer: SocketAddr) {
        if self.accepting.is_cancelled() {
            return;
        }
        self.doors.metrics.add(Metric::Accepted, 1);
        let accepted = self.doors.metrics.get(Metric::Accepted);
        let turn = usize::try_from(accepted).unwrap_or_default() % self.errands.len();
        let socket = LooseSocket::Simulated(Box::new(pipe));
        let errand = Errand::Accept(Box::new(Accepted { socket, peer }));
        // A shard that is gone serves nobody.
        let _served = self.errands[turn].send_async(errand).await;
    }

    /// Where clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether `/readyz` says so.
    pub fn set_ready(&self, ready: bool) {
        self.doors.ready.store(ready, Ordering::Relaxed);
    }

    /// Reads the certificate and its key again, for who connects from now on. Whether there is one at
    /// all. Connections that are there go on.
    ///
    /// # Errors
    /// Files that cannot be used; then the certificate of before stays.
    pub fn renew_certificate(&self) -> Result<bool, Error> {
        match &self.doors.certificate {
            Some(certificate) => certificate.read_again().map(|()| true),
            None => Ok(false),
        }
    }

    /// What was counted so far; who works beside the doors counts here too.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.doors.metrics
    }

    /// Takes no more sockets and sends all clients away, to come back evenly over the window, agents
    /// first; it is taken as five seconds at least and as eight at most. Ends when they are gone, or after
    /// `window`.
    pub async fn drain(&self, window: Duration) {
        self.set_ready(false);
        self.accepting.cancel();
        let count = |metric| u64::try_from(self.doors.metrics.get(metric)).unwrap_or(0);
        let agents = count(Metric::AgentConnections);
        let returns = Returns::over(window, agents, count(Metric::VisitorConnections));
        for errands in &self.errands {
            let drain = Errand::Drain(returns.clone());
            // A shard that is gone has nobody to send away.
            let _told = errands.send_async(drain).await;
        }
        let clock = &self.doors.world.clock;
        let gone = async {
            while self.doors.metrics.get(Metric::Connections) > 0 {
                clock.sleep(Duration::from_millis(10)).await;
            }
        };
        // Who is left after the window is cut off by `stop`.
        let _gone = clock.timeout(window, gone).await;
    }

    /// Ends what is left and waits for all threads.
    pub async fn stop(&self) {
        self.set_ready(false);
        self.accepting.cancel();
        for errands in &self.errands {
            // A shard that is gone has stopped.
            let _told = errands.send_async(Errand::Stop).await;
        }
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                if thread.join().is_err() {
                    tracing::error!("a thread of the gateway had panicked");
                }
            }
        });
        // The runtime itself is being shut down when this is not joined.
        let _joined = joined.await;
    }
}

fn doors(config: GatewayConfig, parts: Parts) -> Result<Doors, Error> {
    if config.token_key == [0; 32] {
        return Err(Error::TokenKey);
    }
    let certificate = config
        .tls
        .as_ref()
        .map(tls::Certificate::read)
        .transpose()?;
    let tls = certificate.clone().map(tls::acceptor).transpose()?;
    let geo = browser::Geo::open(&config.geo).map_err(Error::Geo)?;
    Ok(Doors(Arc::new(DoorsInner {
        tokens: Tokens::new(config.token_key),
        limits: limits::Limits::new(&config.limits, &parts.world.clock),
        metrics: parts.metrics,
        streams: connection::stream::Streams::default(),
        ready: AtomicBool::new(true),
        opened_at_ms: parts.world.clock.now_ms(),
        world: parts.world,
        reader: parts.reader,
        router: parts.router,
        desk: parts.desk,
        blobs: parts.blobs,
        geo,
        tls,
        certificate,
        config,
    })))
}

fn start_shard(
    doors: &Doors,
    index: usize,
) -> Result<(flume::Sender<Errand>, JoinHandle<()>), Error> {
    let (errand_sender, seed) = seed(doors);
    let thread = std::thread::Builder::new()
        .name(format!("shard-{index}"))
        .spawn(move || seed.run())
        .map_err(Error::Thread)?;
    Ok((errand_sender, thread))
}

fn seed(doors: &Doors) -> (flume::Sender<Errand>, Seed) {
    let (errand_sender, errands) = flume::bounded(ERRANDS_MAX);
    let (delivery_sender, deliveries) = flume::bounded(DELIVERIES_MAX);
    let seed = Seed {
        doors: doors.clone(),
        id: doors.router.register_shard(delivery_sender),
        errands,
        errand_sender: errand_sender.clone(),
        deliveries,
        http: http::router(doors.clone()),
    };
    (errand_sender, seed)
}
