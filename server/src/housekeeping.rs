//! What keeps a running server tidy: files that nothing needs any more go.

use std::time::Duration;

use storage::Db;
use storage::attachment::{self, Swept};
use storage::blob::Blobs;
use world::World;

/// How often files that nothing needs any more are looked for: an erasure is complete after this.
const SWEEP_PERIOD: Duration = Duration::from_secs(10);

/// How long an upload may wait for a message to claim it, in milliseconds.
const UNCLAIMED_MS_MAX: u64 = 24 * HOUR_MS;

/// How long storing a file may take before it counts as given up, in milliseconds.
const UNSTORED_MS_MAX: u64 = HOUR_MS;

/// How often files without a row are looked for, which reads the names of all. At start too: only a crash, a
/// loss of power or a restored store leaves some.
const STRAY_PERIOD: Duration = Duration::from_millis(24 * HOUR_MS);

/// How old such a file is at least, in milliseconds.
const STRAY_MS_MIN: u64 = HOUR_MS;

const HOUR_MS: u64 = 60 * 60 * 1_000;

/// The task and what it works on.
pub(crate) struct Housekeeping {
    pub(crate) db: Db,
    pub(crate) blobs: Blobs,
    pub(crate) world: World,
}

impl Housekeeping {
    /// Works until the server stops.
    pub(crate) async fn run(self) {
        let stop = self.world.tracker.soft().clone();
        let mut strays_at = self.world.clock.elapsed();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.world.clock.sleep(SWEEP_PERIOD) => {}
            }
            report("files that nothing needs", self.sweep().await);
            if self.world.clock.elapsed() >= strays_at {
                report("files without a row", self.remove_strays().await);
                strays_at = self.world.clock.elapsed() + STRAY_PERIOD;
            }
        }
    }

    async fn sweep(&self) -> storage::Result<Swept> {
        let now_ms = self.world.clock.now_ms();
        let unclaimed_ms = now_ms.saturating_sub(UNCLAIMED_MS_MAX);
        let unstored_ms = now_ms.saturating_sub(UNSTORED_MS_MAX);
        attachment::sweep(&self.db, &self.blobs, unclaimed_ms, unstored_ms).await
    }

    async fn remove_strays(&self) -> storage::Result<Swept> {
        let before_ms = self.world.clock.now_ms().saturating_sub(STRAY_MS_MIN);
        attachment::remove_strays(&self.db, &self.blobs, before_ms).await
    }
}

/// The parts that failed were logged one by one.
fn report(what: &'static str, done: storage::Result<Swept>) {
    match done {
        Ok(swept) if swept == Swept::default() => {}
        Ok(swept) => tracing::info!(
            removed.count = swept.removed_count,
            failed.count = swept.failed_count,
            "{what} were removed"
        ),
        Err(error) => tracing::warn!(%error, "{what} could not be removed"),
    }
}
