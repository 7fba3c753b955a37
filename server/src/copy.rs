//! A copy of the whole store into an empty one elsewhere, compared row by row: how a small installation
//! grows from a file into a database server. The store it comes from stays as it is.

use std::path::Path;

use storage::backup::{backup, compare, restore};
use storage::{DatabaseConfig, Db, Home};
use world::World;

use crate::backup::tree::remove;
use crate::config::{Checked, Shared};
use crate::directory::{DataDir, make_private};
use crate::error::{Error, Result};
use crate::lease::{FileLock, Lease};

/// Where the copy is made ready, within the data directory.
const WORKSHOP: &str = "copying";

/// Copies the store into an empty one and compares both. No server may run on either. Gives the number
/// of rows, each of which was found alike.
///
/// # Errors
///
/// `Copy` where there is nothing to copy, `Locked` and `StoreInUse` while a server runs; the stores'.
pub async fn copy(checked: &Checked, to: &DatabaseConfig, world: World) -> Result<u64> {
    let data_dir = DataDir::lock(&checked.data_dir)?;
    let from = &checked.database;
    if matches!(&from.home, Home::Sqlite(file) if !file.exists()) {
        return Err(nothing());
    }
    let _file_locks = [
        FileLock::take(from, &data_dir)?,
        FileLock::take(to, &data_dir)?,
    ];
    let workshop = data_dir.path().join(WORKSHOP);
    let failed = |source| Error::DataDir {
        path: workshop.clone(),
        source,
    };
    remove(&workshop).map_err(failed)?;
    make_private(&workshop).map_err(failed)?;
    let copied = copy_in(&workshop, from, to, &data_dir, &world).await;
    remove(&workshop).map_err(failed)?;
    world.tracker.stop();
    world.tracker.wait().await;
    copied
}

async fn copy_in(
    workshop: &Path,
    from: &DatabaseConfig,
    to: &DatabaseConfig,
    data_dir: &DataDir,
    world: &World,
) -> Result<u64> {
    let source = storage::open(from, world).await?;
    if !storage::setup::is_done(&source).await? {
        return Err(nothing());
    }
    let source_lease = lease(&source, from, data_dir, world).await?;
    let target_lease = match &to.home {
        // Opening would make the file that must not be there.
        Home::Sqlite(_) => None,
        Home::Postgres(_) => {
            let target = storage::open(to, world).await?;
            lease(&target, to, data_dir, world).await?
        }
    };
    let (file, again) = (workshop.join("from.db"), workshop.join("to.db"));
    let copied = async {
        backup(&source, &file).await?;
        restore(&file, to, world).await?;
        let target = storage::open(to, world).await?;
        backup(&target, &again).await?;
        Ok(compare(&file, &again).await?)
    };
    let copied = copied.await;
    for lease in [source_lease, target_lease].into_iter().flatten() {
        lease.leave().await;
    }
    copied
}

/// The right to a database server's store, as a server would have it. A file is locked instead.
async fn lease(
    db: &Db,
    config: &DatabaseConfig,
    data_dir: &DataDir,
    world: &World,
) -> Result<Option<Lease>> {
    match &config.home {
        Home::Sqlite(_) => Ok(None),
        Home::Postgres(_) => Ok(Some(
            Lease::take(db, config, data_dir, &Shared::default(), world).await?,
        )),
    }
}

fn nothing() -> Error {
    Error::Copy("there is no store to copy: nothing was set up here yet".to_owned())
}
