//! Backups: one directory with the store as one SQLite file and the uploaded files beside it.
//!
//! A backup is whole or not there: it is written under another name and renamed at its end. Files
//! never change once written, so they are hard links where the disk allows. Every home of the store
//! gives the same kind of backup, which can be restored to any home.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use gateway::metric::{Metric, Metrics};
use protocol::text;
use protocol::trouble::{Trouble, TroubleKind};
use storage::Db;
use storage::backup_turn::Holder;
use storage::blob::BlobConfig;
use world::World;

use self::tree::{Way, copy_tree, remove, sync};
use crate::config::BackupPlan;
use crate::directory::make_private;
use crate::error::{Error, Result};

pub use self::restore::{Present, restore};

mod daily;
mod restore;
pub(crate) mod tree;

/// The store's file within a backup.
const STORE: &str = "switchboard.db";
/// The uploaded files within a backup, and within the data directory.
const FILES: &str = "files";
/// The ending of a backup that is being written.
const PARTIAL: &str = ".partial";
/// The beginning of the names that the daily backup gives, and takes away again.
const DAILY: &str = "daily-";

/// Bytes of the reason why one failed that are kept for the team.
const REASON_BYTES_MAX: usize = 500;

/// Writes backups of a running server.
#[derive(Clone)]
pub struct Backups {
    /// The store.
    pub db: Db,
    /// Where uploaded files are.
    pub blobs: BlobConfig,
    /// When and where.
    pub plan: BackupPlan,
    /// Whose they are, among nodes that share a store.
    pub holder: Holder,
    /// Where it is counted what became of them.
    pub metrics: Arc<Metrics>,
    /// Clock and tasks.
    pub world: World,
}

impl Backups {
    /// Writes a backup into a new directory; one named after the time where none is given.
    ///
    /// # Errors
    ///
    /// The store's and the disk's. Nothing is left behind then.
    pub async fn write(&self, directory: Option<PathBuf>) -> Result<PathBuf> {
        let target = directory.unwrap_or_else(|| {
            let name = format!("manual-{}", stamp(self.world.clock.now_ms()));
            self.plan.directory.join(name)
        });
        self.write_to(&target).await?;
        Ok(target)
    }

    /// Writes one, and counts what became of it.
    async fn write_to(&self, target: &Path) -> Result<()> {
        let written = self.counted(self.write_whole(target).await);
        if written.is_ok() {
            let now_s = self.world.clock.now_ms() / 1_000;
            self.metrics.set(Metric::BackupWrittenAt, now_s);
        }
        self.note(target, &written).await;
        written
    }

    /// Counts what keeps a backup from being written.
    fn counted<T, E>(&self, done: std::result::Result<T, E>) -> std::result::Result<T, E> {
        if done.is_err() {
            let now_s = self.world.clock.now_ms() / 1_000;
            self.metrics.add(Metric::BackupsFailed, 1);
            self.metrics.set(Metric::BackupFailedAt, now_s);
        }
        done
    }

    /// Tells the team's admins, on every node and until one is written. One that somebody wanted elsewhere is his
    /// own affair where it fails.
    async fn note(&self, target: &Path, written: &Result<()>) {
        let noted = match written {
            Ok(()) => storage::meta::end_backup_trouble(&self.db).await,
            Err(error) if target.starts_with(&self.plan.directory) => {
                let trouble = Trouble {
                    kind: TroubleKind::BackupFailed,
                    since_at_ms: self.world.clock.now_ms(),
                    reason: text::cut(&error.to_string(), REASON_BYTES_MAX),
                };
                storage::meta::note_backup_trouble(&self.db, trouble).await
            }
            Err(_) => Ok(()),
        };
        if let Err(error) = noted {
            tracing::warn!(%error, "what became of a backup could not be noted");
        }
    }

    async fn write_whole(&self, target: &Path) -> Result<()> {
        let failed = |source| Error::Backup {
            path: target.to_owned(),
            source,
        };
        if target.exists() {
            return Err(failed(io::ErrorKind::AlreadyExists.into()));
        }
        let partial = partial_name(target).map_err(failed)?;
        remove(&partial).map_err(failed)?;
        let written = self.write_partial(&partial).await;
        if let Err(error) = written {
            // The first error says more than one about the remains.
            let _ = remove(&partial);
            return Err(error);
        }
        fs::rename(&partial, target).map_err(failed)?;
        let parent = target.parent().filter(|parent| parent.exists());
        parent.map_or(Ok(()), sync).map_err(failed)
    }

    /// The store first: a file that a row names was written before the row, so it is there too.
    async fn write_partial(&self, partial: &Path) -> Result<()> {
        let failed = |source| Error::Backup {
            path: partial.to_owned(),
            source,
        };
        make_private(partial).map_err(failed)?;
        storage::backup::backup(&self.db.reader(), &partial.join(STORE)).await?;
        if let BlobConfig::Directory(files) = &self.blobs {
            let (from, to) = (files.clone(), partial.join(FILES));
            let linked = self
                .world
                .tracker
                .spawn_blocking(move || copy_tree(&from, &to, Way::Link));
            linked
                .await
                .map_err(|error| failed(io::Error::other(error)))?
                .map_err(failed)?;
        }
        sync(partial).map_err(failed)
    }
}

fn partial_name(target: &Path) -> io::Result<PathBuf> {
    let mut name = target
        .file_name()
        .ok_or_else(|| io::Error::other("the path names no directory"))?
        .to_owned();
    name.push(PARTIAL);
    Ok(target.with_file_name(name))
}

/// How a time is written in names.
const STAMP: &str = "%Y-%m-%dT%H-%M-%S%.3fZ";

fn stamp(at_ms: u64) -> String {
    let at_ms = i64::try_from(at_ms).unwrap_or(i64::MAX);
    let at = DateTime::<Utc>::from_timestamp_millis(at_ms).unwrap_or_default();
    at.format(STAMP).to_string()
}

fn stamp_ms(text: &str) -> Option<u64> {
    let at = chrono::NaiveDateTime::parse_from_str(text, STAMP).ok()?;
    u64::try_from(at.and_utc().timestamp_millis()).ok()
}

/// How long a stop waits for a backup that is being written.
pub(crate) const FINISH_MAX: Duration = Duration::from_secs(20);

#[cfg(test)]
mod daily_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_sorts_like_its_time_and_reads_back() {
        let at_ms = 1_763_845_200_123;
        assert_eq!(stamp(at_ms), "2025-11-22T21-00-00.123Z");
        assert_eq!(stamp_ms(&stamp(at_ms)), Some(at_ms));
        assert!(stamp(at_ms) < stamp(at_ms + 1));
        assert_eq!(stamp_ms("2025-11-22T21-00-00.123Z.partial"), None);
    }
}
