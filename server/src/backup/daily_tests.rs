//! The daily backup on a clock that the test moves.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gateway::metric::{Metric, Metrics};
use storage::backup_turn::{self, Holder, Turn, TurnState};
use storage::blob::BlobConfig;
use storage::node::{self, Company, Load};
use storage::{DatabaseConfig, Db};
use world::{Clock, World};

use super::daily::DAY_MS;
use super::{Backups, DAILY, PARTIAL, stamp};
use crate::config::BackupPlan;

const HOUR_MS: u64 = 60 * 60 * 1_000;
const MINUTE_MS: u64 = 60 * 1_000;

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
        self.begins_as("", self.backups(), &self.world, &self.metrics);
    }

    /// A node begins that keeps its backups there.
    fn begins_as(&self, name: &str, directory: PathBuf, world: &World, metrics: &Arc<Metrics>) {
        let backups = Backups {
            db: self.db.clone(),
            blobs: BlobConfig::Directory(self.files()),
            plan: BackupPlan {
                daily_at_ms: Some(THREE_MS),
                keep: 7,
                directory,
            },
            holder: holder(name),
            metrics: metrics.clone(),
            world: world.clone(),
        };
        world.tracker.spawn(backups.daily());
    }

    /// One of several nodes begins, with a clock of its own.
    async fn node(&self, name: &str) -> Node {
        let mut world = World::system();
        world.clock = Clock::manual(self.world.clock.now_ms());
        let node = Node {
            directory: self.directory.path().join(name),
            world,
            metrics: Arc::default(),
        };
        self.enters(name).await;
        self.begins_as(name, node.directory.clone(), &node.world, &node.metrics);
        node
    }

    /// A node is among those that live.
    async fn enters(&self, name: &str) {
        let row = node::Node {
            id: self.world.ids.next(),
            name: name.to_owned(),
            seat: name.to_owned(),
            company: Company::Shared,
            bus: "bus".to_owned(),
            files: String::new(),
            settings: BTreeMap::new(),
            version: "1".to_owned(),
            renewal: 1,
            started_at_ms: 0,
            renewed_at_ms: 0,
            load: Load::default(),
        };
        assert_eq!(node::enter(&self.db, &row, &[]).await.unwrap(), []);
    }

    /// A node is not among those that live any more.
    async fn leaves(&self, name: &str) {
        let nodes = node::list(&self.db.reader()).await.unwrap();
        let gone = nodes.iter().find(|node| node.name == name).unwrap();
        node::leave(&self.db, gone.id).await.unwrap();
    }

    /// Somebody has the turn at a backup, and writes it.
    async fn takes(&self, name: &str, due_at_ms: u64) {
        let last = backup_turn::find(&self.db.reader()).await.unwrap();
        let turn = Turn {
            holder: holder(name),
            due_at_ms,
            taken_at_ms: due_at_ms,
            state: TurnState::Taken,
        };
        let taken = backup_turn::put(&self.db, last.as_ref(), turn).await;
        assert!(taken.unwrap().is_some());
    }

    fn files(&self) -> PathBuf {
        self.directory.path().join("files")
    }

    fn backups(&self) -> PathBuf {
        self.directory.path().join("backups")
    }

    /// Lets time pass until then, and until all that was due is done.
    async fn is(&self, then_ms: u64) {
        pass(&self.world.clock, then_ms).await;
    }

    /// How many failed, and how many are there.
    fn count(&self) -> (i64, usize) {
        (
            self.metrics.get(Metric::BackupsFailed),
            count_in(&self.backups()),
        )
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

/// One of several nodes.
struct Node {
    directory: PathBuf,
    world: World,
    metrics: Arc<Metrics>,
}

impl Node {
    /// Lets time pass for it alone.
    async fn is(&self, then_ms: u64) {
        pass(&self.world.clock, then_ms).await;
    }

    fn count(&self) -> usize {
        count_in(&self.directory)
    }
}

fn holder(name: &str) -> Holder {
    Holder {
        place: name.to_owned(),
        seat: name.to_owned(),
    }
}

/// How many daily backups are there, whole.
fn count_in(directory: &Path) -> usize {
    let names = fs::read_dir(directory).into_iter().flatten();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| name.starts_with(DAILY) && !name.ends_with(PARTIAL))
        .count()
}

/// Lets time pass until then, and until all that was due of the one who waits on this clock is done.
async fn pass(clock: &Clock, then_ms: u64) {
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

#[tokio::test]
async fn of_two_nodes_one_writes_and_the_other_where_that_one_fails_or_is_gone() {
    let due_ms = |day: u64| MIDNIGHT_MS + THREE_MS + day * DAY_MS;
    let home = Home::at(due_ms(0) - 1).await;
    let (one, two) = (home.node("one").await, home.node("two").await);
    let counts = || (one.count(), two.count());
    one.is(due_ms(0)).await;
    two.is(due_ms(0)).await;
    assert_eq!(counts(), (1, 0), "one of them is enough");
    for node in [&one, &two] {
        let written_at = node.metrics.get(Metric::BackupWrittenAt);
        assert_eq!(written_at, i64::try_from(due_ms(0) / 1_000).unwrap());
    }
    // Where the last one lies, there the next one comes.
    two.is(due_ms(1)).await;
    assert_eq!(counts(), (1, 0));
    one.is(due_ms(1)).await;
    two.is(due_ms(1) + HOUR_MS).await;
    assert_eq!(counts(), (2, 0));
    // It cannot write: the other one does.
    fs::rename(&one.directory, home.directory.path().join("full")).unwrap();
    is_in_the_way(&one.directory);
    one.is(due_ms(2)).await;
    assert_eq!(one.metrics.get(Metric::BackupsFailed), 1);
    assert_eq!(home.fail_since().await, Some(due_ms(2)));
    two.is(due_ms(2)).await;
    assert_eq!(home.fail_since().await, None);
    fs::remove_file(&one.directory).unwrap();
    one.is(due_ms(2) + 2 * HOUR_MS).await;
    assert_eq!(counts(), (0, 1));
    // That one is heard of no more: after a minute it is the first one's turn again.
    one.is(due_ms(3) + MINUTE_MS - 1).await;
    assert_eq!(counts(), (0, 1));
    one.is(due_ms(3) + MINUTE_MS).await;
    assert_eq!(counts(), (1, 1));
}

#[tokio::test]
async fn a_node_that_writes_is_waited_for_while_it_lives() {
    let due_ms = MIDNIGHT_MS + THREE_MS;
    let home = Home::at(due_ms - 1).await;
    let one = home.node("one").await;
    home.enters("two").await;
    home.takes("two", due_ms).await;
    one.is(due_ms + 2 * HOUR_MS).await;
    assert_eq!(one.count(), 0);
    // It dies, and what it began is begun anew within minutes.
    home.leaves("two").await;
    one.is(due_ms + 2 * HOUR_MS + 5 * MINUTE_MS).await;
    assert_eq!(one.count(), 1);
    // One that lives and never says what became of it is waited for half a day.
    home.enters("two").await;
    home.takes("two", due_ms + DAY_MS).await;
    one.is(due_ms + DAY_MS + 12 * HOUR_MS - 1).await;
    assert_eq!(one.count(), 1);
    one.is(due_ms + DAY_MS + 12 * HOUR_MS).await;
    assert_eq!(one.count(), 2);
}
