//! The daily backup on a clock that the test moves.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gateway::metric::{Metric, Metrics};
use storage::blob::BlobConfig;
use storage::{DatabaseConfig, Db};
use world::{Clock, World};

use super::{Backups, DAILY, DAY_MS, stamp};
use crate::config::BackupPlan;

const HOUR_MS: u64 = 60 * 60 * 1_000;

/// When the daily backup is due, after midnight.
const THREE_MS: u64 = 3 * HOUR_MS;

/// A midnight.
const MIDNIGHT_MS: u64 = 20_000 * DAY_MS;

struct Home {
    directory: tempfile::TempDir,
    db: Db,
    metrics: Arc<Metrics>,
    /// Only the daily backup waits on its clock.
    world: World,
}

impl Home {
    /// An embedded store, and what time it is.
    async fn at(now_ms: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("switchboard.db");
        let config = DatabaseConfig::of_url(&format!("sqlite:{}", file.display())).unwrap();
        let mut world = World::system();
        let db = storage::open(&config, &world).await.unwrap();
        world.clock = Clock::manual(now_ms);
        Self {
            directory,
            db,
            metrics: Arc::default(),
            world,
        }
    }

    fn begins(&self) {
        let backups = Backups {
            db: self.db.clone(),
            blobs: BlobConfig::Directory(self.files()),
            plan: BackupPlan {
                daily_at_ms: Some(THREE_MS),
                keep: 7,
                directory: self.backups(),
            },
            metrics: self.metrics.clone(),
            world: self.world.clone(),
        };
        self.world.tracker.spawn(backups.daily());
    }

    fn files(&self) -> PathBuf {
        self.directory.path().join("files")
    }

    fn backups(&self) -> PathBuf {
        self.directory.path().join("backups")
    }

    /// Lets time pass until then, and until all that was due is done.
    async fn is(&self, then_ms: u64) {
        let clock = &self.world.clock;
        loop {
            let left_ms = then_ms - clock.now_ms();
            let Some(wake) = clock.next_wake() else {
                // It is at work, on threads of its own.
                tokio::task::yield_now().await;
                continue;
            };
            if left_ms == 0 {
                return;
            }
            clock.advance((wake - clock.elapsed()).min(Duration::from_millis(left_ms)));
        }
    }

    /// How many failed, and how many are there.
    fn count(&self) -> (i64, usize) {
        let written = fs::read_dir(self.backups()).map_or(0, |entries| {
            let names = entries.map(|entry| entry.unwrap().file_name());
            names
                .filter(|name| name.to_str().unwrap().starts_with(DAILY))
                .count()
        });
        (self.metrics.get(Metric::BackupsFailed), written)
    }

    /// Since when the team is told that backups fail.
    async fn fail_since(&self) -> Option<u64> {
        let told = storage::meta::backup_trouble(&self.db.reader()).await;
        told.unwrap().map(|trouble| trouble.since_at_ms)
    }

    fn stands_at(&self, metric: Metric, at_ms: u64) {
        assert_eq!(
            self.metrics.get(metric),
            i64::try_from(at_ms / 1_000).unwrap()
        );
    }
}

/// Nothing can be written where a file stands.
fn is_in_the_way(path: &Path) {
    fs::write(path, "not a directory").unwrap();
}

#[tokio::test]
async fn a_failed_daily_backup_is_tried_again_each_hour_until_one_is_written() {
    let home = Home::at(MIDNIGHT_MS).await;
    is_in_the_way(&home.backups());
    home.begins();
    let due_ms = MIDNIGHT_MS + THREE_MS;
    home.is(due_ms - 1).await;
    assert_eq!(home.count(), (0, 0));
    home.is(due_ms).await;
    assert_eq!(home.count(), (1, 0));
    home.stands_at(Metric::BackupFailedAt, due_ms);

    home.is(due_ms + HOUR_MS - 1).await;
    assert_eq!(home.count(), (1, 0), "an hour is not over");
    home.is(due_ms + HOUR_MS).await;
    assert_eq!(home.count(), (2, 0));
    assert_eq!(home.fail_since().await, Some(due_ms));
    home.stands_at(Metric::BackupFailedAt, due_ms + HOUR_MS);
    home.stands_at(Metric::BackupWrittenAt, 0);

    fs::remove_file(home.backups()).unwrap();
    home.is(due_ms + 2 * HOUR_MS).await;
    assert_eq!(home.count(), (2, 1));
    assert_eq!(home.fail_since().await, None);
    home.stands_at(Metric::BackupWrittenAt, due_ms + 2 * HOUR_MS);
    // All is well, so the next one comes at its time and not in an hour.
    home.is(due_ms + DAY_MS - 1).await;
    assert_eq!(home.count(), (2, 1));
    home.is(due_ms + DAY_MS).await;
    assert_eq!(home.count(), (2, 2));
}

#[tokio::test]
async fn what_failed_within_an_hour_of_the_next_time_is_tried_at_that_time() {
    let due_ms = MIDNIGHT_MS + THREE_MS;
    let start_ms = due_ms - HOUR_MS / 2;
    let home = Home::at(start_ms).await;
    // The server was down for a day, so one is due at once.
    let old = format!("{DAILY}{}", stamp(due_ms - 2 * DAY_MS));
    fs::create_dir_all(home.backups().join(old)).unwrap();
    is_in_the_way(&home.files());
    home.begins();
    home.is(start_ms).await;
    assert_eq!(home.count(), (1, 1));
    home.is(due_ms - 1).await;
    assert_eq!(home.count(), (1, 1));
    fs::remove_file(home.files()).unwrap();
    home.is(due_ms).await;
    assert_eq!(home.count(), (1, 2));
    home.is(start_ms + HOUR_MS).await;
    assert_eq!(home.count(), (1, 2), "one is enough");
}

#[tokio::test]
async fn the_last_seven_daily_backups_stay_and_none_that_was_made_by_hand_goes() {
    let due_ms = MIDNIGHT_MS + THREE_MS;
    let home = Home::at(due_ms - 1).await;
    let of = |at_ms: u64| home.backups().join(format!("{DAILY}{}", stamp(at_ms)));
    let old: Vec<_> = (1..=9).map(|days| of(due_ms - days * DAY_MS)).collect();
    let by_hand = home.backups().join("manual-2020-01-01");
    let half = home
        .backups()
        .join(format!("{DAILY}{}.partial", stamp(due_ms - 1)));
    for path in old.iter().chain([&by_hand, &half]) {
        fs::create_dir_all(path).unwrap();
    }
    home.begins();
    home.is(due_ms).await;
    assert_eq!(home.count(), (0, 7));
    assert!(of(due_ms).is_dir());
    assert!(old[..6].iter().all(|path| path.is_dir()));
    assert!(old[6..].iter().chain([&half]).all(|path| !path.exists()));
    assert!(by_hand.is_dir());
}
