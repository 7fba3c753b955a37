//! A Switchboard of the tool's own: the binary `switchboard` beside this one, on loopback, with its
//! data in a temporary folder; to be killed, paused and started again.

pub mod own;
pub mod port;
pub mod postgres;
pub mod proxy;
pub mod redis;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use protocol::id::SiteId;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use world::World;

use crate::Error;
use crate::node::port::Port;

/// The owner of a node's workspace, unless another is named.
pub const EMAIL: &str = "owner@example.com";

/// How long a node may take until it listens. Generous: the machine may be busy.
const START_MAX: Duration = Duration::from_secs(60);

/// Bytes of a node's log that an error shows.
const LOG_SHOWN: usize = 2_000;

/// Where a node's data is, and what it is told.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The binary.
    pub binary: PathBuf,
    /// The folder for its data and its log.
    pub home: PathBuf,
    /// The folder of uploaded files that it shares with others; one of its own where there is none.
    pub files: Option<PathBuf>,
    /// The owner's address and password: made at the first start of an empty store.
    pub email: String,
    /// See `email`.
    pub password: String,
    /// Variables beside those that every node gets.
    pub variables: Vec<(String, String)>,
}

/// A node, running or not.
#[derive(Debug)]
pub struct Node {
    spec: Spec,
    /// Where it listens, from the first start on.
    port: Option<Port>,
    process: Option<Child>,
    site_key: Option<SiteId>,
    /// Variables of faults inside.
    planted: Vec<(String, String)>,
}

/// The binary `switchboard` in the folder of this program.
///
/// # Errors
/// It is not there.
pub fn binary() -> Result<PathBuf, Error> {
    let own = std::env::current_exe()?;
    let folder = own.parent().unwrap_or(Path::new("."));
    let found = folder.join("switchboard");
    if found.is_file() {
        return Ok(found);
    }
    let text = format!("{} is missing: build it with make release", found.display());
    Err(Error::Node(text))
}

/// How long a store or a bus of the tool's own may take to end when it is asked to. Generous, as above.
const END_MAX: Duration = Duration::from_secs(60);

/// Waits until a process that was asked to has ended.
async fn ended_by(world: &World, process: Option<Child>, name: &str) -> Result<(), Error> {
    let mut process = process.ok_or_else(|| Error::Node(format!("{name} does not run")))?;
    let ended = world.clock.timeout(END_MAX, process.wait()).await;
    match ended.transpose()? {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(Error::Node(format!("{name} ended badly, {status}"))),
        None => Err(Error::Node(format!(
            "{name} did not end when it was asked to"
        ))),
    }
}

/// Sends a signal to a process of the tool's own.
pub(crate) fn signal_process(pid: Option<u32>, signal: Signal) -> Result<(), Error> {
    let pid = pid.and_then(|pid| i32::try_from(pid).ok());
    let pid = pid.and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| Error::Node("does not run".to_owned()))?;
    kill_process(pid, signal).map_err(|error| Error::Node(error.to_string()))
}

/// Makes a folder the one of uploaded files in a data directory, in the place of another that was.
fn link(files: &Path, data_dir: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(files)?;
    std::fs::create_dir_all(data_dir)?;
    let link = data_dir.join("files");
    match std::fs::remove_file(&link) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => std::os::unix::fs::symlink(files, link),
    }
}

impl Node {
    /// A node, not yet started.
    #[must_use]
    pub fn new(spec: Spec) -> Self {
        Self {
            spec,
            port: None,
            process: None,
            site_key: None,
            planted: Vec::new(),
        }
    }

    /// Sets the faults inside that it has from its next start on, in place of those before.
    pub fn plant(&mut self, variables: Vec<(String, String)>) {
        self.planted = variables;
    }

    /// Sets the folder of uploaded files that it shares from its next start on.
    pub fn keep_files_in(&mut self, files: PathBuf) {
        self.spec.files = Some(files);
    }

    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// It does not start; with what it said.
    pub async fn start(&mut self, world: &World) -> Result<(), Error> {
        std::fs::create_dir_all(&self.spec.home)?;
        if let Some(files) = &self.spec.files {
            link(files, &self.spec.home.join("data"))?;
        }
        if self.port.is_none() {
            self.port = Some(Port::keep()?);
        }
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.log_path())?;
        let mut process = Command::new(&self.spec.binary)
            .env_clear()
            .env("SWITCHBOARD_DATA_DIR", self.spec.home.join("data"))
            .env("SWITCHBOARD_LISTEN", self.address().to_string())
            .env("SWITCHBOARD_SETUP_EMAIL", &self.spec.email)
            .env("SWITCHBOARD_SETUP_PASSWORD", &self.spec.password)
            .env("SWITCHBOARD_LIMITS_TRUSTED_ADDRESSES", "127.0.0.0/8")
            .env("SWITCHBOARD_BACKUP_DAILY_AT", "")
            .envs(self.spec.variables.iter().cloned())
            .envs(self.planted.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let output = process.stdout.take().expect("the output is piped");
        let mut lines = BufReader::new(output).lines();
        let listening = async {
            let mut is_listening = false;
            while let Ok(Some(line)) = lines.next_line().await {
                is_listening |= line.starts_with("listening on http://");
                if let Some(key) = line.strip_prefix("site key: ") {
                    return key.parse().ok().filter(|_| is_listening);
                }
            }
            None
        };
        let started = world.clock.timeout(START_MAX, listening).await.flatten();
        let Some(site_key) = started else {
            // It may have ended by itself, which is what the log tells.
            let _ = process.kill().await;
            return Err(Error::Node(format!("did not start: {}", self.log_end())));
        };
        // What it says from here on nobody reads; it must not find the pipe closed.
        world
            .tracker
            .spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        self.site_key = Some(site_key);
        self.process = Some(process);
        Ok(())
    }

    /// Where it listens; port 0 before its first start.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        self.port.as_ref().map_or(nowhere, |port| port.address)
    }

    /// As an address for clients.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The site that it made at its first start.
    #[must_use]
    pub fn site_key(&self) -> Option<SiteId> {
        self.site_key
    }

    /// The owner's password.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.spec.password
    }

    /// Its process, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().and_then(Child::id)
    }

    /// Ends it by SIGKILL, as a lost machine does.
    ///
    /// # Errors
    /// It had ended by itself before.
    pub async fn kill(&mut self) -> Result<(), Error> {
        let mut process = self.running()?;
        let ended = process.try_wait()?;
        process.kill().await?;
        match ended {
            Some(status) => Err(self.ended(status)),
            None => Ok(()),
        }
    }

    /// Asks it to end and waits until it has.
    ///
    /// # Errors
    /// It does not end in time, or badly.
    pub async fn stop(&mut self, world: &World, limit: Duration) -> Result<(), Error> {
        self.signal(Signal::TERM)?;
        let mut process = self.running()?;
        match world.clock.timeout(limit, process.wait()).await {
            Some(status) => {
                let status = status?;
                if status.success() {
                    return Ok(());
                }
                Err(self.ended(status))
            }
            None => {
                process.kill().await?;
                Err(Error::Node("did not end when it was asked to".to_owned()))
            }
        }
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// It does not run.
    pub fn signal(&self, signal: Signal) -> Result<(), Error> {
        signal_process(self.pid(), signal)
    }

    /// Fails if it has ended by itself.
    ///
    /// # Errors
    /// How it ended; with what it said.
    pub fn check(&mut self) -> Result<(), Error> {
        let Some(process) = &mut self.process else {
            return Ok(());
        };
        match process.try_wait()? {
            Some(status) => {
                self.process = None;
                Err(self.ended(status))
            }
            None => Ok(()),
        }
    }

    fn running(&mut self) -> Result<Child, Error> {
        let process = self.process.take();
        process.ok_or_else(|| Error::Node("does not run".to_owned()))
    }

    fn ended(&self, status: ExitStatus) -> Error {
        Error::Node(format!("ended by itself, {status}: {}", self.log_end()))
    }

    fn log_path(&self) -> PathBuf {
        self.spec.home.join("log")
    }

    /// How often it has said this in its log.
    #[must_use]
    pub fn said_count(&self, words: &str) -> usize {
        let log = std::fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&log).matches(words).count()
    }

    /// The last words of its log.
    fn log_end(&self) -> String {
        let log = std::fs::read(self.log_path()).unwrap_or_default();
        let from = log.len().saturating_sub(LOG_SHOWN);
        String::from_utf8_lossy(&log[from..]).trim().to_owned()
    }
}
