//! Migrations: one text for both databases, forward only, each in a transaction of its own under a lock. A SQLite
//! store that has rows is copied before its first step.
//!
//! A program serves a store that is newer than itself, as long as the steps that it does not know have only added to
//! what it uses. So two releases serve one store while one takes the other's place: expand, release, contract.

#[cfg(test)]
mod upgrade_tests;

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tokio_postgres::Client;

use crate::backup;
use crate::db::postgres::postgres_error;
use crate::db::sqlite::sqlite_error;
use crate::db::statistics;
use crate::error::{Error, Result};
use crate::search;

/// A step from one schema to the next.
#[derive(Clone, Copy)]
struct Migration {
    number: i64,
    name: &'static str,
    /// The schema that a program knows at least which may serve a store with this step: that of before where the step
    /// only adds, its own number where it takes away or changes what the program of before uses.
    readable_from: i64,
    texts: &'static [&'static str],
    /// What only one of the databases has: functions and the search index.
    sqlite: &'static str,
    postgres: &'static str,
}

/// All steps, in order. A step that was ever released is never changed.
const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "begin",
        readable_from: 1,
        texts: &[
            include_str!("../schema/store.sql"),
            include_str!("../schema/team.sql"),
            include_str!("../schema/person.sql"),
            include_str!("../schema/conversation.sql"),
        ],
        sqlite: search::INDEX_SQLITE,
        postgres: search::INDEX_POSTGRES,
    },
    Migration {
        number: 2,
        name: "general",
        readable_from: 1,
        texts: &[include_str!("../schema/general.sql")],
        sqlite: "",
        postgres: "",
    },
    Migration {
        number: 3,
        name: "node",
        readable_from: 1,
        texts: &[include_str!("../schema/node.sql")],
        sqlite: "",
        postgres: "",
    },
    Migration {
        number: 4,
        name: "words",
        readable_from: 1,
        texts: &[],
        sqlite: "",
        postgres: search::INDEX_POSTGRES_WAITS,
    },
    Migration {
        number: 5,
        name: "attendance",
        readable_from: 1,
        texts: &[include_str!("../schema/attendance.sql")],
        sqlite: "",
        postgres: "",
    },
];

/// What the common text calls and Postgres has not.
const POSTGRES_FUNCTIONS: &str = "
CREATE OR REPLACE FUNCTION transaction_horizon() RETURNS BIGINT LANGUAGE SQL STABLE
    AS 'SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint';
CREATE OR REPLACE FUNCTION store_now_ms() RETURNS BIGINT LANGUAGE SQL VOLATILE
    AS 'SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)';
CREATE OR REPLACE FUNCTION instr(whole TEXT, part TEXT) RETURNS BIGINT LANGUAGE SQL IMMUTABLE
    AS 'SELECT CAST(strpos(whole, part) AS BIGINT)';
CREATE OR REPLACE FUNCTION fence(id TEXT) RETURNS BOOLEAN LANGUAGE plpgsql AS '
BEGIN
    PERFORM 1 FROM node WHERE node_id = id FOR KEY SHARE;
    IF NOT FOUND THEN RAISE EXCEPTION ''replaced'' USING ERRCODE = ''SB001''; END IF;
    RETURN TRUE;
END';
";

/// Room in the pages of rows that every message changes: Postgres then replaces them in place.
const POSTGRES_ROOM: &str = "ALTER TABLE conversation SET (fillfactor = 70)";

/// The tables that the migrations make. A database may have others besides, which are somebody else's.
fn tables() -> Vec<&'static str> {
    MIGRATIONS
        .iter()
        .flat_map(|migration| migration.texts)
        .flat_map(|text| text.lines())
        .filter_map(|line| line.strip_prefix("CREATE TABLE ")?.split(' ').next())
        .collect()
}

/// The newest schema that these lead to.
fn last(steps: &[Migration]) -> i64 {
    steps.last().map_or(0, |migration| migration.number)
}

/// What a store says of its schema.
#[derive(Clone, Copy, Default)]
struct Found {
    number: i64,
    readable_from: i64,
}

impl Found {
    /// Checks that a program with these steps may serve the store.
    fn check(self, steps: &[Migration]) -> Result<()> {
        let known = last(steps);
        if self.readable_from > known {
            return Err(Error::NewerSchema {
                found: self.number,
                readable_from: self.readable_from,
                known,
            });
        }
        if self.number > known {
            let found = self.number;
            tracing::info!(
                "the store has schema {found}, which suits this program, that knows {known}"
            );
        }
        Ok(())
    }
}

/// Checks that this program knows all of a schema. Whoever copies row by row must: what he does not know he leaves out.
pub(crate) fn check_known(found: i64) -> Result<()> {
    let known = last(MIGRATIONS);
    if found > known {
        return Err(Error::NewerSchema {
            found,
            readable_from: found,
            known,
        });
    }
    Ok(())
}

/// The newest step, and what the most demanding one takes.
pub(crate) const NEWEST: &str =
    "SELECT COALESCE(MAX(number), 0), COALESCE(MAX(readable_from), 0) FROM migration";

const INSERT_STEP_SQLITE: &str =
    "INSERT INTO migration (number, name, readable_from, applied_at_ms) VALUES (?1, ?2, ?3, ?4)";

const INSERT_STEP_POSTGRES: &str =
    "INSERT INTO migration (number, name, readable_from, applied_at_ms) VALUES ($1, $2, $3, $4)";

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migration (
    number BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    readable_from BIGINT NOT NULL,
    applied_at_ms BIGINT NOT NULL
);";

/// Brings the SQLite store in a file up to date. Where it has an older schema, it is copied first: beside it,
/// under a name with the schema that it gets.
///
/// # Errors
/// The store's; nothing was changed where there is no room for the copy.
pub(crate) fn sqlite_file(path: &Path, connection: &Connection, now_ms: u64) -> Result<()> {
    upgrade(path, connection, MIGRATIONS, now_ms)
}

fn upgrade(path: &Path, connection: &Connection, steps: &[Migration], now_ms: u64) -> Result<()> {
    let (found, newest) = (found_in(connection)?.number, last(steps));
    if found > 0 && found < newest {
        let copy = copy_before(path, newest);
        backup::copy_whole(path, &copy)?;
        let copy = copy.display();
        tracing::info!("the store gets another form; as it was, it lies in {copy}");
    }
    apply(connection, steps, now_ms)
}

/// Where a store is copied before it gets a schema.
fn copy_before(path: &Path, newest: i64) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".before-schema-{newest}"));
    path.with_file_name(name)
}

/// The schema of a SQLite store; 0 where it has none.
fn found_in(connection: &Connection) -> Result<Found> {
    let is_there: bool = connection
        .query_row(
            "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migration')",
            [],
            |row| row.get(0),
        )
        .map_err(sqlite_error)?;
    if !is_there {
        return Ok(Found::default());
    }
    newest_of(connection)
}

fn newest_of(connection: &Connection) -> Result<Found> {
    let found = connection.query_row(NEWEST, [], |row| {
        Ok(Found {
            number: row.get(0)?,
            readable_from: row.get(1)?,
        })
    });
    found.map_err(sqlite_error)
}

/// Brings a SQLite store up to date.
pub(crate) fn sqlite(connection: &Connection, now_ms: u64) -> Result<()> {
    apply(connection, MIGRATIONS, now_ms)
}

fn apply(connection: &Connection, steps: &[Migration], now_ms: u64) -> Result<()> {
    let now_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
    connection
        .execute_batch("BEGIN IMMEDIATE")
        .map_err(sqlite_error)?;
    let done = (|| {
        connection
            .execute_batch(&for_sqlite(TABLE))
            .map_err(sqlite_error)?;
        let found = newest_of(connection)?;
        found.check(steps)?;
        for migration in steps.iter().filter(|step| step.number > found.number) {
            connection
                .execute_batch(&for_sqlite(&migration.texts.concat()))
                .and_then(|()| connection.execute_batch(migration.sqlite))
                .and_then(|()| {
                    let (number, name) = (migration.number, migration.name);
                    let values = (number, name, migration.readable_from, now_ms);
                    connection.execute(INSERT_STEP_SQLITE, values)
                })
                .map_err(sqlite_error)?;
        }
        statistics::tell(connection).map_err(sqlite_error)
    })();
    let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
    connection.execute_batch(end).map_err(sqlite_error)?;
    done
}

/// Brings a Postgres store up to date. Nodes that start together wait for each other.
pub(crate) async fn postgres(client: &mut Client, now_ms: u64) -> Result<()> {
    apply_postgres(client, MIGRATIONS, now_ms).await
}

async fn apply_postgres(client: &mut Client, steps: &[Migration], now_ms: u64) -> Result<()> {
    let now_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
    let transaction = client.transaction().await.map_err(postgres_error)?;
    // The number stands for "migrations of Switchboard" among the database's advisory locks.
    transaction
        .batch_execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(7306071)")
        .await
        .map_err(postgres_error)?;
    transaction
        .batch_execute(&for_postgres(TABLE))
        .await
        .map_err(postgres_error)?;
    let found = transaction.query_one(NEWEST, &[]).await;
    let found = found.map_err(postgres_error)?;
    let found = Found {
        number: found.get(0),
        readable_from: found.get(1),
    };
    found.check(steps)?;
    for migration in steps.iter().filter(|step| step.number > found.number) {
        for text in [
            POSTGRES_FUNCTIONS,
            &for_postgres(&migration.texts.concat()),
            migration.postgres,
            POSTGRES_ROOM,
        ] {
            transaction
                .batch_execute(text)
                .await
                .map_err(postgres_error)?;
        }
        transaction
            .execute(
                INSERT_STEP_POSTGRES,
                &[
                    &migration.number,
                    &migration.name,
                    &migration.readable_from,
                    &now_ms,
                ],
            )
            .await
            .map_err(postgres_error)?;
    }
    transaction.commit().await.map_err(postgres_error)?;
    if found.number < last(steps) {
        let telling = statistics::tell_postgres(&tables());
        let told = client.batch_execute(&telling).await;
        told.map_err(postgres_error)?;
    }
    Ok(())
}

/// The text as SQLite takes it: STRICT tables of its own five types.
fn for_sqlite(text: &str) -> String {
    // One writer: positions are given in commit order, a transaction's number adds nothing.
    text.replace("BIGINT IDENTITY", "INTEGER PRIMARY KEY AUTOINCREMENT")
        .replace("BIGINT TRANSACTION", "INTEGER NOT NULL DEFAULT 0")
        .replace("BIGINT", "INTEGER")
        .replace("BOOLEAN", "INTEGER")
        .replace("BYTEA", "BLOB")
        .replace("DOUBLE PRECISION", "REAL")
        .replace("\n);", "\n) STRICT;")
}

/// The text as Postgres takes it: texts compare by bytes.
fn for_postgres(text: &str) -> String {
    text.replace(
        "BIGINT IDENTITY",
        "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
    )
    .replace(
        "BIGINT TRANSACTION",
        "BIGINT NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)",
    )
    .replace(" TEXT", " TEXT COLLATE \"C\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_becomes_two() {
        let text = "CREATE TABLE t (\n    id TEXT NOT NULL,\n    n BIGINT IDENTITY,\n    ok BOOLEAN,\n    b BYTEA,\n    r DOUBLE PRECISION\n);";
        assert_eq!(
            for_sqlite(text),
            "CREATE TABLE t (\n    id TEXT NOT NULL,\n    n INTEGER PRIMARY KEY AUTOINCREMENT,\n    ok INTEGER,\n    b BLOB,\n    r REAL\n) STRICT;"
        );
        assert!(for_postgres(text).contains("id TEXT COLLATE \"C\" NOT NULL"));
        assert!(for_postgres(text).contains("GENERATED BY DEFAULT AS IDENTITY"));
    }

    /// The steps of a program that is newer by one, which takes away what the one of before uses.
    fn newer(text: &'static [&'static str]) -> Vec<Migration> {
        let mut steps = MIGRATIONS.to_vec();
        let number = last(MIGRATIONS) + 1;
        steps.push(Migration {
            number,
            name: "next",
            readable_from: number,
            texts: text,
            sqlite: "",
            postgres: "",
        });
        steps
    }

    fn count(connection: &Connection, table: &str) -> i64 {
        let select = format!("SELECT COUNT(*) FROM {table}");
        let found = connection.query_row(&select, [], |row| row.get(0));
        found.expect("there is such a table")
    }

    #[test]
    fn a_store_is_copied_before_it_gets_another_form() {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let path = directory.path().join("switchboard.db");
        let (copy, next) = (
            copy_before(&path, last(MIGRATIONS) + 1),
            last(MIGRATIONS) + 1,
        );
        let open = |path: &Path| Connection::open(path).expect("a file can be opened");
        let connection = open(&path);
        let journal = connection.pragma_update(None, "journal_mode", "WAL");
        journal.expect("the disk can do it");
        // An empty one has nothing to lose, and one that is up to date is not touched.
        for _ in 0..2 {
            sqlite_file(&path, &connection, 1).expect("it is brought up to date");
        }
        assert!(!copy.exists() && !copy_before(&path, last(MIGRATIONS)).exists());
        let insert = "INSERT INTO meta (name, value) VALUES ('kept', x'01')";
        connection.execute_batch(insert).expect("it takes rows");

        // A step that fails leaves the store as it was, and the copy.
        let bad = newer(&["CREATE TABLE added (id TEXT PRIMARY KEY); NOT SQL;"]);
        let failed = upgrade(&path, &connection, &bad, 2);
        failed.expect_err("the step is none");
        assert_eq!(
            found_in(&connection).expect("it is whole").number,
            last(MIGRATIONS)
        );
        assert!(copy.exists());

        let good = newer(&[
            "CREATE TABLE added (id TEXT PRIMARY KEY);",
            "DELETE FROM meta;",
        ]);
        upgrade(&path, &connection, &good, 3).expect("it is brought up to date");
        assert_eq!(found_in(&connection).expect("it is whole").number, next);
        assert_eq!(count(&connection, "meta"), 0);
        let before = open(&copy);
        let found = found_in(&before).expect("it is whole");
        assert_eq!(found.number, last(MIGRATIONS));
        assert_eq!(count(&before, "meta"), 1);
        drop(before);
        // The program of before opens it.
        sqlite_file(&copy, &open(&copy), 4).expect("it needs nothing");
        let refused = sqlite_file(&path, &connection, 4);
        assert!(matches!(refused, Err(Error::NewerSchema { .. })));

        std::fs::remove_file(&copy).expect("it is there");
        upgrade(&path, &connection, &good, 5).expect("it is up to date");
        assert!(!copy.exists(), "nothing was to be done");
    }

    #[test]
    fn the_steps_are_numbered_without_a_gap() {
        for (index, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.number, i64::try_from(index).expect("few") + 1);
        }
    }

    #[test]
    fn no_step_takes_a_newer_program_than_its_own_or_an_older_one_than_before() {
        let mut floor = 1;
        for migration in MIGRATIONS {
            let possible = floor..=migration.number;
            assert!(possible.contains(&migration.readable_from));
            floor = migration.readable_from;
        }
    }
}
