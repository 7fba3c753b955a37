//! Blobs: the bytes of files, by workspace and hash. On the filesystem, or in an S3-compatible store.
//!
//! Which files there may be, and when one goes, is for [`crate::attachment`] to say: its rows come first and
//! go last.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    ClientOptions, MultipartUpload, ObjectStore, ObjectStoreExt, PutMode, PutPayload, RetryConfig,
};
use protocol::id::WorkspaceId;
use sha2::{Digest, Sha256};
use world::Faults;

use crate::db;
use crate::db::group;
use crate::error::{Error, Result};
use crate::room::{self, Room};
use crate::spool::{Spool, Spooled};

/// Where files are kept.
#[derive(Clone)]
pub enum BlobConfig {
    /// In a directory.
    Directory(PathBuf),
    /// In a bucket of an S3-compatible store.
    S3 {
        /// The bucket.
        bucket: String,
        /// The region.
        region: String,
        /// The endpoint, for others than AWS.
        endpoint: Option<String>,
        /// The id of the access key.
        access_key_id: String,
        /// The secret of the access key.
        secret_access_key: String,
        /// Where larger files lie while they come in.
        spool: PathBuf,
    },
}

/// The files. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    /// Where the files lie, unless they lie in a bucket.
    directory: Option<PathBuf>,
    /// Where larger files lie while they come in.
    spool: PathBuf,
    room: Arc<Room>,
    faults: Faults,
}

/// A file that is being read.
pub struct BlobRead {
    /// How many bytes it has.
    pub size_bytes: u64,
    /// Its bytes, in order.
    pub bytes: BoxStream<'static, Result<Bytes>>,
}

/// Bytes of one part of a larger file: for directories, and for buckets, which take no smaller ones.
const PART_BYTES: usize = 256 * 1024;
const PART_BYTES_OF_BUCKETS: usize = 5 * 1024 * 1024;

/// How long a bucket may say nothing, and how often what it does not take is tried again: somebody waits.
/// There is no limit for the whole, because a download is as slow as whoever reads it.
const BUCKET_CONNECT_MAX: Duration = Duration::from_secs(5);
const BUCKET_SILENCE_MAX: Duration = Duration::from_secs(30);
const BUCKET_RETRIES_MAX: usize = 3;

/// SHA-256 of a file's bytes, in hexadecimal: its name.
#[must_use]
pub fn hash(bytes: &[u8]) -> String {
    let mut hash = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        write!(hash, "{byte:02x}").expect("writing into a string does not fail");
    }
    hash
}

/// Opens the files. A directory is made where there is none.
///
/// # Errors
/// `Configuration` where the directory or bucket cannot be used.
pub fn open(config: &BlobConfig) -> Result<Blobs> {
    let store: Arc<dyn ObjectStore> = match config {
        BlobConfig::Directory(directory) => {
            std::fs::create_dir_all(directory).map_err(|error| {
                Error::Configuration(format!("cannot make {}: {error}", directory.display()))
            })?;
            let files = LocalFileSystem::new_with_prefix(directory).map_err(configuration)?;
            // A row names a blob only after the blob would survive a loss of power.
            Arc::new(files.with_fsync(true).with_automatic_cleanup(true))
        }
        BlobConfig::S3 {
            bucket,
            region,
            endpoint,
            access_key_id,
            secret_access_key,
            spool: _,
        } => {
            let is_plain = endpoint
                .as_ref()
                .is_some_and(|it| it.starts_with("http://"));
            let mut builder = AmazonS3Builder::new()
                .with_client_options(bucket_client().with_allow_http(is_plain))
                .with_retry(RetryConfig {
                    max_retries: BUCKET_RETRIES_MAX,
                    retry_timeout: BUCKET_SILENCE_MAX,
                    ..RetryConfig::default()
                })
                .with_bucket_name(bucket)
                .with_region(region)
                .with_access_key_id(access_key_id)
                .with_secret_access_key(secret_access_key);
            if let Some(endpoint) = endpoint {
                builder = builder
                    .with_endpoint(endpoint)
                    .with_virtual_hosted_style_request(false);
            }
            Arc::new(builder.build().map_err(configuration)?)
        }
    };
    let (directory, spool) = match config {
        BlobConfig::Directory(directory) => (Some(directory.clone()), directory),
        BlobConfig::S3 { spool, .. } => (None, spool),
    };
    Ok(Blobs {
        store,
        directory,
        spool: spool.clone(),
        room: Arc::new(Room::new("files")),
        faults: Faults::none(),
    })
}

/// By which codes of S3 a bucket refuses whoever is configured wrongly.
const REFUSALS: &[&str] = &[
    "AccessDenied",
    "AuthorizationHeaderMalformed",
    "InvalidAccessKeyId",
    "InvalidBucketName",
    "NoSuchBucket",
    "NotSignedUp",
    "PermanentRedirect",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
];

/// The library knows no kinds of errors of lists: what S3 answered stands in the text.
fn is_refusal(error: &object_store::Error) -> bool {
    let text = error.to_string();
    REFUSALS.iter().any(|code| text.contains(code))
}

fn bucket_client() -> ClientOptions {
    ClientOptions::new()
        .with_connect_timeout(BUCKET_CONNECT_MAX)
        .with_read_timeout(BUCKET_SILENCE_MAX)
        .with_timeout_disabled()
}

impl Blobs {
    /// Asks a bucket whether it knows itself and our key; a directory was looked at when it was opened.
    ///
    /// # Errors
    /// `Configuration` where it refuses us, `Unavailable` where it does not answer.
    pub async fn check(&self) -> Result<()> {
        if self.directory.is_some() {
            return Ok(());
        }
        match self.store.list(None).next().await {
            None | Some(Ok(_)) => Ok(()),
            Some(Err(error)) if is_refusal(&error) => Err(Error::Configuration(format!(
                "the bucket refuses us: {error}"
            ))),
            Some(Err(error)) => Err(failure(&error)),
        }
    }

    /// The same files, where faults can be planted at `blob.put` and `blob.remove`.
    #[must_use]
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// Stores bytes under their [`hash`]; returns once they would survive a loss of power. The same bytes of
    /// the same workspace are stored once. A place must be reserved for them.
    ///
    /// # Errors
    /// `Full`, `Unavailable`.
    pub async fn put(&self, workspace_id: WorkspaceId, hash: &str, bytes: Bytes) -> Result<()> {
        group::planted(&self.faults, "blob.put")?;
        let path = path(workspace_id, hash)?;
        let put = self
            .store
            .put_opts(&path, PutPayload::from_bytes(bytes), PutMode::Create.into())
            .await;
        let put = match put {
            Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => Ok(()),
            Err(error) => Err(failure(&error)),
        };
        self.room.note(&put);
        put
    }

    /// For a file that comes in.
    #[must_use]
    pub fn spool(&self) -> Spool {
        Spool::new(&self.spool, Arc::clone(&self.room))
    }

    /// How many files were refused because there was no room on the disk.
    #[must_use]
    pub fn refused_full_count(&self) -> u64 {
        self.room.refused_count()
    }

    /// Stores a file that has come, as [`Blobs::put`] does, without having all of a larger one in memory.
    /// Ends what was begun where it fails; where it is dropped, a bucket may keep parts until a rule of its own
    /// removes them.
    ///
    /// # Errors
    /// `Full`, `Unavailable`.
    pub async fn put_spooled(&self, workspace_id: WorkspaceId, spooled: Spooled) -> Result<()> {
        if spooled.is_small() {
            return self.put(workspace_id, &spooled.hash, spooled.head).await;
        }
        group::planted(&self.faults, "blob.put")?;
        let path = path(workspace_id, &spooled.hash)?;
        match self.store.head(&path).await {
            Ok(_) => return Ok(()),
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(failure(&error)),
        }
        let upload = self.store.put_multipart(&path).await;
        let mut upload = upload.map_err(|error| failure(&error))?;
        let part_bytes = match self.directory {
            Some(_) => PART_BYTES,
            None => PART_BYTES_OF_BUCKETS,
        };
        let put = put_parts(upload.as_mut(), spooled, part_bytes).await;
        if put.is_err() {
            // What cannot be ended is found by the sweep, or by a bucket's own rule.
            let _ = upload.abort().await;
        }
        self.room.note(&put);
        put
    }

    /// The size of a file, and its bytes as they are read.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn read(&self, workspace_id: WorkspaceId, hash: &str) -> Result<Option<BlobRead>> {
        match self.store.get(&path(workspace_id, hash)?).await {
            Ok(found) => Ok(Some(BlobRead {
                size_bytes: found.meta.size,
                bytes: found
                    .into_stream()
                    .map(|part| part.map_err(|error| failure(&error)))
                    .boxed(),
            })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failure(&error)),
        }
    }

    /// The bytes of a file, all of them.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn get(&self, workspace_id: WorkspaceId, hash: &str) -> Result<Option<Bytes>> {
        let Some(found) = self.read(workspace_id, hash).await? else {
            return Ok(None);
        };
        let parts: Vec<Bytes> = found.bytes.try_collect().await?;
        Ok(Some(parts.concat().into()))
    }

    /// Removes a file; nothing happens where there is none.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn remove(&self, workspace_id: WorkspaceId, hash: &str) -> Result<()> {
        group::planted(&self.faults, "blob.remove")?;
        match self.store.delete(&path(workspace_id, hash)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failure(&error)),
        }
    }

    /// All files last written before `before_ms`, in no order.
    pub(crate) fn list(
        &self,
        before_ms: u64,
    ) -> impl Stream<Item = Result<(WorkspaceId, String)>> + Send {
        self.store.list(None).filter_map(move |found| async move {
            let found = match found {
                Ok(found) => found,
                Err(error) => return Some(Err(failure(&error))),
            };
            let written_ms = u64::try_from(found.last_modified.timestamp_millis()).unwrap_or(0);
            if written_ms >= before_ms {
                return None;
            }
            let mut parts = found.location.parts();
            let workspace_id = parts.next()?.as_ref().parse().ok()?;
            let hash = parts.nth(1)?.as_ref().to_owned();
            // What lies there under another name is not ours.
            let is_ours = path(workspace_id, &hash).ok()? == found.location;
            is_ours.then_some(Ok((workspace_id, hash)))
        })
    }

    /// Removes what writes before `before_ms` left half written because the process was killed. A bucket keeps
    /// no halves.
    pub(crate) async fn remove_halves(&self, before_ms: u64) -> Result<()> {
        let Some(directory) = self.directory.clone() else {
            return Ok(());
        };
        db::blocking(move || {
            remove_halves(&directory, before_ms)
                .map_err(|error| Error::Unavailable(error.to_string()))
        })
        .await
    }
}

async fn put_parts(
    upload: &mut dyn MultipartUpload,
    mut spooled: Spooled,
    part_bytes: usize,
) -> Result<()> {
    loop {
        let part = spooled.next(part_bytes).await?;
        if part.is_empty() {
            break;
        }
        let put = upload.put_part(PutPayload::from_bytes(part)).await;
        put.map_err(|error| failure(&error))?;
    }
    upload.complete().await.map_err(|error| failure(&error))?;
    Ok(())
}

/// Removes the files with a number behind a `#`, which is how the library names what it is writing.
fn remove_halves(directory: &std::path::Path, before_ms: u64) -> io::Result<()> {
    let before = UNIX_EPOCH + Duration::from_millis(before_ms);
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            gone_is_fine(remove_halves(&entry.path(), before_ms))?;
            continue;
        }
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.split_once('#'));
        let is_half = number.is_some_and(|(_, number)| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        if is_half && entry.metadata()?.modified()? < before {
            gone_is_fine(fs::remove_file(entry.path()))?;
        }
    }
    Ok(())
}

fn gone_is_fine(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Where a file lies: its workspace, and its hash behind two digits that keep folders small.
fn path(workspace_id: WorkspaceId, hash: &str) -> Result<Path> {
    let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hash {
        return Err(Error::Corrupt("a file's hash is not one".to_owned()));
    }
    Ok(Path::from_iter([
        workspace_id.to_string().as_str(),
        &hash[..2],
        hash,
    ]))
}

fn configuration(error: object_store::Error) -> Error {
    Error::Configuration(error.to_string())
}

fn failure(error: &object_store::Error) -> Error {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let io = inner.downcast_ref::<std::io::Error>();
        if io.is_some_and(room::is_missing) {
            return Error::Full(error.to_string());
        }
        source = inner.source();
    }
    Error::Unavailable(error.to_string())
}

#[cfg(test)]
mod tests {
    use protocol::id::Id;

    use super::*;

    #[tokio::test]
    async fn bytes_come_back_by_their_hash_and_only_in_their_workspace() {
        let directory = tempfile::tempdir().unwrap();
        let blobs = open(&BlobConfig::Directory(directory.path().join("files"))).unwrap();
        let (ours, theirs) = (WorkspaceId::from_bits(1), WorkspaceId::from_bits(2));
        let hash = hash(b"hello");
        for _ in 0..2 {
            let bytes = Bytes::from_static(b"hello");
            blobs.put(ours, &hash, bytes).await.unwrap();
        }
        assert_eq!(blobs.get(ours, &hash).await.unwrap().unwrap(), "hello");
        assert_eq!(blobs.get(theirs, &hash).await.unwrap(), None);
        blobs.remove(ours, &hash).await.unwrap();
        blobs.remove(ours, &hash).await.unwrap();
        assert_eq!(blobs.get(ours, &hash).await.unwrap(), None);
    }

    #[tokio::test]
    async fn old_halves_go_and_all_else_stays() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().to_owned();
        let blobs = open(&BlobConfig::Directory(directory.clone())).unwrap();
        let (workspace_id, hash) = (WorkspaceId::from_bits(1), hash(b"hello"));
        let bytes = Bytes::from_static(b"hello");
        blobs.put(workspace_id, &hash, bytes).await.unwrap();
        let file = directory.join(path(workspace_id, &hash).unwrap().as_ref());
        let half = file.with_file_name(format!("{hash}#12"));
        fs::write(&half, "hel").unwrap();
        fs::write(directory.join("notes#1a"), "not ours").unwrap();
        blobs.remove_halves(1_000_000).await.unwrap();
        assert!(half.exists(), "it may still be written");
        blobs.remove_halves(u64::MAX / 2_000_000).await.unwrap();
        assert!(!half.exists() && file.exists() && directory.join("notes#1a").exists());
        let listed: Vec<_> = blobs.list(u64::MAX).collect().await;
        let listed: Vec<_> = listed.into_iter().map(Result::unwrap).collect();
        assert_eq!(listed, [(workspace_id, hash)]);
        assert_eq!(blobs.list(1_000_000).count().await, 0);
    }

    #[tokio::test]
    async fn a_large_file_is_stored_and_read_in_parts() {
        let directory = tempfile::tempdir().unwrap();
        let files = directory.path().join("files");
        let blobs = open(&BlobConfig::Directory(files.clone())).unwrap();
        let ours = WorkspaceId::from_bits(1);
        let whole: Vec<u8> = (0..=255).cycle().take(3 * PART_BYTES + 5).collect();
        // The second time it is there already.
        for _ in 0..2 {
            let mut spool = blobs.spool();
            for part in whole.chunks(10_000) {
                spool.write(part).await.unwrap();
            }
            let spooled = spool.finish().await.unwrap();
            assert_eq!(spooled.hash, hash(&whole));
            blobs.put_spooled(ours, spooled).await.unwrap();
        }
        let mut found = blobs.read(ours, &hash(&whole)).await.unwrap().unwrap();
        assert_eq!(found.size_bytes, whole.len() as u64);
        let mut read = Vec::new();
        while let Some(part) = found.bytes.next().await {
            let part = part.unwrap();
            assert!(part.len() <= PART_BYTES);
            read.extend_from_slice(&part);
        }
        assert_eq!(read, whole);
        let halves = fs::read_dir(&files).unwrap().count();
        assert_eq!(halves, 1, "only the folder of the workspace");
    }

    #[tokio::test]
    async fn what_is_no_hash_reaches_no_file() {
        let directory = tempfile::tempdir().unwrap();
        let blobs = open(&BlobConfig::Directory(directory.path().to_owned())).unwrap();
        for bad in ["", "../../etc/passwd", &"g".repeat(64)] {
            assert!(
                blobs.get(WorkspaceId::from_bits(1), bad).await.is_err(),
                "{bad}"
            );
        }
    }
}
