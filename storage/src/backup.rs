//! Backups: one file of the embedded store's form, whatever store it came from, restorable into either.
//!
//! Files of messages are not in it: they lie in [`crate::blob`], named by their hash, and never change.

use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use crate::db::postgres::postgres_error;
use crate::db::sqlite::{Bound, sqlite_error};
use crate::db::{self, DatabaseConfig, Home, Reader, Value, connect, migration};
use crate::error::{Error, Result};
use crate::meta;

/// Rows that are copied in one transaction.
const SLICE_ROWS: usize = 500;

/// Tables that every store makes for itself.
const OWN_TABLES: &[&str] = &["migration", "node"];

/// Writes a consistent copy of the store into a new file while the store serves. Nobody waits for it.
///
/// # Errors
/// `Configuration` where the file exists or cannot be made, and the store's.
pub async fn backup(reader: &Reader, file: &Path) -> Result<()> {
    if file.exists() {
        return Err(Error::Configuration(format!(
            "{} exists already",
            file.display()
        )));
    }
    let partial = file.with_extension("partial");
    remove(&partial)?;
    match &reader.config().home {
        Home::Sqlite(path) => {
            let (path, partial) = (path.clone(), partial.clone());
            db::blocking(move || copy_file(&path, &partial)).await?;
        }
        Home::Postgres(url) => copy_out(reader, url, &partial).await?,
    }
    let file = file.to_owned();
    db::blocking(move || keep(&partial, &file)).await
}

/// Restores a backup into an empty store, which then begins a new epoch: clients notice, and send again
/// what the backup lacks.
///
/// # Errors
/// `Configuration` where the store is not empty, `Corrupt` and `NewerSchema` for a file that cannot be
/// used, and the store's.
pub async fn restore(file: &Path, config: &DatabaseConfig, world: &world::World) -> Result<()> {
    let source = file.to_owned();
    db::blocking(move || verify(&source)).await?;
    let db = match &config.home {
        Home::Sqlite(path) => {
            if path.exists() {
                return Err(Error::Configuration(format!(
                    "{} exists already",
                    path.display()
                )));
            }
            let (file, path) = (file.to_owned(), path.clone());
            db::blocking(move || place(&file, &path)).await?;
            db::open(config, world).await?
        }
        Home::Postgres(url) => {
            let db = db::open(config, world).await?;
            if crate::setup::is_done(&db).await? {
                return Err(Error::Configuration("the database is not empty".to_owned()));
            }
            copy_in(file, url).await?;
            db
        }
    };
    meta::begin_epoch(&db).await
}

/// Compares two backups row by row: that of a store, and that of a store which was restored from it.
/// Gives the number of rows that are alike.
///
/// # Errors
/// `Corrupt` with the table that differs, and the files'.
pub async fn compare(file: &Path, copy: &Path) -> Result<u64> {
    let (file, copy) = (file.to_owned(), copy.to_owned());
    db::blocking(move || {
        let both = open_readonly(&file)?;
        let path = copy.to_string_lossy().into_owned();
        both.execute("ATTACH DATABASE ?1 AS copied", [path])
            .map_err(sqlite_error)?;
        let mut alike = 0;
        for table in tables(&both)? {
            alike += compare_table(&both, &table)?;
        }
        Ok(alike)
    })
    .await
}

/// Every table has a key, so as many rows, and none that the copy lacks, are the same rows.
fn compare_table(both: &Connection, table: &Table) -> Result<u64> {
    let name = &table.name;
    let columns = table.columns.join(", ");
    // A restored store begins an epoch of its own, in the history of its own server, and has no trouble with backups.
    let kept = if name == "meta" {
        "WHERE name NOT IN ('epoch', 'timeline', 'backup_trouble')"
    } else {
        ""
    };
    let count = |query: String| -> Result<u64> {
        let count = both.query_row(&query, [], |row| row.get::<_, i64>(0));
        Ok(count.map_err(sqlite_error)?.unsigned_abs())
    };
    let rows = count(format!("SELECT COUNT(*) FROM main.{name} {kept}"))?;
    let copied = count(format!("SELECT COUNT(*) FROM copied.{name} {kept}"))?;
    let lacking = count(format!(
        "SELECT COUNT(*) FROM (SELECT {columns} FROM main.{name} {kept}
         EXCEPT SELECT {columns} FROM copied.{name} {kept})"
    ))?;
    if rows != copied || lacking > 0 {
        return Err(Error::Corrupt(format!(
            "the copy differs in {name}: {copied} rows of {rows}, {lacking} not the same"
        )));
    }
    Ok(rows)
}

/// Writes a consistent copy of a SQLite store; in the place of one that is there. It is whole or not there.
pub(crate) fn copy_whole(from: &Path, to: &Path) -> Result<()> {
    let mut partial = to.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    remove(&partial)?;
    let copied = copy_file(from, &partial).and_then(|()| keep(&partial, to));
    if copied.is_err() {
        // The first error says more than one about the remains.
        let _ = remove(&partial);
    }
    copied
}

/// Copies an embedded store page by page, as one moment of it.
fn copy_file(from: &Path, to: &Path) -> Result<()> {
    let source = open_readonly(from)?;
    let mut target = Connection::open(to).map_err(sqlite_error)?;
    rusqlite::backup::Backup::new(&source, &mut target)
        // All pages in one step: writers go on beside it, and none can make it begin anew.
        .and_then(|backup| backup.step(-1))
        .map_err(sqlite_error)?;
    finish(target)
}

/// Makes one file of a database that was just written.
fn finish(target: Connection) -> Result<()> {
    target
        .pragma_update(None, "journal_mode", "DELETE")
        .map_err(sqlite_error)?;
    target.close().map_err(|(_, error)| sqlite_error(error))
}

/// Copies all rows of a Postgres store, as one moment of it, into a new file.
async fn copy_out(reader: &Reader, url: &str, to: &Path) -> Result<()> {
    connected(url, async |client| {
        client
            .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            .await
            .map_err(postgres_error)?;
        let mut target = Connection::open(to).map_err(sqlite_error)?;
        migration::sqlite(&target, reader.world().clock.now_ms())?;
        let found = client.query_one(migration::NEWEST, &[]).await;
        migration::check_known(found.map_err(postgres_error)?.get(0))?;
        for table in tables(&target)? {
            let select = format!("SELECT {} FROM {}", table.columns.join(", "), table.name);
            let none: [&str; 0] = [];
            let rows = client
                .query_raw(&select, none)
                .await
                .map_err(postgres_error)?;
            let mut slices = std::pin::pin!(rows.chunks(SLICE_ROWS));
            while let Some(slice) = slices.next().await {
                let rows = slice
                    .into_iter()
                    .map(|row| {
                        let row = row?;
                        (0..table.columns.len())
                            .map(|index| row.try_get(index))
                            .collect()
                    })
                    .collect::<std::result::Result<Vec<Vec<Value>>, _>>()
                    .map_err(postgres_error)?;
                insert_rows(&mut target, &table, &rows)?;
            }
        }
        finish(target)
    })
    .await
}

/// Copies all rows of a backup into an empty Postgres store, in one transaction.
async fn copy_in(file: &Path, url: &str) -> Result<()> {
    connected(url, async |client| {
        let source = open_readonly(file)?;
        client.batch_execute("BEGIN").await.map_err(postgres_error)?;
        for table in tables(&source)? {
            // What opening made goes: a store has one epoch, one key to sign with.
            client
                .batch_execute(&format!("DELETE FROM {}", table.name))
                .await
                .map_err(postgres_error)?;
            copy_table(&source, client, &table).await?;
        }
        let positions = "
            SELECT setval(pg_get_serial_sequence('event', 'position'), COALESCE(MAX(position), 0) + 1)
            FROM event";
        client.batch_execute(positions).await.map_err(postgres_error)?;
        client.batch_execute("COMMIT").await.map_err(postgres_error)
    })
    .await
}

async fn copy_table(source: &Connection, client: &Client, table: &Table) -> Result<()> {
    let marks: Vec<_> = (1..=table.columns.len())
        .map(|number| format!("${number}"))
        .collect();
    let columns = table.columns.join(", ");
    let insert = format!(
        "INSERT INTO {} ({columns}) VALUES ({})",
        table.name,
        marks.join(", ")
    );
    let insert = client.prepare(&insert).await.map_err(postgres_error)?;
    let select = format!("SELECT {columns} FROM {}", table.name);
    let mut select = source.prepare(&select).map_err(sqlite_error)?;
    let mut rows = select.query([]).map_err(sqlite_error)?;
    while let Some(row) = rows.next().map_err(sqlite_error)? {
        let values = insert
            .params()
            .iter()
            .enumerate()
            .map(|(index, wanted)| value_as(row.get_ref(index).map_err(sqlite_error)?, wanted))
            .collect::<Result<Vec<_>>>()?;
        let values: Vec<&(dyn ToSql + Sync)> = values
            .iter()
            .map(|value| value as &(dyn ToSql + Sync))
            .collect();
        client
            .execute(&insert, &values)
            .await
            .map_err(postgres_error)?;
    }
    Ok(())
}

/// A value of a file as the other store's type: SQLite has no yes and no.
fn value_as(value: ValueRef<'_>, wanted: &Type) -> Result<Value> {
    let damaged = |_| Error::Corrupt("a text is not UTF-8".to_owned());
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) if *wanted == Type::BOOL => Value::Flag(number != 0),
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(std::str::from_utf8(text).map_err(damaged)?.to_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    })
}

fn insert_rows(target: &mut Connection, table: &Table, rows: &[Vec<Value>]) -> Result<()> {
    let marks = vec!["?"; table.columns.len()].join(", ");
    let columns = table.columns.join(", ");
    let insert = format!("INSERT INTO {} ({columns}) VALUES ({marks})", table.name);
    let transaction = target.transaction().map_err(sqlite_error)?;
    {
        let mut statement = transaction.prepare_cached(&insert).map_err(sqlite_error)?;
        for row in rows {
            statement
                .execute(rusqlite::params_from_iter(row.iter().map(Bound)))
                .map_err(sqlite_error)?;
        }
    }
    transaction.commit().map_err(sqlite_error)
}

/// Does some work on a connection of its own, without the time limits of the pool.
async fn connected(url: &str, work: impl AsyncFnOnce(&Client) -> Result<()>) -> Result<()> {
    let target = connect::target(url)?;
    let (client, connection) = target
        .config
        .connect(target.tls)
        .await
        .map_err(postgres_error)?;
    tokio::select! {
        done = work(&client) => done,
        broken = connection => broken
            .map_err(postgres_error)
            .and(Err(Error::Unavailable("the database hung up".to_owned()))),
    }
}

/// A table with the columns that a backup keeps.
struct Table {
    name: String,
    columns: Vec<String>,
}

/// The tables of an embedded store, without those that every store makes for itself and the parts of the
/// search index. Numbers of transactions mean something only to the database that gave them.
fn tables(file: &Connection) -> Result<Vec<Table>> {
    let mut names = file
        .prepare(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%STRICT' ORDER BY name",
        )
        .map_err(sqlite_error)?;
    let names = names
        .query_map([], |row| row.get(0))
        .and_then(|names| names.collect::<rusqlite::Result<Vec<String>>>())
        .map_err(sqlite_error)?;
    let mut columns = file
        .prepare("SELECT name FROM pragma_table_info(?1) WHERE name <> 'transaction_number'")
        .map_err(sqlite_error)?;
    names
        .into_iter()
        .filter(|name| !OWN_TABLES.contains(&name.as_str()))
        .map(|name| {
            let columns = columns
                .query_map([&name], |row| row.get(0))
                .and_then(|columns| columns.collect())
                .map_err(sqlite_error)?;
            Ok(Table { name, columns })
        })
        .collect()
}

fn open_readonly(path: &Path) -> Result<Connection> {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(sqlite_error)
}

/// Checks that a file is a whole backup of a schema that this program knows.
fn verify(file: &Path) -> Result<()> {
    let connection = open_readonly(file)?;
    let verdict: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(sqlite_error)?;
    if verdict != "ok" {
        return Err(Error::Corrupt(verdict));
    }
    let found: i64 = connection
        .query_row("SELECT MAX(number) FROM migration", [], |row| row.get(0))
        .map_err(|_| Error::Corrupt(format!("{} is not a backup", file.display())))?;
    migration::check_known(found)
}

/// Gives a finished file its name, once it would survive a loss of power.
fn keep(partial: &Path, file: &Path) -> Result<()> {
    let failed = |error: std::io::Error| Error::Unavailable(error.to_string());
    std::fs::File::open(partial)
        .and_then(|open| open.sync_all())
        .map_err(failed)?;
    std::fs::rename(partial, file).map_err(failed)?;
    match file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        Some(parent) => std::fs::File::open(parent)
            .and_then(|open| open.sync_all())
            .map_err(failed),
        None => Ok(()),
    }
}

/// Puts a copy of a backup into an embedded store's place.
fn place(file: &Path, path: &Path) -> Result<()> {
    let partial = path.with_extension("partial");
    std::fs::copy(file, &partial).map_err(|error| Error::Unavailable(error.to_string()))?;
    keep(&partial, path)
}

fn remove(file: &Path) -> Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::Unavailable(error.to_string()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
