//! Whether there is room on the disk. What it refuses is counted, and told once: not for each write, or the log
//! would fill what is left.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::error::{Error, Result};

/// What one home of data knows of its room.
#[derive(Debug)]
pub(crate) struct Room {
    /// Whose room it is, for the log.
    of: &'static str,
    is_full: AtomicBool,
    refused_count: AtomicU64,
}

impl Room {
    pub(crate) fn new(of: &'static str) -> Self {
        Self {
            of,
            is_full: AtomicBool::new(false),
            refused_count: AtomicU64::new(0),
        }
    }

    /// Notes how a write ended.
    pub(crate) fn note<T>(&self, written: &Result<T>) {
        match written {
            Err(error @ Error::Full(_)) => {
                self.refused_count.fetch_add(1, Ordering::Relaxed);
                if !self.is_full.swap(true, Ordering::Relaxed) {
                    tracing::error!(%error, "no room for {}: refused until there is", self.of);
                }
            }
            // Any other failure says nothing of the room.
            Err(_) => {}
            Ok(_) => {
                let was_full = self.is_full.load(Ordering::Relaxed);
                if was_full && self.is_full.swap(false, Ordering::Relaxed) {
                    tracing::warn!("there is room for {} again", self.of);
                }
            }
        }
    }

    /// How many writes were refused so far.
    pub(crate) fn refused_count(&self) -> u64 {
        self.refused_count.load(Ordering::Relaxed)
    }
}

/// Whether the system refused a write because nothing may be written there: a disk that was mounted anew for reading.
pub(crate) fn is_closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied
    )
}

/// Whether the system refused a write because a disk, a quota or a limit for files is full.
pub(crate) fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_the_system_says_no_is_told_apart() {
        let told = |code| {
            let error = io::Error::from_raw_os_error(code);
            (is_missing(&error), is_closed(&error))
        };
        let (full, quota, too_large) = (28, 122, 27);
        for code in [full, quota, too_large] {
            assert_eq!(told(code), (true, false));
        }
        let (not_permitted, read_only_disk) = (1, 30);
        for code in [not_permitted, read_only_disk] {
            assert_eq!(told(code), (false, true));
        }
        let broken = 5;
        assert_eq!(told(broken), (false, false));
    }
}
