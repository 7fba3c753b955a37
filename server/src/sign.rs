//! Signs of nodes among the uploaded files: nodes of one store must keep their files in one place.
//!
//! No path tells whether two folders are one. So each node leaves a file with its id among the uploads before it enters
//! the store, and looks there for those of the others: where one is missing, what is uploaded at one of the two
//! cannot be read at the other. Buckets have names to compare, and need none.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use protocol::id::NodeId;
use storage::Db;
use storage::node::{self, Node};
use world::World;

/// The folder of the signs, among those of workspaces.
const FOLDER: &str = "nodes";

/// How often the signs of the others are looked for.
const LOOK_PERIOD: Duration = Duration::from_secs(2);

/// How old a sign is at least that is removed because its node is not in the store, in milliseconds: one that is about to
/// enter leaves its sign first.
const STALE_MS_MIN: u64 = 24 * 60 * 60 * 1_000;

/// The signs in a folder of uploaded files.
#[derive(Debug, Clone)]
pub(crate) struct Signs(PathBuf);

impl Signs {
    pub(crate) fn among(files: &Path) -> Self {
        Self(files.join(FOLDER))
    }

    /// Leaves that of a node. Where it cannot be left, uploads cannot either, and the others find out.
    pub(crate) fn leave(&self, node_id: NodeId) {
        let left = fs::create_dir_all(&self.0).and_then(|()| File::create(self.path(node_id)));
        if let Err(error) = left {
            tracing::warn!(%error, "nothing can be written among the uploaded files");
        }
    }

    /// Takes that of a node away, once it is not in the store any more.
    pub(crate) fn take(&self, node_id: NodeId) {
        if let Err(error) = fs::remove_file(self.path(node_id)) {
            tracing::debug!(%error, "a sign is gone already");
        }
    }

    /// Those who left none here.
    fn missing(&self, node_ids: &[NodeId]) -> Vec<NodeId> {
        let is_missing = |node_id: &&NodeId| fs::metadata(self.path(**node_id)).is_err();
        node_ids.iter().filter(is_missing).copied().collect()
    }

    /// Takes away those of nodes that ended without doing it themselves.
    fn sweep(&self, node_ids: &[NodeId], before_ms: u64) -> io::Result<()> {
        let before = UNIX_EPOCH + Duration::from_millis(before_ms);
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let name = entry.file_name();
            let node_id = name.to_str().and_then(|name| name.parse().ok());
            let is_gone = node_id.is_some_and(|node_id| !node_ids.contains(&node_id));
            if is_gone && entry.metadata()?.modified()? < before {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn path(&self, node_id: NodeId) -> PathBuf {
        self.0.join(node_id.to_string())
    }
}

/// Which node's files are not here, in words; nothing where all are in one place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Apart(Arc<Mutex<Option<String>>>);

impl Apart {
    pub(crate) fn node(&self) -> Option<String> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who looks for the signs. A task of its own: a network folder may not answer, and the lease must be renewed.
pub(crate) struct Lookout {
    pub(crate) db: Db,
    pub(crate) world: World,
    pub(crate) signs: Signs,
    pub(crate) apart: Apart,
}

impl Lookout {
    /// Looks until the server stops.
    pub(crate) async fn run(self) {
        let stop = self.world.tracker.soft().clone();
        let mut is_swept = false;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.world.clock.sleep(LOOK_PERIOD) => {}
            }
            let looked = async {
                let nodes = node::list(&self.db.reader()).await?;
                if !is_swept {
                    self.sweep(&nodes).await;
                    is_swept = true;
                }
                self.look(&nodes).await
            };
            match looked.await {
                Ok(node) => *self.apart.lock() = node,
                Err(error) => tracing::debug!(%error, "the other nodes could not be read"),
            }
        }
    }

    /// The first node whose sign is not here.
    async fn look(&self, nodes: &[Node]) -> storage::Result<Option<String>> {
        let (signs, ids) = (self.signs.clone(), ids(nodes));
        let missing = self
            .world
            .tracker
            .spawn_blocking(move || signs.missing(&ids));
        let missing = missing.await.unwrap_or_default();
        if missing.is_empty() {
            return Ok(None);
        }
        // One that ended meanwhile left the store first, and then took its sign away.
        let nodes = node::list(&self.db.reader()).await?;
        let apart = nodes.into_iter().find(|node| missing.contains(&node.id));
        Ok(apart.map(|node| node.name))
    }

    async fn sweep(&self, nodes: &[Node]) {
        let (signs, ids) = (self.signs.clone(), ids(nodes));
        let before_ms = self.world.clock.now_ms().saturating_sub(STALE_MS_MIN);
        let sweep = move || signs.sweep(&ids, before_ms);
        let swept = self.world.tracker.spawn_blocking(sweep).await;
        if let Ok(Err(error)) = swept {
            tracing::debug!(%error, "old signs could not be removed");
        }
    }
}

fn ids(nodes: &[Node]) -> Vec<NodeId> {
    nodes.iter().map(|node| node.id).collect()
}

#[cfg(test)]
mod tests {
    use protocol::id::Id;

    use super::*;

    fn id(bits: u128) -> NodeId {
        NodeId::from_bits(bits)
    }

    #[test]
    fn a_sign_is_found_in_the_same_folder_by_whichever_way_and_in_no_other() {
        let [one, other] = [0, 1].map(|_| tempfile::tempdir().unwrap());
        let way = other.path().join("way");
        std::os::unix::fs::symlink(one.path(), &way).unwrap();
        let [one, way, other] = [one.path(), &way, other.path()].map(Signs::among);
        one.leave(id(1));
        way.leave(id(2));
        let all = [id(1), id(2), id(3)];
        assert_eq!(one.missing(&all), [id(3)]);
        assert_eq!(way.missing(&all), [id(3)]);
        assert_eq!(other.missing(&all), all);
        way.take(id(1));
        assert_eq!(one.missing(&all), [id(1), id(3)]);
    }

    #[test]
    fn a_sign_that_nobody_took_away_goes_when_it_is_old_and_its_node_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let signs = Signs::among(folder.path());
        let all = [id(1), id(2)];
        for node_id in all {
            signs.leave(node_id);
        }
        signs.sweep(&[], 1).unwrap();
        assert_eq!(signs.missing(&all), [], "they are not old");
        // Far in the future: all that was written until now is old.
        signs.sweep(&[id(1)], 1 << 42).unwrap();
        assert_eq!(signs.missing(&all), [id(2)]);
    }
}
