//! A Redis of the tool's own: on loopback, keeping nothing on disk; to be killed and started again.

use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::{Child, Command};
use world::World;
use world::net::TcpStream;

use crate::Error;

/// Below the ports that the system gives to outgoing connections, so that none takes it between two runs.
const PORTS: std::ops::Range<u64> = 12_000..30_000;

/// How often it is looked whether it listens, and how often in all.
const LOOK: Duration = Duration::from_millis(10);
const LOOKS_MAX: u32 = 3_000;

/// How many ports are tried.
const PORTS_MAX: u32 = 20;

/// A Redis, running or not.
#[derive(Debug)]
pub struct Redis {
    directory: TempDir,
    port: u16,
    process: Option<Child>,
}

impl Redis {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// `redis-server` is not installed, or does not start.
    pub async fn start(world: &World) -> Result<Self, Error> {
        let mut redis = Self {
            directory: tempfile::tempdir()?,
            port: 0,
            process: None,
        };
        for _ in 0..PORTS_MAX {
            let port = PORTS.start + world.ids.below(PORTS.end - PORTS.start);
            redis.port = u16::try_from(port).expect("a port");
            if redis.run(world).await? {
                return Ok(redis);
            }
        }
        Err(Error::Node("redis-server finds no free port".to_owned()))
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it by SIGKILL.
    ///
    /// # Errors
    /// It does not run.
    pub async fn kill(&mut self) -> Result<(), Error> {
        let process = self.process.take();
        let mut process = process.ok_or_else(|| Error::Node("redis does not run".to_owned()))?;
        process.kill().await?;
        Ok(())
    }

    /// Starts it again where it was.
    ///
    /// # Errors
    /// It does not start.
    pub async fn restart(&mut self, world: &World) -> Result<(), Error> {
        for _ in 0..LOOKS_MAX {
            if self.run(world).await? {
                return Ok(());
            }
            world.clock.sleep(LOOK).await;
        }
        Err(Error::Node("redis-server does not start again".to_owned()))
    }

    /// Whether it runs; not where the port is taken.
    async fn run(&mut self, world: &World) -> Result<bool, Error> {
        let mut process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--port"])
            .arg(self.port.to_string())
            .arg("--dir")
            .arg(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Error::Node(format!("redis-server cannot be started: {error}")))?;
        for _ in 0..LOOKS_MAX {
            let answers = TcpStream::connect(("127.0.0.1", self.port)).await.is_ok();
            if process.try_wait()?.is_some() {
                return Ok(false);
            }
            if answers {
                self.process = Some(process);
                return Ok(true);
            }
            world.clock.sleep(LOOK).await;
        }
        Err(Error::Node("redis-server does not listen".to_owned()))
    }
}
