//! Files that are coming in: their beginning in memory, all of a larger one in a file without a name, which
//! is gone when nobody holds it any more, also after a crash.

use std::fmt::Write;
use std::io::SeekFrom;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::error::{Error, Result};
use crate::room::{self, Room};

/// Bytes of a file's beginning. A file that is no larger needs no other.
pub const HEAD_BYTES_MAX: usize = 256 * 1024;

/// Bytes of one write to the disk.
const WRITE_BYTES_MAX: usize = 64 * 1024;

/// A file that is coming in.
pub struct Spool {
    directory: PathBuf,
    room: Arc<Room>,
    head: BytesMut,
    file: Option<File>,
    hasher: Sha256,
    size_bytes: u64,
}

/// A file that has come, whole.
pub struct Spooled {
    /// SHA-256 of its bytes, in hexadecimal: its name.
    pub hash: String,
    /// How many bytes it has.
    pub size_bytes: u64,
    /// Its first bytes, as many as `HEAD_BYTES_MAX`.
    pub head: Bytes,
    /// All of it, where it is larger.
    file: Option<File>,
}

impl Spool {
    /// Nothing has come yet. What does not stay in memory goes to a file in a directory.
    pub(crate) fn new(directory: &Path, room: Arc<Room>) -> Self {
        Self {
            directory: directory.to_owned(),
            room,
            head: BytesMut::new(),
            file: None,
            hasher: Sha256::new(),
            size_bytes: 0,
        }
    }

    /// Takes what comes next. Nothing of a spool whose write was dropped can be used.
    ///
    /// # Errors
    /// `Full`, `Unavailable`.
    pub async fn write(&mut self, part: &[u8]) -> Result<()> {
        let written = self.take(part).await;
        // That there is room shows when the file is stored.
        if written.is_err() {
            self.room.note(&written);
        }
        written
    }

    async fn take(&mut self, part: &[u8]) -> Result<()> {
        self.hasher.update(part);
        self.size_bytes += u64::try_from(part.len()).expect("a length fits into 64 bits");
        let into_head = part.len().min(HEAD_BYTES_MAX - self.head.len());
        let (into_head, rest) = part.split_at(into_head);
        self.head.extend_from_slice(into_head);
        if self.file.is_none() {
            if rest.is_empty() {
                return Ok(());
            }
            let mut file = unnamed(&self.directory).await?;
            file.write_all(&self.head).await.map_err(disk)?;
            self.file = Some(file);
        }
        let file = self.file.as_mut().expect("it was made just above");
        file.write_all(rest).await.map_err(disk)
    }

    /// All has come.
    ///
    /// # Errors
    /// `Full`, `Unavailable`.
    pub async fn finish(mut self) -> Result<Spooled> {
        if let Some(file) = &mut self.file {
            let flushed = file.flush().await.map_err(disk);
            if flushed.is_err() {
                self.room.note(&flushed);
            }
            flushed?;
            file.seek(SeekFrom::Start(0)).await.map_err(disk)?;
        }
        let mut hash = String::with_capacity(64);
        for byte in self.hasher.finalize() {
            write!(hash, "{byte:02x}").expect("writing into a string does not fail");
        }
        Ok(Spooled {
            hash,
            size_bytes: self.size_bytes,
            head: self.head.freeze(),
            file: self.file,
        })
    }
}

impl Spooled {
    /// Whether all of it is in `head`.
    pub(crate) fn is_small(&self) -> bool {
        self.file.is_none()
    }

    /// The next bytes of a larger one, so many but at its end; nothing after that.
    pub(crate) async fn next(&mut self, length: usize) -> Result<Bytes> {
        let Some(file) = &mut self.file else {
            return Ok(Bytes::new());
        };
        let mut bytes = BytesMut::with_capacity(length);
        let length = u64::try_from(length).expect("a length fits into 64 bits");
        let mut limited = file.take(length);
        while limited.read_buf(&mut bytes).await.map_err(disk)? > 0 {}
        Ok(bytes.freeze())
    }
}

async fn unnamed(directory: &Path) -> Result<File> {
    let directory = directory.to_owned();
    let made = tokio::task::spawn_blocking(move || tempfile::tempfile_in(directory)).await;
    let made = made.map_err(|error| Error::Unavailable(error.to_string()))?;
    let mut file = File::from_std(made.map_err(disk)?);
    file.set_max_buf_size(WRITE_BYTES_MAX);
    Ok(file)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is for `map_err`, which passes the error itself"
)]
fn disk(error: std::io::Error) -> Error {
    if room::is_missing(&error) {
        Error::Full(error.to_string())
    } else {
        Error::Unavailable(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn spooled(directory: &Path, parts: &[&[u8]]) -> Spooled {
        let mut spool = Spool::new(directory, Arc::new(Room::new("files")));
        for part in parts {
            spool.write(part).await.unwrap();
        }
        spool.finish().await.unwrap()
    }

    #[tokio::test]
    async fn a_small_file_stays_in_memory() {
        let nowhere = Path::new("/does/not/exist");
        let small = spooled(nowhere, &[b"hel", b"lo"]).await;
        assert_eq!((small.size_bytes, &small.head[..]), (5, &b"hello"[..]));
        assert_eq!(small.hash, crate::blob::hash(b"hello"));
        assert!(small.is_small());
    }

    #[tokio::test]
    async fn of_a_large_file_only_the_beginning_is_in_memory_and_no_name_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let part: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        let whole = part.repeat(10);
        let mut large = spooled(directory.path(), &[&part[..]; 10]).await;
        assert_eq!(large.size_bytes, 1_000_000);
        assert_eq!(large.hash, crate::blob::hash(&whole));
        assert_eq!(large.head, whole[..HEAD_BYTES_MAX]);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
        let mut read = Vec::new();
        loop {
            let next = large.next(300_000).await.unwrap();
            if next.is_empty() {
                break;
            }
            assert!(next.len() == 300_000 || read.len() + next.len() == whole.len());
            read.extend_from_slice(&next);
        }
        assert_eq!(read, whole);
    }

    #[tokio::test]
    async fn a_directory_that_is_gone_is_told() {
        let mut spool = Spool::new(Path::new("/does/not/exist"), Arc::new(Room::new("files")));
        let written = spool.write(&vec![0; HEAD_BYTES_MAX + 1]).await;
        assert!(matches!(written, Err(Error::Unavailable(_))));
    }
}
