//! A Postgres of the tool's own: on loopback, in a temporary folder; to be killed, paused and started again.
//!
//! It survives being killed, and not a loss of power: what it wrote is with the system, which lives on. A copy
//! that is made while it serves may take its place, as a standby does that followed at a distance.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use world::World;

use crate::Error;
use crate::node::ended_by;
use crate::node::port::Port;

/// How often it is looked whether it takes connections, and how often in all.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS_MAX: u32 = 1_200;

/// Where Debian keeps the programs, a folder for each version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// Whom root lends the server to, which refuses to run as root: the first of them that exists.
const LENT: [&str; 2] = ["postgres", "nobody"];

/// A Postgres, running or not.
#[derive(Debug)]
pub struct Postgres {
    directory: TempDir,
    programs: PathBuf,
    /// Whose it is, where we are root.
    user: Option<&'static str>,
    port: Port,
    process: Option<Child>,
    /// How many copies took the place of the one before.
    generation: u32,
}

impl Postgres {
    /// Makes an empty one and starts it on a port of its own.
    ///
    /// # Errors
    /// Postgres is not installed, or does not start.
    pub async fn start(world: &World) -> Result<Self, Error> {
        let user = if geteuid().is_root() {
            Some(lent().await?)
        } else {
            None
        };
        let mut postgres = Self {
            directory: tempfile::tempdir()?,
            programs: programs()?,
            user,
            port: Port::keep()?,
            process: None,
            generation: 0,
        };
        postgres.make().await?;
        postgres.restart(world).await?;
        Ok(postgres)
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://switchboard@{}/postgres", self.port.address)
    }

    /// Ends it and all that serves its connections by SIGKILL.
    ///
    /// # Errors
    /// It does not run.
    pub async fn kill(&mut self) -> Result<(), Error> {
        // Nothing begins any more while its processes are counted.
        self.signal(Signal::STOP)?;
        for child in self.children()? {
            send(child, Signal::KILL);
        }
        let process = self.process.take();
        let mut process = process.ok_or_else(not_running)?;
        process.kill().await?;
        Ok(())
    }

    /// Asks it to end as `pg_ctl stop -m fast` does: what runs is rolled back, and who is connected is sent away.
    ///
    /// # Errors
    /// It does not run, or does not end in time.
    pub async fn stop(&mut self, world: &World) -> Result<(), Error> {
        self.signal(Signal::INT)?;
        ended_by(world, self.process.take(), "postgres").await
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
        Err(Error::Node(format!("does not start again: {}", self.log())))
    }

    /// Copies it while it serves, as a standby begins: what is stored from now on, the copy lacks. Once for each time
    /// that it is to be replaced.
    ///
    /// # Errors
    /// It does not run, or cannot be copied.
    pub async fn copy(&self) -> Result<(), Error> {
        let mut copy = self.program("pg_basebackup");
        copy.args(["--host=127.0.0.1", "--username=switchboard", "--port"])
            .arg(self.port.address.port().to_string())
            .arg("--pgdata")
            .arg(self.data_of(self.generation + 1))
            .args(["--checkpoint=fast", "--wal-method=stream"])
            .args(["--no-sync", "--no-manifest"]);
        ended_well(&mut copy, "pg_basebackup").await
    }

    /// Ends it by SIGKILL; the copy starts in its place as a standby, and is made the primary.
    ///
    /// # Errors
    /// It does not run, or the copy does not start.
    pub async fn fail_over(&mut self, world: &World) -> Result<(), Error> {
        self.kill().await?;
        let fallen = self.data();
        self.generation += 1;
        // As whoever it belongs to: the file is removed by the server.
        let mut mark = self.as_owner("touch".into());
        mark.arg(self.data().join("standby.signal"));
        ended_well(&mut mark, "touch").await?;
        self.restart(world).await?;
        let mut promote = self.program("pg_ctl");
        promote
            .args(["promote", "--wait", "--pgdata"])
            .arg(self.data());
        ended_well(&mut promote, "pg_ctl promote").await?;
        // What cannot be removed yet goes with the whole directory.
        let _ = std::fs::remove_dir_all(fallen);
        Ok(())
    }

    /// Where the data of the one that runs lies.
    fn data(&self) -> PathBuf {
        self.data_of(self.generation)
    }

    fn data_of(&self, generation: u32) -> PathBuf {
        self.directory.path().join(format!("data-{generation}"))
    }

    /// Lets it and all that serves its connections stand still, in the midst of what they do.
    ///
    /// # Errors
    /// It does not run.
    pub fn pause(&self) -> Result<(), Error> {
        self.signal(Signal::STOP)?;
        for child in self.children()? {
            send(child, Signal::STOP);
        }
        Ok(())
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// It does not run.
    pub fn resume(&self) -> Result<(), Error> {
        for child in self.children()? {
            send(child, Signal::CONT);
        }
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<(), Error> {
        let pid = self.pid()?;
        kill_process(pid, signal).map_err(|error| Error::Node(error.to_string()))
    }

    fn pid(&self) -> Result<Pid, Error> {
        let pid = self.process.as_ref().and_then(Child::id);
        let pid = pid.and_then(|pid| i32::try_from(pid).ok());
        pid.and_then(Pid::from_raw).ok_or_else(not_running)
    }

    /// Those whose parent it is. They lead groups of their own.
    fn children(&self) -> Result<Vec<Pid>, Error> {
        let parent = format!("PPid:\t{}", self.pid()?.as_raw_nonzero());
        let mut children = Vec::new();
        for entry in std::fs::read_dir("/proc")?.flatten() {
            let name = entry.file_name();
            let pid = name.to_str().and_then(|name| name.parse().ok());
            let Some(pid) = pid.and_then(Pid::from_raw) else {
                continue;
            };
            // Whoever is gone by now is nobody's child.
            let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
            if status.lines().any(|line| line == parent) {
                children.push(pid);
            }
        }
        Ok(children)
    }

    async fn make(&self) -> Result<(), Error> {
        if let Some(user) = self.user {
            let mut chown = Command::new("chown");
            ended_well(chown.arg(user).arg(self.directory.path()), "chown").await?;
        }
        let mut initdb = self.program("initdb");
        initdb
            .arg("--pgdata")
            .arg(self.data())
            .args(["--username=switchboard", "--auth=trust", "--no-sync"])
            .args(["--encoding=UTF8", "--locale=C"]);
        ended_well(&mut initdb, "initdb").await
    }

    /// Whether it runs and takes connections; not where it ended by itself.
    async fn run(&mut self, world: &World) -> Result<bool, Error> {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.log_path())?;
        let mut process = self
            .program("postgres")
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(self.directory.path())
            .args(["-p", &self.port.address.port().to_string()])
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"])
            .args(["-c", "shared_buffers=32MB", "-c", "max_connections=100"])
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Error::Node(format!("postgres cannot be started: {error}")))?;
        for _ in 0..LOOKS_MAX {
            let mut ready = Command::new(self.programs.join("pg_isready"));
            ready
                .args(["-q", "-h", "127.0.0.1", "-U", "switchboard", "-p"])
                .arg(self.port.address.port().to_string());
            let is_ready = ready.status().await?.success();
            // Asked after: who answered may be what is left of the one before.
            if process.try_wait()?.is_some() {
                return Ok(false);
            }
            if is_ready {
                self.process = Some(process);
                return Ok(true);
            }
            world.clock.sleep(LOOK).await;
        }
        Err(Error::Node(format!("takes nobody: {}", self.log())))
    }

    /// One of its programs, as whoever it belongs to.
    fn program(&self, name: &str) -> Command {
        self.as_owner(self.programs.join(name))
    }

    /// A program as whoever Postgres belongs to.
    fn as_owner(&self, path: PathBuf) -> Command {
        let mut command = match self.user {
            None => Command::new(path),
            Some(user) => {
                let mut lent = Command::new("setpriv");
                lent.args(["--reuid", user, "--clear-groups", "--"])
                    .arg(path);
                lent
            }
        };
        // The folder that we are in may be closed to it.
        command.current_dir("/").stdin(Stdio::null());
        command
    }

    fn log_path(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }
}

impl Drop for Postgres {
    /// The end of the server itself is the process's; those who stand still would not notice it.
    fn drop(&mut self) {
        for child in self.children().unwrap_or_default() {
            send(child, Signal::KILL);
        }
    }
}

fn not_running() -> Error {
    Error::Node("postgres does not run".to_owned())
}

/// Who is gone by now needs no signal.
fn send(pid: Pid, signal: Signal) {
    let _gone = kill_process(pid, signal);
}

/// The folder of the newest version's programs.
fn programs() -> Result<PathBuf, Error> {
    let versions = std::fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let numbered = versions.filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        Some((version, entry.path().join("bin")))
    });
    let whole = numbered.filter(|(_, bin)| bin.join("initdb").is_file());
    let newest = whole.max_by_key(|(version, _)| *version);
    let missing = || Error::Node(format!("no Postgres in {VERSIONS}: install it"));
    newest.map(|(_, bin)| bin).ok_or_else(missing)
}

async fn lent() -> Result<&'static str, Error> {
    for user in LENT {
        let found = Command::new("id").arg(user).output().await?;
        if found.status.success() {
            return Ok(user);
        }
    }
    Err(Error::Node("there is nobody to run postgres".to_owned()))
}

async fn ended_well(command: &mut Command, name: &str) -> Result<(), Error> {
    let ended = command.output().await?;
    if ended.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    Err(Error::Node(format!("{name} failed: {said}")))
}
