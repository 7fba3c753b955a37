//! Blobs: the bytes of files, by workspace and hash. On the filesystem, or in an S3-compatible store.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutPayload};
use protocol::id::WorkspaceId;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

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
    },
}

/// The files. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
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
        } => {
            let mut builder = AmazonS3Builder::new()
                .with_bucket_name(bucket)
                .with_region(region)
                .with_access_key_id(access_key_id)
                .with_secret_access_key(secret_access_key);
            if let Some(endpoint) = endpoint {
                builder = builder
                    .with_endpoint(endpoint)
                    .with_allow_http(endpoint.starts_with("http://"))
                    .with_virtual_hosted_style_request(false);
            }
            Arc::new(builder.build().map_err(configuration)?)
        }
    };
    Ok(Blobs { store })
}

impl Blobs {
    /// Stores bytes and gives their hash, once they would survive a loss of power. The same bytes of the
    /// same workspace are stored once.
    ///
    /// # Errors
    /// `Full`, `Unavailable`.
    pub async fn put(&self, workspace_id: WorkspaceId, bytes: Bytes) -> Result<String> {
        let mut hash = String::with_capacity(64);
        for byte in Sha256::digest(&bytes) {
            write!(hash, "{byte:02x}").expect("writing into a string does not fail");
        }
        let path = path(workspace_id, &hash)?;
        let put = self
            .store
            .put_opts(&path, PutPayload::from_bytes(bytes), PutMode::Create.into())
            .await;
        match put {
            Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => Ok(hash),
            Err(error) => Err(failure(&error)),
        }
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn get(&self, workspace_id: WorkspaceId, hash: &str) -> Result<Option<Bytes>> {
        match self.store.get(&path(workspace_id, hash)?).await {
            Ok(found) => Ok(Some(found.bytes().await.map_err(|error| failure(&error))?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failure(&error)),
        }
    }

    /// Removes a file; nothing happens where there is none.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn remove(&self, workspace_id: WorkspaceId, hash: &str) -> Result<()> {
        match self.store.delete(&path(workspace_id, hash)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failure(&error)),
        }
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
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::StorageFull) {
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
        let hash = blobs.put(ours, Bytes::from_static(b"hello")).await.unwrap();
        assert_eq!(
            blobs.put(ours, Bytes::from_static(b"hello")).await.unwrap(),
            hash
        );
        assert_eq!(blobs.get(ours, &hash).await.unwrap().unwrap(), "hello");
        assert_eq!(blobs.get(theirs, &hash).await.unwrap(), None);
        blobs.remove(ours, &hash).await.unwrap();
        blobs.remove(ours, &hash).await.unwrap();
        assert_eq!(blobs.get(ours, &hash).await.unwrap(), None);
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
