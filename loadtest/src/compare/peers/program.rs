//! The programs, each started on loopback with what it needs, from what `loadtest/peers/install` fetched.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use world::World;
use world::net::TcpStream;

use super::peer::Peer;
use crate::Error;
use crate::node::port::Port;
use crate::node::redis::Redis;
use crate::node::signal_process;
use crate::process::Usage;
use crate::target::secret;

/// How often it is looked whether one listens, and how often in all.
const LOOK: Duration = Duration::from_millis(20);
const LOOKS_MAX: u32 = 1_500;

/// What `install` writes last: what it fetched, and which versions.
const VERSIONS: &str = "installed/versions";

/// A running program. Dropping it ends it.
pub(super) struct Program {
    /// Which one.
    pub(super) peer: Peer,
    /// Where it listens.
    pub(super) url: String,
    /// What opens its door.
    pub(super) secret: String,
    /// What it is.
    pub(super) version: String,
    process: Child,
    redis: Option<Redis>,
    /// For clients and for others of its kind; held, so that nobody else gets them.
    ports: [Port; 2],
    home: TempDir,
}

/// What a program is started with.
struct Places<'a> {
    /// Where it was fetched to.
    folder: &'a Path,
    /// Where it may write.
    home: &'a Path,
    /// Where it listens for clients.
    address: SocketAddr,
    /// Where it listens for others of its kind.
    own: SocketAddr,
    secret: &'a str,
    redis_url: Option<String>,
}

impl Program {
    /// Starts one and waits until it listens.
    ///
    /// # Errors
    /// It was not fetched, or does not start.
    pub(super) async fn start(world: &World, folder: &Path, peer: Peer) -> Result<Self, Error> {
        let version = version(folder, peer)?;
        let (home, secret) = (tempfile::tempdir()?, secret(world));
        let ports = [Port::keep()?, Port::keep()?];
        let redis = match peer {
            Peer::SocketIoRedis => Some(Redis::start(world).await?),
            Peer::SocketIo | Peer::Nchan | Peer::Nats => None,
        };
        let places = Places {
            folder,
            home: home.path(),
            address: ports[0].address,
            own: ports[1].address,
            secret: &secret,
            redis_url: redis.as_ref().map(Redis::url),
        };
        let log = std::fs::File::create(home.path().join("log"))?;
        let process = places
            .command(peer)?
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .map_err(|error| Error::Node(format!("{} cannot be started: {error}", peer.title())))?;
        let program = Self {
            peer,
            url: format!("http://{}", ports[0].address),
            secret,
            version,
            process,
            redis,
            ports,
            home,
        };
        program.listens(world).await
    }

    async fn listens(mut self, world: &World) -> Result<Self, Error> {
        for _ in 0..LOOKS_MAX {
            if TcpStream::connect(self.ports[0].address).await.is_ok() {
                return Ok(self);
            }
            if self.process.try_wait()?.is_some() {
                break;
            }
            world.clock.sleep(LOOK).await;
        }
        let log = std::fs::read_to_string(self.home.path().join("log"));
        let log = log.unwrap_or_default();
        let title = self.peer.title();
        Err(Error::Node(format!("{title} does not listen: {log}")))
    }

    /// What it has used so far: the process, those that it started, and its Redis.
    ///
    /// # Errors
    /// It has ended.
    pub(super) fn usage(&self) -> Result<Usage, Error> {
        let pid = self.process.id();
        let pid = pid.ok_or_else(|| Error::Node(format!("{} has ended", self.peer.title())))?;
        let redis = self.redis.as_ref().and_then(Redis::pid);
        let mut sum = Usage::default();
        for pid in [pid].into_iter().chain(children(pid)).chain(redis) {
            let used = Usage::of(pid)?;
            sum.memory_bytes += used.memory_bytes;
            sum.resident_bytes += used.resident_bytes;
            sum.cpu_seconds += used.cpu_seconds;
            sum.descriptor_count += used.descriptor_count;
        }
        Ok(sum)
    }
}

impl Drop for Program {
    /// Asks it to end, and not only the system to end it: so it ends its workers, too.
    fn drop(&mut self) {
        // Who has ended by himself needs no signal.
        let _ = signal_process(self.process.id(), Signal::TERM);
    }
}

impl Places<'_> {
    fn command(&self, peer: Peer) -> Result<Command, Error> {
        match peer {
            Peer::SocketIo | Peer::SocketIoRedis => self.socket_io(),
            Peer::Nchan => self.nchan(),
            Peer::Nats => self.nats(),
        }
    }

    fn socket_io(&self) -> Result<Command, Error> {
        let mut command = Command::new("node");
        command
            .arg(self.fetched("socket-io.js")?)
            .env("PORT", self.address.port().to_string())
            .env("KEY", self.secret)
            .env("NODE_ENV", "production");
        if let Some(url) = &self.redis_url {
            command.env("REDIS_URL", url);
        }
        Ok(command)
    }

    fn nchan(&self) -> Result<Command, Error> {
        let module = self.fetched("installed/usr/lib/nginx/modules/ngx_nchan_module.so")?;
        let written = self.written("nginx.conf", &[("{module}", module.display().to_string())])?;
        let usual = PathBuf::from("/usr/sbin/nginx");
        let is_usual = usual.is_file();
        let mut command = Command::new(if is_usual { usual } else { "nginx".into() });
        command.arg("-e").arg(self.home.join("error.log"));
        command.arg("-c").arg(written);
        Ok(command)
    }

    fn nats(&self) -> Result<Command, Error> {
        let mut command = Command::new(self.fetched("installed/usr/sbin/nats-server")?);
        command.arg("-c").arg(self.written("nats.conf", &[])?);
        Ok(command)
    }

    /// A file of the folder, as an absolute path.
    fn fetched(&self, name: &str) -> Result<PathBuf, Error> {
        Ok(std::path::absolute(self.folder.join(name))?)
    }

    /// Writes a configuration with its places filled in.
    fn written(&self, name: &str, more: &[(&str, String)]) -> Result<PathBuf, Error> {
        let mut text = std::fs::read_to_string(self.folder.join(name))?;
        let places = [
            ("{home}", self.home.display().to_string()),
            ("{port}", self.address.port().to_string()),
            ("{own_port}", self.own.port().to_string()),
            ("{token}", self.secret.to_owned()),
        ];
        for (place, value) in places.iter().chain(more) {
            text = text.replace(place, value);
        }
        let path = self.home.join(name);
        std::fs::write(&path, text)?;
        Ok(path)
    }
}

/// The version that was fetched.
fn version(folder: &Path, peer: Peer) -> Result<String, Error> {
    let path = folder.join(VERSIONS);
    let Ok(text) = std::fs::read_to_string(&path) else {
        let install = folder.join("install");
        let text = format!("no {}: run {} first", path.display(), install.display());
        return Err(Error::Usage(text));
    };
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(peer.name())?.strip_prefix(": "));
    Ok(line.unwrap_or_default().to_owned())
}

/// The processes that a process started.
fn children(pid: u32) -> Vec<u32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let numbers = text.split_whitespace();
    numbers.filter_map(|word| word.parse().ok()).collect()
}
