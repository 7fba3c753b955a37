//! The data directory and its lock: one process at a time writes there.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The locked data directory. The lock ends with the value, and with the process however it ends.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    lock: File,
}

impl DataDir {
    /// Makes the directory where it is missing, for its owner alone, and locks it.
    ///
    /// # Errors
    ///
    /// `Locked` while another process holds it.
    pub fn lock(path: &Path) -> Result<Self> {
        let failed = |source| Error::DataDir {
            path: path.to_owned(),
            source,
        };
        make_private(path).map_err(failed)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                lock,
            }),
            Err(TryLockError::WouldBlock) => Err(Error::Locked {
                path: path.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// The file that is locked.
    pub(crate) fn lock_file(&self) -> &File {
        &self.lock
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Makes a directory, and those above it, that only their owner may enter. One that exists stays as
/// it is.
pub(crate) fn make_private(path: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_data_directory_is_private_and_belongs_to_one_at_a_time() {
        let parent = tempfile::tempdir().expect("a directory");
        let path = parent.path().join("a/data");
        let first = DataDir::lock(&path).expect("it is free");
        let mode = path.metadata().expect("it exists").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let second = DataDir::lock(&path).expect_err("it is taken");
        assert!(matches!(second, Error::Locked { .. }), "{second}");
        drop(first);
        DataDir::lock(&path).expect("it is free again");
    }

    #[test]
    fn a_file_in_the_place_of_the_directory_is_an_error_that_names_it() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let error = DataDir::lock(file.path()).expect_err("no directory");
        assert!(
            error
                .to_string()
                .contains(&file.path().display().to_string())
        );
    }
}
