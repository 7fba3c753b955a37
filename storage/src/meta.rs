//! What belongs to the store as a whole: its epoch, secrets made at first start, and whether backups of it fail.

use protocol::trouble::Trouble;

use crate::db::{Batch, Db, Reader, stmt};
use crate::error::{Error, Result};

/// A new epoch stays below 2^53, so that every JSON reader keeps it exact.
const EPOCH_END: u64 = 1 << 53;

const INSERT_META: &str = "
    INSERT INTO meta (name, value) VALUES ($1, $2)
    ON CONFLICT (name) DO NOTHING";

// By the primary key.
const FIND_META: &str = "
    SELECT value FROM meta WHERE name = $1";

/// The secret of this name; `fresh` is stored and given where there is none.
///
/// # Errors
/// The store's.
pub async fn secret(db: &Db, name: &'static str, fresh: &[u8]) -> Result<Vec<u8>> {
    if let Some(row) = db.row(stmt!(FIND_META, name)).await? {
        return row.bytes("value");
    }
    let mut batch = Batch::locking(vec![format!("meta {name}")]);
    batch.push(stmt!(INSERT_META, name, fresh.to_vec()));
    let found = batch.push(stmt!(FIND_META, name));
    let answers = db.batch(batch).await?;
    answers[found]
        .rows
        .first()
        .ok_or_else(|| Error::Corrupt("what was just stored is not there".to_owned()))?
        .bytes("value")
}

/// Under which name it stands in which history of its server the store was last opened.
const TIMELINE: &str = "timeline";

const LOCK_META: &str = "
    UPDATE meta SET value = value WHERE name = $1";

/// By the primary key. Decides after the row was locked: of nodes that come at once, one begins the epoch.
const BEGIN_EPOCH: &str = "
    UPDATE meta SET value = $2
    WHERE name = $1 AND EXISTS (SELECT 1 FROM meta known WHERE known.name = $3 AND known.value <> $4)";

/// The epoch of the store; drawn where there is none, and anew where a server with another history than before
/// has the store. Then the last commits may be missing that clients know of.
pub(crate) async fn epoch(db: &Db, timeline: Option<&str>) -> Result<u64> {
    let fresh = db.world().ids.below(EPOCH_END - 1) + 1;
    let fresh = fresh.to_be_bytes();
    let Some(timeline) = timeline.map(|timeline| timeline.as_bytes().to_vec()) else {
        return number(&secret(db, "epoch", &fresh).await?);
    };
    let mut batch = Batch::locking(vec!["meta epoch".to_owned()]);
    batch.push(stmt!(LOCK_META, "epoch"));
    let begun = batch.push(stmt!(
        BEGIN_EPOCH,
        "epoch",
        fresh,
        TIMELINE,
        timeline.clone()
    ));
    batch.push(stmt!(INSERT_META, "epoch", fresh));
    batch.push(stmt!(PUT_META, TIMELINE, timeline));
    let found = batch.push(stmt!(FIND_META, "epoch"));
    let answers = db.batch(batch).await?;
    if answers[begun].changed > 0 {
        tracing::warn!(
            "the database has another history than before, as after a failover: a new epoch begins, and clients \
             send again what it lacks"
        );
    }
    let row = answers[found].rows.first();
    let row = row.ok_or_else(|| Error::Corrupt("the epoch is not there".to_owned()))?;
    number(&row.bytes("value")?)
}

fn number(bytes: &[u8]) -> Result<u64> {
    let bytes = <[u8; 8]>::try_from(bytes)
        .map_err(|_| Error::Corrupt("the epoch is no number".to_owned()))?;
    Ok(u64::from_be_bytes(bytes))
}

const PUT_META: &str = "
    INSERT INTO meta (name, value) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value";

const DELETE_META: &str = "
    DELETE FROM meta WHERE name = $1";

/// Under which name it stands that backups fail.
const BACKUP_TROUBLE: &str = "backup_trouble";

/// Why the last backup failed; nothing where it was written.
///
/// # Errors
/// The store's.
pub async fn backup_trouble(reader: &Reader) -> Result<Option<Trouble>> {
    let row = reader.row(stmt!(FIND_META, BACKUP_TROUBLE)).await?;
    let bytes = row.map(|row| row.bytes("value")).transpose()?;
    let trouble = bytes
        .map(|bytes| serde_json::from_slice(&bytes))
        .transpose();
    trouble.map_err(|error| Error::Corrupt(format!("why backups fail: {error}")))
}

/// Notes that a backup failed, for every node and also after a restart. Since when is that of the first that
/// failed.
///
/// # Errors
/// The store's.
pub async fn note_backup_trouble(db: &Db, mut trouble: Trouble) -> Result<()> {
    if let Some(before) = backup_trouble(&db.reader()).await? {
        trouble.since_at_ms = before.since_at_ms;
    }
    let json = serde_json::to_vec(&trouble);
    let json = json.map_err(|error| Error::Fault(error.to_string()))?;
    let mut batch = Batch::locking(vec![format!("meta {BACKUP_TROUBLE}")]);
    batch.push(stmt!(PUT_META, BACKUP_TROUBLE, json));
    db.batch(batch).await?;
    Ok(())
}

/// Notes that a backup was written.
///
/// # Errors
/// The store's.
pub async fn end_backup_trouble(db: &Db) -> Result<()> {
    if backup_trouble(&db.reader()).await?.is_some() {
        let mut batch = Batch::locking(vec![format!("meta {BACKUP_TROUBLE}")]);
        batch.push(stmt!(DELETE_META, BACKUP_TROUBLE));
        db.batch(batch).await?;
    }
    Ok(())
}

/// Draws a new epoch: what clients know of positions is no longer of this store. Backups of the one before say
/// nothing of this one.
pub(crate) async fn begin_epoch(db: &Db) -> Result<()> {
    let fresh = db.world().ids.below(EPOCH_END - 1) + 1;
    let mut batch = Batch::locking(vec!["meta epoch".to_owned()]);
    batch.push(stmt!(PUT_META, "epoch", fresh.to_be_bytes()));
    batch.push(stmt!(DELETE_META, BACKUP_TROUBLE));
    // The server that the rows came from has a history of its own.
    batch.push(stmt!(DELETE_META, TIMELINE));
    db.batch(batch).await?;
    Ok(())
}

const STORE_NOW: &str = "
    SELECT store_now_ms() AS now_ms";

/// The store's own time, in milliseconds since 1970. An embedded store takes the machine's.
///
/// # Errors
/// The store's.
pub async fn now_ms(reader: &Reader) -> Result<u64> {
    let row = reader.row(stmt!(STORE_NOW)).await?;
    row.ok_or_else(|| Error::Corrupt("the store gives no time".to_owned()))?
        .number("now_ms")
}
