//! Directories full of files: linked, copied, removed, and made to last.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::directory::make_private;

/// How files get into another directory.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    /// As another name of the same file, where the disk allows; else as a copy.
    Link,
    /// As a file of its own.
    Copy,
}

/// Copies a directory with all in it; an empty one where there is none.
pub(super) fn copy_tree(from: &Path, to: &Path, way: Way) -> io::Result<()> {
    make_private(to)?;
    let entries = match fs::read_dir(from) {
        // Nothing was ever uploaded.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target, way)?;
        } else {
            copy_file(&entry.path(), &target, way)?;
        }
    }
    sync(to)
}

fn copy_file(from: &Path, to: &Path, way: Way) -> io::Result<()> {
    if matches!(way, Way::Link) && fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    match fs::copy(from, to) {
        Ok(_) => sync(to),
        // An upload that was given up, or a file that was erased, since the listing.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Removes a directory with all in it, where there is one.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Makes sure that a file, or a directory's list of names, survives a loss of power.
pub(super) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Renames where there is something to rename.
pub(super) fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if from.exists() => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_linked_and_copied_with_all_that_is_in_it() {
        let parent = tempfile::tempdir().expect("a directory");
        let from = parent.path().join("files");
        fs::create_dir_all(from.join("wsp_1/ab")).expect("directories");
        fs::write(from.join("wsp_1/ab/hash"), "bytes").expect("a file");
        for (name, way) in [("linked", Way::Link), ("copied", Way::Copy)] {
            let to = parent.path().join(name);
            copy_tree(&from, &to, way).expect("it is copied");
            let bytes = fs::read_to_string(to.join("wsp_1/ab/hash")).expect("the file is there");
            assert_eq!(bytes, "bytes");
        }
        let nothing = parent.path().join("nothing");
        copy_tree(&parent.path().join("missing"), &nothing, Way::Copy).expect("nothing to copy");
        assert!(nothing.is_dir());
    }
}
