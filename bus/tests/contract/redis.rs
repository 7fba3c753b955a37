//! A Redis of a test's own: on a free port, killed with the value.

use std::process::Stdio;
use std::time::Duration;

use bus::RedisConfig;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use world::World;

/// Below the ports that the system gives to outgoing connections, so that none takes it between two runs.
const PORTS: std::ops::Range<u64> = 12_000..30_000;

/// How often it is looked whether it listens.
const LOOK: Duration = Duration::from_millis(5);

pub(crate) struct Redis {
    world: World,
    directory: TempDir,
    options: Vec<&'static str>,
    port: u16,
    process: Option<Child>,
}

impl Redis {
    /// Starts one with more options.
    pub(crate) async fn start(world: &World, options: &[&'static str]) -> Self {
        let mut redis = Self {
            world: world.clone(),
            directory: tempfile::tempdir().expect("a directory can be made"),
            options: options.to_vec(),
            port: 0,
            process: None,
        };
        while redis.process.is_none() {
            let port = PORTS.start + world.ids.below(PORTS.end - PORTS.start);
            redis.port = u16::try_from(port).expect("a port");
            redis.process = redis.spawn().await;
        }
        redis
    }

    /// Ends it by SIGKILL.
    pub(crate) async fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.kill().await.expect("it was running");
    }

    /// Starts it again where it was.
    pub(crate) async fn restart(&mut self) {
        while self.process.is_none() {
            self.process = self.spawn().await;
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// As the bus takes it.
    pub(crate) fn config(&self) -> RedisConfig {
        RedisConfig::of_url(&self.url(), "test").expect("a well-formed address")
    }

    /// Answers one command, as a stranger sees it.
    pub(crate) async fn ask<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> T {
        let client = redis::Client::open(self.url()).expect("a well-formed address");
        let connection = client.get_multiplexed_async_connection().await;
        let mut connection = connection.expect("Redis can be reached");
        let answer = command.query_async(&mut connection).await;
        answer.expect("Redis answers")
    }

    /// Nothing where the port is taken.
    async fn spawn(&self) -> Option<Child> {
        let mut process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--port"])
            .arg(self.port.to_string())
            .arg("--dir")
            .arg(self.directory.path())
            .args(&self.options)
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("`ops/test-services` installs redis-server");
        loop {
            if process.try_wait().expect("it is ours").is_some() {
                return None;
            }
            if TcpStream::connect(("127.0.0.1", self.port)).await.is_ok()
                && process.try_wait().expect("it is ours").is_none()
            {
                return Some(process);
            }
            self.world.clock.sleep(LOOK).await;
        }
    }
}
