//! A Redis of the tool's own: on loopback, keeping nothing on disk; to be killed and started again.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use world::World;
use world::net::TcpStream;

use crate::Error;
use crate::node::port::Port;
use crate::node::{ended_by, signal_process};

/// How often it is looked whether it listens, and how often in all.
const LOOK: Duration = Duration::from_millis(10);
const LOOKS_MAX: u32 = 3_000;

/// A Redis, running or not.
#[derive(Debug)]
pub struct Redis {
    directory: TempDir,
    port: Port,
    process: Option<Child>,
}

impl Redis {
    /// Starts one on a port of its own.
    ///
    /// # Errors
    /// `redis-server` is not installed, or does not start.
    pub async fn start(world: &World) -> Result<Self, Error> {
        let mut redis = Self {
            directory: tempfile::tempdir()?,
            port: Port::keep()?,
            process: None,
        };
        redis.restart(world).await?;
        Ok(redis)
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.port.address)
    }

    /// Its process, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().and_then(Child::id)
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

    /// Asks it to end, as its `SHUTDOWN` does: it takes nothing new, and says goodbye.
    ///
    /// # Errors
    /// It does not run, or does not end in time.
    pub async fn stop(&mut self, world: &World) -> Result<(), Error> {
        self.signal(Signal::TERM)?;
        ended_by(world, self.process.take(), "redis-server").await
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// It does not run.
    pub fn signal(&self, signal: Signal) -> Result<(), Error> {
        signal_process(self.pid(), signal)
    }

    /// Starts it again where it was.
    ///
    /// # Errors
    /// It does not start.
    pub async fn restart(&mut self, world: &World) -> Result<(), Error> {
        self.restart_with(world, &[]).await
    }

    /// The same, with more options.
    ///
    /// # Errors
    /// It does not start.
    pub async fn restart_with(&mut self, world: &World, options: &[&str]) -> Result<(), Error> {
        let mut process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--port"])
            .arg(self.port.address.port().to_string())
            .arg("--dir")
            .arg(self.directory.path())
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Error::Node(format!("redis-server cannot be started: {error}")))?;
        for _ in 0..LOOKS_MAX {
            let answers = TcpStream::connect(self.port.address).await.is_ok();
            if process.try_wait()?.is_some() {
                return Err(Error::Node("redis-server ended at once".to_owned()));
            }
            if answers {
                self.process = Some(process);
                return Ok(());
            }
            world.clock.sleep(LOOK).await;
        }
        Err(Error::Node("redis-server does not listen".to_owned()))
    }

    /// Carries out an operator's commands, a line each.
    ///
    /// # Errors
    /// It does not run, or refuses one.
    pub async fn tell(&self, lines: &[&str]) -> Result<(), Error> {
        let mut stream = BufReader::new(TcpStream::connect(self.port.address).await?);
        for line in lines {
            stream.write_all(format!("{line}\r\n").as_bytes()).await?;
            let mut answer = String::new();
            stream.read_line(&mut answer).await?;
            if answer != "+OK\r\n" {
                return Err(Error::Node(format!("redis-server answers {answer:?}")));
            }
        }
        Ok(())
    }
}
