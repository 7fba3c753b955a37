//! The real binary as a child process, for stories in which it is killed.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child as Process, Command};
use world::World;

use crate::home::Data;
use crate::metric;
use crate::stack::{EMAIL, PASSWORD};

/// How long a server may take until it listens. Generous: the machine may be busy.
const START_MAX: Duration = Duration::from_secs(60);

/// A running `switchboard`.
#[derive(Debug)]
pub struct Child {
    process: Process,
    /// Where it listens.
    pub address: SocketAddr,
}

/// The binary: the one that `SWITCHBOARD_BIN` names, or else built if it is not fresh, because
/// `cargo test -p tests` alone would leave it as it was.
///
/// # Panics
/// Where it does not build.
#[must_use]
pub fn binary() -> &'static PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(built) = std::env::var_os("SWITCHBOARD_BIN") {
            return PathBuf::from(built);
        }
        let built = std::process::Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--locked",
                "--package",
                "server",
                "--bin",
                "switchboard",
            ])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(
            built.is_ok_and(|status| status.success()),
            "the server does not build"
        );
        // target/debug/deps/<test> stands two below target/debug/switchboard.
        let test = std::env::current_exe().expect("a test has a path");
        let folder = test
            .ancestors()
            .nth(2)
            .expect("it lies in target/debug/deps");
        folder.join("switchboard")
    })
}

/// The binary, told where its data is.
fn on(data: &Data) -> Command {
    let mut command = Command::new(binary());
    command
        .env_clear()
        .env("SWITCHBOARD_DATA_DIR", data.path())
        .env("SWITCHBOARD_DATABASE_URL", data.database_url())
        .env("SWITCHBOARD_REDIS_URL", data.redis_url());
    command
}

/// Runs one of its other commands to the end and gives what it printed.
///
/// # Errors
/// What it said when it failed.
///
/// # Panics
/// Where it cannot be started.
pub async fn command(data: &Data, arguments: &[&str]) -> Result<String, String> {
    let refused = |(_, errors)| errors;
    ends(data, arguments).await.map_err(refused)
}

/// As [`command`], with the code that it ended with when it failed.
///
/// # Errors
/// The code, and what it said.
///
/// # Panics
/// Where it cannot be started.
pub async fn ends(data: &Data, arguments: &[&str]) -> Result<String, (Option<i32>, String)> {
    let ended = on(data).args(arguments).output().await;
    let ended = ended.expect("the binary can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if ended.status.success() {
        Ok(text(&ended.stdout))
    } else {
        Err((ended.status.code(), text(&ended.stderr)))
    }
}

impl Child {
    /// Starts the binary on a home.
    ///
    /// # Panics
    /// Where it does not start.
    pub async fn start(world: &World, data: &Data, listen: SocketAddr) -> Self {
        let mut process = on(data)
            .arg("serve")
            .env("SWITCHBOARD_LISTEN", listen.to_string())
            .env("SWITCHBOARD_SETUP_EMAIL", EMAIL)
            .env("SWITCHBOARD_SETUP_PASSWORD", PASSWORD)
            .env("SWITCHBOARD_LIMITS_TRUSTED_ADDRESSES", "127.0.0.0/8")
            .env("SWITCHBOARD_METRICS_TOKEN", metric::TOKEN)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the binary can be started");
        let output = process.stdout.take().expect("the output is piped");
        let mut lines = BufReader::new(output).lines();
        let mut address = None;
        let listening = async {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(url) = line.strip_prefix("listening on http://") {
                    address = url.trim_end_matches('/').parse().ok();
                }
                if address.is_some() && line.starts_with("site key: ") {
                    return;
                }
            }
        };
        let started = world.clock.timeout(START_MAX, listening).await;
        assert!(started.is_some(), "the server did not say that it listens");
        // What it says from here on nobody reads; it must not find the pipe closed.
        world
            .tracker
            .spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            process,
            address: address.expect("the server named its address"),
        }
    }

    /// Ends it by SIGKILL, as a lost machine does.
    ///
    /// # Panics
    /// Where it had ended before.
    pub async fn kill(mut self) {
        self.process.kill().await.expect("it was running");
    }

    /// Has the kernel refuse every write that would make a file larger than this, as a full disk does; with
    /// nothing, there is room again.
    ///
    /// # Panics
    /// Where it has ended.
    pub fn limit_files(&self, bytes: Option<u64>) {
        let pid = self.process.id().and_then(|id| i32::try_from(id).ok());
        let pid = pid.and_then(Pid::from_raw).expect("it runs");
        let limit = Rlimit {
            current: bytes,
            maximum: None,
        };
        prlimit(Some(pid), Resource::Fsize, limit).expect("the kernel takes the limit");
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.process.id()
    }
}
