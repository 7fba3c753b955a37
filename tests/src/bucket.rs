//! A bucket for stories about files: `s3s-fs`, an S3 server that others wrote. It checks signatures, and can
//! end and come back at its address.

use std::collections::BTreeSet;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use loadtest::node::port::Port;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use server::Config;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use world::World;

/// How long a story waits for the bucket to hold what it should, and how often it looks.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Who may use it.
pub const KEY_ID: &str = "key-of-the-stories";
/// By which secret.
pub const SECRET: &str = "secret-of-the-stories";
/// What it is called.
pub const NAME: &str = "files";

/// A bucket and its server.
pub struct Bucket {
    directory: TempDir,
    port: Port,
    server: Option<Running>,
    /// How many requests it answers before it breaks off.
    left: Arc<AtomicU64>,
}

struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Bucket {
    /// An empty bucket, whose server runs.
    ///
    /// # Panics
    /// Where it cannot be made.
    #[must_use]
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        std::fs::create_dir(directory.path().join(NAME)).expect("a directory can be made");
        let mut bucket = Self {
            directory,
            port: Port::keep().expect("a free port exists"),
            server: None,
            left: Arc::new(AtomicU64::new(u64::MAX)),
        };
        bucket.comes_back();
        bucket
    }

    /// Has a server keep its files here.
    pub fn is_home_of(&self, config: &mut Config) {
        let attachments = &mut config.attachments;
        attachments.s3_endpoint = format!("http://{}", self.port.address);
        NAME.clone_into(&mut attachments.s3_bucket);
        KEY_ID.clone_into(&mut attachments.s3_access_key_id);
        SECRET.clone_into(&mut attachments.s3_secret_access_key);
    }

    /// It ends; nobody listens any more.
    ///
    /// # Panics
    /// Where it had ended before.
    pub fn goes(&mut self) {
        let server = self.server.take().expect("it runs");
        // Its thread ends without being asked only by a panic, which the next line shows.
        let _ = server.stop.send(());
        server.thread.join().expect("it served without a panic");
    }

    /// It answers so many requests more, and breaks off all others.
    pub fn breaks_off_after(&self, count: u64) {
        self.left.store(count, Ordering::SeqCst);
    }

    /// It runs again, at the same address and with what it had, and answers all.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn comes_back(&mut self) {
        self.left.store(u64::MAX, Ordering::SeqCst);
        let listener = TcpListener::bind(self.port.address).expect("the port is kept");
        let nonblocking = listener.set_nonblocking(true);
        nonblocking.expect("a socket can be told not to wait");
        let files = s3s_fs::FileSystem::new(self.directory.path());
        let mut service = S3ServiceBuilder::new(files.expect("the directory is there"));
        service.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
        let serving = serve(listener, service.build(), Arc::clone(&self.left));
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime can be made");
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    served = serving => served.expect("it listens until it is stopped"),
                }
            });
        });
        self.server = Some(Running { stop, thread });
    }

    /// The keys of all that it holds.
    #[must_use]
    pub fn keys(&self) -> BTreeSet<String> {
        let root = self.directory.path().join(NAME);
        let mut keys = BTreeSet::new();
        for file in files(&root) {
            let key = file.strip_prefix(&root).expect("it was found there");
            keys.insert(key.to_str().expect("our keys are ASCII").to_owned());
        }
        keys
    }

    /// Waits until it holds just these.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn holds(&self, world: &World, wanted: &BTreeSet<String>) {
        let reached = async {
            while self.keys() != *wanted {
                world.clock.sleep(LOOK_AGAIN).await;
            }
        };
        let reached = world.clock.timeout(PATIENCE, reached).await;
        assert!(reached.is_some(), "{:?} instead of {wanted:?}", self.keys());
    }
}

impl Default for Bucket {
    fn default() -> Self {
        Self::new()
    }
}

async fn serve(listener: TcpListener, service: S3Service, left: Arc<AtomicU64>) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let mut connections = JoinSet::new();
    loop {
        let (socket, _) = listener.accept().await?;
        let (service, left) = (service.clone(), Arc::clone(&left));
        let answer = service_fn(move |request: Request<Incoming>| {
            let take = |left: u64| left.checked_sub(1);
            let taken = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take);
            let answer = taken.map(|_| Service::call(&service, request));
            async {
                let answer = answer.map_err(|_| io::Error::other("broken off"))?;
                answer
                    .await
                    .map_err(|error| io::Error::other(format!("{error:?}")))
            }
        });
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), answer));
        // How a connection ended is its client's affair.
        while connections.try_join_next().is_some() {}
    }
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let found = paths.map(|path| {
        if path.is_dir() {
            files(&path)
        } else {
            vec![path]
        }
    });
    found.flatten().collect()
}
