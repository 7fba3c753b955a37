//! Where a server under test keeps its data: a directory, and if asked a Postgres database and a Redis of its own.

use loadtest::node::redis::Redis;
use tempfile::TempDir;
use tokio_postgres::NoTls;
use world::World;

/// The kinds of stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// The embedded store.
    Sqlite,
    /// A Postgres server named by `SWITCHBOARD_TEST_POSTGRES_URL`.
    Postgres,
    /// The same with a Redis: the home of a server that others may join.
    Shared,
}

/// What a step of a newer program does to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It only adds: the program of before serves on.
    Expands,
    /// It takes away what only the program of before the last step used.
    Contracts,
}

/// As a migration does it: under its lock, in one transaction. What is new is used at once.
const EXPAND: &str = "
BEGIN;
SELECT pg_advisory_xact_lock(7306071);
ALTER TABLE message ADD COLUMN mood TEXT;
CREATE TABLE mood (workspace_id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO migration (number, name, readable_from, applied_at_ms)
    SELECT MAX(number) + 1, 'expand', MAX(readable_from), 0 FROM migration;
UPDATE message SET mood = 'calm';
COMMIT";

const CONTRACT: &str = "
INSERT INTO migration (number, name, readable_from, applied_at_ms)
    SELECT MAX(number) + 1, 'contract', MAX(number), 0 FROM migration";

/// Nodes that are there, and those that enter from now on, have one name.
const NAME_ALL: &str = "
UPDATE node SET name = 'NAME';
CREATE FUNCTION name_all() RETURNS TRIGGER LANGUAGE plpgsql AS 'BEGIN NEW.name = ''NAME''; RETURN NEW; END';
CREATE TRIGGER name_all BEFORE INSERT ON node FOR EACH ROW EXECUTE FUNCTION name_all()";

/// The data of one server, removed in the end.
#[derive(Debug)]
pub struct Data {
    directory: TempDir,
    /// The database and the server's address for making and dropping it.
    database: Option<(String, String)>,
    redis: Option<Redis>,
    is_frozen: bool,
}

impl Drop for Data {
    /// Whoever owns nothing else may remove the files.
    fn drop(&mut self) {
        if self.is_frozen {
            self.mark_files("-i");
        }
    }
}

impl Data {
    /// A new, empty home.
    ///
    /// # Panics
    /// Where the disk or Postgres does not play along.
    pub async fn new(home: Home, world: &World) -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let database = match home {
            Home::Sqlite => None,
            Home::Postgres | Home::Shared => {
                let server = postgres_url();
                let secret = world.ids.bytes::<8>();
                let secret: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
                let name = format!("story_{secret}");
                execute(world, &server, &format!("CREATE DATABASE {name}")).await;
                Some((name, server))
            }
        };
        let redis = match home {
            Home::Sqlite | Home::Postgres => None,
            Home::Shared => Some(Redis::start(world).await.expect("a Redis starts")),
        };
        Self {
            directory,
            database,
            redis,
            is_frozen: false,
        }
    }

    /// The data directory.
    #[must_use]
    pub fn path(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// The address of the database; empty for the embedded store.
    #[must_use]
    pub fn database_url(&self) -> String {
        let Some((name, server)) = &self.database else {
            return String::new();
        };
        let (head, query) = server.split_once('?').unwrap_or((server, ""));
        let (head, _) = head.rsplit_once('/').expect("an address names a database");
        let query = if query.is_empty() {
            String::new()
        } else {
            format!("?{query}")
        };
        format!("{head}/{name}{query}")
    }

    /// The address of the Redis; empty where there is none.
    #[must_use]
    pub fn redis_url(&self) -> String {
        self.redis.as_ref().map(Redis::url).unwrap_or_default()
    }

    /// Lets the store say that a newer program gave it schema 999, which takes that program, or no longer. A store in a file is left as it is.
    ///
    /// # Panics
    /// Where Postgres does not play along.
    pub async fn claims_newer_schema(&self, world: &World, is_newer: bool) {
        if self.database.is_some() {
            let claim = match is_newer {
                true => {
                    "INSERT INTO migration (number, name, readable_from, applied_at_ms)
                        VALUES (999, 'future', 999, 0)"
                }
                false => "DELETE FROM migration WHERE number = 999",
            };
            execute(world, &self.database_url(), claim).await;
        }
    }

    /// A newer program brings the store in Postgres up to date with itself.
    ///
    /// # Panics
    /// Where Postgres does not play along.
    pub async fn takes_step(&self, world: &World, step: Step) {
        let text = match step {
            Step::Expands => EXPAND,
            Step::Contracts => CONTRACT,
        };
        execute(world, &self.database_url(), text).await;
    }

    /// Gives all nodes of a store in Postgres one name, those that come too: as in containers that are alike, where each is
    /// the first process of a machine of one name, with its data in a folder of one name.
    ///
    /// # Panics
    /// Where Postgres does not play along.
    pub async fn names_all(&self, world: &World, name: &str) {
        execute(world, &self.database_url(), &NAME_ALL.replace("NAME", name)).await;
    }

    /// Lets the store take no more writes while it serves: a file as on a disk that is mounted anew for reading, a
    /// database as its host does whose disk is full. Says whether that can be done here: files take root, and a file
    /// system that knows it.
    ///
    /// # Panics
    /// Where Postgres does not play along.
    pub async fn freezes(&mut self, world: &World) -> bool {
        self.is_frozen = match &self.database {
            None => self.mark_files("+i"),
            Some((name, server)) => {
                let set = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
                execute(world, server, &set).await;
                // It counts for sessions that begin from now on.
                let end = format!(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
                );
                execute(world, server, &end).await;
                true
            }
        };
        self.is_frozen
    }

    /// Lets the store take writes again. Who is connected to a database stays so.
    ///
    /// # Panics
    /// Where Postgres does not play along.
    pub async fn thaws(&mut self, world: &World) {
        self.is_frozen = false;
        match &self.database {
            None => {
                self.mark_files("-i");
            }
            Some((name, server)) => {
                let reset = format!("ALTER DATABASE {name} RESET default_transaction_read_only");
                execute(world, server, &reset).await;
            }
        }
    }

    /// Sets or takes back the mark that a file may not be changed, not even by who has it open.
    fn mark_files(&self, mark: &str) -> bool {
        let files = ["switchboard.db", "switchboard.db-wal"].map(|name| self.path().join(name));
        let mut chattr = std::process::Command::new("chattr");
        let marked = chattr.arg(mark).args(files).output();
        marked.is_ok_and(|marked| marked.status.success())
    }

    /// Takes the database away; the directory goes by itself.
    pub async fn remove(self, world: &World) {
        if let Some((name, server)) = &self.database {
            let statement = format!("DROP DATABASE {name} WITH (FORCE)");
            execute(world, server, &statement).await;
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one thing that tests take from their environment"
)]
fn postgres_url() -> String {
    std::env::var("SWITCHBOARD_TEST_POSTGRES_URL").expect(
        "stories on Postgres need SWITCHBOARD_TEST_POSTGRES_URL; \
         `ops/test-services cargo test -p tests` sets it",
    )
}

async fn execute(world: &World, server: &str, statement: &str) {
    let connected = tokio_postgres::connect(server, NoTls).await;
    let (client, connection) = connected.expect("Postgres can be reached");
    world.tracker.spawn(connection);
    let done = client.batch_execute(statement).await;
    done.expect("Postgres does what an operator or a newer program asks for");
}
