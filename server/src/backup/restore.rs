//! Restore: a backup into a data directory. Made in full beside what is there, then swapped in.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use storage::blob::BlobConfig;
use storage::{DatabaseConfig, Home};
use world::World;

use super::tree::{Way, copy_tree, remove, rename_if_there, sync};
use super::{FILES, STORE, stamp};
use crate::directory::{DataDir, make_private};
use crate::error::{Error, Result};

/// What a restore does with data that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Present {
    /// Refuses.
    Refuse,
    /// Moves it into a directory beside.
    MoveAside,
}

/// Where a restore puts what, and what it works with.
struct Place<'a> {
    backup: &'a Path,
    /// The embedded store's file; an own database server has none.
    file: Option<&'a Path>,
    /// The uploaded files, where they are kept in a directory and the backup has some.
    files: Option<&'a Path>,
    /// Where all is made ready.
    fresh: PathBuf,
    /// Where the former data goes.
    aside: PathBuf,
}

/// Fills the store and the files of a data directory from a backup. What was there is moved aside
/// when asked for and refused otherwise; nothing is lost either way. Gives lines for the operator.
///
/// # Errors
///
/// `Restore` where there is no backup, or data in its place. Nothing is changed then.
pub async fn restore(
    data_dir: &DataDir,
    backup: &Path,
    database: &DatabaseConfig,
    blobs: &BlobConfig,
    present: Present,
    world: &World,
) -> Result<Vec<String>> {
    if !backup.join(STORE).is_file() {
        let problem = format!("{} holds no backup: {STORE} is missing", backup.display());
        return Err(Error::Restore(problem));
    }
    let has_files = backup.join(FILES).is_dir();
    let place = Place {
        backup,
        file: match &database.home {
            Home::Sqlite(file) => Some(file),
            Home::Postgres(_) => None,
        },
        files: match blobs {
            BlobConfig::Directory(directory) if has_files => Some(directory),
            BlobConfig::Directory(_) | BlobConfig::S3 { .. } => None,
        },
        fresh: data_dir.path().join("restoring"),
        aside: data_dir
            .path()
            .join(format!("replaced-{}", stamp(world.clock.now_ms()))),
    };
    let mut report = vec![format!("restored from {}", backup.display())];
    if place.is_taken() {
        if present == Present::Refuse {
            let problem = "there is data already; --replace moves it aside";
            return Err(Error::Restore(problem.to_owned()));
        }
        report.push(format!("the former data is in {}", place.aside.display()));
    }
    if has_files && matches!(blobs, BlobConfig::S3 { .. }) {
        let files = backup.join(FILES);
        report.push(format!("copy {} into the bucket yourself", files.display()));
    }
    place.prepare(database, world).await?;
    place.swap_in().map_err(|source| Error::DataDir {
        path: data_dir.path().to_owned(),
        source,
    })?;
    Ok(report)
}

impl Place<'_> {
    fn is_taken(&self) -> bool {
        let mut there = self.file.into_iter().chain(self.files);
        there.any(Path::exists)
    }

    /// Makes all ready beside the present data. A database server refuses unless it is empty.
    async fn prepare(&self, database: &DatabaseConfig, world: &World) -> Result<()> {
        let failed = |source| Error::DataDir {
            path: self.fresh.clone(),
            source,
        };
        remove(&self.fresh).map_err(failed)?;
        make_private(&self.fresh).map_err(failed)?;
        if self.files.is_some() {
            let (from, to) = (self.backup.join(FILES), self.fresh.join(FILES));
            copy_tree(&from, &to, Way::Copy).map_err(failed)?;
        }
        let mut target = database.clone();
        if self.file.is_some() {
            target.home = Home::Sqlite(self.fresh.join(STORE));
        }
        storage::backup::restore(&self.backup.join(STORE), &target, world).await?;
        Ok(())
    }

    fn swap_in(&self) -> io::Result<()> {
        if self.is_taken() {
            make_private(&self.aside)?;
        }
        for ending in ["", "-wal", "-shm"] {
            let Some(file) = self.file else { break };
            let mut present = file.as_os_str().to_owned();
            present.push(ending);
            let present = Path::new(&present);
            rename_if_there(present, &self.aside.join(format!("{STORE}{ending}")))?;
            rename_if_there(&self.fresh.join(format!("{STORE}{ending}")), present)?;
        }
        if let Some(files) = self.files {
            rename_if_there(files, &self.aside.join(FILES))?;
            fs::rename(self.fresh.join(FILES), files)?;
        }
        remove(&self.fresh)?;
        self.fresh.parent().map_or(Ok(()), sync)
    }
}
