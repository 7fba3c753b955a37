//! A Redis of a test's own: on a free port, killed with the value.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use bus::RedisConfig;
use tempfile::TempDir;
use tokio::net::{TcpSocket, TcpStream};
use tokio::process::{Child, Command};
use world::World;

/// How often it is looked whether it listens.
const LOOK: Duration = Duration::from_millis(5);

pub(crate) struct Redis {
    world: World,
    directory: TempDir,
    /// The name of its port, after which another may come.
    port: &'static str,
    options: Vec<String>,
    /// Bound and never listened on: the port stays this test's, also while no Redis runs.
    _kept: TcpSocket,
    address: SocketAddr,
    process: Option<Child>,
}

impl Redis {
    /// Starts one with more options.
    pub(crate) async fn start(world: &World, options: &[&str]) -> Self {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        Self::start_at(world, "--port", options).await
    }

    /// Starts one that speaks nothing but TLS, with a certificate and its key.
    pub(crate) async fn start_tls(world: &World, certificate: &Path, key: &Path) -> Self {
        let mut options: Vec<_> = ["--port", "0", "--tls-auth-clients", "no"]
            .map(str::to_owned)
            .into();
        for (name, file) in [
            ("--tls-cert-file", certificate),
            ("--tls-key-file", key),
            // It asks nobody for a certificate, and does not start without this.
            ("--tls-ca-cert-file", certificate),
        ] {
            options.push(name.to_owned());
            options.push(file.display().to_string());
        }
        Self::start_at(world, "--tls-port", options).await
    }

    async fn start_at(world: &World, port: &'static str, options: Vec<String>) -> Self {
        let kept = TcpSocket::new_v4().expect("a socket can be made");
        // With this on both sides, Redis may listen where this one is bound.
        kept.set_reuseaddr(true).expect("a socket has this option");
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        kept.bind(free).expect("a free port exists");
        let mut redis = Self {
            world: world.clone(),
            directory: tempfile::tempdir().expect("a directory can be made"),
            port,
            options,
            address: kept.local_addr().expect("it is bound"),
            _kept: kept,
            process: None,
        };
        redis.restart().await;
        redis
    }

    /// Ends it by SIGKILL.
    pub(crate) async fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.kill().await.expect("it was running");
    }

    /// Starts it again where it was.
    pub(crate) async fn restart(&mut self) {
        let mut process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", self.port])
            .arg(self.address.port().to_string())
            .arg("--dir")
            .arg(self.directory.path())
            .args(&self.options)
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("`ops/test-services` installs redis-server");
        while TcpStream::connect(self.address).await.is_err() {
            let ended = process.try_wait().expect("it is ours");
            assert!(ended.is_none(), "redis-server ended: {ended:?}");
            self.world.clock.sleep(LOOK).await;
        }
        self.process = Some(process);
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// As the bus takes it.
    pub(crate) fn config(&self) -> RedisConfig {
        RedisConfig::of_url(&self.url(), "test").expect("a well-formed address")
    }

    /// Answers one command, as a stranger sees it.
    pub(crate) async fn ask<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> T {
        answer(&self.url(), command).await
    }

    /// Carries out an operator's command.
    pub(crate) async fn tell(&self, words: &[&str]) {
        let _: redis::Value = self.ask(&command(words)).await;
    }

    /// The same, for an operator who knows the password.
    pub(crate) async fn tell_with(&self, password: &str, words: &[&str]) {
        let url = self.url().replace("//", &format!("//:{password}@"));
        let _: redis::Value = answer(&url, &command(words)).await;
    }
}

fn command(words: &[&str]) -> redis::Cmd {
    let mut command = redis::Cmd::new();
    for word in words {
        command.arg(word);
    }
    command
}

async fn answer<T: redis::FromRedisValue>(url: &str, command: &redis::Cmd) -> T {
    let client = redis::Client::open(url).expect("a well-formed address");
    let connection = client.get_multiplexed_async_connection().await;
    let mut connection = connection.expect("Redis can be reached");
    let answer = command.query_async(&mut connection).await;
    answer.expect("Redis answers")
}
